/** One attempt at a run: its claim, one turn of the model, and what that turn means for the run. */

import type { EngineLog } from '../domain/log.ts';
import { isActive } from '../domain/run-states.ts';
import type { LastError } from '../domain/types.ts';
import { addUsage } from '../domain/usage.ts';
import type { ContextWindows } from '../models/context-windows.ts';
import { type Model, ModelError } from '../models/model.ts';
import type { RunNotice } from '../notices.ts';
import { BudgetSpent, prepareTurn } from '../prompt/turn.ts';
import type { Stored } from '../store/records.ts';
import { changesOf, NOBODY_YET, runById, Superseded, transition } from '../store/runs.ts';
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
import type { EventLog } from './event-log.ts';
import { mergeDeltas } from './merge-deltas.ts';
import type { Outbox } from './outbox.ts';
import { limitTurn } from './turn-limit.ts';
import { type TurnResult, TurnWriter } from './turn-writer.ts';

/** Why an attempt is ended from outside. */
export type StopReason = 'cancel' | 'expire' | 'shutdown' | 'deleted';

export interface AttemptOptions {
  store: Store;
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

export const STOPPED: LastError = {
  code: 'server_error',
  message: 'The service was stopped while the run was in progress.',
};
const UNKNOWN: LastError = { code: 'server_error', message: 'Sorry, something went wrong.' };

export class Attempt {
  readonly #options: AttemptOptions;
  readonly #runId: string;
  readonly #log: EventLog;
  readonly #controller = new AbortController();
  #stop: StopReason | undefined;

  /** @param log takes the events of the attempt; it is left open */
  constructor(options: AttemptOptions, runId: string, log: EventLog) {
    this.#options = options;
    this.#runId = runId;
    this.#log = log;
  }

  /** Aborts the request of the model at once; the first reason counts. */
  stop(reason: StopReason): void {
    this.#stop ??= reason;
    this.#controller.abort(new DOMException(`The run was stopped (${reason}).`, 'AbortError'));
  }

  /**
   * From the claim to the last row. Resolves whatever becomes of the run; never rejects.
   * @returns whether the run has become another process's before it was begun here: the rest of it is told there
   */
  async work(): Promise<boolean> {
    try {
      return await this.#work();
    } catch (error) {
      // The claim itself could not be written: the run is still queued, and the sweep takes it up again.
      this.#options.log.error(`Run ${this.#runId}: ${String(error)}`);
      this.#log.append(errorEvent(this.#storeMessage(error)));
      return false;
    }
  }

  #now = (): number => Math.floor(this.#options.clock() / 1000);

  async #work(): Promise<boolean> {
    const { workerId, outbox } = this.#options;
    const { db } = this.#options.store;
    // A run stopped by the shutdown before its claim stays queued for the next start.
    if (this.#stop === 'shutdown') {
      this.#log.append(errorEvent('The service was stopped; the run stays queued.'));
      return false;
    }
    const run = await atomically(db, (trx) =>
      transition(trx, this.#runId, 'claim', this.#now(), {}, { holder: workerId }),
    );
    if (!run) return this.#settle();
    this.#log.attempt = run.attempt;
    outbox.follow(run.id, this.#log);
    this.#log.append(runEvent(run));
    const writer = new TurnWriter(db, this.#log, run, this.#now);
    let ending: Omit<Ending, 'now'>;
    try {
      const outcome = await this.#turn(run, writer);
      if (outcome.kind === 'calls') {
        if (await this.#requireAction(run, writer, outcome.calls)) return false;
        return this.#settle(writer);
      }
      ending = outcome.ending;
    } catch (error) {
      if (error instanceof Superseded) return this.#settle(writer);
      ending = this.#endingOf(error);
    }
    // Its rows go with the thread: an end that was written before them would be told as the run's.
    if (this.#stop === 'deleted') this.#log.append(goneEvent(run.id));
    else await this.#end(run, writer, ending);
    return false;
  }

  /** One call of the model, and what it means. */
  async #turn(
    run: Stored<'runs'>,
    writer: TurnWriter,
  ): Promise<Extract<TurnResult, { kind: 'calls' }> | { kind: 'ended'; ending: Omit<Ending, 'now'> }> {
    const { options } = run;
    const { store, model, sleep, clock, windows, onNotice } = this.#options;
    const { signal } = this.#controller;
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

  /** The run waits for tool outputs. @returns false where another writer was first */
  async #requireAction(
    run: Stored<'runs'>,
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
    const worker = run.options.isServedTools ? (isAnswered ? workerId : NOBODY_YET) : null;
    const tell = await this.#options.outbox.settle(run.id, this.#log);
    const events = this.#log.next;
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
    if (changed) this.#log.append(runEvent(changed));
    if (changed && isAnswered) {
      onNotice({ kind: 'calls', runId: run.id, threadId: run.thread_id, again: false });
    }
    return changed !== undefined;
  }

  #endingOf(error: unknown): Omit<Ending, 'now'> {
    const stop = this.#stop;
    if (stop === 'cancel') return { name: 'cancelled' };
    if (stop === 'expire') return { name: 'expire' };
    if (stop) return { name: 'fail', lastError: STOPPED };
    if (error instanceof BudgetSpent) return outOfBudget(error.reason);
    if (error instanceof ModelError) {
      // Whoever follows the run is told; the log keeps it.
      this.#options.log.info(`Run ${this.#runId} failed: ${error.message}`);
      this.#options.onNotice({
        kind: 'failed',
        runId: this.#runId,
        reason: error.reason,
        fault: error.fault,
      });
      return { name: 'fail', lastError: { code: error.code, message: error.message } };
    }
    this.#options.log.error(
      `Run ${this.#runId} failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`,
    );
    return {
      name: 'fail',
      lastError: this.#options.store.fault(error)
        ? { ...UNKNOWN, message: this.#storeMessage(error) }
        : UNKNOWN,
    };
  }

