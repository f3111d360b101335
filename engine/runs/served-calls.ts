/**
 * Calls of callers' runs that others answer for them: one process at a time hands a run's calls out. It is written in
 * the run (`worker`), so that another takes over when that process is gone, and this one goes on after a restart.
 */
import type { Service } from '../service.ts';
import { NOBODY_NOW, NOBODY_YET, runById, runsWithServedCalls, takeCalls } from '../store/runs.ts';
import type { Workers } from '../store/workers.ts';

type Parts = Pick<Service, 'store' | 'executor' | 'workerId' | 'answersCalls' | 'onNotice'>;

export class ServedCalls {
  readonly #service: Parts;
  readonly #workers: Workers;

  constructor(service: Parts, workers: Workers) {
    this.#service = service;
    this.#workers = workers;
  }

  /** Tells of all runs that wait for this process, those included that nobody else has any more. */
  async look(): Promise<void> {
    const { store, executor, workerId, answersCalls, onNotice } = this.#service;
    const waiting = await runsWithServedCalls(store.db);
    if (waiting.length === 0) return;
    const answers = answersCalls();
    const dead = await this.#workers.dead(waiting.map(({ worker }) => worker));
    for (const { id, thread_id, worker } of waiting) {
      // Its attempt is about to tell of it.
      if (executor.has(id)) continue;
      if (worker === workerId && !answers) await takeCalls(store.db, id, worker, NOBODY_NOW);
      if (!answers || (worker !== workerId && !dead.has(worker))) continue;
      if (worker !== workerId && !(await takeCalls(store.db, id, worker, workerId))) continue;
      onNotice({ kind: 'calls', runId: id, threadId: thread_id, again: worker !== NOBODY_YET });
    }
  }

  /** @returns false where another process that lives has the run's calls answered; true also where none need be */
  async take(runId: string): Promise<boolean> {
    const { store, workerId } = this.#service;
    for (;;) {
      const run = await runById(store.db, runId);
      const worker = run?.status === 'requires_action' ? run.worker : null;
      if (worker === null || worker === workerId) return true;
      if (!(await this.#workers.dead([worker])).has(worker)) return false;
      if (await takeCalls(store.db, runId, worker, workerId)) return true;
    }
  }
}
