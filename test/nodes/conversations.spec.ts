/** Conversations, busy threads and restarts, on the embedded engine and on a server. */
import assert from 'node:assert/strict';
import { apiError, json, sse, startServer, type TestServer } from '../support/http-server.ts';
import { run, textStream } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';
import { until } from '../support/until.ts';

const assistants = [
  {
    id: 'asst_home',
    name: 'Home',
    tools: [
      {
        type: 'function',
        function: {
          name: 'set_lamp',
          description: 'Switches a lamp.',
          parameters: {
            type: 'object',
            properties: { room: { type: 'string', enum: ['kitchen', 'hall'] }, on: { type: 'boolean' } },
            required: ['room', 'on'],
          },
        },
      },
    ],
  },
];
const embedded = { backend: 'embedded', provider: 'rehearsal', assistants };
const assistant = { assistant_id: { value: 'asst_home', type: 'str' } };
const talk = (more: Msg = {}) => ({
  method: 'createRun',
  fields: assistant,
  conversation: 'topic',
  conversationType: 'msg',
  ...more,
});

onEachRuntime('conversations', (start) => {
  it('keep one thread a key, whatever comes first and however many at once', async () => {
    const flow = await start(flowWith(talk(), embedded));
    for (const topic of ['hall', 'hall', 'attic', 'hall']) flow.send({ payload: 'hello', topic });
    await flow.wait('out', 4);
    const threads = (topic: string) =>
      new Set(
        flow
          .out('out')
          .filter((msg) => msg.topic === topic)
          .map((msg) => msg.run.thread_id),
      );
    assert.equal(threads('hall').size, 1);
    assert.equal(threads('attic').size, 1);
    assert.notDeepEqual(threads('hall'), threads('attic'));
    assert.deepEqual(flow.out('caught'), []);
  });

  it('are forgotten one by one with msg.reset and a key', async () => {
    const flow = await start(flowWith(talk(), embedded));
    const ask = async (topic: string, count: number) => {
      flow.send({ payload: 'hello', topic });
      return (await flow.wait('out', count)).run.thread_id as string;
    };
    const hall = await ask('hall', 1);
    const attic = await ask('attic', 2);
    flow.send({ reset: true, topic: 'hall' });
    await flow.wait('completed', 3);
    assert.notEqual(await ask('hall', 3), hall);
    assert.equal(await ask('attic', 4), attic);
  });

  it('names the field and the conversation when a message has no key', async () => {
    const flow = await start(flowWith(talk(), embedded));
    flow.send({ payload: 'hello' });
    assert.match((await flow.wait('caught')).error.message, /\(thread_id\) is missing/);
  });

  it('keys that are names of the language do no harm', async () => {
    const flow = await start(flowWith(talk(), embedded));
    for (const topic of ['__proto__', 'constructor', 'a.b[0]', '']) flow.send({ payload: 'hello', topic });
    await flow.wait('out', 3);
    await flow.wait('caught', 1);
    assert.equal(new Set(flow.out('out').map((msg) => msg.run.thread_id)).size, 3);
  });

  it('make a thread anew, once, that the server has forgotten', async () => {
    let threads = 0;
    const server = await startServer(({ path }, response) => {
      if (path === '/v1/threads') {
        threads += 1;
        return json(response, { id: `thread_${threads}`, object: 'thread', metadata: {} });
      }
      if (path.startsWith('/v1/threads/thread_1/')) {
        return apiError(response, 404, { message: "No thread found with id 'thread_1'." });
      }
      const write = sse(response);
      for (const [event, data] of textStream(['Hi'])) write(event, data);
      write();
    });
    try {
      const flow = await start(flowWith(talk(), { backend: 'server', url: `${server.url}/v1` }));
      flow.send({ payload: 'hello', topic: 'hall' });
      await flow.wait('out');
      assert.deepEqual(
        server.received.map(({ path }) => path),
        ['/v1/threads', '/v1/threads/thread_1/runs', '/v1/threads', '/v1/threads/thread_2/runs'],
      );
    } finally {
      await server.close();
    }
  });
});