  async #end(run: Stored<'runs'>, writer: TurnWriter, partial: Omit<Ending, 'now'>): Promise<void> {
    const usage = writer.usage;
    const ending: Ending = {
      ...partial,
      attempt: run.attempt,
      now: this.#now(),
      usage,
      patch: { ...partial.patch, usage: addUsage(run.usage, usage) },
    };
    try {
      const tell = await this.#options.outbox.settle(run.id, this.#log);
      const events = await endRun(this.#options.store.db, run.id, ending, writer.open(), tell);
      if (events) this.#log.append(...events);
      else await this.#settle(writer);
    } catch (error) {
      // The file cannot be written: readers are told now, the row follows by the sweep.
      this.#options.log.error(`Run ${run.id} could not be saved: ${String(error)}`);
      const lastError: LastError = { code: 'server_error', message: this.#storeMessage(error) };
      // The sweep will find a cancelled or expired run as such, any other in progress with nobody at work.
      const name = partial.name === 'cancelled' || partial.name === 'expire' ? partial.name : 'fail';
      const failed: Ending = { ...ending, name, ...(name === 'fail' && { lastError }) };
      const patch = { ...failed.patch, ...(name === 'fail' && { last_error: lastError }) };
      const row = { ...run, ...changesOf(name, failed.now, patch) };
      this.#log.append(...closingEvents(closeParts(writer.open(), failed), row), runEvent(row));
    }
  }

  /**
   * Another writer was first: the log ends with what has become of the run.
   * @param writer where the run had been begun
   * @returns whether there is more to be read of it elsewhere
   */
  async #settle(writer?: TurnWriter): Promise<boolean> {
    const { store, workerId } = this.#options;
    const { db } = store;
    const run = await runById(db, this.#runId);
    if (!run) {
      this.#log.append(goneEvent(this.#runId));
      return false;
    }
    if (run.status === 'cancelling') {
      const usage = writer && addUsage(run.usage, writer.usage);
      const events = await endRun(
        db,
        this.#runId,
        {
          name: 'cancelled',
          now: this.#now(),
          ...(writer && { usage: writer.usage }),
          ...(usage && { patch: { usage } }),
        },
        writer?.open(),
        this.#options.outbox.tellNext,
      );
      if (events) this.#log.append(...events);
      return false;
    }
    const event = runEvent(run);
    // Whoever was first may have told the readers already.
    const isTold = this.#log.events().at(-1)?.event === event.event;
    const isElsewhere = store.shared && !writer && run.worker !== workerId;
    if (isElsewhere && (isActive(run.status) || !isTold)) return true;
    if (!isTold) this.#log.append(event);
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
