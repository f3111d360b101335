/** What the Responses API answers, as model events. */
import type {
  Response as Answer,
  ResponseOutputItem,
  ResponseOutputMessage,
  ResponseStreamEvent,
  ResponseUsage,
} from 'openai/resources/responses/responses';
import type { Usage } from '../../domain/usage.ts';
import { type Call, Calls, isWhole } from '../calls.ts';
import type { Reply } from '../http/connection.ts';
import { brokenOff, failedInAnswer, notAModel } from '../http/errors.ts';
import { frames } from '../http/frames.ts';
import type { ModelEvent, Turn } from '../model.ts';
import { count, UsageEstimate } from '../tokens.ts';
import {
  annotation,
  type Cited,
  inputDelta,
  isHosted,
  isKnown,
  type Ranking,
  rankingOf,
  startedCall,
  wholeCall,
} from './hosted.ts';
import { PROVIDER } from './request.ts';

/** Reads one answer to its end. @throws ModelError if the response fails, breaks off or is something else. */
export async function* readResponses(reply: Reply, turn: Turn): AsyncGenerator<ModelEvent> {
  const estimate = new UsageEstimate();
  const reader = new ResponsesReader(turn, reply.address);
  for await (const frame of frames(reply)) {
    if (frame.type === 'done') break;
    const events =
      frame.type === 'whole'
        ? reader.whole(frame.data as Answer)
        : reader.read(frame.data as ResponseStreamEvent);
    for (const event of events) {
      estimate.see(event);
      yield event;
    }
    if (reader.ended) break;
  }
  if (!reader.ended) throw brokenOff(reply.address, !reader.begun);
  for (const event of reader.rest()) {
    estimate.see(event);
    yield event;
  }
  yield { type: 'usage', usage: reader.usage ?? estimate.of(turn) };
  yield { type: 'end', reason: reader.reason };
}

/** A part of an output text: what has come of it, where it begins in the message, and the markers put into it. */
interface Part {
  text: string;
  offset: number;
  /** Place in the provider's text, and length, of each. */
  markers: { at: number; length: number }[];
}

class ResponsesReader {
  readonly #address: string;
  readonly #ranking: Ranking;
  readonly #calls: Calls;
  readonly #callOf = new Map<number, Call>();
  readonly #hosted = new Map<number, number>();
  readonly #parts = new Map<string, Part>();
  readonly #refused = new Set<string>();
  #citations = 0;
  /** Characters said since the last call: there the engine begins a new message. */
  #length = 0;
  begun = false;
  ended: 'stop' | 'length' | 'content_filter' | undefined;
  usage: Usage | undefined;

  constructor({ parallelToolCalls, tools }: Turn, address: string) {
    this.#ranking = rankingOf(tools);
    this.#calls = new Calls(parallelToolCalls ? Number.POSITIVE_INFINITY : 1);
    this.#address = address;
  }

