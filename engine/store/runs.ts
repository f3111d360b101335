/** Queries on runs. Every change of status goes through `transition`, which is compare-and-set. */
import { sql } from 'kysely';
import { isActive, TRANSITIONS, type Transition, type TransitionName } from '../domain/run-states.ts';
import { fromRow, type RunRecord, type Stored, toRow } from './records.ts';
import type { Db } from './store.ts';

/** Written into the query's text: a partial index does not serve a bound value. */
export const ACTIVE = sql.lit(1 as const);

/** What the engine's own ids of calls are made of. */
const CALL_ID = /^\w{1,100}$/;

/** Columns that go with a transition but are not decided by the table of states. */
export type RunPatch = Partial<
  Pick<
    RunRecord,
    | 'required_action'
    | 'last_error'
    | 'incomplete_details'
    | 'usage'
    | 'worker'
    | 'window_from'
    | 'window_head'
    | 'events'
  >
>;

/** Who may write: the attempt that a writer works for, or somebody else who puts an end to it. */
export interface Fence {
  /** Only this attempt's; undefined for requests from outside, which the table of states is enough for. */
  attempt?: number | undefined;
  /** Only while the run is this worker's. */
  holder?: string | undefined;
  /** Whatever the attempt at work still writes comes too late. */
  supersedes?: boolean;
}

/** What a transition writes, at `now` seconds. The call for tool outputs ends with any transition but its own. */
export function changesOf(name: TransitionName, now: number, patch: RunPatch = {}) {
  const transition: Transition = TRANSITIONS[name];
  return {
    status: transition.to,
    active: isActive(transition.to) ? (1 as const) : (0 as const),
    required_action: null,
    ...(transition.stamps && { [transition.stamps]: now }),
    ...(transition.clearsExpiry && { expires_at: null }),
    ...(!isActive(transition.to) && { worker: null }),
    ...patch,
  };
}

/**
 * Moves a run along the table of states, if it still is where the transition starts. A claim is a new attempt.
 * @param now seconds since 1970.
 * @returns the run as it is now, or undefined when another writer was first or the run is gone.
 */
export async function transition(
  db: Db,
  runId: string,
  name: TransitionName,
  now: number,
  patch: RunPatch = {},
  { attempt, holder, supersedes = name === 'claim' }: Fence = {},
): Promise<Stored<'runs'> | undefined> {
  const row = await db
    .updateTable('runs')
    .set(toRow('runs', changesOf(name, now, patch)))
    .$if(supersedes, (query) => query.set(({ eb }) => ({ attempt: eb('attempt', '+', 1) })))
    .where('id', '=', runId)
    .where('status', 'in', [...TRANSITIONS[name].from])
    .$if(attempt !== undefined, (query) => query.where('attempt', '=', attempt!))
    .$if(holder !== undefined, (query) => query.where('worker', '=', holder!))
    .returningAll()
    .executeTakeFirst();
  return row && fromRow('runs', row);
}

/** Another has put an end to an attempt, or the run is gone: nothing more is to be written for it. */
export class Superseded extends Error {}

/** An attempt goes on; in a transaction, until that is done. @throws Superseded where it is over */
export async function holdAttempt(db: Db, { id, attempt }: Pick<RunRecord, 'id' | 'attempt'>): Promise<void> {
  const row = await db
    .selectFrom('runs')
    .select('id')
    .where('id', '=', id)
    .where('attempt', '=', attempt)
    .where('active', '=', ACTIVE)
    .forShare()
    .executeTakeFirst();
  if (!row) throw new Superseded(`Attempt ${attempt} at run ${id} is over.`);
}

export async function findRun(db: Db, threadId: string, runId: string): Promise<Stored<'runs'> | undefined> {
  const row = await db
    .selectFrom('runs')
    .selectAll()
    .where('id', '=', runId)
    .where('thread_id', '=', threadId)
    .executeTakeFirst();
  return row && fromRow('runs', row);
}

export async function runById(db: Db, runId: string): Promise<Stored<'runs'> | undefined> {
  const row = await db.selectFrom('runs').selectAll().where('id', '=', runId).executeTakeFirst();
  return row && fromRow('runs', row);
}

/** The run that locks a thread, if any. */
export async function activeRunId(db: Db, threadId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('runs')
    .select('id')
    .where('thread_id', '=', threadId)
    .where('active', '=', ACTIVE)
    .executeTakeFirst();
  return row?.id;
}

export async function insertRun(db: Db, run: RunRecord): Promise<void> {
  await db.insertInto('runs').values(toRow('runs', run)).execute();
}

export async function setMetadata(db: Db, runId: string, metadata: RunRecord['metadata']): Promise<void> {
  await db.updateTable('runs').set(toRow('runs', { metadata })).where('id', '=', runId).execute();
}

/** Remembers what an attempt's model sees of the thread. @throws Superseded where the attempt is over */
export async function keepWindow(
  db: Db,
  { id, attempt }: Pick<RunRecord, 'id' | 'attempt'>,
  window: Pick<RunRecord, 'window_from' | 'window_head'>,
): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('runs')
    .set(toRow('runs', window))
    .where('id', '=', id)
    .where('attempt', '=', attempt)
    .where('active', '=', ACTIVE)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) throw new Superseded(`Attempt ${attempt} at run ${id} is over.`);
}

