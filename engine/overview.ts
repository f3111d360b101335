/** All runs at a glance: rows for a list, sums, and what each run came from. The cost of a page is that of its rows. */
import { setImmediate as breathe } from 'node:timers/promises';
import type { LastError, RunStatus } from './domain/types.ts';
import type { Usage } from './domain/usage.ts';
import { keepOrigin, type OriginRow, originsOf } from './store/run-origins.ts';
import * as queries from './store/run-overview.ts';
import type { Db } from './store/store.ts';

/** Runs that one query looks at, and of those found whose words are read at once. */
const WINDOW = 4000;
/** Runs that are summed up at once: a few milliseconds. */
const SUM_STEP = 250;
/** Milliseconds after which a list gives what it has found so far, and where to go on. */
const PATIENCE_MS = 400;

/** Something that happened: milliseconds since 1970, and what. */
export type Mark = [at: number, what: string];

/** What a run came from. */
export interface Origin {
  /** Id of the node; empty where another program asked for the run. */
  node: string;
  /** What the node was called when the run began, or the key that the other program showed. */
  name?: string | undefined;
  flow: string;
  msgId: string;
  /** Key of the conversation. */
  key?: string | undefined;
  /** Milliseconds from the request to the run's end. */
  took?: number | undefined;
  marks?: Mark[] | undefined;
}

/** A run as a list shows it. Times are milliseconds since 1970. */
export interface RunRow {
  id: string;
  threadId: string;
  assistantId: string;
  status: RunStatus;
  /** Where it stands in its list: what a further page begins below. */
  place: number;
  createdAt: number;
  /** Milliseconds; undefined while the run goes on. */
  took?: number | undefined;
  tokensIn: number;
  tokensOut: number;
  calls: number;
  question?: string | undefined;
  answer?: string | undefined;
  /** The API's words for why it failed. */
  error?: string | undefined;
  origin?: Origin | undefined;
}

export interface RowFilter extends queries.RunFilter {
  /** Part of the question, the answer, or the conversation's key. */
  text?: string | undefined;
}

export interface RunSums {
  runs: number;
  failures: number;
  tokensIn: number;
  tokensOut: number;
  /** Milliseconds; undefined where no run has ended. */
  medianTook?: number | undefined;
}

export interface RunsOverview {
  /**
   * One page, newest first.
   * @param before place that the page begins below; undefined for the newest
   * @returns the rows, fewer than `limit` where finding them takes long, and where the next page begins; undefined at
   *   the end
   */
  list(filter: RowFilter, limit: number, before?: number): Promise<{ rows: RunRow[]; next?: number }>;
  /** The sums of all runs that the filter lets through, taken in small steps. @throws the signal's reason */
  sums(filter: RowFilter, signal?: AbortSignal): Promise<RunSums>;
  /** Runs that can still change, newest first. */
  active(limit: number): Promise<RunRow[]>;
  rows(ids: readonly string[]): Promise<RunRow[]>;
  keep(runId: string, origin: Origin): Promise<void>;
}