  *read(event: ResponseStreamEvent): Generator<ModelEvent> {
    if (event?.type?.startsWith('response.output')) this.begun = true;
    switch (event?.type) {
      case 'response.output_item.added':
        return yield* this.#added(event.item, event.output_index);
      case 'response.output_item.done':
        return yield* this.#done(event.item, event.output_index);
      case 'response.output_text.delta':
        return yield* this.#say(event.output_index, event.content_index, event.delta);
      case 'response.output_text.done':
        return yield* this.#complete(event.output_index, event.content_index, event.text);
      case 'response.output_text.annotation.added':
        return yield* this.#cite(event.output_index, event.content_index, event.annotation);
      case 'response.refusal.delta':
        this.#refused.add(`${event.output_index}/${event.content_index}`);
        return yield { type: 'refusal', delta: event.delta };
      case 'response.function_call_arguments.delta':
        return yield* this.#argue(event.output_index, event.delta);
      case 'response.function_call_arguments.done':
        return yield* this.#argued(event.output_index, event.arguments);
      case 'response.code_interpreter_call_code.delta':
        return yield* this.#input(event.output_index, event.item_id, event.delta);
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        return this.#end(event.response);
      case 'error':
        throw failedInAnswer(errorOf(event), this.#address, !this.begun);
      default:
        // other servers send their errors without a type
        if (isError(event)) throw failedInAnswer(event.error, this.#address, !this.begun);
    }
  }

  /** A response that was not streamed. */
  *whole(answer: Answer): Generator<ModelEvent> {
    if (!Array.isArray(answer?.output)) throw notAModel(this.#address, 'text');
    this.#end(answer);
    this.begun = true;
    for (const [at, item] of answer.output.entries()) {
      yield* this.#added(item, at);
      yield* this.#done(item, at);
    }
  }

  *rest(): Generator<ModelEvent> {
    yield* this.#calls.end(this.ended === 'length');
  }

  get reason(): 'stop' | 'length' | 'content_filter' {
    return this.#calls.any && !this.#calls.unfinished ? 'stop' : (this.ended ?? 'stop');
  }

  *#added(item: ResponseOutputItem, at: number): Generator<ModelEvent> {
    if (item.type === 'function_call') {
      this.#length = 0;
      this.#callOf.set(at, this.#calls.add(item.call_id, item.name, true));
      yield* this.#calls.events();
    } else if (isHosted(item)) {
      this.#length = 0;
      const index = this.#hosted.size;
      this.#hosted.set(at, index);
      yield { type: 'hosted_call', phase: 'started', index, call: startedCall(item, this.#ranking) };
    }
  }

  *#done(item: ResponseOutputItem, at: number): Generator<ModelEvent> {
    if (item.type === 'function_call') {
      if (!this.#callOf.has(at)) yield* this.#added(item, at);
      yield* this.#argued(at, item.arguments);
    } else if (item.type === 'message') {
      yield* this.#message(item, at);
    } else if (isHosted(item)) {
      if (!this.#hosted.has(at)) yield* this.#added(item, at);
      yield {
        type: 'hosted_call',
        phase: 'done',
        index: this.#hosted.get(at) ?? 0,
        call: wholeCall(item, this.#ranking),
      };
      yield { type: 'carry', provider: PROVIDER, data: item };
    } else if (item.type === 'reasoning') {
      yield { type: 'carry', provider: PROVIDER, data: item };
    }
  }

  /** What the deltas of a message left out: all of it, where the server does not stream. */
  *#message({ content }: ResponseOutputMessage, at: number): Generator<ModelEvent> {
    for (const [place, part] of content.entries()) {
      const streamed = this.#parts.has(`${at}/${place}`);
      if (part.type === 'output_text') {
        if (!streamed) yield* this.#cited(at, place, part.text, part.annotations ?? []);
        yield* this.#complete(at, place, part.text);
      } else if (!this.#refused.has(`${at}/${place}`)) {
        yield { type: 'refusal', delta: part.refusal };
      }
    }
  }

  *#say(at: number, place: number, delta: string): Generator<ModelEvent> {
    const part = this.#parts.get(`${at}/${place}`) ?? (yield* this.#newPart(at, place));
    if (!delta) return;
    part.text += delta;
    this.#length += delta.length;
    yield { type: 'text', delta };
  }

  /** Two messages in a row become one of the thread's: an empty line keeps them apart. */
  *#newPart(at: number, place: number): Generator<ModelEvent, Part> {
    if (this.#length > 0) {
      yield { type: 'text', delta: '\n\n' };
      this.#length += 2;
    }
    const part = { text: '', offset: this.#length, markers: [] };
    this.#parts.set(`${at}/${place}`, part);
    return part;
  }

  *#complete(at: number, place: number, text: string): Generator<ModelEvent> {
    const said = this.#parts.get(`${at}/${place}`)?.text ?? '';
    if (text?.startsWith(said)) yield* this.#say(at, place, text.slice(said.length));
  }

  /** A text that comes whole, with its citations where they belong. */
  *#cited(at: number, place: number, text: string, all: Cited[]): Generator<ModelEvent> {
    const placed = all.toSorted((a, b) => (a.index ?? a.end_index ?? 0) - (b.index ?? b.end_index ?? 0));
    for (const one of placed) {
      const said = this.#parts.get(`${at}/${place}`)?.text.length ?? 0;
      yield* this.#say(at, place, text.slice(said, one.index ?? one.end_index ?? said));
      yield* this.#cite(at, place, one);
    }
  }

  /**
   * Where a citation covers words, those are its text. One that only names a place gets a marker there, as the API has
   * it; in a stream the place is where the text stands by then, for what is said is said.
   */
  *#cite(at: number, place: number, cited: Cited | null): Generator<ModelEvent> {
    const part = this.#parts.get(`${at}/${place}`);
    if (!part || !isKnown(cited)) return;
    const { start_index: start = 0, end_index: end = 0 } = cited;
    const covered = part.text.slice(start, end);
    if (covered) {
      yield { type: 'annotation', annotation: annotation(cited, covered, placeIn(part, start)) };
      return;
    }
    const marker = `【${this.#hosted.size}:${this.#citations++}†${cited.filename || 'source'}】`;
    const found = annotation(cited, marker, placeIn(part, part.text.length));
    part.markers.push({ at: part.text.length, length: marker.length });
    this.#length += marker.length;
    yield { type: 'annotation', marker, annotation: found };
  }

  *#argue(at: number, delta: string): Generator<ModelEvent> {
    const call = this.#callOf.get(at);
    if (!call || call.complete) return;
    call.arguments.add(delta);
    yield* this.#calls.events();
  }

