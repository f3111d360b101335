/** Runs what is queued: one attempt is a claim, one turn of the model, and what that turn means for the run. */

import type { EngineLog } from '../domain/log.ts';
import { isActive } from '../domain/run-states.ts';
import type { LastError } from '../domain/types.ts';
import { addUsage } from '../domain/usage.ts';
import type { ContextWindows } from '../models/context-windows.ts';
import { type Model, ModelError } from '../models/model.ts';
import type { RunNotice } from '../notices.ts';
import { BudgetSpent, prepareTurn } from '../prompt/turn.ts';
import type { Stored } from '../store/records.ts';
import { changesOf, runById, Superseded, transition } from '../store/runs.ts';
import { saveParts } from '../store/steps.ts';
import { atomically, type Store } from '../store/store.ts';
import { type AskOptions, ask } from './ask-model.ts';
import {
  closeParts,
  closingEvents,
  type Ending,
  endRun,
  errorEvent,
  goneEvent,
  runEvent,
} from './end-run.ts';
import type { EventHub, EventLog } from './event-log.ts';
import { mergeDeltas } from './merge-deltas.ts';
import type { Outbox } from './outbox.ts';
import { limitTurn } from './turn-limit.ts';
import { type TurnResult, TurnWriter } from './turn-writer.ts';

/** Why an attempt is ended from outside. */
export type StopReason = 'cancel' | 'expire' | 'shutdown' | 'deleted';

export interface ExecutorOptions {
  store: Store;
  hub: EventHub;
  outbox: Outbox;
  model: Model;
  log: EngineLog;
  /** Milliseconds since 1970. */
  clock: () => number;
  windows: ContextWindows;
  workerId: string;
  onNotice: (notice: RunNotice) => void;
  answersCalls: () => boolean;
  sleep?: AskOptions['sleep'];
}

interface Attempt {
  controller: AbortController;
  stop: StopReason | undefined;
  done: Promise<void>;
}

export const STOPPED: LastError = {
  code: 'server_error',
  message: 'The service was stopped while the run was in progress.',
};
const UNKNOWN: LastError = { code: 'server_error', message: 'Sorry, something went wrong.' };

