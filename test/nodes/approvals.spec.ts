/** A server's own tools that wait for a word: the question leaves as a tool call, yes or no comes back. */
import assert from 'node:assert/strict';
import { json, sse, startServer, type TestServer } from '../support/http-server.ts';
import { run, textStream } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime, type Running } from '../support/runtime.ts';

/** As Azure AI Foundry asks before an MCP server's tool is called. */
const question = (id: string, name = 'delete_file') => ({
  id,
  type: 'mcp',
  name,
  arguments: '{"path":"/tmp/a"}',
  server_label: 'files',
});
const waiting = (action: Msg) =>
  run({ status: 'requires_action', required_action: action, expires_at: null });
const asking = (...ids: string[]) =>
  waiting({
    type: 'submit_tool_approval',
    submit_tool_approval: { tool_calls: ids.map((id) => question(id)) },
  });

onEachRuntime('approvals', (start) => {
  let server: TestServer;
  let first: Msg;
  const submitted = () =>
    server.received.filter(({ path }) => path.endsWith('/submit_tool_outputs')).map(({ body }) => body);
  const open = (more: Msg = {}): Promise<Running> =>
    start(
      flowWith(
        { method: 'createRun', tools: true, toolTimeout: 5, result: 'text', ...more },
        { backend: 'server', url: `${server.url}/v1` },
      ),
    );
  const payload = { thread_id: 'thread_1', assistant_id: 'asst_1' };

  beforeEach(async () => {
    first = asking('call_a', 'call_b');
    server = await startServer(({ path }, response) => {
      if (path.endsWith('/cancel')) return json(response, run({ status: 'cancelling' }));
      const write = sse(response);
      if (path.endsWith('/submit_tool_outputs')) {
        for (const [event, data] of textStream(['Done.'])) write(event, data);
      } else write('thread.run.requires_action', first);
      write();
    });
  });
  afterEach(() => server.close());

  it('travel the tool wire, and both answers are submitted as approvals', async () => {
    const flow = await open();
    flow.send({ payload });
    await flow.wait('second', 2);
    const [one, two] = flow.out('second') as [Msg, Msg];
    assert.deepEqual(one.payload, { path: '/tmp/a' });
    assert.deepEqual(
      { type: one.tool.type, name: one.tool.name, server: one.tool.server, call_id: one.tool.call_id },
      { type: 'approval', name: 'delete_file', server: 'files', call_id: 'call_a' },
    );
    flow.send({ ...one, payload: { approve: true } });
    flow.send({ ...two, payload: false });
    assert.equal((await flow.wait('out')).payload, 'Done.');
    assert.deepEqual(submitted(), [
      {
        tool_approvals: [
          { tool_call_id: 'call_a', approve: true },
          { tool_call_id: 'call_b', approve: false },
        ],
        stream: true,
      },
    ]);
  });

  it('take no answer that is neither yes nor no, and wait on', async () => {
    first = asking('call_a');
    const flow = await open();
    flow.send({ payload });
    const asked = await flow.wait('second');
    for (const [index, wrong] of ['yes', 1, {}, { approve: 'true' }, null].entries()) {
      flow.send({ ...asked, payload: wrong });
      const { error } = await flow.wait('caught', index + 1);
      assert.match(error.message, /delete_file is neither yes nor no/);
    }
    assert.deepEqual(submitted(), []);
    flow.send({ ...asked, payload: { approve: true } });
    await flow.wait('out');
    assert.deepEqual(submitted()[0].tool_approvals, [{ tool_call_id: 'call_a', approve: true }]);
  });

  it('are refused by an error, and by nobody answering in time', async () => {
    const flow = await open({ toolTimeout: 0.3 });
    flow.send({ payload });
    await flow.wait('second', 2);
    const [one] = flow.out('second') as [Msg];
    flow.send({ ...one, payload: { approve: true }, error: { message: 'No such file.' } });
    await flow.wait('out');
    assert.deepEqual(
      submitted()[0].tool_approvals.map(({ approve }: Msg) => approve),
      [false, false],
    );
  });

  it('of another kind end the message with a sentence that names it', async () => {
    first = waiting({ type: 'submit_something_else', submit_something_else: {} });
    const flow = await open();
    flow.send({ payload });
    const { error } = await flow.wait('caught');
    assert.match(error.message, /\(submit_something_else\)/);
    assert.equal(error.cause.code, 'unknown_action');
  });
});
