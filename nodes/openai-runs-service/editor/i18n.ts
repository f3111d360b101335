/** The texts of this node's dialog. */
import { textsOf } from '../../shared/editor/texts.ts';

export const text = textsOf('openai-runs-service');
