/** A run's events as a Chat-Completions answer: whole, or in chunks. */
import type { FunctionCall } from '../../domain/content.ts';
import { ApiError, serverError } from '../../domain/errors.ts';
import type { Run } from '../../domain/types.ts';
import { type Usage, usageSince } from '../../domain/usage.ts';
import { usageOf } from '../../objects/objects.ts';
import { EventLog } from '../../worker/event-log.ts';

type Finish = 'stop' | 'length' | 'content_filter' | 'tool_calls';

/** The part of a run that answers one request. */
export interface Part {
  log: EventLog;
  /** What the run had used before: told to earlier requests. */
  before: Usage;
  /** What it has used while it waits for outputs, which its object does not tell. */
  usedSoFar(): Promise<Usage | undefined>;
}

/** What a run comes to. */
interface Outcome {
  finish: Finish;
  /** Of all of the run; undefined while it waits for outputs. */
  usage: Usage | undefined;
  calls: FunctionCall[];
}

/** Between two messages of one run. */
const GAP = '\n\n';

/**
 * Reads a run to its end, or to its call for outputs.
 * @param onText told each piece of text
 * @returns what it comes to, with what was used for this request
 * @throws ApiError for a run that ended without success
 */
async function readRun({ log, before, usedSoFar }: Part, onText: (text: string) => void) {
  let saidAnything = false;
  for await (const { event, data: told } of log.read()) {
    // As text, where another machine has told it.
    const data = typeof told === 'string' && event !== 'done' ? JSON.parse(told) : told;
    if (event === 'thread.message.created' && saidAnything) onText(GAP);
    if (event === 'thread.message.delta') {
      for (const text of textsOf(data)) {
        saidAnything = true;
        onText(text);
      }
    }
    if (event === 'error') throw serverError((data as { message: string }).message);
    const outcome = event.startsWith('thread.run.') && outcomeOf(data as Run);
    if (outcome) {
      const total = outcome.usage ?? (await usedSoFar()) ?? before;
      return { ...outcome, usage: usageSince(before, total) };
    }
  }
  throw serverError();
}

const textsOf = (data: unknown): string[] =>
  (data as { delta: { content?: { text?: { value?: string } }[] } }).delta.content?.flatMap(
    ({ text }) => text?.value ?? [],
  ) ?? [];

/** What a run's status means; undefined while it goes on, or for the data of another event. */
function outcomeOf(run: Run): Outcome | undefined {
  const { status, usage, required_action, incomplete_details, last_error } = run;
  const outcome = (finish: Finish): Outcome => ({
    finish,
    usage: usage ? usageOf(usage) : undefined,
    calls: [],
  });
  switch (run.object === 'thread.run' && status) {
    case 'completed':
      return outcome('stop');
    case 'incomplete':
      return outcome(incomplete_details?.reason ? 'length' : 'content_filter');
    case 'requires_action':
      return {
        ...outcome('tool_calls'),
        calls: (required_action?.submit_tool_outputs.tool_calls ?? []) as unknown as FunctionCall[],
      };
    case 'failed':
      if (last_error?.code !== 'rate_limit_exceeded') throw serverError(last_error?.message);
      throw new ApiError(429, last_error.message, { type: 'requests', code: last_error.code });
    case 'cancelled':
    case 'expired':
      throw serverError(`The run was ${status === 'expired' ? 'not done in time' : status}.`);
    default:
      return undefined;
  }
}

/** What all chunks of an answer, or the whole answer, have in common. */
export const headOf = (runId: string, created: number, model: string) => ({
  id: runId.replace('run_', 'chatcmpl-'),
  created,
  model,
  system_fingerprint: null,
});

type Head = ReturnType<typeof headOf>;

/** Usage as chat programs read it: the details of the prompt have another name here than in runs. */
const usageObject = ({ cached_tokens = 0, reasoning_tokens = 0, ...tokens }: Usage) => ({
  ...tokens,
  prompt_tokens_details: { cached_tokens },
  completion_tokens_details: { reasoning_tokens },
});

const callObject = ({ id, type, function: { name, arguments: args } }: FunctionCall) => ({
  id,
  type,
  function: { name, arguments: args },
});

/** The whole answer. */
export async function wholeAnswer(head: Head, part: Part) {
  let content = '';
  const { finish, usage, calls } = await readRun(part, (text) => {
    content += text;
  });
  const message = {
    role: 'assistant',
    content: content || calls.length === 0 ? content : null,
    refusal: null,
    ...(calls.length > 0 && { tool_calls: calls.map(callObject) }),
  };
  return {
    ...head,
    object: 'chat.completion',
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
    usage: usageObject(usage),
  };
}

/** The answer in chunks, as they come. @param withUsage a last chunk tells what was used */
export function chunks(head: Head, part: Part, withUsage: boolean): EventLog {
  const answer = new EventLog(0, { last: '' });
  const base = { ...head, object: 'chat.completion.chunk', ...(withUsage && { usage: null }) };
  const add = (data: object) => answer.append({ event: '', data });
  const choose = (delta: object, finish_reason: Finish | null = null) =>
    add({ ...base, choices: [{ index: 0, delta, logprobs: null, finish_reason }] });
  choose({ role: 'assistant', content: '' });
  readRun(part, (content) => choose({ content }))
    .then(({ finish, usage, calls }) => {
      for (const [index, call] of calls.entries()) choose({ tool_calls: [{ index, ...callObject(call) }] });
      choose({}, finish);
      if (withUsage) add({ ...base, choices: [], usage: usageObject(usage) });
    })
    .catch((error: unknown) => add({ error: (error instanceof ApiError ? error : serverError()).body }))
    .finally(() => answer.end());
  return answer;
}
