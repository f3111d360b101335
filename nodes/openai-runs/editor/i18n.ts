/** The texts of this node's dialog. */

import { textsOf } from '../../shared/editor/texts.ts';
import type { Below, RunsText } from '../../shared/texts.ts';

export const text = textsOf<RunsText>('openai-runs');

/** What a person calls a field of the API. */
export const fieldName = (field: string): string => text(`field.${field as Below<RunsText, 'field'>}`);