export function createOverview(db: Db): RunsOverview {
  async function* windows(filter: RowFilter, limit: number, before?: number) {
    let end = before ?? (await queries.newestRun(db)) + 1;
    while (end > 1) {
      const from = Math.max(1, end - WINDOW);
      const runs = await queries.runsBetween(db, from, end, filter, limit);
      yield { runs, from };
      // A full answer may have left out some of its window.
      end = runs.length === limit ? runs.at(-1)!.seq : from;
    }
  }
  const matching = async (runs: queries.SlimRun[], { text }: RowFilter) => {
    const rows = await rowsOf(db, runs);
    return text ? rows.filter((row) => says(row, text.toLowerCase())) : rows;
  };
  return {
    async list(filter, limit, before) {
      const rows: RunRow[] = [];
      const until = performance.now() + PATIENCE_MS;
      const step = filter.text ? Math.max(limit, 200) : limit;
      for await (const { runs, from } of windows(filter, step, before)) {
        rows.push(...(await matching(runs, filter)));
        if (rows.length >= limit) {
          rows.length = limit;
          return { rows, next: rows.at(-1)!.place };
        }
        const reached = runs.length === step ? runs.at(-1)!.seq : from;
        if (reached > 1 && performance.now() > until) return { rows, next: reached };
      }
      return { rows };
    },
    async sums(filter, signal) {
      const sums = { runs: 0, failures: 0, tokensIn: 0, tokensOut: 0 };
      const times: number[] = [];
      for await (const { runs } of windows(filter, SUM_STEP)) {
        // Whoever else is at work in this process has its turn.
        await breathe();
        signal?.throwIfAborted();
        const rows = filter.text ? await matching(runs, filter) : await bareRows(db, runs);
        for (const { status, tokensIn, tokensOut, took } of rows) {
          sums.runs += 1;
          if (status === 'failed' || status === 'expired' || status === 'incomplete') sums.failures += 1;
          sums.tokensIn += tokensIn;
          sums.tokensOut += tokensOut;
          if (took !== undefined) times.push(took);
        }
      }
      return { ...sums, medianTook: Float64Array.from(times).sort()[times.length >> 1] };
    },
    active: async (limit) => rowsOf(db, await queries.activeRuns(db, limit)),
    rows: async (ids) => rowsOf(db, await queries.slimRuns(db, ids)),
    async keep(runId, { node, name, flow, msgId, key, took, marks }) {
      await keepOrigin(db, {
        run_id: runId,
        node_id: node,
        flow_id: flow,
        msg_id: msgId,
        conversation: key ?? null,
        took: took ?? null,
        marks: marks ? JSON.stringify(marks) : null,
        name: name || null,
      });
    },
  };
}

const says = ({ question, answer, origin, id }: RunRow, text: string) =>
  [question, answer, origin?.key, id].some((part) => part?.toLowerCase().includes(text));

/** Rows without what stands in other tables than the runs' own and that of their origins. */
async function bareRows(db: Db, runs: queries.SlimRun[]): Promise<RunRow[]> {
  const origins = await originsOf(
    db,
    runs.map(({ id }) => id),
  );
  return runs.map((run) => rowOf(run, origins.get(run.id)));
}

async function rowsOf(db: Db, runs: queries.SlimRun[]): Promise<RunRow[]> {
  const ids = runs.map(({ id }) => id);
  const [rows, answers, calls] = [
    await bareRows(db, runs),
    await queries.answersOf(db, ids),
    await queries.callCounts(db, ids),
  ];
  for (const [index, run] of runs.entries()) {
    const row = rows[index]!;
    const answer = answers.get(run.id);
    row.question = firstWords(await queries.questionOf(db, run, answer?.first));
    row.answer = firstWords(answer?.head);
    row.calls = calls.get(run.id) ?? 0;
  }
  return rows;
}

function rowOf(run: queries.SlimRun, origin: OriginRow | undefined): RunRow {
  const usage = JSON.parse(run.usage) as Usage;
  const ended = run.completed_at ?? run.failed_at ?? run.cancelled_at;
  const expired = run.status === 'expired' ? run.expires_at : undefined;
  const end = ended ?? expired;
  const { reason } = (JSON.parse(run.incomplete_details ?? 'null') ?? {}) as { reason?: string };
  return {
    id: run.id,
    threadId: run.thread_id,
    assistantId: run.assistant_id,
    status: run.status,
    place: run.seq,
    createdAt: run.created_at * 1000,
    took: origin?.took ?? (end ? (end - run.created_at) * 1000 : undefined),
    tokensIn: usage.prompt_tokens,
    tokensOut: usage.completion_tokens,
    calls: 0,
    error: (JSON.parse(run.last_error ?? 'null') as LastError | null)?.message ?? reason,
    origin: origin && {
      node: origin.node_id,
      flow: origin.flow_id,
      msgId: origin.msg_id,
      key: origin.conversation ?? undefined,
      marks: origin.marks ? JSON.parse(origin.marks) : undefined,
      ...(origin.name !== null && { name: origin.name }),
    },
  };
}

/** Characters of a question or an answer that a row shows. */
const WORDS = 160;

/** The first text in the head of a message's JSON, which may break off anywhere but is read in whole characters. */
function firstWords(head: string | undefined): string | undefined {
  const [, text] = /"value":"((?:[^"\\]|\\u[0-9a-f]{4}|\\[^u])*)/is.exec(head ?? '') ?? [];
  return text === undefined ? undefined : (JSON.parse(`"${text}"`) as string).slice(0, WORDS);
}
