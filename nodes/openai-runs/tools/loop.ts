/** The tool loop of one run: calls out, answers in, one submit a round, until the run has ended. */
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { LONGEST_TIMER_MS } from '../../../engine/domain/waits.ts';
import type { Translate } from '../../openai-runs-service/connection.ts';
import type { Call } from '../delivery/call.ts';
import { follow } from '../delivery/follow.ts';
import { poll } from '../delivery/poll.ts';
import { RunsError } from '../errors.ts';
import type { Run } from '../methods/method.ts';
import { submitToolOutputsToRun } from '../methods/submitToolOutputsToRun/method.ts';
import { place } from '../outputs.ts';
import { hasSettled } from '../run-view.ts';
import { isObject, type Settings } from '../settings.ts';
import { errorOutput } from './output.ts';
import type { ToolCall, ToolOutput } from './round.ts';
import type { Tool, ToolRounds } from './rounds.ts';
import type { AnswerStash } from './stash.ts';

/** Milliseconds after a run's expiry at which it is looked at, and between looks if it waits on all the same. */
const AFTER_EXPIRY = 1_000;
const LOOK_AGAIN = 10_000;

export interface LoopOptions {
  RED: NodeAPI;
  node: Node;
  settings: Settings;
  rounds: ToolRounds;
  call: Call;
  stash: AnswerStash;
  /** Answers to calls that an earlier process sent out; the first round then is not sent again. */
  earlier?: ReadonlyMap<string, string>;
  /** Runs around the waiting, so that a run that waits for tools holds no place of the service. */
  whileWaiting<T>(wait: () => Promise<T>): Promise<T>;
}

/**
 * The calls that a run waits for; empty if it waits for none.
 * @throws RunsError when it waits for something that is no function call, or does not say what for
 */
export function callsOf(run: Run | undefined, t: Translate): ToolCall[] {
  if (run?.status !== 'requires_action') return [];
  const action: unknown = run.required_action;
  const type = isObject(action) && typeof action.type === 'string' ? action.type : '–';
  const asked = isObject(action) && isObject(action.submit_tool_outputs) ? action.submit_tool_outputs : {};
  const calls: unknown = asked.tool_calls;
  if (Array.isArray(calls) && calls.every(isCall)) return calls;
  throw new RunsError(t('error.requiredAction', { type: type.slice(0, 80) }), {
    code: 'unknown_action',
    thread_id: run.thread_id,
    run_id: run.id,
  });
}

function isCall(call: unknown): call is ToolCall {
  if (!isObject(call) || typeof call.id !== 'string' || !isObject(call.function)) return false;
  return typeof call.function.name === 'string' && typeof call.function.arguments === 'string';
}

/**
 * Goes on until the run no longer asks for tools.
 * @throws RunsError when nothing is wired to the tool output, or the rounds are used up; the run is then cancelled
 *   by whoever catches it
 */
export async function runTools(options: LoopOptions): Promise<void> {
  const { call, settings, node } = options;
  const { job, t } = call;
  const done = new Map<string, ToolOutput[]>();
  for (let count = 1; ; count++) {
    const run = call.view.run;
    const calls = callsOf(run, t);
    if (!run || calls.length === 0) return;
    if (settings.maxToolRounds > 0 && count > settings.maxToolRounds) {
      throw new RunsError(t('error.toolRounds', { count: settings.maxToolRounds }), { code: 'tool_rounds' });
    }
    if (!isWired(node)) throw new RunsError(t('error.toolsNotWired'), { code: 'tools_not_wired' });
    const key = keyOf(calls);
    // The same calls once more: the submit did not get through, so what was answered is submitted again.
    const earlier = count === 1 ? options.earlier : undefined;
    const outputs =
      done.get(key) ?? (await options.whileWaiting(() => collect(options, run, calls, earlier)));
    job.signal.throwIfAborted();
    if (!outputs) continue;
    done.set(key, outputs);
    await submit(call, run, outputs);
    options.stash.drop(run.id);
  }
}

/** Whether anything is wired to output 2. Node-RED keeps the wires on the node; its types don't say so. */
function isWired(node: Node): boolean {
  return Boolean((node as Node & { wires?: string[][] }).wires?.[1]?.length);
}

