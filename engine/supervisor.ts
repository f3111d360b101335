/** Expires runs, recovers those of dead workers, deletes threads that are kept no longer: a look every second. */

import type { EndName } from './domain/run-states.ts';
import type { LastError } from './domain/types.ts';
import { sleep } from './domain/waits.ts';
import { endIdle } from './runs/end-idle.ts';
import { forgetThread } from './runs/forget.ts';
import { ServedCalls } from './runs/served-calls.ts';
import type { Service } from './service.ts';
import { leaveLines } from './store/line.ts';
import { deleteUnused, type Place, runsToForget } from './store/retention.ts';
import { dueRuns, leaveQueued, type RunInWork, runById, runsInWork, takeOver } from './store/runs.ts';
import type { Ring } from './store/shared.ts';
import { Workers } from './store/workers.ts';
import { STOPPED } from './worker/attempt.ts';

/** Milliseconds between two looks. */
const SWEEP_MS = 1000;
/** Milliseconds after which a newcomer counts as noticed where words don't come through. */
const UNHEARD_MS = 2 * SWEEP_MS;
/** Milliseconds between two walks over the threads for those that are kept no longer. */
const RETENTION_PAUSE_MS = 3_600_000;
const SECONDS_A_DAY = 86_400;
/**
 * Seconds that another process has for ending its own expired runs, which it alone can do with all that was said, and
 * that readers have for the end of a run whose thread goes with it.
 */
const GRACE = 5;

export class Supervisor {
  readonly #service: Service;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;
  readonly #workers: Workers;
  /** Whose calls this process has answered. */
  readonly calls: ServedCalls;
  /** Where the walk for unused threads stands, and when the next may begin, in milliseconds of the clock. */
  #walk: { from: Place | undefined; notBefore: number } = { from: undefined, notBefore: 0 };
  #hasFreePages = false;

