/** What the model reads: as much of the thread as fits, then the tool rounds of this run. Reads only what fits. */
import type { Kysely } from 'kysely';
import type { TurnItem } from '../models/model.ts';
import type { RunOptions } from '../objects/run-options.ts';
import type { MessageRow, RunRow, StepRow, Tables } from '../store/schema.ts';
import type { StepMemory } from './memory.ts';
import {
  type DraftItem,
  estimateTokens,
  itemTokens,
  messageItem,
  roundItems,
  settleIds,
} from './prompt-items.ts';

const PAGE = 100;
/** The thread's first message stays before the gap if it takes no more than this part of the room. */
const HEAD_SHARE = 0.25;

/** Part of the room that a run with tools leaves free for their rounds when messages must be left out anyway. */
const ROUNDS_SHARE = 0.25;

export interface Prompt {
  items: TurnItem[];
  /** Estimated, instructions and tools included. */
  tokens: number;
  windowFrom: number;
  windowHead: number | null;
}

/** A message with the tool rounds that led to it: kept or left out together. */
interface Unit {
  seq: number;
  items: DraftItem[];
  tokens: number;
  /** Must be there whatever it costs: this run's own, and what it answers to. */
  needed: boolean;
}

const messageIdOf = (step: StepRow) =>
  (JSON.parse(step.details) as { message_creation?: { message_id: string } }).message_creation?.message_id;

/** The steps of runs, in order, by run. */
async function stepsOf(db: Kysely<Tables>, runIds: string[]): Promise<Map<string, StepRow[]>> {
  const byRun = new Map<string, StepRow[]>(runIds.map((id) => [id, []]));
  if (runIds.length === 0) return byRun;
  const rows = await db
    .selectFrom('steps')
    .selectAll()
    .where('run_id', 'in', runIds)
    .where('status', '=', 'completed')
    .orderBy('seq')
    .execute();
  for (const row of rows) byRun.get(row.run_id)!.push(row);
  return byRun;
}

/** Builds the prompt of one run's next turn. */
export class PromptBuilder {
  readonly #db: Kysely<Tables>;
  readonly #run: RunRow;
  readonly #options: RunOptions;
  readonly #steps = new Map<string, StepRow[]>();

  constructor(db: Kysely<Tables>, run: RunRow, options: RunOptions) {
    this.#db = db;
    this.#run = run;
    this.#options = options;
  }

