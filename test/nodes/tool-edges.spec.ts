/** Tool calls where something is odd: the message, the answer, the server's clock. */
import assert from 'node:assert/strict';
import helper from 'node-red-node-test-helper';
import { json, sse, startServer, type TestServer } from '../support/http-server.ts';
import { run, textStream } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';
import { until } from '../support/until.ts';

onEachRuntime('odd tool calls', (start) => {
  let server: TestServer;
  /** Calls that the far side asks for, and what its run looks like meanwhile. */
  let asking: Msg;
  const submitted = () => server.received.filter(({ path }) => path.endsWith('/submit_tool_outputs'));
  const looks = () => server.received.filter(({ method, path }) => method === 'GET' && /run_1$/.test(path));
  const payload = { thread_id: 'thread_1', assistant_id: 'asst_1' };
  const flowOf = (more: Msg = {}) =>
    start(
      flowWith(
        { method: 'createRun', tools: true, toolTimeout: 5, ...more },
        { backend: 'server', url: `${server.url}/v1` },
      ),
    );

  beforeEach(async () => {
    const tool_calls = ['call_a', 'call_b'].map((id) => ({
      id,
      type: 'function',
      function: { name: 'set_lamp', arguments: '{}' },
    }));
    asking = run({
      status: 'requires_action',
      required_action: { type: 'submit_tool_outputs', submit_tool_outputs: { tool_calls } },
      expires_at: null,
    });
    server = await startServer(({ path, method }, response) => {
      if (path.includes('/messages')) return json(response, { object: 'list', data: [] });
      if (method === 'GET') return json(response, asking);
      const write = sse(response);
      if (path.endsWith('/runs')) write('thread.run.requires_action', asking);
      else for (const [event, data] of textStream(['Done.'])) write(event, data);
      write();
    });
  });
  afterEach(() => server.close());

  it('waits on for tools where the server expires runs by another clock than ours', async () => {
    asking.expires_at = Math.floor(Date.now() / 1000) - 1;
    const flow = await flowOf();
    flow.send({ payload });
    await flow.wait('second', 2);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(flow.out('second').length, 2);
    for (const call of flow.out('second')) flow.send({ ...call, payload: 'done' });
    assert.equal((await flow.wait('out')).reply, 'Done.');
    assert.equal(looks().length, 0);
  });

  it('looks at a run that should have expired, and sends no call a second time', async () => {
    asking.expires_at = Math.floor(Date.now() / 1000) + 1;
    const flow = await flowOf();
    flow.send({ payload });
    await until(() => looks().length > 0);
    for (const call of flow.out('second').slice()) flow.send({ ...call, payload: 'done' });
    await flow.wait('out');
    assert.equal(flow.out('second').length, 2);
    assert.equal(submitted().length, 1);
  });

  it('takes the error of an earlier failure on the request for no error of a tool', async () => {
    const flow = await flowOf();
    flow.send({ payload, error: { message: 'an earlier failure' } });
    await flow.wait('second', 2);
    for (const call of flow.out('second')) flow.send({ ...call, payload: 'done' });
    assert.deepEqual((await flow.wait('out')).error, { message: 'an earlier failure' });
    assert.equal(submitted()[0]?.body.tool_outputs[0].output, 'done');
  });

  it('takes answers where only the message asked for a stream', async () => {
    const flow = await flowOf({ delivery: 'start' });
    flow.send({ payload: { ...payload, stream: true } });
    await flow.wait('second', 2);
    for (const call of flow.out('second')) flow.send({ ...call, payload: 'done' });
    await until(() => flow.out('out').some(({ event, reply }) => !event && reply === 'Done.'));
    assert.deepEqual(flow.out('caught'), []);
  });

  it('refuses an answer to a call that a waiting run never made, and to ids that are none', async () => {
    const flow = await flowOf();
    flow.send({ payload });
    const { tool } = await flow.wait('second', 2);
    const requests = server.received.length;
    const odd = [
      { call_id: 'call_z' },
      { run_id: '../x' },
      { run_id: 5 },
      { thread_id: {}, run_id: 'run_2' },
    ];
    for (const ids of odd) flow.send({ payload: 'x', tool: { ...tool, ...ids } });
    await flow.wait('caught', odd.length);
    for (const { error } of flow.out('caught')) assert.equal(error.code, 'unknown_call');
    assert.equal(server.received.length, requests);
    for (const call of flow.out('second')) flow.send({ ...call, payload: 'done' });
    await flow.wait('out');
  });

  it('bears frozen messages, and answers without a payload', async () => {
    const flow = await flowOf();
    flow.send(Object.freeze({ _msgid: 'ask', payload, topic: 'kitchen' }));
    await flow.wait('second', 2);
    for (const call of flow.out('second')) flow.send(Object.freeze({ ...call, payload: undefined }));
    const out = await flow.wait('out');
    assert.equal(out.reply, 'Done.');
    assert.equal(out.topic, 'kitchen');
    assert.equal(submitted()[0]?.body.tool_outputs[0].output, '');
  });

  it('keeps no answers of runs that are over', async () => {
    const flow = await flowOf({ toolTimeout: 0, deadline: 0.3 });
    flow.send({ payload });
    const call = await flow.wait('second', 1);
    flow.send({ ...call, payload: 'done' });
    await flow.wait('caught');
    const node = helper.getNode('runs') as unknown as { context(): { get(key: string): Msg } };
    const kept = () => node.context().get('toolAnswers');
    await until(() => Object.keys(kept() ?? { none: 0 }).length === 0);
  });
});