  /** @param leaseMs for tests */
  constructor(service: Service, leaseMs?: number) {
    this.#service = service;
    const { store, workerId, clock } = service;
    this.#workers = new Workers({ db: store.db, workerId, clock, leaseMs });
    this.calls = new ServedCalls(service, this.#workers);
  }

  /** Signs in, takes up what was left behind, and looks again every second. */
  async start(): Promise<void> {
    const { store } = this.#service;
    const { shared } = store;
    await this.#workers.signIn();
    shared?.onRing((ring) => this.#hear(ring));
    if (shared) {
      await shared.ring(store.db, 'joined', []);
      const others = await this.#workers.areThereOthers();
      this.#service.outbox.setOthers(others);
      // They may not have heard it either: until they have looked, what they do can't be read here.
      if (others && !shared.hears) await sleep(UNHEARD_MS);
    }
    await this.sweep();
    this.#timer = setInterval(() => this.#sweepSoon(), SWEEP_MS);
    this.#timer.unref();
  }

  /** No look begins after this; resolves when the one in progress is over. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweeping?.catch(() => {});
  }

  /** Signs out. The runs still queued are for whoever is there, or opens the database next. */
  async signOut(): Promise<void> {
    const { store, workerId } = this.#service;
    if (store.shared) {
      const left = await leaveQueued(store.db, workerId);
      if (left.length > 0) await store.shared.ring(store.db, 'queued', left);
    }
    await this.#workers.signOut();
  }

  #sweepSoon(): void {
    this.sweep().catch((error: unknown) => this.#service.log.error(`Sweep: ${String(error)}`));
  }

  /** What another process says. */
  #hear(ring: Ring): void {
    const { executor, followers, outbox, queue, together } = this.#service;
    together?.hear(ring);
    switch (ring.word) {
      case 'joined':
        outbox.setOthers(true);
        return;
      case 'queued':
        void queue.take();
        return;
      case 'events':
        followers.wake(ring.ids);
        return;
      case 'cancel':
      case 'expire':
      case 'deleted':
        for (const id of ring.ids) executor.stop(id, ring.word);
        return;
      case 'missed':
        followers.wake();
        this.#sweepSoon();
    }
  }

  /** One look; while one is going on there is no second. */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#look().finally(() => {
      this.#sweeping = undefined;
    });
    return this.#sweeping;
  }

  async #look(): Promise<void> {
    const { store, queue, outbox } = this.#service;
    const { shared } = store;
    if (!shared) {
      await this.#workers.beat();
      await this.#care();
      return this.calls.look();
    }
    await shared.setClock();
    // Whoever comes says so, and must be looked for where that is not heard.
    if ((await this.#workers.beat()) || !shared.hears) {
      outbox.setOthers(await this.#workers.areThereOthers());
    }
    const isMine = await shared.alone(async () => {
      await this.#care();
      await shared.tidy();
      await this.#workers.forgetDead();
      await leaveLines(store.db);
    });
    // Another process looks after all; after its own each looks itself.
    if (!isMine) await this.#care(({ worker }) => worker === this.#service.workerId);
    await queue.take();
    await this.calls.look();
  }

  /** @param isOurs which runs to look after; all, and the threads too, where it is not given */
  async #care(isOurs?: (run: RunInWork) => boolean): Promise<void> {
    await this.#expire(isOurs);
    await this.#adopt(isOurs);
    if (isOurs) return;
    await this.#forget();
    await this.#clean();
  }

  /** Deletes the threads that go with their runs, where whoever read those is gone, too. */
  async #forget(): Promise<void> {
    const { store, now } = this.#service;
    for (const { id } of await runsToForget(store.db, now() - GRACE)) await forgetThread(this.#service, id);
  }

  async #expire(isOurs: (run: RunInWork) => boolean = () => true): Promise<void> {
    const { store, now, executor, workerId } = this.#service;
    for (const run of (await dueRuns(store.db, now())).filter(isOurs)) {
      const { id, status, worker, expires_at } = run;
      if (executor.stop(id, 'expire')) continue;
      const isElsewhere = store.shared && status === 'in_progress' && worker !== workerId;
      if (isElsewhere && now() < (expires_at ?? 0) + GRACE)
        await store.shared?.ring(store.db, 'expire', [id]);
      else {
        await this.#end(id, 'expire');
        // Of a run at work its reader sees to that.
        if (status === 'requires_action') await forgetThread(this.#service, id);
      }
    }
  }

  /** Runs that nobody works on: queued ones run, the others end. Never is a generation begun twice. */
  async #adopt(isOurs: (run: RunInWork) => boolean = () => true): Promise<void> {
    const { store, executor, hub, workerId } = this.#service;
    const candidates = (await runsInWork(store.db)).filter(isOurs);
    const mine = candidates.filter(({ worker }) => worker === workerId);
    for (const { id, status } of mine) if (status === 'cancelling') executor.stop(id, 'cancel');
    await this.#stopDeleted(candidates);
    const dead = await this.#workers.dead(candidates.flatMap(({ worker }) => worker ?? []));
    for (const run of candidates) {
      const { id, status, worker } = run;
      if (executor.has(id) || hub.isHeld(id)) continue;
      if (worker !== null && worker !== workerId && !dead.has(worker)) continue;
      if (status === 'in_progress') await this.#end(id, 'fail', STOPPED);
      else if (status === 'cancelling') await this.#end(id, 'cancelled');
      else await this.#takeUp(run);
    }
    await this.#workers.forget(dead);
  }

  /** Ends runs at work whose thread was deleted by a process that did not say so, or was not heard. */
  async #stopDeleted(inWork: readonly RunInWork[]): Promise<void> {
    const { store, executor } = this.#service;
    const there = new Set(inWork.map(({ id }) => id));
    for (const id of executor.runIds.filter((id) => !there.has(id))) {
      // Most of them have begun or ended since the look.
      if (!(await runById(store.db, id))) executor.stop(id, 'deleted');
    }
  }

  /** A queued run whose process is gone, or that nobody has. */
  async #takeUp({ id, worker, events }: RunInWork): Promise<void> {
    const { store, executor, hub, queue } = this.#service;
    const { owner, release } = queue.place();
    try {
      // Nobody has it, and there is no room here: it waits on.
      if (owner === null && worker === null) return;
      if (!(await takeOver(store.db, id, worker, owner))) return;
      if (owner === null) return await store.shared?.ring(store.db, 'queued', [id]);
      const log = hub.open(id, events + 1);
      // Whoever follows it looks into the database.
      if (store.shared) log.told = 0;
      executor.start(id, log);
    } finally {
      release();
    }
  }

  /** One small step of the walk that deletes what nobody has used for longer than the service keeps it. */
  async #clean(): Promise<void> {
    const { store, clock, now, retentionDays, log } = this.#service;
    if (retentionDays <= 0) return;
    if (this.#hasFreePages) this.#hasFreePages = await store.giveSpaceBack();
    if (clock() < this.#walk.notBefore) return;
    const step = await deleteUnused(store.db, now() - retentionDays * SECONDS_A_DAY, this.#walk.from);
    if (step.deleted > 0) {
      this.#hasFreePages = true;
      log.debug(`${step.deleted} threads were unused for ${retentionDays} days and are deleted.`);
    }
    const notBefore = step.next ? 0 : clock() + RETENTION_PAUSE_MS;
    this.#walk = { from: step.next, notBefore };
  }

  async #end(runId: string, name: EndName, lastError?: LastError): Promise<void> {
    if (await endIdle(this.#service, runId, name, lastError))
      this.#service.log.info(`Run ${runId} was ended by the sweep (${name}).`);
  }
}
