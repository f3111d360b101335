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

/** How file searches rank where nobody says otherwise, under the names of the wire. */
export const RANKING = { ranker: 'default_2024_08_21', score_threshold: 0 } as const;
