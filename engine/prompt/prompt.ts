/** What the model reads: as much of the thread as fits, then the tool rounds of this run. Reads only what fits. */
import type { RunOptions } from '../domain/run-options.ts';
import { countTokens } from '../domain/tokens.ts';
import type { TurnItem } from '../models/model.ts';
import { firstMessage, newestMessages } from '../store/messages.ts';
import type { StepRecord, Stored } from '../store/records.ts';
import { windowBefore } from '../store/runs.ts';
import { completedSteps } from '../store/steps.ts';
import type { Db } from '../store/store.ts';
import { type DraftItem, itemTokens, messageItem, roundItems, settleIds } from './items.ts';

const PAGE = 100;
/** The thread's first message stays before the gap if it takes no more than this part of the room. */
const HEAD_SHARE = 0.25;

/** Part of the room that a new window leaves free, for rounds and answers to come. */
const GROWTH_SHARE = 0.25;
/** An earlier window that would use less of the room than this was made for a smaller one. */
const WORTH_KEEPING = 0.5;

/** What the model sees of a thread too long for it: its first message, perhaps, and all from `from` on (seq). */
interface Window {
  from: number;
  head: number | null;
}

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

const weight = (units: Unit[]): number => units.reduce((sum, { tokens }) => sum + tokens, 0);

const messageIdOf = ({ details }: StepRecord) =>
  details.type === 'message_creation' ? details.message_creation.message_id : undefined;

/** Builds the prompt of one run's next turn. */
export class PromptBuilder {
  readonly #db: Db;
  readonly #run: Stored<'runs'>;
  readonly #options: RunOptions;
  readonly #steps = new Map<string, StepRecord[]>();

  constructor(db: Db, run: Stored<'runs'>) {
    this.#db = db;
    this.#run = run;
    this.#options = run.options;
  }

  /** @param room tokens that the whole prompt may take; what must be there is there even beyond it. */
  async build(room: number): Promise<Prompt> {
    const { instructions, tools } = this.#options;
    const fixed =
      countTokens(instructions ?? '') + (tools.length > 0 ? countTokens(JSON.stringify(tools)) : 0);
    await this.#loadSteps([this.#run.id]);
    const trailing = this.#trailingRounds();
    const needed = fixed + trailing.reduce((sum, item) => sum + itemTokens(item), 0);
    const { units, window } = await this.#choose(room - needed);
    return {
      items: settleIds([...units.flatMap(({ items }) => items), ...trailing]),
      tokens: needed + weight(units),
      windowFrom: window.from,
      windowHead: window.head,
    };
  }

  /** The units that fit into the room, oldest first, and the window that they make. */
  async #choose(room: number): Promise<{ units: Unit[]; window: Window }> {
    const { window_from: from, window_head: head } = this.#run;
    // A later turn keeps the run's window, and moves its beginning only where the rounds have outgrown it.
    if (from !== null) return this.#within({ from, head }, room);
    if (this.#options.truncation.type === 'last_messages') {
      const { units } = await this.#collect(room, 0);
      return { units, window: { from: units[0]?.seq ?? 0, head: null } };
    }
    const kept = await this.#asBefore(room);
    if (kept) return kept;
    const { units, complete } = await this.#collect(room, 0);
    return complete ? { units, window: { from: 0, head: null } } : this.#anew(room);
  }

  async #within(window: Window, room: number): Promise<{ units: Unit[]; window: Window; complete: boolean }> {
    const first = window.head === null ? undefined : await this.#first();
    // Where the first message has been deleted, the next may already stand behind the gap.
    const head = first && first.seq < window.from ? first : undefined;
    const { units, complete } = await this.#collect(room - weight(head ? [head] : []), window.from);
    const moved = complete ? window.from : (units[0]?.seq ?? 0);
    if (head) units.unshift(head);
    return { units, window: { from: moved, head: head?.seq ?? null }, complete };
  }

  /** The window of the thread's last run, while it holds and is worth keeping: providers then know the beginning. */
  async #asBefore(room: number): Promise<{ units: Unit[]; window: Window } | undefined> {
    const last = await windowBefore(this.#db, this.#run);
    if (!last?.window_from) return undefined;
    const kept = await this.#within({ from: last.window_from, head: last.window_head }, room);
    return kept.complete && weight(kept.units) >= room * WORTH_KEEPING ? kept : undefined;
  }

  /** A window with room to grow, so that it can stay where it begins for some time. */
  async #anew(room: number): Promise<{ units: Unit[]; window: Window }> {
    const first = await this.#first();
    const head = first && first.tokens <= room * HEAD_SHARE ? first : undefined;
    const { units } = await this.#collect(room * (1 - GROWTH_SHARE) - weight(head ? [head] : []), 0);
    const from = units[0]?.seq ?? 0;
    if (!head || head.seq >= from) return { units, window: { from, head: null } };
    return { units: [head, ...units], window: { from, head: head.seq } };
  }

  /**
   * Messages from the newest back to `from`, until the room is used up; oldest first.
   * `complete`: all that was wanted is there.
   */
  async #collect(room: number, from: number): Promise<{ units: Unit[]; complete: boolean }> {
    const { truncation } = this.#options;
    const most = truncation.type === 'last_messages' ? (truncation.last_messages ?? Infinity) : Infinity;
    const units: Unit[] = [];
    let left = room;
    let foreign = 0;
    let before: number | undefined;
    while (true) {
      const page = { from, before, limit: PAGE };
      const messages = await newestMessages(this.#db, this.#run.thread_id, page);
      await this.#loadSteps(messages.flatMap(({ run_id }) => run_id ?? []));
      for (const message of messages) {
        const own = message.run_id === this.#run.id;
        if (!own && foreign === most) return { units: units.reverse(), complete: true };
        const unit = this.#unit(message, own || foreign === 0);
        if (!own) foreign++;
        left -= unit.tokens;
        if (left < 0 && !unit.needed) return { units: units.reverse(), complete: false };
        units.push(unit);
      }
      if (messages.length < PAGE) return { units: units.reverse(), complete: true };
      before = messages.at(-1)!.seq;
    }
  }

  /** The thread's first message: the only one that is kept before a gap. */
  async #first(): Promise<Unit | undefined> {
    const message = await firstMessage(this.#db, this.#run.thread_id);
    return message && this.#unit(message, false);
  }

  async #loadSteps(runIds: string[]): Promise<void> {
    // Earlier rounds mean nothing to a model that has no tools.
    const wanted = this.#options.tools.length > 0 ? runIds : runIds.filter((id) => id === this.#run.id);
    const missing = [...new Set(wanted)].filter((id) => !this.#steps.has(id));
    for (const [id, steps] of await completedSteps(this.#db, missing)) this.#steps.set(id, steps);
  }

  #unit(message: Stored<'messages'>, needed: boolean): Unit {
    const items: DraftItem[] = [];
    if (message.run_id !== null) items.push(...this.#roundsBefore(message.run_id, message.id));
    const item = messageItem(message);
    if (item) items.push(item);
    return {
      seq: message.seq,
      items,
      tokens: items.reduce((sum, item) => sum + itemTokens(item), 0),
      needed,
    };
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
      const carried = own ? step.memory.carry : [];
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
      for (const { at, provider, data } of steps[last]!.memory.carry) {
        if (at === 1) items.push({ type: 'carry', provider, data });
      }
    }
    for (const step of steps.slice(last + 1)) items.push(...roundItems(step, true));
    return items;
  }
}
