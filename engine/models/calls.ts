/** Function calls as they come in, put in order: one after the other, each with arguments that are a JSON object. */

import { newId } from '../domain/ids.ts';
import { isObject } from '../domain/is-object.ts';
import { JsonText } from './json-text.ts';
import { ModelError, type ModelEvent } from './model.ts';

/** Calls of one turn: more than a flow could answer, and than any model makes. */
const MOST_CALLS = 1000;
/** Characters of wrong arguments that are shown in an error. */
const LONGEST_SAMPLE = 200;

export interface Call {
  /** Empty if the provider sent none; one is made when the call is announced. */
  id: string;
  name: string;
  readonly arguments: JsonText;
  /** What was found of the arguments when they had been closed at that length. */
  judged?: { length: number; whole: boolean };
  /** The name won't change any more. */
  named: boolean;
  /** The arguments won't grow any more. */
  complete: boolean;
}

/** Whether a call's arguments are a JSON object by now; nothing more can follow one. */
export function isWhole(call: Call): boolean {
  const length = call.arguments.closedAt;
  if (length === undefined) return false;
  // Long ones take a while to read: once is enough, whatever white space follows.
  if (call.judged?.length !== length) call.judged = { length, whole: isObjectText(call.arguments.text) };
  return call.judged.whole;
}

function isObjectText(text: string): boolean {
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}

/**
 * The calls of one turn. Providers may mix their pieces; the first open call streams, the others wait for it.
 * `limit` keeps a provider that knows no `parallel_tool_calls` to it.
 */
export class Calls {
  readonly #calls: Call[] = [];
  readonly #limit: number;
  #made = 0;
  #open = 0;
  #announced = false;
  /** Whether anything of the open call's arguments has been sent. */
  #sent = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get any(): boolean {
    return this.#calls.length > 0;
  }

  /** @throws ModelError for more calls than there can be. */
  add(id = '', name = '', named = false): Call {
    if (++this.#made > MOST_CALLS) throw new ModelError('manyCalls', { count: MOST_CALLS });
    const call: Call = { id, name, arguments: new JsonText(), named, complete: false };
    if (this.#calls.length < this.#limit) this.#calls.push(call);
    return call;
  }

  /** What can be said of the calls by now. */
  *events(): Generator<ModelEvent> {
    for (let call = this.#calls[this.#open]; call; call = this.#calls[this.#open]) {
      const followed = this.#open < this.#calls.length - 1;
      const begun = call.arguments.isObject;
      if (!this.#announced && !call.named && !begun && !call.complete) return;
      yield* this.#announce(call);
      // what is not an object yet may turn out to be one in a string: kept back until it is whole
      if (begun) yield* this.#send(call.arguments.takeNew());
      if (!call.complete && !(followed && isWhole(call))) return;
      yield* this.#finish(call);
    }
  }

  /**
   * The rest, when the turn is over. `cut`: the token limit ended it, so the last call may be unfinished.
   * @throws ModelError for a call without name or with arguments that are no JSON object.
   */
  *end(cut: boolean): Generator<ModelEvent> {
    for (let call = this.#calls[this.#open]; call; call = this.#calls[this.#open]) {
      yield* this.#announce(call);
      if (cut && normalArguments(call.arguments.text) === undefined) return;
      yield* this.#finish(call);
    }
  }

  /** True if a call was left unfinished by `end`. */
  get unfinished(): boolean {
    return this.#open < this.#calls.length;
  }

  *#announce(call: Call): Generator<ModelEvent> {
    if (this.#announced) return;
    if (!call.name) throw new ModelError('namelessCall');
    call.id ||= newId('call');
    this.#announced = true;
    yield { type: 'call', index: this.#open, id: call.id, name: call.name };
  }

  *#send(delta: string): Generator<ModelEvent> {
    if (delta === '') return;
    this.#sent = true;
    yield { type: 'call_arguments', index: this.#open, delta };
  }

  *#finish(call: Call): Generator<ModelEvent> {
    const given = call.arguments.text;
    const text = isWhole(call) ? given : normalArguments(given);
    if (text === undefined) {
      const sample = given.length > LONGEST_SAMPLE ? `${given.slice(0, LONGEST_SAMPLE)}…` : given;
      throw new ModelError('badArguments', { tool: call.name, sample });
    }
    yield* this.#send(this.#sent ? call.arguments.takeNew() : text);
    yield { type: 'call_done', index: this.#open };
    this.#open++;
    this.#announced = false;
    this.#sent = false;
  }
}

/** Nothing and null mean no arguments; an object may come wrapped in a string. Undefined if it is none of these. */
function normalArguments(text: string): string | undefined {
  if (isObjectText(text)) return text;
  if (text.trim() === '' || text.trim() === 'null') return '{}';
  try {
    const inner: unknown = JSON.parse(text);
    return typeof inner === 'string' && inner !== text ? normalArguments(inner) : undefined;
  } catch {
    return undefined;
  }
}
