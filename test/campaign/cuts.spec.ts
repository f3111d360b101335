/** Streams cut at every byte: the result is right, or the failure is worded; never is a second run begun. */
import assert from 'node:assert/strict';
import { createModel } from '../../engine/models/index.ts';
import { Workshop } from '../engine/support.ts';
import { json, sse, startServer, type TestServer } from '../support/http-server.ts';
import { message, run, textStream } from '../support/objects.ts';
import { flowWith, onEachRuntime } from '../support/runtime.ts';
import { until } from '../support/until.ts';
import { limit, report, size } from './sizes.ts';

const list = (data: unknown[]) => ({ object: 'list', data, has_more: false });

/** Every byte, or some of them evenly, the ends included. */
function placesIn(length: number, some: number): number[] {
  const count = Math.min(size(some, length), length);
  return Array.from({ length: count }, (_, index) =>
    Math.round((index * (length - 1)) / Math.max(1, count - 1)),
  );
}

onEachRuntime('a server whose stream is cut', (start) => {
  let server: TestServer;
  afterEach(() => server.close());

  it('anywhere', async function () {
    this.timeout(limit(60_000));
    const events = textStream(['Hel', 'lo, ', '🌞']);
    const whole = Buffer.from(
      [
        ...events.map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
        'event: done\ndata: [DONE]\n\n',
      ].join(''),
    );
    let cut = 0;
    server = await startServer(({ method, path }, response) => {
      if (path.endsWith('/messages')) return json(response, list([message('Hello, 🌞')]));
      if (method === 'GET') return json(response, run({ status: 'completed' }));
      sse(response);
      response.write(whole.subarray(0, cut), () => response.destroy());
    });
    const flow = await start(
      flowWith({ method: 'createRun' }, { backend: 'server', url: `${server.url}/v1`, retries: 0 }),
    );
    let results = 0;
    let worded = 0;
    for (const place of placesIn(whole.length, 25)) {
      cut = place;
      server.received.length = 0;
      flow.send({ payload: { thread_id: 'thread_1', assistant_id: 'asst_1' } });
      const [before, failed] = [flow.out('out').length, flow.out('caught').length];
      await until(async () => flow.out('out').length + flow.out('caught').length > before + failed);
      if (flow.out('out').length > before) {
        results += 1;
        const out = flow.out('out').at(-1);
        assert.deepEqual([out?.run.status, out?.reply], ['completed', 'Hello, 🌞'], `cut at ${place}`);
      } else {
        worded += 1;
        assert.equal(flow.out('caught').at(-1)?.error.cause.code, 'stream_broken', `cut at ${place}`);
      }
      assert.equal(server.received.filter(({ method }) => method === 'POST').length, 1, `cut at ${place}`);
    }
    assert.ok(results > 0 && worded > 0);
    report('cuts of a server', { results, worded });
  });
});

describe('a provider whose stream is cut', () => {
  const workshop = new Workshop();
  let server: TestServer;
  afterEach(async () => {
    await workshop.cleanUp();
    await server.close();
  });

  it('anywhere', async function () {
    this.timeout(limit(60_000));
    const chunk = (choice: object) => `data: ${JSON.stringify({ choices: [choice] })}\n\n`;
    const whole = Buffer.from(
      [
        ...['Hel', 'lo, ', '🌞'].map((content) => chunk({ delta: { content } })),
        chunk({ delta: {}, finish_reason: 'stop' }),
        'data: [DONE]\n\n',
      ].join(''),
    );
    let cut = 0;
    let asked = 0;
    server = await startServer(({ path }, response) => {
      if (path.endsWith('/models')) return json(response, { data: [] });
      asked += 1;
      sse(response);
      response.write(whole.subarray(0, cut), () => response.destroy());
    });
    const model = createModel({ provider: 'chat', url: `${server.url}/v1`, model: 'm' });
    const { client } = await workshop.open(model, {}, { sleep: async () => {} });
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'm', instructions: 'x' });
    const ends: Record<string, number> = {};
    for (const place of placesIn(whole.length, 60)) {
      cut = place;
      asked = 0;
      const stream = client.beta.threads.createAndRunStream({ assistant_id });
      const ended = await stream.finalRun();
      ends[ended.status] = (ends[ended.status] ?? 0) + 1;
      if (ended.status === 'completed') {
        const [last] = await stream.finalMessages();
        const [part] = last?.content ?? [];
        assert.equal(part?.type === 'text' && part.text.value, 'Hello, 🌞', `cut at ${place}`);
      } else {
        assert.equal(ended.status, 'failed');
        assert.match(ended.last_error?.message ?? '', /\(https?:\/\//, `cut at ${place}`);
      }
      // Nothing of the answer had come, or it is not asked for again.
      assert.ok(asked === 1 || place < whole.indexOf('\n\n') + 2, `asked ${asked} times, cut at ${place}`);
    }
    assert.ok((ends.completed ?? 0) > 0 && (ends.failed ?? 0) > 0);
    report('cuts of a provider', ends);
  });
});
