/** Which call a piece of a tool call belongs to: servers leave out or repeat ids, indexes and names. */
import { type Call, type Calls, isWhole } from '../calls.ts';

/** A tool call or a piece of one, as far as servers can be trusted with its form. */
export interface ToolCallPiece {
  index?: unknown;
  id?: unknown;
  function?: { name?: unknown; arguments?: unknown } | null;
}

interface Known {
  call: Call;
  index: number | undefined;
  /** The id that the server gave, which may come late or never. */
  id: string;
}

export class ToolCallPieces {
  /** The last one of each id and index, and of all. */
  readonly #byId = new Map<string, Known>();
  readonly #byIndex = new Map<number, Known>();
  #last: Known | undefined;
  readonly #calls: Calls;
  readonly #names: Set<string>;

  /** `names` are the functions that the model was given: they tell a piece of a name from a whole one. */
  constructor(calls: Calls, names: string[]) {
    this.#calls = calls;
    this.#names = new Set(names);
  }

  add(piece: ToolCallPiece): void {
    const id = typeof piece.id === 'string' ? piece.id : '';
    const index = typeof piece.index === 'number' ? piece.index : undefined;
    const name = typeof piece.function?.name === 'string' ? piece.function.name : '';
    const found = this.#find(id, index, name);
    const known = found ?? this.#begin(id, index);
    if (!known.id && id) {
      known.id = id;
      known.call.id ||= id;
      this.#byId.set(id, known);
    }
    this.#addName(known.call, name);
    addArguments(known.call, piece.function?.arguments);
  }

  #begin(id: string, index: number | undefined): Known {
    // an id that is taken would send an output to the wrong call
    const known = { call: this.#calls.add(this.#byId.has(id) ? '' : id), index, id };
    if (id) this.#byId.set(id, known);
    if (index !== undefined) this.#byIndex.set(index, known);
    this.#last = known;
    return known;
  }

  #find(id: string, index: number | undefined, name: string): Known | undefined {
    const sameId = this.#byId.get(id);
    if (sameId) return name && index !== sameId.index && isWhole(sameId.call) ? undefined : sameId;
    const candidate = index === undefined ? this.#last : this.#byIndex.get(index);
    if (!candidate) return undefined;
    // a new id begins a call, unless a server gives every piece its own
    if (id && candidate.id) return name || isWhole(candidate.call) ? undefined : candidate;
    return this.#starts(candidate.call, name) ? undefined : candidate;
  }

  /** A whole name after a whole call, or another function's name, begins a new call. */
  #starts(call: Call, name: string): boolean {
    if (!name) return false;
    if (call.arguments.length > 0) return isWhole(call);
    return this.#names.has(call.name) && this.#names.has(name) && call.name !== name;
  }

  #addName(call: Call, name: string): void {
    if (name && !call.named && name !== call.name) {
      const goesOn = !this.#names.has(call.name) && !name.startsWith(call.name);
      call.name = goesOn ? call.name + name : name;
    }
    call.named ||= this.#names.has(call.name);
  }
}

function addArguments(call: Call, given: unknown): void {
  if (given === undefined || given === null || given === '') return;
  const text = typeof given === 'string' ? given : JSON.stringify(given);
  // some servers send the whole arguments once more at the end
  if (text.length === call.arguments.length && isWhole(call) && text === call.arguments.text) return;
  call.arguments.add(text);
}