/** What the model saw of the thread in the run before this one. */
export function windowBefore(
  db: Db,
  { thread_id, seq }: Stored<'runs'>,
): Promise<Pick<RunRecord, 'window_from' | 'window_head'> | undefined> {
  return db
    .selectFrom('runs')
    .select(['window_from', 'window_head'])
    .where('thread_id', '=', thread_id)
    .where('seq', '<', seq)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** A run that somebody has in hand, or should have. */
export type RunInWork = Pick<RunRecord, 'id' | 'status' | 'worker' | 'events' | 'expires_at'>;

/** Runs whose time is over, at `now` seconds. */
export const dueRuns = (db: Db, now: number): Promise<RunInWork[]> =>
  db
    .selectFrom('runs')
    .select(['id', 'status', 'worker', 'events', 'expires_at'])
    .where('active', '=', ACTIVE)
    .where('status', 'in', [...TRANSITIONS.expire.from])
    .where('expires_at', '<=', now)
    .execute();

/** Runs that a process works on, or should: all that are active but do not wait for tools. */
export const runsInWork = (db: Db): Promise<RunInWork[]> =>
  db
    .selectFrom('runs')
    .select(['id', 'status', 'worker', 'events', 'expires_at'])
    .where('active', '=', ACTIVE)
    .where('status', '!=', 'requires_action')
    .execute();

/** Puts a worker's name, or none, on a queued run, unless another process was faster. @returns whether it did */
export async function takeOver(
  db: Db,
  runId: string,
  from: string | null,
  worker: string | null,
): Promise<boolean> {
  if (from === worker) return true;
  const { numUpdatedRows } = await db
    .updateTable('runs')
    .set({ worker })
    .where('id', '=', runId)
    .where('status', '=', 'queued')
    .where('worker', from === null ? 'is' : '=', from)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** Puts a worker's name on queued runs that nobody has, the oldest first; what another just takes is left to it. */
export const takeQueued = (
  db: Db,
  worker: string,
  limit: number,
): Promise<Pick<RunRecord, 'id' | 'events'>[]> =>
  db
    .updateTable('runs')
    .set({ worker })
    .where('id', 'in', (query) =>
      query
        .selectFrom('runs')
        .select('id')
        .where('active', '=', ACTIVE)
        .where('status', '=', sql.lit('queued'))
        .where('worker', 'is', null)
        .orderBy('seq')
        .limit(limit)
        .forUpdate()
        .skipLocked(),
    )
    .where('status', '=', 'queued')
    .where('worker', 'is', null)
    .returning(['id', 'events'])
    .execute();

/** In the place of a worker, of a run whose calls nobody has answered: they never were handed out, or may have been. */
export const NOBODY_YET = '';
export const NOBODY_NOW = 'left';

/** Runs of callers whose calls are to be answered for them, and the process that sees to it, or NOBODY_… */
export const runsWithServedCalls = async (
  db: Db,
): Promise<{ id: string; thread_id: string; worker: string }[]> => {
  const rows = await db
    .selectFrom('runs')
    .select(['seq', 'id', 'thread_id', 'worker'])
    .where('active', '=', ACTIVE)
    .where('status', '=', sql.lit('requires_action'))
    .where('worker', 'is not', null)
    .execute();
  // Sorted here: the index of the active runs serves no order.
  return rows.sort((a, b) => a.seq - b.seq).map((row) => ({ ...row, worker: row.worker! }));
};

/** Puts a worker's name on a run whose calls wait, unless another process was faster. @returns whether it did */
export async function takeCalls(db: Db, runId: string, from: string, worker: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('runs')
    .set({ worker })
    .where('id', '=', runId)
    .where('status', '=', 'requires_action')
    .where('worker', '=', from)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/**
 * The run that waits for the output of a call, on the threads of an owner.
 * @param owner see ThreadsTable
 */
export async function runWaitingFor(
  db: Db,
  callId: string,
  owner: string | null,
): Promise<Stored<'runs'> | undefined> {
  if (!CALL_ID.test(callId)) return undefined;
  const rows = await db
    .selectFrom('runs')
    .innerJoin('threads', 'threads.id', 'runs.thread_id')
    .selectAll('runs')
    .where('runs.active', '=', ACTIVE)
    .where('runs.status', '=', 'requires_action')
    .where('threads.owner', owner === null ? 'is' : '=', owner)
    // The sign _ stands for any here; what is found is looked at again.
    .where('runs.required_action', 'like', `%"${callId}"%`)
    .execute();
  return rows
    .map((row) => fromRow('runs', row))
    .find((run) => run.required_action?.submit_tool_outputs.tool_calls.some(({ id }) => id === callId));
}

/** A worker that goes leaves its queued runs to whoever has room. @returns their ids */
export async function leaveQueued(db: Db, worker: string): Promise<string[]> {
  const rows = await db
    .updateTable('runs')
    .set({ worker: null })
    .where('active', '=', ACTIVE)
    .where('status', '=', 'queued')
    .where('worker', '=', worker)
    .returning('id')
    .execute();
  return rows.map(({ id }) => id);
}
