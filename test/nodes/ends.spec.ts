/** How runs end: by themselves, by a deadline, by a reset, by the node's close. */
import assert from 'node:assert/strict';
import { json, sse, startServer, type TestServer } from '../support/http-server.ts';
import { run, textStream } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';
import { until } from '../support/until.ts';

onEachRuntime('ends', (start) => {
  let server: TestServer;
  const service = (more: Msg = {}) => ({ backend: 'server', url: `${server.url}/v1`, ...more });
  const payload = { thread_id: 'thread_1', assistant_id: 'asst_1' };
  const streamed = (words = ['Hel', 'lo'], last?: Msg) => {
    server.answer = (_request, response) => {
      const write = sse(response);
      for (const [event, data] of textStream(words, last as never)) write(event, data);
      write();
    };
  };

  beforeEach(async () => {
    server = await startServer((_request, response) => json(response, run()));
  });
  afterEach(() => server.close());

  const ends: [string, Msg, RegExp][] = [
    [
      'failed',
      { last_error: { code: 'server_error', message: 'Sorry.' } },
      /^The run failed: Sorry\. \(server_error\)/,
    ],
    ['expired', {}, /expired/],
    ['cancelled', {}, /cancelled/],
    ['incomplete', { incomplete_details: { reason: 'max_completion_tokens' } }, /max_completion_tokens/],
  ];
  for (const [status, fields, wording] of ends) {
    it(`a run that ends ${status} reaches Catch with its ids`, async () => {
      streamed(['x'], { status, ...fields });
      const flow = await start(flowWith({ method: 'createRun' }, service()));
      flow.send({ payload, topic: 't' });
      const caught = await flow.wait('caught');
      assert.match(caught.error.message, wording);
      assert.equal(caught.error.cause.run_id, 'run_1');
      assert.equal(caught.error.cause.thread_id, 'thread_1');
      assert.equal(caught.error.cause.run.status, status);
      assert.equal(caught.topic, 't');
      assert.deepEqual(caught.payload, payload);
      assert.deepEqual(flow.out('completed'), []);
      assert.deepEqual(flow.out('out'), []);
    });

    it(`a run that ends ${status} leaves by the output with failures: output`, async () => {
      streamed(['x'], { status, ...fields });
      const flow = await start(flowWith({ method: 'createRun', failures: 'output' }, service()));
      flow.send({ payload });
      assert.equal((await flow.wait('out')).payload.status, status);
      await flow.wait('completed');
      assert.deepEqual(flow.out('caught'), []);
    });
  }

  it('deadline cancels the run and fails the message', async () => {
    server.answer = ({ path }, response) => {
      if (path.endsWith('/cancel')) return json(response, run({ status: 'cancelling' }));
      const write = sse(response);
      for (const [event, data] of textStream(['x']).slice(0, 3)) write(event, data);
    };
    const flow = await start(flowWith({ method: 'createRun', deadline: 1 }, service()));
    flow.send({ payload });
    const { error } = await flow.wait('caught');
    assert.match(error.message, /longer than 1 s/);
    assert.equal(error.code, 'deadline');
    assert.equal(error.cause.run_id, 'run_1');
    await until(() => server.received.some(({ path }) => path === '/v1/threads/thread_1/runs/run_1/cancel'));
  });

  it('closing aborts what is in flight, sends nothing more and cancels only where asked', async () => {
    server.answer = (_request, response) => {
      const write = sse(response);
      for (const [event, data] of textStream(['x']).slice(0, 3)) write(event, data);
    };
    const flow = await start(flowWith({ method: 'createRun', delivery: 'stream' }, service()));
    flow.send({ payload });
    await flow.wait('second', 3);
    await flow.deploy([{ id: 'tab', type: 'tab', label: 'empty' }]);
    await until(() => server.open() === 0);
    assert.equal(server.received.length, 1);
  });

  it('cancelOnClose cancels the remote run', async () => {
    server.answer = ({ path }, response) => {
      if (path.endsWith('/cancel')) return json(response, run({ status: 'cancelling' }));
      const write = sse(response);
      for (const [event, data] of textStream(['x']).slice(0, 3)) write(event, data);
    };
    const flow = await start(
      flowWith({ method: 'createRun', delivery: 'stream', cancelOnClose: true }, service()),
    );
    flow.send({ payload });
    await flow.wait('second', 3);
    await flow.deploy([{ id: 'tab', type: 'tab', label: 'empty' }]);
    assert.equal(server.received.at(-1)?.path, '/v1/threads/thread_1/runs/run_1/cancel');
  });

  it('msg.reset ends what is in flight and cancels the runs', async () => {
    server.answer = ({ path }, response) => {
      if (path.endsWith('/cancel')) return json(response, run({ status: 'cancelling' }));
      const write = sse(response);
      for (const [event, data] of textStream(['x']).slice(0, 3)) write(event, data);
    };
    const flow = await start(flowWith({ method: 'createRun', delivery: 'stream' }, service()));
    flow.send({ payload });
    await flow.wait('second', 3);
    flow.send({ reset: true });
    await flow.wait('completed', 2);
    assert.equal(server.received.at(-1)?.path, '/v1/threads/thread_1/runs/run_1/cancel');
    assert.equal(flow.out('out').length, 0);
  });
});