  /** @param room tokens that the whole prompt may take; what must be there is there even beyond it. */
  async build(room: number): Promise<Prompt> {
    const { instructions, tools } = this.#options;
    const fixed =
      estimateTokens(instructions ?? '') + (tools.length > 0 ? estimateTokens(JSON.stringify(tools)) : 0);
    await this.#loadSteps([this.#run.id]);
    const trailing = this.#trailingRounds();
    const needed = fixed + trailing.reduce((sum, item) => sum + itemTokens(item), 0);
    let { tail, complete } = await this.#tail(room - needed);
    if (!complete && this.#run.window_from === null && tools.length > 0) {
      // Rounds to come find their room free, so that the prompt only grows during the run.
      ({ tail, complete } = await this.#tail((room - needed) * (1 - ROUNDS_SHARE)));
    }
    const units = tail.toReversed();
    const head = complete ? undefined : await this.#head(units, room - needed);
    const allThere = complete && this.#options.truncation.type === 'auto';
    const windowFrom = allThere ? 0 : (units[0]?.seq ?? 0);
    if (head) units.unshift(head);
    return {
      items: settleIds([...units.flatMap(({ items }) => items), ...trailing]),
      tokens: needed + units.reduce((sum, { tokens }) => sum + tokens, 0),
      windowFrom,
      windowHead: head?.seq ?? null,
    };
  }

  /** Messages from the newest back, until the room is used up. `complete`: nothing was left out. */
  async #tail(room: number): Promise<{ tail: Unit[]; complete: boolean }> {
    const { truncation } = this.#options;
    const most = truncation.type === 'last_messages' ? (truncation.last_messages ?? Infinity) : Infinity;
    const from = this.#run.window_from;
    const tail: Unit[] = [];
    let left = room;
    let foreign = 0;
    let before: number | undefined;
    while (true) {
      const rows = await this.#page(before);
      await this.#loadSteps(rows.flatMap(({ run_id }) => run_id ?? []));
      for (const row of rows) {
        if (from !== null && row.seq < from)
          return { tail, complete: this.#run.window_head === null && from === 0 };
        const own = row.run_id === this.#run.id;
        if (!own && foreign === most) return { tail, complete: true };
        const unit = this.#unit(row, own || foreign === 0);
        if (!own) foreign++;
        left -= unit.tokens;
        if (left < 0 && !unit.needed) return { tail, complete: false };
        tail.push(unit);
      }
      if (rows.length < PAGE) return { tail, complete: true };
      before = rows.at(-1)!.seq;
    }
  }

  #page(before: number | undefined): Promise<MessageRow[]> {
    let query = this.#db
      .selectFrom('messages')
      .selectAll()
      .where('thread_id', '=', this.#run.thread_id)
      .orderBy('seq', 'desc')
      .limit(PAGE);
    if (before !== undefined) query = query.where('seq', '<', before);
    return query.execute();
  }

  /** The thread's first message, where the middle is dropped and it takes little room. */
  async #head(units: Unit[], room: number): Promise<Unit | undefined> {
    if (this.#options.truncation.type === 'last_messages') return undefined;
    const settled = this.#run.window_from !== null;
    if (settled && this.#run.window_head === null) return undefined;
    let query = this.#db.selectFrom('messages').selectAll().where('thread_id', '=', this.#run.thread_id);
    if (settled) query = query.where('seq', '=', this.#run.window_head!);
    const row = await query.orderBy('seq').limit(1).executeTakeFirst();
    if (!row || units.some(({ seq }) => seq === row.seq)) return undefined;
    const unit = this.#unit(row, false);
    if (settled) return unit;
    if (unit.tokens > room * HEAD_SHARE) return undefined;
    // The gap grows until the head fits in.
    let used = units.reduce((sum, { tokens }) => sum + tokens, unit.tokens);
    while (used > room && units.length > 0 && !units[0]!.needed) used -= units.shift()!.tokens;
    return unit;
  }

  async #loadSteps(runIds: string[]): Promise<void> {
    // Earlier rounds mean nothing to a model that has no tools.
    const wanted = this.#options.tools.length > 0 ? runIds : runIds.filter((id) => id === this.#run.id);
    const missing = [...new Set(wanted)].filter((id) => !this.#steps.has(id));
    for (const [id, steps] of await stepsOf(this.#db, missing)) this.#steps.set(id, steps);
  }

  #unit(row: MessageRow, needed: boolean): Unit {
    const items: DraftItem[] = [];
    if (row.run_id !== null) items.push(...this.#roundsBefore(row.run_id, row.id));
    const message = messageItem(row);
    if (message) items.push(message);
    return { seq: row.seq, items, tokens: items.reduce((sum, item) => sum + itemTokens(item), 0), needed };
  }

  /** The tool rounds between a message and the one before it in the same run, with what is carried around it. */
  #roundsBefore(runId: string, messageId: string): DraftItem[] {
    const own = runId === this.#run.id;
    let items: DraftItem[] = [];
    for (const step of this.#steps.get(runId) ?? []) {
      if (step.type === 'tool_calls') {
        items.push(...roundItems(step, own));
        continue;
      }
      const carried = own ? (JSON.parse(step.memory) as StepMemory).carry : [];
      const carry = (at: number): TurnItem[] =>
        carried
          .filter((entry) => entry.at === at)
          .map(({ provider, data }) => ({ type: 'carry', provider, data }));
      if (messageIdOf(step) === messageId) return [...items, ...carry(0)];
      items = carry(1);
    }
    return items;
  }

  /** This run's rounds after its last message: what the model has just been told. */
  #trailingRounds(): DraftItem[] {
    const steps = this.#steps.get(this.#run.id) ?? [];
    const last = steps.findLastIndex(({ type }) => type === 'message_creation');
    const items: DraftItem[] = [];
    if (last >= 0) {
      for (const { at, provider, data } of (JSON.parse(steps[last]!.memory) as StepMemory).carry) {
        if (at === 1) items.push({ type: 'carry', provider, data });
      }
    }
    for (const step of steps.slice(last + 1)) items.push(...roundItems(step, true));
    return items;
  }
}