  *#argued(at: number, text: string): Generator<ModelEvent> {
    const call = this.#callOf.get(at);
    if (!call || call.complete) return;
    const streamed = call.arguments.text;
    if (typeof text === 'string' && text.startsWith(streamed))
      call.arguments.add(text.slice(streamed.length));
    // what the token limit cut off stays open until the response says so
    call.complete = call.arguments.length === 0 || isWhole(call);
    yield* this.#calls.events();
  }

  *#input(at: number, id: string, delta: string): Generator<ModelEvent> {
    const index = this.#hosted.get(at);
    if (index !== undefined && delta)
      yield { type: 'hosted_call', phase: 'delta', index, call: inputDelta(id, delta) };
  }

  #end(answer: Answer): void {
    if (answer.status === 'failed' || answer.error)
      throw failedInAnswer(answer.error ?? {}, this.#address, !this.begun);
    this.usage = usageOf(answer.usage) ?? this.usage;
    const reason = answer.status === 'incomplete' ? answer.incomplete_details?.reason : undefined;
    if (answer.status === 'incomplete')
      this.ended = reason === 'content_filter' ? 'content_filter' : 'length';
    else this.ended = 'stop';
  }
}

/** A place of the provider's text in the message, which holds the markers as well. */
const placeIn = ({ offset, markers }: Part, at: number): number =>
  markers.reduce((sum, marker) => (marker.at <= at ? sum + marker.length : sum), offset + at);

const isError = (event: unknown): event is { error: unknown } =>
  Boolean((event as { error?: unknown } | null)?.error) && !(event as { type?: unknown }).type;

/** Some servers put the error's fields into an object of their own. */
function errorOf(event: { type: 'error'; error?: unknown; code: string | null; message: string }): unknown {
  return event.error ?? { code: event.code, message: event.message };
}

function usageOf(given: ResponseUsage | undefined | null): Usage | undefined {
  const prompt = count(given?.input_tokens);
  if (!given || prompt === undefined) return undefined;
  const completion = count(given.output_tokens) ?? 0;
  const cached = count(given.input_tokens_details?.cached_tokens);
  const reasoning = count(given.output_tokens_details?.reasoning_tokens);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: count(given.total_tokens) ?? prompt + completion,
    ...(cached !== undefined && { cached_tokens: cached }),
    ...(reasoning !== undefined && { reasoning_tokens: reasoning }),
  };
}
