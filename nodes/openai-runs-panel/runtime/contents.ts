/** What is left of runs where a service does not show contents: numbers, names, times. */
import type OpenAI from 'openai';
import type { RunRow } from '../../../engine/index.ts';
import type { RunNotices } from '../../openai-runs-service/run-notices.ts';

/** One run in full. */
export interface RunDetail {
  service: string;
  contents: boolean;
  run: OpenAI.Beta.Threads.Run;
  steps: OpenAI.Beta.Threads.Runs.RunStep[];
  /** The thread's, oldest first: its last hundred. */
  messages: OpenAI.Beta.Threads.Message[];
  row: RunRow | undefined;
  failure: ReturnType<RunNotices['failureOf']>;
  /** Whether a deployed node takes the answers of its calls, one by one; the API takes those of a round together. */
  byNode: boolean;
}

/** A row without what was said in its run. */
export function withoutWords({ question: _q, answer: _a, error: _e, ...row }: RunRow): RunRow {
  return row;
}

/** A run without texts, arguments and outputs. */
export function withoutContents({ run, steps, row, ...rest }: RunDetail): object {
  const { id, object, status, thread_id, assistant_id, model, usage } = run;
  const { created_at, started_at, completed_at, failed_at, cancelled_at, expires_at } = run;
  const times = { created_at, started_at, completed_at, failed_at, cancelled_at, expires_at };
  return {
    ...rest,
    messages: [],
    row: row && withoutWords(row),
    run: { id, object, status, thread_id, assistant_id, model, usage, ...times },
    steps: steps.map(({ step_details, last_error: _, ...step }) => ({
      ...step,
      step_details:
        step_details.type === 'tool_calls'
          ? { type: 'tool_calls', tool_calls: step_details.tool_calls.map(bareCall) }
          : step_details,
    })),
  };
}

function bareCall(call: { id?: string; type: string; function?: { name: string } }): object {
  const { id, type } = call;
  return call.function ? { id, type, function: { name: call.function.name } } : { id, type };
}
