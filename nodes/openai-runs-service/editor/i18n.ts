/** The texts of this node's dialog. */

import { textsOf } from '../../shared/editor/texts.ts';
import type { ServiceText } from '../../shared/texts.ts';

export const text = textsOf<ServiceText>('openai-runs-service');
