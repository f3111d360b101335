/** Long tool calls in tiny pieces: linear in time, bounded in events. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { Calls } from '../../../engine/models/calls.ts';
import { JsonText } from '../../../engine/models/json-text.ts';
import type { ModelEvent } from '../../../engine/models/model.ts';
import { mergeDeltas } from '../../../engine/worker/merge-deltas.ts';
import { json } from '../../support/http-server.ts';
import { far, head } from './support.ts';

/** Milliseconds that a call of so many bytes takes, in pieces of twenty. */
function timeFor(bytes: number): number {
  const calls = new Calls(1);
  const call = calls.add('call_1', 'store', true);
  const pieces = ['{"data":"', ...Array.from({ length: bytes / 20 }, () => 'x'.repeat(20)), '"}'];
  const begin = performance.now();
  let said = '';
  for (const piece of pieces) {
    call.arguments.add(piece);
    for (const event of calls.events()) if (event.type === 'call_arguments') said += event.delta;
  }
  for (const event of calls.end(false)) if (event.type === 'call_arguments') said += event.delta;
  assert.equal(said, pieces.join(''));
  return performance.now() - begin;
}

describe('a long tool call in tiny pieces', () => {
  it('takes time in proportion to its size', () => {
    timeFor(100_000);
    const small = timeFor(500_000);
    const large = timeFor(4_000_000);
    // Quadratic would be 64 times.
    assert.ok(large < small * 25 + 50, `${large} ms after ${small} ms`);
  });

  it('fits into a process with little memory, from the provider to the client', async () => {
    const frame = (call: object) =>
      `data: ${JSON.stringify({ choices: [{ delta: { tool_calls: [{ index: 0, ...call }] } }] })}\n\n`;
    const server = await far((response, { path }) => {
      if (path.endsWith('/models')) return json(response, {}, 404);
      head(response).write(frame({ id: 'call_1', function: { name: 'store', arguments: '{"data":"' } }));
      response.write(frame({ function: { arguments: 'x'.repeat(20) } }).repeat(25_000));
      response.write(frame({ function: { arguments: '"}' } }));
      response.end('data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n');
    });
    try {
      const child = path.join(import.meta.dirname, 'long-call-child.ts');
      const flags = ['--max-old-space-size=96', '--no-warnings'];
      const { stdout } = await promisify(execFile)(process.execPath, [...flags, child, server.url]);
      assert.equal(stdout.trim(), '500000');
    } finally {
      await server.close();
    }
  });

  it('becomes some thousands of events, which together say the same', async () => {
    const pieces = 300_000;
    async function* tiny(): AsyncGenerator<ModelEvent> {
      yield { type: 'call', index: 0, id: 'a', name: 'store' };
      for (let i = 0; i < pieces; i++) yield { type: 'call_arguments', index: 0, delta: 'abcd' };
      yield { type: 'call_done', index: 0 };
      for (let i = 0; i < 100; i++) yield { type: 'text', delta: `${i},` };
      yield { type: 'end', reason: 'stop' };
    }
    const counts: Record<string, number> = {};
    let text = '';
    let length = 0;
    for await (const event of mergeDeltas(tiny())) {
      counts[event.type] = (counts[event.type] ?? 0) + 1;
      if (event.type === 'call_arguments') length += event.delta.length;
      if (event.type === 'text') text += event.delta;
    }
    assert.equal(length, pieces * 4);
    assert.equal(text, Array.from({ length: 100 }, (_, i) => `${i},`).join(''));
    assert.ok(counts.call_arguments !== undefined && counts.call_arguments < 10_000, JSON.stringify(counts));
    assert.equal(counts.text, 100, 'short texts come as they were sent');
  });
});

describe('a text that fails in the middle', () => {
  it('keeps what had been said', async () => {
    async function* broken(pieces: number): AsyncGenerator<ModelEvent> {
      for (let i = 0; i < pieces; i++) yield { type: 'text', delta: 'x' };
      throw new Error('lost');
    }
    for (const pieces of [0, 1, 5000, 5001, 5002, 5003, 5004, 5005]) {
      let text = '';
      await assert.rejects(async () => {
        for await (const event of mergeDeltas(broken(pieces))) if (event.type === 'text') text += event.delta;
      }, /lost/);
      assert.equal(text.length, pieces);
    }
  });
});

describe('JSON that arrives in pieces', () => {
  const cases: [pieces: string[], isObject: boolean, isClosed: boolean][] = [
    [['{}'], true, true],
    [[' \n', '{"a', '":"}', '"'], true, false],
    [['{"a":"\\', '"}"}'], true, true],
    [['{"a":[{}', ']}', ' \n'], true, true],
    [['{}', '{'], true, false],
    [['"{}"'], false, false],
    [['[{}]'], false, false],
    [[''], false, false],
  ];
  for (const [pieces, isObject, isClosed] of cases) {
    it(`knows what ${JSON.stringify(pieces)} is`, () => {
      const text = new JsonText();
      for (const piece of pieces) text.add(piece);
      assert.deepEqual(
        [text.isObject, text.closedAt !== undefined, text.text],
        [isObject, isClosed, pieces.join('')],
      );
      assert.equal(text.takeNew() + text.takeNew(), pieces.join(''));
    });
  }
});
