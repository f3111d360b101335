/** Runs that chat programs have begun: which of them wait for outputs, and whose threads nobody needs afterwards. */
import type { Caller } from '../../domain/caller.ts';
import type { Service } from '../../service.ts';
import type { RunRecord } from '../../store/records.ts';
import { runById } from '../../store/runs.ts';
import { deleteThread } from '../../store/threads.ts';
import type { EventLog } from '../../worker/event-log.ts';

/** Calls that are remembered at most; a restart forgets them all. */
const MOST = 10_000;

export interface WaitingRun {
  threadId: string;
  runId: string;
  callerId: string | undefined;
  /** Whether its thread is a conversation that goes on. */
  isKept: boolean;
}

export class Waiting {
  readonly #service: Pick<Service, 'store' | 'log' | 'clock'>;
  /** By id of the call. */
  readonly #runs = new Map<string, WaitingRun>();

  constructor(service: Pick<Service, 'store' | 'log' | 'clock'>) {
    this.#service = service;
  }

  /** The caller's run that waits for the output of a call. */
  async find(callId: string, caller: Caller | undefined): Promise<WaitingRun | undefined> {
    const known = this.#runs.get(callId);
    if (!known || known.callerId !== caller?.id) return undefined;
    const run = await runById(this.#service.store.db, known.runId);
    return run?.status === 'requires_action' ? known : undefined;
  }

  /** Gives up the run that waits for a call, as its output comes as something that was said. */
  async giveUp(callId: string, caller: Caller | undefined): Promise<void> {
    const run = await this.find(callId, caller);
    if (run) await this.#leave(run);
  }

  /** Watches a run, whoever else reads it: it waits in the end, or its thread goes unless that is kept. */
  follow(run: RunRecord, log: EventLog, options: { caller: Caller | undefined; isKept: boolean }): void {
    const { caller, isKept } = options;
    const waits = { threadId: run.thread_id, runId: run.id, callerId: caller?.id, isKept };
    this.#follow(log, waits).catch((error: unknown) =>
      this.#service.log.warn(`Thread ${run.thread_id}: ${String(error)}`),
    );
  }

  async #follow(log: EventLog, waits: WaitingRun): Promise<void> {
    for await (const _ of log.read());
    const { store, clock } = this.#service;
    const run = await runById(store.db, waits.runId);
    if (run?.status !== 'requires_action') return this.#leave(waits);
    const calls = run.required_action?.submit_tool_outputs.tool_calls ?? [];
    for (const { id } of calls) this.#runs.set(id, waits);
    for (const id of this.#runs.keys()) {
      if (this.#runs.size <= MOST) break;
      this.#runs.delete(id);
    }
    const left = Math.max(0, (run.expires_at ?? 0) * 1000 - clock());
    setTimeout(() => this.#forget(calls, waits), Math.min(left, 2 ** 31 - 1)).unref();
  }

  /** The time of a run that waits is over. */
  async #forget(calls: { id: string }[], waits: WaitingRun): Promise<void> {
    for (const { id } of calls) this.#runs.delete(id);
    try {
      const run = await runById(this.#service.store.db, waits.runId);
      if (run?.status === 'requires_action' || run?.status === 'expired') await this.#leave(waits);
    } catch {
      // The engine was closed meanwhile.
    }
  }

  async #leave({ threadId, isKept }: WaitingRun): Promise<void> {
    if (!isKept) await deleteThread(this.#service.store.db, threadId);
  }
}
