/** Answers that people give to the calls of a run. */
import type OpenAI from 'openai';
import { PanelFault } from './panel.ts';

/** The output of a function; or whether a server may call a tool of its own. */
export type Answer = string | boolean;
type Outputs = Pick<OpenAI.Beta.Threads.Runs.RunSubmitToolOutputsParams, 'tool_outputs'>;

/** Answers by the calls that they are for: texts, or yes and no. @throws PanelFault 400 */
export function answersOf(given: unknown): [callId: string, Answer][] {
  const answers = Object.entries((given ?? {}) as Record<string, unknown>);
  for (const kind of ['string', 'boolean']) {
    if (answers.length > 0 && answers.every(([, answer]) => typeof answer === kind))
      return answers as [string, Answer][];
  }
  throw new PanelFault(400, 'outputs must hold a text, or true or false, for each call.');
}

/** As the API takes them; approvals are Azure's, which the SDK does not know. */
export function submissionOf(answers: [callId: string, Answer][]): Outputs {
  if (answers.every(([, answer]) => typeof answer === 'string'))
    return { tool_outputs: answers.map(([tool_call_id, output]) => ({ tool_call_id, output })) as never };
  return { tool_approvals: answers.map(([tool_call_id, approve]) => ({ tool_call_id, approve })) } as never;
}
