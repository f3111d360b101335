/** Keeps the promises that time brings: expiry, runs left by a process that died, and this process's own lease. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Service } from '../service.ts';
import { ACTIVE } from '../store/runs.ts';
import type { RunRow, WorkersTable } from '../store/schema.ts';
import { type Ending, endRun } from './ending.ts';
import { STOPPED } from './executor.ts';
import { TRANSITIONS } from './states.ts';

/** Milliseconds between two looks. */
const SWEEP_MS = 1000;
/** Milliseconds between two signs of life. */
const HEARTBEAT_MS = 10_000;
/** Milliseconds without one after which a process on another machine counts as dead. */
const LEASE_MS = 60_000;

/** Ids of the engines of this very process: their pid alone would not tell them from a dead predecessor's. */
const alive = new Set<string>();

export const newWorkerId = (): string => `worker_${randomBytes(12).toString('hex')}`;

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

type Orphan = Pick<RunRow, 'id' | 'status' | 'worker'>;

export class Keeper {
  readonly #service: Service;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;
  #lastBeat = Number.NEGATIVE_INFINITY;

  constructor(service: Service) {
    this.#service = service;
  }

  /** Signs in, takes up what was left behind, and looks again every second. */
  async start(): Promise<void> {
    alive.add(this.#service.workerId);
    await this.#beat();
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
    const { db, workerId } = this.#service;
    alive.delete(workerId);
    await db.deleteFrom('workers').where('id', '=', workerId).execute();
  }

  /** One look; while one is going on there is no second. */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#look().finally(() => {
      this.#sweeping = undefined;
    });
    return this.#sweeping;
  }

  async #look(): Promise<void> {
    if (this.#service.clock() - this.#lastBeat >= HEARTBEAT_MS) await this.#beat();
    await this.#expire();
    await this.#adopt();
  }

  async #beat(): Promise<void> {
    const { db, workerId, clock } = this.#service;
    const row = { id: workerId, host: hostname(), pid: process.pid, seen_at: clock() };
    await db
      .insertInto('workers')
      .values(row)
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ seen_at: row.seen_at }))
      .execute();
    this.#lastBeat = row.seen_at;
  }

  async #expire(): Promise<void> {
    const { db, now, executor } = this.#service;
    const due = await db
      .selectFrom('runs')
      .select('id')
      .where('active', '=', ACTIVE)
      .where('status', 'in', [...TRANSITIONS.expire.from])
      .where('expires_at', '<=', now())
      .execute();
    for (const { id } of due) {
      if (!executor.stop(id, 'expire')) await this.#end(id, { name: 'expire', now: now() });
    }
  }

  /** Runs that nobody works on: queued ones run, the others end. Never is a generation begun twice. */
  async #adopt(): Promise<void> {
    const { db, now, executor, hub, workerId } = this.#service;
    const candidates: Orphan[] = await db
      .selectFrom('runs')
      .select(['id', 'status', 'worker'])
      .where('active', '=', ACTIVE)
      .where('status', '!=', 'requires_action')
      .execute();
    const mine = candidates.filter(({ worker }) => worker === workerId);
    for (const { id, status } of mine) if (status === 'cancelling') executor.stop(id, 'cancel');
    const dead = await this.#deadWorkers(candidates);
    for (const { id, status, worker } of candidates) {
      if (executor.has(id) || hub.isHeld(id)) continue;
      if (worker !== null && worker !== workerId && !dead.has(worker)) continue;
      if (status === 'in_progress') await this.#end(id, { name: 'fail', now: now(), lastError: STOPPED });
      else if (status === 'cancelling') await this.#end(id, { name: 'endCancel', now: now() });
      else if (await this.#takeOver(id, worker)) executor.start(id, hub.open(id));
    }
    if (dead.size > 0)
      await db
        .deleteFrom('workers')
        .where('id', 'in', [...dead])
        .execute();
  }

  /** The workers of these runs that no longer live, those without a row included. */
  async #deadWorkers(runs: Orphan[]): Promise<Set<string>> {
    const ids = new Set(runs.flatMap(({ worker }) => worker ?? []));
    ids.delete(this.#service.workerId);
    if (ids.size === 0) return ids;
    const rows = await this.#service.db
      .selectFrom('workers')
      .selectAll()
      .where('id', 'in', [...ids])
      .execute();
    for (const row of rows) if (this.#lives(row)) ids.delete(row.id);
    return ids;
  }

  #lives({
    id,
    host,
    pid,
    seen_at,
  }: Pick<WorkersTable, 'seen_at'> & { id: string; host: string; pid: number }) {
    if (host === hostname()) return pid === process.pid ? alive.has(id) : processExists(pid);
    return this.#service.clock() - seen_at < LEASE_MS;
  }

  /** Puts our name on a queued run, unless another process was faster. */
  async #takeOver(runId: string, from: string | null): Promise<boolean> {
    const { db, workerId } = this.#service;
    if (from === workerId) return true;
    const { numUpdatedRows } = await db
      .updateTable('runs')
      .set({ worker: workerId })
      .where('id', '=', runId)
      .where('status', '=', 'queued')
      .where('worker', from === null ? 'is' : '=', from)
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  async #end(runId: string, ending: Ending): Promise<void> {
    const { db, hub, log } = this.#service;
    const events = await endRun(db, runId, ending);
    if (!events) return;
    log.info(`Run ${runId} was ended by the sweep (${ending.name}).`);
    hub.get(runId)?.append(...events);
  }
}
