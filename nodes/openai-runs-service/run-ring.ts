/** The last runs that nodes here have made on a server: which they were and what they came from, kept over restarts. */
import { mkdirSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type OpenAI from 'openai';
import { isActive } from '../../engine/domain/run-states.ts';
import type { Origin, RowFilter, RunRow, RunSums, RunsOverview } from '../../engine/index.ts';
import { excerpt } from '../shared/excerpt.ts';
import { waitingCalls } from '../shared/waiting-calls.ts';

type Run = OpenAI.Beta.Threads.Run;

/** Runs that are remembered. */
const MOST = 500;
/** Milliseconds after a change until it is written. */
const WRITE_AFTER = 1000;
/** Characters kept of a question or an answer. */
const WORDS = 160;

/** What was said in a run, as far as a node knows it. */
export interface Words {
  question?: string | undefined;
  answer?: string | undefined;
}

export class RunRing implements RunsOverview {
  readonly #file: string;
  readonly #keepsWords: boolean;
  /** By run, oldest first. */
  readonly #rows = new Map<string, RunRow>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  /**
   * @param file where the ring is kept; one that can't be read is begun anew
   * @param keepsWords whether first words of questions and answers may be kept
   */
  constructor(file: string, keepsWords: boolean) {
    this.#file = file;
    this.#keepsWords = keepsWords;
    try {
      for (const row of JSON.parse(readFileSync(file, 'utf8')) as RunRow[]) {
        if (typeof row?.id === 'string' && typeof row.place === 'number') this.#rows.set(row.id, row);
      }
    } catch {
      // None yet, or no ring.
    }
  }

  /** Takes a run in. Only what nodes here made is kept. @returns whether its status is news */
  see(run: Run, origin: Origin | undefined, { question, answer }: Words): boolean {
    const known = this.#rows.get(run.id);
    if (!known && !origin) return true;
    const before = known?.status;
    const calls = waitingCalls(run)?.length ?? 0;
    const createdAt = known?.createdAt ?? Date.now();
    const row: RunRow = {
      id: run.id,
      threadId: run.thread_id,
      assistantId: run.assistant_id ?? '',
      status: run.status,
      place: known?.place ?? ([...this.#rows.values()].at(-1)?.place ?? 0) + 1,
      createdAt,
      took: isActive(run.status) ? undefined : (origin?.took ?? known?.took ?? tookBy(run)),
      tokensIn: run.usage?.prompt_tokens ?? 0,
      tokensOut: run.usage?.completion_tokens ?? 0,
      calls: (known?.calls ?? 0) + (before === run.status ? 0 : calls),
      error: run.last_error?.message ?? run.incomplete_details?.reason,
      origin: origin ?? known?.origin,
    };
    if (this.#keepsWords) {
      row.question = question ? excerpt(question, WORDS) : known?.question;
      row.answer = answer ? excerpt(answer, WORDS) : known?.answer;
    }
    this.#rows.set(run.id, row);
    for (const id of this.#rows.keys()) {
      if (this.#rows.size <= MOST) break;
      this.#rows.delete(id);
    }
    this.#timer ??= setTimeout(() => this.#write(), WRITE_AFTER).unref();
    return before !== run.status;
  }

  /** Forgets the runs of a thread that is deleted. */
  forget(threadId: string): void {
    for (const [id, row] of this.#rows) if (row.threadId === threadId) this.#rows.delete(id);
    this.#timer ??= setTimeout(() => this.#write(), WRITE_AFTER).unref();
  }

  async list(filter: RowFilter, limit: number, before = Number.POSITIVE_INFINITY) {
    const found = this.#matching(filter).filter(({ place }) => place < before);
    const rows = found.slice(0, limit);
    return found.length > limit ? { rows, next: rows.at(-1)!.place } : { rows };
  }

  async sums(filter: RowFilter): Promise<RunSums> {
    const rows = this.#matching(filter);
    const sum = (of: (row: RunRow) => number) => rows.reduce((all, row) => all + of(row), 0);
    const times = rows.flatMap(({ took }) => took ?? []).sort((a, b) => a - b);
    return {
      runs: rows.length,
      failures: sum(({ status }) => (['failed', 'expired', 'incomplete'].includes(status) ? 1 : 0)),
      tokensIn: sum(({ tokensIn }) => tokensIn),
      tokensOut: sum(({ tokensOut }) => tokensOut),
      medianTook: times[times.length >> 1],
    };
  }

  async active(limit: number): Promise<RunRow[]> {
    return this.#matching({})
      .filter((row) => isActive(row.status))
      .slice(0, limit);
  }

  async rows(ids: readonly string[]): Promise<RunRow[]> {
    return ids.flatMap((id) => this.#rows.get(id) ?? []);
  }

  async keep(runId: string, origin: Origin): Promise<void> {
    const row = this.#rows.get(runId);
    if (row) row.origin = origin;
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    if (this.#timer) {
      clearTimeout(this.#timer);
      this.#write();
    }
    await this.#writing;
  }

  #matching({ statuses, assistant, node, from = 0, to = Number.POSITIVE_INFINITY, text }: RowFilter) {
    const wanted = text?.toLowerCase();
    return [...this.#rows.values()].reverse().filter((row) => {
      const seconds = row.createdAt / 1000;
      if (seconds < from || seconds >= to) return false;
      if (statuses?.length && !statuses.includes(row.status)) return false;
      if ((assistant && row.assistantId !== assistant) || (node && row.origin?.node !== node)) return false;
      if (!wanted) return true;
      const texts = [row.question, row.answer, row.origin?.key, row.id];
      return texts.some((part) => part?.toLowerCase().includes(wanted));
    });
  }

  /** A ring that can't be written costs only the memory of a restart. */
  #write(): void {
    this.#timer = undefined;
    const text = JSON.stringify([...this.#rows.values()]);
    this.#writing = this.#writing.then(() => replace(this.#file, text)).catch(() => {});
  }
}

/** Milliseconds as the server tells them, in whole seconds. */
function tookBy({ created_at, completed_at, failed_at, cancelled_at, expires_at }: Run): number | undefined {
  const end = completed_at ?? failed_at ?? cancelled_at ?? expires_at;
  return end ? Math.max(0, end - created_at) * 1000 : undefined;
}

/** Only the owner may read what people ask. */
async function replace(file: string, text: string): Promise<void> {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
