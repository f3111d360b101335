/** An answer as a row of JSON values, whether the server streams them or sends one whole. */
import { createParser } from 'eventsource-parser';
import type { Reply } from './connection.ts';
import { notAModel, tooLong } from './errors.ts';

export type Frame = { type: 'event'; data: unknown } | { type: 'whole'; data: unknown } | { type: 'done' };

/**
 * Reads server-sent events up to `[DONE]`, or one JSON document: some servers answer so to a streaming request.
 * @throws ModelError for anything else.
 */
export async function* frames(reply: Reply): AsyncGenerator<Frame> {
  const waiting: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => waiting.push(data) });
  let first = '';
  let whole = '';
  for await (const chunk of reply.chunks()) {
    // Blanks before the answer say nothing, however many there are.
    const text = first ? chunk : chunk.trimStart();
    first ||= text.slice(0, 1);
    if (first === '<') throw notAModel(reply.address, 'html');
    if (first === '{' || first === '[') {
      whole += text;
      continue;
    }
    parser.feed(text);
    for (const data of waiting.splice(0)) {
      if (data === '[DONE]') return yield { type: 'done' };
      yield { type: 'event', data: parsed(data, reply) };
    }
  }
  if (whole) return yield { type: 'whole', data: parsed(whole, reply) };
  // a last event may lack its empty line
  parser.feed('\n\n');
  for (const data of waiting)
    yield data === '[DONE]' ? { type: 'done' } : { type: 'event', data: parsed(data, reply) };
}

function parsed(text: string, { address }: Reply): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notAModel(address, 'text');
  }
}

/**
 * The whole body as JSON, for answers that are never streamed.
 * @param most characters
 */
export async function whole(reply: Reply, most: number): Promise<unknown> {
  let text = '';
  for await (const chunk of reply.chunks()) {
    text += text ? chunk : chunk.trimStart();
    if (text.length > most) throw tooLong(reply.address, most);
  }
  if (text.startsWith('<')) throw notAModel(reply.address, 'html');
  return parsed(text, reply);
}
