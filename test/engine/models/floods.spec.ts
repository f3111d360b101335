/** Providers that never come to an end, or say more than can be kept: worded failures, while the process goes on. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { createEngine } from '../../../engine/index.ts';
import { createModel } from '../../../engine/models/index.ts';
import { json } from '../../support/http-server.ts';
import { collect, type Far, failure, far, head, textOf, turn } from './support.ts';

const MB = 2 ** 20;
const chat = (delta: object, finish_reason: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ delta, finish_reason }] })}\n\n`;
const LAST = `${chat({ content: 'Here.' }, 'stop')}data: [DONE]\n\n`;

describe('floods from a provider', () => {
  let server: Far | undefined;
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  const model = () => createModel({ provider: 'chat', url: server?.url });

  /** Sends a text again and again, until it is so many bytes or the client has gone. */
  async function pour(response: ServerResponse, text: string, bytes: number): Promise<void> {
    const block = text.repeat(Math.ceil((64 * 1024) / text.length));
    let gone = response.destroyed;
    response.once('close', () => {
      gone = true;
    });
    for (let sent = 0; sent < bytes && !gone; sent += block.length) {
      if (response.write(block)) continue;
      await new Promise<void>((done) => {
        response.once('drain', done).once('close', done);
      });
    }
  }

  for (const type of ['text/event-stream', 'text/plain', 'application/json'])
    for (const flood of ['\n', '\r', '\r\n', ' ', ': \n\n'])
      it(`${JSON.stringify(flood)} before an answer as ${type}`, async () => {
        // Spaces in a stream are a line like any other, which has its cap.
        const size = flood === ' ' && type !== 'application/json' ? 10 * MB : 40 * MB;
        server = await far(async (response) => {
          response.setMaxListeners(0).writeHead(200, { 'content-type': type });
          await pour(response, flood, size);
          response.end(LAST);
        });
        const begin = performance.now();
        assert.equal(textOf(await collect(model(), turn('Hi'))), 'Here.');
        // It was minutes for some of them.
        assert.ok(performance.now() - begin < 10_000, `${performance.now() - begin} ms`);
      });

  it('calls without end', async () => {
    const calls = Array.from({ length: 150_000 }, (_, index) => ({ index, function: { name: 'f' } }));
    server = await far((response) => head(response).end(chat({ tool_calls: calls }) + LAST));
    assert.match(
      (await failure(() => collect(model(), turn('Hi')))).message,
      /more than 1000 calls in one turn/,
    );
  });

  it('arguments nested so deeply that they can’t be read', async () => {
    const deep = '['.repeat(MB) + ']'.repeat(MB);
    const call = chat({ tool_calls: [{ index: 0, function: { name: 'f', arguments: 1 } }] });
    server = await far((response) => head(response).end(call.replace('1}', `${deep}}`)));
    const { message } = await failure(() => collect(model(), turn('Hi')));
    assert.match(message, /a form that can't be read/);
  });

  it('a list of models without end, and one of too many', async () => {
    server = await far(async (response) => {
      response.setMaxListeners(0).writeHead(200, { 'content-type': 'application/json' });
      response.write('{"data":[');
      await pour(response, '{"id":"a"},', 1000 * MB);
      response.end();
    });
    const list = () => model().list?.(new AbortController().signal) ?? assert.fail();
    assert.match((await failure(list)).message, /more than 8 MB/);
    assert.equal(await server.gone, true);
    await server.close();
    server = await far((response) =>
      json(response, { data: Array.from({ length: 20_000 }, (_, id) => ({ id: `m${id}` })) }),
    );
    assert.equal((await list()).length, 10_000);
  });

  it('an error that can’t be made into a text', async () => {
    const odd = { toString: 1, valueOf: 2 };
    server = await far((response) => json(response, { detail: [{ loc: ['body', odd], msg: odd }] }, 422));
    const error = await failure(() => collect(model(), turn('Hi')));
    assert.deepEqual([error.reason, error.status], ['provider_request_refused', 422]);
  });

  describe('in a run', () => {
    async function runOn(expirySeconds = 60) {
      const engine = await createEngine({
        database: ':memory:',
        model: { provider: 'chat', url: server?.url, model: 'm', timeout: 0 },
        assistants: [{ id: 'asst_1' }],
        expirySeconds,
      });
      const response = await engine.fetch('http://engine/v1/threads/runs', {
        method: 'POST',
        body: JSON.stringify({
          assistant_id: 'asst_1',
          stream: true,
          thread: { messages: [{ role: 'user', content: 'Hi' }] },
        }),
      });
      const [, data] =
        /event: thread\.run\.(?:failed|expired|completed)\ndata: (.*)/.exec(await response.text()) ?? [];
      await engine.close();
      return JSON.parse(data ?? 'null');
    }

    const notModels = (answer: (response: ServerResponse) => unknown) =>
      far((response, { path }) => (path.endsWith('/models') ? json(response, {}, 404) : answer(response)));

    it('a text without end ends the run, not the process', async () => {
      server = await notModels(async (response) => {
        head(response).setMaxListeners(0);
        await pour(response, chat({ content: 'x'.repeat(MB / 4) }), 4000 * MB);
        response.end();
      });
      const run = await runOn();
      assert.deepEqual(run?.last_error, {
        code: 'server_error',
        message: 'The model said more than 16 MB in one turn.',
      });
    });

    it('a stream of nothing but comments ends by the run’s expiry where there is no timeout', async () => {
      let timer: NodeJS.Timeout | undefined;
      server = await notModels((response) => {
        head(response);
        timer = setInterval(() => response.write(': still here\n\n'), 20);
        response.on('close', () => clearInterval(timer));
      });
      assert.equal((await runOn(1))?.status, 'expired');
    });
  });
});
