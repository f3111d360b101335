/** The far side of the wire, played over real HTTP, and what every model's events must keep to. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import type { Model, ModelError, ModelEvent, Turn } from '../../../engine/models/model.ts';
import { type Received, startServer } from '../../support/http-server.ts';

export const KEY = 'sk-secret-of-the-service-0123456789';

/** A turn with one user message; fields can be replaced. */
export function turn(said: string, fields: Partial<Turn> = {}): Turn {
  return {
    model: 'test-model',
    instructions: null,
    items: said ? [user(said)] : [],
    tools: [],
    toolChoice: null,
    parallelToolCalls: true,
    temperature: null,
    topP: null,
    responseFormat: null,
    reasoningEffort: null,
    maxCompletionTokens: null,
    toolResources: null,
    signal: new AbortController().signal,
    ...fields,
  };
}

export const user = (text: string): Turn['items'][number] => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'text', text }],
});

export const assistant = (text: string): Turn['items'][number] =>
  ({ ...user(text), role: 'assistant' }) as never;

/** A function tool. */
export function tool(
  name: string,
  parameters?: Record<string, unknown>,
  description?: string,
): Turn['tools'][number] {
  return {
    type: 'function',
    function: { name, ...(parameters && { parameters }), ...(description && { description }) },
  };
}

export const LAMP = tool(
  'set_lamp',
  {
    type: 'object',
    properties: { name: { type: 'string' }, on: { type: 'boolean' } },
    required: ['name', 'on'],
    additionalProperties: false,
  },
  'Switch a lamp on or off',
);

export const SENSOR = tool('read_sensor', {
  type: 'object',
  properties: { sensor: { type: 'string', enum: ['temperature', 'humidity'] } },
  required: ['sensor'],
});

/** All events of a turn, checked against what the interface promises (engine/models/model.ts). */
export async function collect(model: Model, given: Turn): Promise<ModelEvent[]> {
  const events: ModelEvent[] = [];
  for await (const event of model.run(given)) events.push(event);
  checkOrder(events);
  return events;
}

export function checkOrder(events: ModelEvent[]): void {
  assert.equal(events.filter(({ type }) => type === 'end').length, 1, 'exactly one end');
  assert.equal(events.at(-1)?.type, 'end', 'the end comes last');
  let open: { index: number; text: string } | undefined;
  let count = 0;
  for (const event of events) {
    if (event.type === 'call') {
      assert.equal(open, undefined, 'a call begins while another is open');
      assert.equal(event.index, count++);
      assert.notEqual(event.name, '');
      assert.notEqual(event.id, '');
      open = { index: event.index, text: '' };
    } else if (event.type === 'call_arguments') {
      assert.equal(event.index, open?.index);
      if (open) open.text += event.delta;
    } else if (event.type === 'call_done') {
      assert.equal(event.index, open?.index);
      assert.equal(typeof JSON.parse(open?.text ?? ''), 'object');
      open = undefined;
    }
  }
  const ids = events.flatMap((event) => (event.type === 'call' ? [event.id] : []));
  assert.equal(new Set(ids).size, ids.length, 'ids differ');
}

export const textOf = (events: ModelEvent[]) =>
  events.map((event) => (event.type === 'text' ? event.delta : '')).join('');

export interface MadeCall {
  id: string;
  name: string;
  arguments: unknown;
}

export function callsOf(events: ModelEvent[]): MadeCall[] {
  const calls = events.flatMap((event) => (event.type === 'call' ? [event] : []));
  return calls.map(({ id, name, index }) => {
    const text = events.map((event) =>
      event.type === 'call_arguments' && event.index === index ? event.delta : '',
    );
    return { id, name, arguments: JSON.parse(text.join('')) };
  });
}

export const called = (events: ModelEvent[]) =>
  callsOf(events).map(({ name, arguments: given }) => [name, given]);

export const endOf = (events: ModelEvent[]) =>
  events.flatMap((event) => (event.type === 'end' ? [event.reason] : []))[0];

export const usageOf = (events: ModelEvent[]) =>
  events.flatMap((event) => (event.type === 'usage' ? [event.usage] : []))[0];

export type { Received as Asked } from '../../support/http-server.ts';

export interface Far {
  /** The address to give a provider. */
  url: string;
  asked: Received[];
  /** Settles when the client's side of the first request has gone: whether that was before the answer was complete. */
  gone: Promise<boolean>;
  close(): Promise<void>;
}

/** A server on loopback; `answer` plays the provider. @param answer is also told how many requests have come */
export async function far(
  answer: (response: ServerResponse, asked: Received, count: number) => unknown,
): Promise<Far> {
  const { promise: gone, resolve } = Promise.withResolvers<boolean>();
  const server = await startServer(async (request, response) => {
    response.on('close', () => resolve(!response.writableFinished));
    await answer(response, request, server.received.length);
  });
  return { url: `${server.url}/v1`, asked: server.received, gone, close: server.close };
}

export function head(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
}

/** Sends each value as an event; a string as it stands. */
export function stream(response: ServerResponse, values: unknown[], end = true): void {
  head(response);
  for (const value of values)
    response.write(typeof value === 'string' ? value : `data: ${JSON.stringify(value)}\n\n`);
  if (end) response.end();
}

/** What a model throws, mostly a ModelError; fails if it doesn't. */
export async function failure(run: () => AsyncIterable<unknown> | Promise<unknown>): Promise<ModelError> {
  try {
    const result = run();
    if (Symbol.asyncIterator in result) for await (const _ of result);
    else await result;
  } catch (error) {
    return error as ModelError;
  }
  return assert.fail('should have failed');
}
