/** Expires runs, recovers those of dead workers, deletes threads that are kept no longer: a look every second. */
import type { Service } from './service.ts';
import { deleteUnused, type Place } from './store/retention.ts';
import { dueRunIds, runsInWork, takeOver } from './store/runs.ts';
import { Workers } from './store/workers.ts';
import { type Ending, endRun } from './worker/end-run.ts';
import { STOPPED } from './worker/executor.ts';

/** Milliseconds between two looks. */
const SWEEP_MS = 1000;
/** Milliseconds between two walks over the threads for those that are kept no longer. */
const RETENTION_PAUSE_MS = 3_600_000;
const SECONDS_A_DAY = 86_400;

export class Supervisor {
  readonly #service: Service;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;
  readonly #workers: Workers;
  /** Where the walk for unused threads stands, and when the next may begin, in milliseconds of the clock. */
  #walk: { from: Place | undefined; notBefore: number } = { from: undefined, notBefore: 0 };
  #hasFreePages = false;

  constructor(service: Service) {
    this.#service = service;
    const { store, workerId, clock } = service;
    this.#workers = new Workers({ db: store.db, workerId, clock });
  }

  /** Signs in, takes up what was left behind, and looks again every second. */
  async start(): Promise<void> {
    await this.#workers.signIn();
    await this.sweep();
    this.#timer = setInterval(() => {
      this.sweep().catch((error: unknown) => this.#service.log.error(`Sweep: ${String(error)}`));
    }, SWEEP_MS);
    this.#timer.unref();
  }

  /** No look begins after this; resolves when the one in progress is over. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweeping?.catch(() => {});
  }

  /** Signs out. The runs still queued are for whoever opens the database next. */
  async signOut(): Promise<void> {
    await this.#workers.signOut();
  }

  /** One look; while one is going on there is no second. */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#look().finally(() => {
      this.#sweeping = undefined;
    });
    return this.#sweeping;
  }

  async #look(): Promise<void> {
    await this.#workers.beat();
    await this.#expire();
    await this.#adopt();
    await this.#clean();
  }

  async #expire(): Promise<void> {
    const { store, now, executor } = this.#service;
    for (const id of await dueRunIds(store.db, now())) {
      if (!executor.stop(id, 'expire')) await this.#end(id, { name: 'expire', now: now() });
    }
  }

  /** Runs that nobody works on: queued ones run, the others end. Never is a generation begun twice. */
  async #adopt(): Promise<void> {
    const { store, now, executor, hub, workerId } = this.#service;
    const candidates = await runsInWork(store.db);
    const mine = candidates.filter(({ worker }) => worker === workerId);
    for (const { id, status } of mine) if (status === 'cancelling') executor.stop(id, 'cancel');
    const dead = await this.#workers.dead(candidates.flatMap(({ worker }) => worker ?? []));
    for (const { id, status, worker } of candidates) {
      if (executor.has(id) || hub.isHeld(id)) continue;
      if (worker !== null && worker !== workerId && !dead.has(worker)) continue;
      if (status === 'in_progress') await this.#end(id, { name: 'fail', now: now(), lastError: STOPPED });
      else if (status === 'cancelling') await this.#end(id, { name: 'cancelled', now: now() });
      else if (await takeOver(store.db, id, worker, workerId)) executor.start(id, hub.open(id));
    }
    await this.#workers.forget(dead);
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

  async #end(runId: string, ending: Ending): Promise<void> {
    const { store, hub, log } = this.#service;
    const events = await endRun(store.db, runId, ending);
    if (!events) return;
    log.info(`Run ${runId} was ended by the sweep (${ending.name}).`);
    hub.append(runId, events);
  }
}
