/** An answer as a row of JSON values, whether the server streams them or sends one whole. */
import { createParser } from 'eventsource-parser';
import type { Reply } from './connection.ts';
import { notAModel } from './errors.ts';

export type Frame = { type: 'event'; data: unknown } | { type: 'whole'; data: unknown } | { type: 'done' };

/**
 * Reads server-sent events up to `[DONE]`, or one JSON document: some servers answer so to a streaming request.
 * @throws ModelError for anything else.
 */
export async function* frames(reply: Reply): AsyncGenerator<Frame> {
  const waiting: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => waiting.push(data) });
  let head: string | undefined = '';
  let whole = '';
  for await (const chunk of reply.chunks()) {
    if (head !== undefined) head += chunk;
    const first = head?.trimStart()[0];
    if (head !== undefined && !first) continue;
    if (first === '<') throw notAModel(reply.address, 'html');
    if (whole || first === '{' || first === '[') {
      whole += head ?? chunk;
    } else {
      parser.feed(head ?? chunk);
      for (const data of waiting.splice(0)) {
        if (data === '[DONE]') return yield { type: 'done' };
        yield { type: 'event', data: parsed(data, reply) };
      }
    }
    head = undefined;
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

/** The whole body as JSON, for answers that are never streamed. */
export async function whole(reply: Reply): Promise<unknown> {
  let text = '';
  for await (const chunk of reply.chunks()) text += chunk;
  if (/^\s*</.test(text)) throw notAModel(reply.address, 'html');
  return parsed(text, reply);
}