onEachRuntime('busy threads', (start) => {
  let server: TestServer;
  /** Ends the streams that are held open, oldest first. */
  let held: (() => void)[];
  const service = () => ({ backend: 'server', url: `${server.url}/v1` });
  const payload = (instructions: string) => ({ thread_id: 'thread_1', assistant_id: 'asst_1', instructions });
  const creates = () =>
    server.received.filter(({ path }) => path.endsWith('/runs')).map(({ body }) => body.instructions);

  beforeEach(async () => {
    held = [];
    server = await startServer(({ path, method }, response) => {
      if (path.endsWith('/cancel')) return json(response, run({ status: 'cancelling' }));
      if (method === 'GET') return json(response, run({ status: 'cancelled' }));
      const write = sse(response);
      const events = textStream(['Hi']);
      for (const [event, data] of events.slice(0, 3)) write(event, data);
      held.push(() => {
        for (const [event, data] of events.slice(3)) write(event, data);
        write();
      });
    });
  });
  afterEach(() => server.close());

  it('queue: one run at a time, in the order they came, and the status shows how many wait', async () => {
    const flow = await start(flowWith({ method: 'createRun' }, service()));
    for (const name of ['one', 'two', 'three']) flow.send({ payload: payload(name) });
    await until(() => held.length === 1);
    assert.deepEqual(creates(), ['one']);
    await until(() => flow.statuses.some(({ text }) => text === '3 in flight, 2 waiting'));
    for (let count = 1; count <= 3; count++) {
      await until(() => held.length === count);
      held[count - 1]?.();
    }
    await flow.wait('out', 3);
    assert.deepEqual(creates(), ['one', 'two', 'three']);
  });

  it('queue: holds across all nodes of one service', async () => {
    const flow = flowWith({ method: 'createRun' }, service());
    const second = { ...(flow.find(({ id }) => id === 'runs') as Msg), id: 'runs2' };
    const running = await start([...flow, second]);
    running.send({ payload: payload('one') });
    await until(() => held.length === 1);
    running.send({ payload: payload('two') }, 'runs2');
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(creates(), ['one']);
    held[0]?.();
    await until(() => held.length === 2);
    held[1]?.();
    await running.wait('out', 2);
  });

  it('queue: takes no more than a thousand', async () => {
    const flow = await start(flowWith({ method: 'createRun' }, service()));
    for (let count = 0; count < 1003; count++) flow.send({ payload: payload(String(count)), topic: count });
    const { error, topic } = await flow.wait('caught');
    assert.equal(error.code, 'queue_full');
    assert.match(error.message, /More than 1000 messages wait for the thread thread_1/);
    assert.equal(topic, 1001);
    await flow.wait('caught', 2);
    await until(() => held.length === 1);
    assert.deepEqual(creates(), ['0']);
  });

  it('error: the second message fails at once', async () => {
    const flow = await start(flowWith({ method: 'createRun', busy: 'error' }, service()));
    flow.send({ payload: payload('one') });
    await until(() => held.length === 1);
    flow.send({ payload: payload('two') });
    const { error } = await flow.wait('caught');
    assert.equal(error.code, 'thread_busy');
    assert.deepEqual(creates(), ['one']);
    held[0]?.();
    await flow.wait('out');
  });

  it('cancel: the newest message takes the place of the others', async () => {
    const flow = await start(flowWith({ method: 'createRun', busy: 'cancel' }, service()));
    flow.send({ payload: payload('one') });
    // It has been told which run to cancel.
    await until(() => flow.statuses.some(({ text }) => /in progress/.test(text)));
    flow.send({ payload: payload('two') });
    const { error } = await flow.wait('caught');
    assert.equal(error.code, 'superseded');
    await until(() => held.length === 2);
    held[1]?.();
    await flow.wait('out');
    assert.deepEqual(creates(), ['one', 'two']);
    assert.ok(server.received.some(({ path }) => path === '/v1/threads/thread_1/runs/run_1/cancel'));
  });

  it('queue: waits for a run that somebody else started on the thread', async () => {
    let looks = 0;
    const normal = server.answer;
    server.answer = (request, response) => {
      if (request.method === 'GET') {
        looks += 1;
        return json(response, run({ id: 'run_0', status: looks < 3 ? 'in_progress' : 'completed' }));
      }
      if (looks === 0) {
        return apiError(response, 400, { message: 'Thread thread_1 already has an active run run_0.' });
      }
      return normal(request, response);
    };
    const flow = await start(flowWith({ method: 'createRun' }, service()));
    flow.send({ payload: payload('one') });
    await until(() => held.length === 1);
    held[0]?.();
    await flow.wait('out');
    assert.equal(looks, 3);
    assert.equal(
      server.received.find(({ method }) => method === 'GET')?.path,
      '/v1/threads/thread_1/runs/run_0',
    );
    assert.deepEqual(flow.out('caught'), []);
  });
});

onEachRuntime('a restart with tool calls out', (start) => {
  const runs = {
    ...talk({ conversation: '', method: 'createThreadAndRun', tools: true, toolTimeout: 30, result: 'text' }),
  };

  it('takes the answers afterwards, and the result comes out', async () => {
    const flow = await start(flowWith(runs, embedded));
    flow.send({ payload: 'switch the kitchen lamp on and the hall lamp off' });
    await flow.wait('second', 2);
    const calls = flow.out('second').slice();
    await flow.deploy([{ id: 'tab', type: 'tab', label: 'empty' }]);
    await flow.deploy(flowWith(runs, embedded));
    for (const call of calls) flow.send({ ...call, payload: `${call.payload.room} done` });
    const out = await flow.wait('out');
    assert.equal(out.run.status, 'completed');
    assert.equal(out.run.id, calls[0]?.tool.run_id);
    assert.match(out.payload, /kitchen done/);
    assert.match(out.payload, /hall done/);
    assert.equal(out.tool, undefined);
    assert.equal(flow.out('second').length, 2);
    assert.deepEqual(flow.out('caught'), []);
  });

  it('says so when the run is gone', async () => {
    const flow = await start(flowWith(runs, embedded));
    const tool = {
      call_id: 'call_1',
      run_id: 'run_gone',
      thread_id: 'thread_gone',
      node: 'runs',
      name: 'set_lamp',
    };
    flow.send({ payload: 'x', tool });
    const { error } = await flow.wait('caught');
    assert.equal(error.code, 'unknown_call');
  });
});