const keyOf = (calls: readonly ToolCall[]) => calls.map(({ id }) => id).join();

/** Sends the calls out and waits for the answers; nothing is returned if the run stops waiting for them. */
async function collect(
  options: LoopOptions,
  run: Run,
  calls: ToolCall[],
  earlier?: ReadonlyMap<string, string>,
): Promise<ToolOutput[] | undefined> {
  const { call, rounds, settings } = options;
  const { job, t } = call;
  let wake = () => {};
  const round = rounds.begin(run.id, calls, (changed) => {
    call.showTools(changed);
    if (changed.complete) wake();
  });
  const stop = () => wake();
  const since = Date.now();
  let timer: NodeJS.Timeout | undefined;
  job.signal.addEventListener('abort', stop, { once: true });
  try {
    call.showTools(round);
    for (const [id, output] of earlier ?? []) round.answer(id, output);
    if (!earlier) sendCalls(options, run, calls);
    while (!round.complete) {
      const { wait, timesOut } = waitFor(run, settings.toolTimeout, since);
      await new Promise<void>((resolve) => {
        wake = resolve;
        timer = setTimeout(stop, wait);
        if (job.signal.aborted) resolve();
      });
      clearTimeout(timer);
      job.signal.throwIfAborted();
      if (round.complete) break;
      if (timesOut) round.fill(errorOutput(t('error.toolTimeout', { seconds: settings.toolTimeout })));
      else if (!(await stillWaits(call, calls))) return undefined;
      call.showTools(round);
    }
    return round.toolOutputs;
  } finally {
    clearTimeout(timer);
    job.signal.removeEventListener('abort', stop);
    rounds.end(round);
  }
}

/** Looks whether a run that should have expired still waits: the server's clock may be another than ours. */
async function stillWaits(call: Call, calls: readonly ToolCall[]): Promise<boolean> {
  await poll(call);
  return keyOf(callsOf(call.view.run, call.t)) === keyOf(calls);
}

/** How long to wait for answers, in milliseconds; then either the tools are out of time or the run is looked at. */
function waitFor(run: Run, toolTimeout: number, since: number): { wait: number; timesOut: boolean } {
  const now = Date.now();
  const asked = toolTimeout > 0 ? since + toolTimeout * 1000 : Number.POSITIVE_INFINITY;
  const expiry = run.expires_at ? run.expires_at * 1000 + AFTER_EXPIRY : Number.POSITIVE_INFINITY;
  const look = expiry > now ? expiry : now + LOOK_AGAIN;
  const wait = Math.max(0, Math.min(asked, look) - now);
  return { wait: Math.min(wait, LONGEST_TIMER_MS), timesOut: asked < look && wait <= LONGEST_TIMER_MS };
}

/** One message a call. Each is a copy of its own: a tool's flow may do with it as it likes. */
function sendCalls({ RED, node, settings, call }: LoopOptions, run: Run, calls: ToolCall[]): void {
  calls.forEach(({ id, function: { name, arguments: text } }, index) => {
    const tool: Tool = {
      name,
      call_id: id,
      run_id: run.id,
      thread_id: run.thread_id,
      arguments: text,
      index,
      count: calls.length,
      expires_at: run.expires_at,
      node: node.id,
    };
    const copy = RED.util.cloneMessage(call.job.msg) as NodeMessage & { error?: unknown };
    // What a Catch node left on the request must not make a failure of the tool's answer.
    delete copy.error;
    call.job.send(place('tools', Object.assign(copy, { payload: parsed(text), tool }), settings));
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Submits a round, once, and follows the run on. A run that ended meanwhile is followed to its end instead. */
async function submit(call: Call, run: Run, tool_outputs: ToolOutput[]): Promise<void> {
  call.continueWith(submitToolOutputsToRun, { thread_id: run.thread_id, run_id: run.id, tool_outputs });
  try {
    await follow(call);
  } catch (error) {
    const { status } = error as { status?: number };
    if (status !== 400 || call.job.signal.aborted) throw error;
    await poll(call);
    const now = call.view.run;
    if (!now || !hasSettled(now) || now.status === 'requires_action') throw error;
  }
}
