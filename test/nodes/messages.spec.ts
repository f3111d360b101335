/** The message contract: what goes out, what is left alone, and what the status says meanwhile. */
import assert from 'node:assert/strict';
import { json, sse, startServer, type TestServer } from '../support/http-server.ts';
import { run, textStream } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';
import { until } from '../support/until.ts';

onEachRuntime('messages', (start) => {
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

  it('start returns what the endpoint returns, and touches nothing else of the message', async () => {
    const flow = await start(flowWith({ method: 'createRun', delivery: 'start' }, service()));
    flow.send({ payload, topic: 'kitchen' });
    const out = await flow.wait('out');
    assert.equal(out.payload.status, 'queued');
    assert.equal(out.run.id, 'run_1');
    assert.deepEqual(Object.keys(out).sort(), ['_msgid', 'payload', 'run', 'topic']);
    assert.equal((await flow.wait('completed')).topic, 'kitchen');
  });

  it('wait reads one event stream and answers with run, reply and messages', async () => {
    streamed();
    const flow = await start(flowWith({ method: 'createRun', delivery: 'wait' }, service()));
    flow.send({ payload });
    const out = await flow.wait('out');
    assert.equal(out.payload.status, 'completed');
    assert.equal(out.reply, 'Hello');
    assert.equal(out.messages.length, 1);
    await flow.wait('completed');
    assert.equal(server.received.length, 1);
    assert.equal(flow.out('second').length, 0);
    assert.deepEqual(flow.out('caught'), []);
  });

  it('stream sends every event, named and numbered, and then the result', async () => {
    streamed();
    const flow = await start(
      flowWith({ method: 'createRun', delivery: 'stream', result: 'text' }, service()),
    );
    flow.send({ payload, topic: 'kitchen' });
    const out = await flow.wait('out');
    await flow.wait('completed');
    const events = flow.out('second');
    assert.deepEqual(
      events.map(({ event }) => event),
      textStream(['Hel', 'lo']).map(([event]) => event),
    );
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, index) => index),
    );
    assert.deepEqual(
      events.filter((event) => 'delta' in event).map(({ delta }) => delta),
      ['Hel', 'lo'],
    );
    assert.ok(events.every(({ topic }) => topic === 'kitchen'));
    assert.equal(out.payload, 'Hello');
    assert.equal(out.event, undefined);
    assert.equal(out.seq, undefined);
  });

  it('stream: true in the payload asks for the stream; its events leave by the only output', async () => {
    streamed();
    const flow = await start(flowWith({ method: 'createRun', delivery: 'wait' }, service()));
    flow.send({ payload: { ...payload, stream: true } });
    await flow.wait('completed');
    const all = flow.out('out');
    assert.equal(all.filter(({ event }) => event).length, 12);
    assert.equal(all.at(-1)?.payload.status, 'completed');
  });

  it('result json parses the reply; a reply that is no JSON is an error that carries the text', async () => {
    streamed(['{"on":', 'true}']);
    const flow = await start(flowWith({ method: 'createRun', result: 'json' }, service()));
    flow.send({ payload });
    assert.deepEqual((await flow.wait('out')).payload, { on: true });
    streamed(['no ', 'JSON']);
    flow.send({ payload });
    const { error } = await flow.wait('caught');
    assert.match(error.message, /^The reply is not JSON: no JSON/);
    assert.equal(error.cause.reply, 'no JSON');
    assert.equal(error.cause.run_id, 'run_1');
  });

  it('a run that needs tool outputs is a result where the run is wanted', async () => {
    streamed(['x'], { status: 'requires_action' });
    const flow = await start(flowWith({ method: 'createRun', result: 'run' }, service()));
    flow.send({ payload });
    assert.equal((await flow.wait('out')).payload.status, 'requires_action');
  });

  it('a run that needs tool outputs is a failure where its reply is wanted, and does not keep the thread', async () => {
    const tool_calls = [{ id: 'call_1', type: 'function', function: { name: 'set_lamp', arguments: '{}' } }];
    const required_action = { type: 'submit_tool_outputs', submit_tool_outputs: { tool_calls } };
    streamed(['x'], { status: 'requires_action', required_action });
    const flow = await start(flowWith({ method: 'createRun', result: 'text' }, service()));
    flow.send({ payload });
    const { error } = await flow.wait('caught');
    assert.match(error.message, /^The assistant calls set_lamp, but tool calls have no output here\./);
    assert.equal(error.code, 'tools_off');
    await until(() => server.received.some(({ path }) => path.endsWith('/runs/run_1/cancel')));
  });

  it('takes an object of the API for its ids: nodes can be chained', async () => {
    const flow = await start(flowWith({ method: 'getRun', delivery: 'start' }, service()));
    flow.send({ payload: run({ id: 'run_7', thread_id: 'thread_7' }) });
    await flow.wait('out');
    assert.equal(
      `${server.received[0]?.method} ${server.received[0]?.path}`,
      'GET /v1/threads/thread_7/runs/run_7',
    );
    const metadata = { value: '{"room":"hall"}', type: 'json' };
    await flow.deploy(flowWith({ method: 'modifyRun', fields: { metadata } }, service()));
    flow.send({ payload: run({ id: 'run_7', thread_id: 'thread_7' }) });
    await flow.wait('out', 2);
    assert.equal(server.received[1]?.path, '/v1/threads/thread_7/runs/run_7');
    assert.deepEqual(server.received[1]?.body, { metadata: { room: 'hall' } });
  });

  it('says that no service is chosen', async () => {
    const flow = await start(flowWith({ method: 'createRun', service: '' }, service()));
    flow.send({ payload: {} });
    const { error } = await flow.wait('caught');
    assert.match(error.message, /^No service is chosen/);
  });

  it('says that no address is set, and what is none', async () => {
    const flow = await start(flowWith({ method: 'getRun' }, service({ url: '' })));
    flow.send({ payload: { thread_id: 't', run_id: 'r' } });
    assert.match((await flow.wait('caught')).error.message, /^No address is set/);
  });

  it('shows what is going on, and clears it when nothing is in flight', async () => {
    streamed();
    const flow = await start(flowWith({ method: 'createRun' }, service()));
    flow.send({ payload: { thread_id: 'thread_1', assistant_id: 'asst_1' } });
    await flow.wait('completed');
    await until(() => Object.keys(flow.statuses.at(-1) ?? { none: 1 }).length === 0);
    assert.equal(flow.statuses[0]?.fill, 'blue');
  });
});