export class Executor {
  readonly #options: ExecutorOptions;
  readonly #attempts = new Map<string, Attempt>();
  #onEnd = () => {};
  #onLost: (runId: string, log: EventLog) => void;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#onLost = (runId, log) => options.hub.close(runId, log);
  }

  /**
   * Takes up a queued run and returns at once; its events go to the log, which is closed at the attempt's end. Where the
   * run has become another process's meanwhile, the log is for whoever is told of it (onLost).
   */
  start(runId: string, log: EventLog): void {
    const attempt: Attempt = { controller: new AbortController(), stop: undefined, done: Promise.resolve() };
    this.#attempts.set(runId, attempt);
    attempt.done = this.#attempt(runId, log, attempt)
      .catch((error: unknown) => {
        // The claim itself could not be written: the run is still queued, and the sweep takes it up again.
        this.#options.log.error(`Run ${runId}: ${String(error)}`);
        log.append(errorEvent(this.#storeMessage(error)));
        return false;
      })
      .then((isLost) => {
        if (this.#attempts.get(runId) === attempt) this.#attempts.delete(runId);
        if (isLost) this.#onLost(runId, log);
        else this.#options.hub.close(runId, log);
        this.#onEnd();
      });
  }

  /** Calls back with the log of a run that another process has at work; to be closed there. */
  onLost(call: (runId: string, log: EventLog) => void): void {
    this.#onLost = call;
  }

  /** Calls back after each attempt. */
  onEnd(call: () => void): void {
    this.#onEnd = call;
  }

  /** True while this process is at work on the run. */
  has(runId: string): boolean {
    return this.#attempts.has(runId);
  }

  /** Ids of the runs that are at work. */
  get runIds(): string[] {
    return [...this.#attempts.keys()];
  }

  /** How many runs are at work. */
  get size(): number {
    return this.#attempts.size;
  }

  /** Aborts the model request of a run at once. @returns false when the run is not at work here. */
  stop(runId: string, reason: StopReason): boolean {
    const attempt = this.#attempts.get(runId);
    if (!attempt) return false;
    attempt.stop ??= reason;
    attempt.controller.abort(new DOMException(`The run was stopped (${reason}).`, 'AbortError'));
    return true;
  }

  /** Stops every run and waits until their last rows are written. */
  async stopAll(): Promise<void> {
    const done = [...this.#attempts.values()].map((attempt) => attempt.done);
    for (const runId of this.#attempts.keys()) this.stop(runId, 'shutdown');
    await Promise.all(done);
  }

  #now = (): number => Math.floor(this.#options.clock() / 1000);

  /** @returns whether the run has become another process's before it was begun here */
  async #attempt(runId: string, log: EventLog, attempt: Attempt): Promise<boolean> {
    const { workerId } = this.#options;
    const { db } = this.#options.store;
    // A run stopped by the shutdown before its claim stays queued for the next start.
    if (attempt.stop === 'shutdown') {
      log.append(errorEvent('The service was stopped; the run stays queued.'));
      return false;
    }
    const run = await atomically(db, (trx) =>
      transition(trx, runId, 'claim', this.#now(), {}, { holder: workerId }),
    );
    if (!run) return this.#settle(runId, log);
    log.attempt = run.attempt;
    this.#options.outbox.follow(runId, log);
    log.append(runEvent(run));
    const writer = new TurnWriter(db, log, run, this.#now);
    let ending: Omit<Ending, 'now'>;
    try {
      const outcome = await this.#turn(run, writer, attempt);
      if (outcome.kind === 'calls') {
        if (await this.#requireAction(run, log, writer, outcome.calls)) {
          return false;
        }
        return this.#settle(runId, log, writer);
      }
      ending = outcome.ending;
    } catch (error) {
      if (error instanceof Superseded) return this.#settle(runId, log, writer);
      ending = this.#endingOf(error, attempt, run);
    }
    // Its rows go with the thread: an end that was written before them would be told as the run's.
    if (attempt.stop === 'deleted') log.append(goneEvent(runId));
    else await this.#end(run, log, writer, ending);
    return false;
  }

  /** One call of the model, and what it means. */
  async #turn(
    run: Stored<'runs'>,
    writer: TurnWriter,
    attempt: Attempt,
  ): Promise<Extract<TurnResult, { kind: 'calls' }> | { kind: 'ended'; ending: Omit<Ending, 'now'> }> {
    const { options } = run;
    const { store, model, sleep, clock, windows, onNotice } = this.#options;
    const { signal } = attempt.controller;
    const contextWindow = await windows.of(options.model, signal);
    const turn = await prepareTurn(store.db, run, contextWindow, signal);
    signal.throwIfAborted();
    const timeLeft = () => (run.expires_at === null ? Infinity : run.expires_at * 1000 - clock());
    let reason: 'stop' | 'length' | 'content_filter' | undefined;
    const said = ask(model, turn, {
      timeLeft,
      onRetry: ({ error, attempt, wait }) =>
        onNotice({ kind: 'retry', runId: run.id, reason: error.reason, attempt, wait }),
      ...(sleep && { sleep }),
    });
    for await (const event of limitTurn(mergeDeltas(said))) {
      await writer.apply(event);
      if (event.type === 'end') reason = event.reason;
    }
    if (!reason) throw new ModelError('noEnd');
    if (writer.textAfterCalls.trim()) {
      this.#options.log.warn(`Run ${run.id}: text that came after tool calls was left out.`);
    }
    const result = writer.result(reason);
    const used = addUsage(run.usage, writer.usage);
    if (options.maxPromptTokens !== null && used.prompt_tokens > options.maxPromptTokens) {
      return { kind: 'ended', ending: outOfBudget('max_prompt_tokens') };
    }
    if (result.kind === 'calls') return result;
    if (result.kind === 'answered') return { kind: 'ended', ending: { name: 'complete' } };
    if (result.by === 'max_tokens') {
      return { kind: 'ended', ending: { ...outOfBudget('max_completion_tokens'), cutBy: 'max_tokens' } };
    }
    // The spec knows no reason for a filter's stop; the message says it.
    return {
      kind: 'ended',
      ending: { name: 'incomplete', cutBy: 'content_filter', patch: { incomplete_details: {} } },
    };
  }

  async #requireAction(
    run: Stored<'runs'>,
    log: EventLog,
    writer: TurnWriter,
    calls: Extract<TurnResult, { kind: 'calls' }>['calls'],
  ): Promise<boolean> {
    const { step } = writer.open();
    const required_action = {
      type: 'submit_tool_outputs' as const,
      submit_tool_outputs: {
        tool_calls: calls.map(({ id, type, function: { name, arguments: args } }) => ({
          id,
          type,
          function: { name, arguments: args },
        })),
      },
    };
    const usage = addUsage(run.usage, writer.usage);
    const { answersCalls, workerId, onNotice } = this.#options;
    const isAnswered = run.options.isServedTools && answersCalls();
    const worker = run.options.isServedTools ? (isAnswered ? workerId : '') : null;
    const tell = await this.#options.outbox.settle(run.id, log);
    const events = log.next;
    const changed = await atomically(this.#options.store.db, async (trx) => {
      const row = await transition(
        trx,
        run.id,
        'callTools',
        this.#now(),
        { required_action, usage, worker, events },
        { attempt: run.attempt },
      );
      // The step stays open and keeps what it has used until its outputs come.
      if (!row) return undefined;
      await saveParts(trx, { step: { ...step!, usage: writer.usage } });
      await tell(trx, row, [runEvent(row)]);
      return row;
    });
    if (changed) log.append(runEvent(changed));
    if (changed && isAnswered) {
      onNotice({ kind: 'calls', runId: run.id, threadId: run.thread_id, again: false });
    }
    return changed !== undefined;
  }

  #endingOf(error: unknown, { stop }: Attempt, run: Stored<'runs'>): Omit<Ending, 'now'> {
    if (stop === 'cancel') return { name: 'cancelled' };
    if (stop === 'expire') return { name: 'expire' };
    if (stop) return { name: 'fail', lastError: STOPPED };
    if (error instanceof BudgetSpent) return outOfBudget(error.reason);
    if (error instanceof ModelError) {
      // Whoever follows the run is told; the log keeps it.
      this.#options.log.info(`Run ${run.id} failed: ${error.message}`);
      this.#options.onNotice({ kind: 'failed', runId: run.id, reason: error.reason, fault: error.fault });
      return { name: 'fail', lastError: { code: error.code, message: error.message } };
    }
    this.#options.log.error(
      `Run ${run.id} failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`,
    );
    return {
      name: 'fail',
      lastError: this.#options.store.fault(error)
        ? { ...UNKNOWN, message: this.#storeMessage(error) }
        : UNKNOWN,
    };
  }

  async #end(
    run: Stored<'runs'>,
    log: EventLog,
    writer: TurnWriter,
    partial: Omit<Ending, 'now'>,
  ): Promise<void> {
    const usage = writer.usage;
    const ending: Ending = {
      ...partial,
      attempt: run.attempt,
      now: this.#now(),
      usage,
      patch: { ...partial.patch, usage: addUsage(run.usage, usage) },
    };
    try {
      const tell = await this.#options.outbox.settle(run.id, log);
      const events = await endRun(this.#options.store.db, run.id, ending, writer.open(), tell);
      if (events) log.append(...events);
      else await this.#settle(run.id, log, writer);
    } catch (error) {
      // The file cannot be written: readers are told now, the row follows by the sweep.
      this.#options.log.error(`Run ${run.id} could not be saved: ${String(error)}`);
      const lastError: LastError = { code: 'server_error', message: this.#storeMessage(error) };
      // The sweep will find a cancelled or expired run as such, any other in progress with nobody at work.
      const name = partial.name === 'cancelled' || partial.name === 'expire' ? partial.name : 'fail';
      const failed: Ending = { ...ending, name, ...(name === 'fail' && { lastError }) };
      const patch = { ...failed.patch, ...(name === 'fail' && { last_error: lastError }) };
      const row = { ...run, ...changesOf(name, failed.now, patch) };
      log.append(...closingEvents(closeParts(writer.open(), failed), row), runEvent(row));
    }
  }

  /**
   * Another writer was first: the log ends with what has become of the run.
   * @param writer of the attempt, if it had begun
   * @returns whether there is more to be read of it elsewhere
   */
  async #settle(runId: string, log: EventLog, writer?: TurnWriter): Promise<boolean> {
    const { store, workerId } = this.#options;
    const { db } = store;
    const run = await runById(db, runId);
    if (!run) {
      log.append(goneEvent(runId));
      return false;
    }
    if (run.status === 'cancelling') {
      const usage = writer && addUsage(run.usage, writer.usage);
      const events = await endRun(
        db,
        runId,
        {
          name: 'cancelled',
          now: this.#now(),
          ...(writer && { usage: writer.usage }),
          ...(usage && { patch: { usage } }),
        },
        writer?.open(),
        this.#options.outbox.tellNext,
      );
      if (events) log.append(...events);
      return false;
    }
    const event = runEvent(run);
    // Whoever was first may have told the readers already.
    const isTold = log.events().at(-1)?.event === event.event;
    const isElsewhere = store.shared && !writer && run.worker !== workerId;
    if (isElsewhere && (isActive(run.status) || !isTold)) return true;
    if (!isTold) log.append(event);
    return false;
  }

  #storeMessage(error: unknown): string {
    const fault = this.#options.store.fault(error);
    const reason = fault?.message ?? `${error instanceof Error ? error.message : String(error)}.`;
    return `The run could not be saved. ${reason}`;
  }
}

const outOfBudget = (reason: BudgetSpent['reason']): Omit<Ending, 'now'> => ({
  name: 'incomplete',
  patch: { incomplete_details: { reason } },
});
