/** Limits of the API's fields, for whoever checks them: the dialogs, the messages, the engine. */

/** Bounds of a number, both allowed; no upper one where `max` is missing. */
export interface Range {
  min: number;
  max?: number;
}

export const TEMPERATURE = { min: 0, max: 2 };
export const TOP_P = { min: 0, max: 1 };
/** Tokens. */
export const MAX_PROMPT_TOKENS = { min: 256 };
/** Tokens. The published schema says 256; the service took 16. */
export const MAX_COMPLETION_TOKENS = { min: 16 };
/** Items of a list's page. */
export const PAGE_LIMIT = { min: 1, max: 100 };
export const REASONING_EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
/** Names of functions: letters, digits, `_` and `-`. */
export const FUNCTION_NAME = /^[a-zA-Z0-9_-]+$/;
/** Characters of a function's name. */
export const LONGEST_FUNCTION_NAME = 64;
/** Ids under which assistants are declared; those of OpenAI's service are among them. */
export const ASSISTANT_ID = /^[A-Za-z0-9_-]{1,64}$/;
