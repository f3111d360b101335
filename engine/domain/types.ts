/** The API's objects as they go over the wire; the SDK's own types are the reference. */
import type OpenAI from 'openai';

export type Assistant = OpenAI.Beta.Assistant;
export type AssistantTool = OpenAI.Beta.AssistantTool;
export type Thread = OpenAI.Beta.Thread;
export type Message = OpenAI.Beta.Threads.Message;
export type Run = OpenAI.Beta.Threads.Run;
export type RunStatus = OpenAI.Beta.Threads.RunStatus;
export type RunStep = OpenAI.Beta.Threads.Runs.RunStep;
export type RunUsage = NonNullable<Run['usage']>;
export type StreamEvent = OpenAI.Beta.AssistantStreamEvent;
export type ToolChoice = OpenAI.Beta.AssistantToolChoiceOption;

/** What a client may set on every object: up to 16 pairs. */
export type Metadata = Record<string, string>;
export type RequiredAction = NonNullable<Run['required_action']>;
export type LastError = NonNullable<Run['last_error']>;

/** The form of answer that a run asks for. */
export type ResponseFormat =
  | 'auto'
  | { type: 'text' }
  | { type: 'json_object' }
  | {
      type: 'json_schema';
      json_schema: {
        name: string;
        description?: string;
        schema?: Record<string, unknown>;
        strict?: boolean | null;
      };
    };

/** How file searches rank where nobody says otherwise, under the names of the wire. */
export const RANKING = { ranker: 'default_2024_08_21', score_threshold: 0 } as const;
