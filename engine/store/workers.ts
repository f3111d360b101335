/** Which processes are at work on the database: signs of life, and who is certainly dead. */
import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Selectable } from 'kysely';
import type { WorkersTable } from './schema.ts';
import type { Db } from './store.ts';

/** Milliseconds between two signs of life. */
const HEARTBEAT_MS = 3_000;
/** Milliseconds without one after which a process counts as dead: a waiting file or a slow disk takes a few. */
const LEASE_MS = 20_000;
/** Part of it after which a process that could give no sign itself takes it that the others could not either. */
const OWN_SILENCE = 0.75;
/** Milliseconds that the clock may move more or less than time does; beyond, it was set, or the machine slept. */
const CLOCK_JUMP_MS = 5_000;

export const newWorkerId = (): string => `worker_${randomBytes(12).toString('hex')}`;

/** Ids of the engines of this very process. */
const own = new Set<string>();

const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};

/**
 * Where a process number means the same process: one boot of one kernel, and one container's numbers in it. Elsewhere
 * the same number is somebody else's: containers of one name, all with the number 1.
 */
function numberScope(): string {
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const space = attempt(() => readlinkSync('/proc/self/ns/pid'));
  return boot && space ? `${boot} ${space}` : `${process.platform} ${hostname()}`;
}

/** When a process began, in ticks since the boot: tells it from a later one of the same number. Empty if unknown. */
function beginOf(pid: number): string {
  const line = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? '';
  // The name in brackets may hold anything, brackets too; 20 fields after it comes the start time.
  return line.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const SCOPE = numberScope();

export interface WorkersOptions {
  db: Db;
  workerId: string;
  /** Milliseconds since 1970. */
  clock: () => number;
  /** Milliseconds without a sign of life after which a process counts as dead. */
  leaseMs?: number | undefined;
}

export class Workers {
  readonly #leaseMs: number;
  readonly #heartbeatMs: number;
  readonly #options: WorkersOptions;
  #lastBeat = Number.NEGATIVE_INFINITY;
  /** Clock and time at the last look; a difference between their ways means that the clock was set. */
  #looked: { clock: number; time: number };
  /** Until then nobody is judged by the clock: everyone's signs look old once it was set, or the database was away. */
  #judgeFrom = Number.NEGATIVE_INFINITY;
  /** Time of the last sign, and the one up to which old signs of others count too: they may be about to give one. */
  #beatAt: number | undefined;
  #waitUntil = Number.NEGATIVE_INFINITY;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#heartbeatMs = Math.min(HEARTBEAT_MS, this.#leaseMs / 4);
    this.#looked = { clock: options.clock(), time: performance.now() };
  }

  /** Gives the first sign of life. */
  async signIn(): Promise<void> {
    own.add(this.#options.workerId);
    await this.beat();
  }

  async signOut(): Promise<void> {
    const { db, workerId } = this.#options;
    own.delete(workerId);
    await db.deleteFrom('workers').where('id', '=', workerId).execute();
  }

  /** A sign of life, if one is due. @returns whether it was */
  async beat(): Promise<boolean> {
    const { db, workerId, clock } = this.#options;
    if (clock() - this.#lastBeat < this.#heartbeatMs && clock() >= this.#lastBeat) return false;
    const row = {
      id: workerId,
      host: `${SCOPE} ${beginOf(process.pid)}`,
      pid: process.pid,
      seen_at: Math.floor(clock()),
    };
    await db
      .insertInto('workers')
      .values(row)
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ seen_at: row.seen_at }))
      .execute();
    this.#lastBeat = row.seen_at;
    this.#noticeSilence();
    return true;
  }

  /** Whether another process gives signs of life, or may be about to. */
  async areThereOthers(): Promise<boolean> {
    const { db, workerId, clock } = this.#options;
    const age = performance.now() < this.#waitUntil ? Number.POSITIVE_INFINITY : this.#leaseMs;
    const other = await db
      .selectFrom('workers')
      .select('id')
      .where('id', '!=', workerId)
      .where('seen_at', '>', Math.max(0, Math.floor(clock() - age)))
      .limit(1)
      .executeTakeFirst();
    return other !== undefined;
  }

  /** Those of these workers that no longer live, those without a row included. */
  async dead(ids: Iterable<string>): Promise<Set<string>> {
    const dead = new Set(ids);
    dead.delete(this.#options.workerId);
    if (dead.size === 0) return dead;
    this.#noticeClock();
    const rows = await this.#options.db
      .selectFrom('workers')
      .selectAll()
      .where('id', 'in', [...dead])
      .execute();
    for (const row of rows) if (this.#lives(row)) dead.delete(row.id);
    return dead;
  }

  /** Forgets all that no longer live. */
  async forgetDead(): Promise<void> {
    const rows = await this.#options.db.selectFrom('workers').select('id').execute();
    await this.forget(await this.dead(rows.map(({ id }) => id)));
  }

  async forget(ids: ReadonlySet<string>): Promise<void> {
    if (ids.size === 0) return;
    await this.#options.db
      .deleteFrom('workers')
      .where('id', 'in', [...ids])
      .execute();
  }

  /** A process lives while its signs are fresh. Its number only shortens the wait, and only where it is certain. */
  #lives({ id, host, pid, seen_at }: Selectable<WorkersTable>): boolean {
    if (own.has(id)) return true;
    if (host.startsWith(`${SCOPE} `)) {
      const begin = host.slice(SCOPE.length + 1);
      // A number in use again is another process, and so is this very one where it did not make the row.
      if (!exists(pid) || pid === process.pid || (begin !== '' && begin !== beginOf(pid))) return false;
    }
    if (performance.now() < this.#judgeFrom || this.#isSilent) return true;
    return this.#options.clock() - seen_at < this.#leaseMs;
  }

  /** Whether this process has given no sign for so long that the others may have been kept from it, too. */
  get #isSilent(): boolean {
    const now = performance.now();
    return now - (this.#beatAt ?? now) > this.#leaseMs * OWN_SILENCE;
  }

  #noticeSilence(): void {
    const now = performance.now();
    const isFirst = this.#beatAt === undefined;
    const wasSilent = this.#isSilent;
    if (isFirst || wasSilent) this.#waitUntil = now + this.#leaseMs;
    if (wasSilent) this.#judgeFrom = now + this.#leaseMs;
    this.#beatAt = now;
  }

  #noticeClock(): void {
    const now = { clock: this.#options.clock(), time: performance.now() };
    const moved = now.clock - this.#looked.clock - (now.time - this.#looked.time);
    if (Math.abs(moved) > CLOCK_JUMP_MS) this.#judgeFrom = now.time + this.#leaseMs;
    this.#looked = now;
  }
}
