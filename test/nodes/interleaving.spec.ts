/** Many runs at the same time, their tools answered in any order; and nothing left over when they are ended. */
import assert from 'node:assert/strict';
import { json, sse, startServer, type TestServer } from '../support/http-server.ts';
import { delta, message, run } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';
import { until } from '../support/until.ts';

const RUNS = 500;
const CALLS = 3;

onEachRuntime('five hundred runs with three calls each', (start) => {
  let server: TestServer;
  /** What was submitted, by run. */
  const outputs = new Map<string, Msg[]>();

  beforeEach(async () => {
    outputs.clear();
    server = await startServer(({ path, body }, response) => {
      const write = sse(response);
      if (path === '/v1/threads/runs') {
        const name = body.thread.messages[0].content;
        const tool_calls = Array.from({ length: CALLS }, (_, index) => ({
          // The same call ids in every run, as some model servers number them.
          id: `call_${index}`,
          type: 'function',
          function: { name: 'echo', arguments: JSON.stringify({ value: `${name}/${index}` }) },
        }));
        write(
          'thread.run.requires_action',
          run({
            id: `run_${name}`,
            thread_id: `thread_${name}`,
            status: 'requires_action',
            required_action: { type: 'submit_tool_outputs', submit_tool_outputs: { tool_calls } },
            expires_at: null,
          }),
        );
        return write();
      }
      const [, id = ''] = /runs\/run_(.*)\/submit_tool_outputs/.exec(path) ?? [];
      outputs.set(id, [...(outputs.get(id) ?? []), body.tool_outputs]);
      write('thread.message.created', message('', { content: [], status: 'in_progress' }));
      write('thread.message.delta', delta(`done ${id}`));
      write('thread.message.completed', message(`done ${id}`));
      write('thread.run.completed', run({ id: `run_${id}`, thread_id: `thread_${id}`, status: 'completed' }));
      write();
    });
  });
  afterEach(() => server.close());

  it('bring every output to its call: none lost, none double', async () => {
    const at = { z: 'tab', x: 0, y: 0 };
    const func =
      'setTimeout(() => node.send({ ...msg, payload: msg.payload.value }), Math.random() * 40); return null;';
    const flow = flowWith(
      {
        method: 'createThreadAndRun',
        fields: { assistant_id: { value: 'asst_1', type: 'str' } },
        result: 'text',
        tools: true,
        wires: [['out'], ['work']],
      },
      { backend: 'server', url: `${server.url}/v1` },
    );
    flow.push({ id: 'work', type: 'function', func, outputs: 1, wires: [['runs']], ...at });
    const running = await start(flow, {}, ['function/10-function']);
    for (let index = 0; index < RUNS; index++) running.send({ payload: String(index), topic: index });
    await running.wait('out', RUNS);
    await running.wait('completed', RUNS * (CALLS + 1));

    assert.equal(outputs.size, RUNS);
    for (const [id, submits] of outputs) {
      const expected = Array.from({ length: CALLS }, (_, index) => ({
        tool_call_id: `call_${index}`,
        output: `${id}/${index}`,
      }));
      assert.deepEqual(submits, [expected]);
    }
    const results = running.out('out');
    assert.equal(results.length, RUNS);
    for (const { topic, payload, run: ended } of results) {
      assert.equal(payload, `done ${topic}`);
      assert.equal(ended.id, `run_${topic}`);
    }
    assert.deepEqual(running.out('caught'), []);
  });
});

onEachRuntime('redeploying while runs are in flight', (start) => {
  const assistants = [
    {
      id: 'asst_1',
      tools: [
        { type: 'function', function: { name: 'set_lamp', parameters: { type: 'object', properties: {} } } },
      ],
    },
  ];

  /** Handles, sockets and timers of this process, counted by kind. */
  function resources(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }

  it('leaves no handle, timer or late message behind', async () => {
    const server = await startServer(({ path, method }, response) => {
      if (method === 'GET' || path.endsWith('/cancel')) return json(response, run({ status: 'cancelling' }));
      const write = sse(response);
      write('thread.run.created', run());
      write('thread.run.in_progress', run({ status: 'in_progress' }));
    });
    try {
      const embedded = { backend: 'embedded', provider: 'rehearsal', assistants };
      const remote = { backend: 'server', url: `${server.url}/v1` };
      const flowOf = (service: Msg, name: string) =>
        flowWith(
          {
            method: 'createThreadAndRun',
            fields: { assistant_id: { value: 'asst_1', type: 'str' } },
            delivery: 'stream',
            tools: true,
            toolTimeout: 60,
            deadline: 100,
            coalesce: 20,
            cancelOnClose: true,
            name,
          },
          { ...service, name },
        );
      const empty = [{ id: 'tab', type: 'tab', label: 'empty' }];
      const running = await start(flowOf(embedded, 'first'));
      const round = async (service: Msg, type: 'full' | 'nodes') => {
        await running.deploy(flowOf(service, 'first'));
        running.send({ payload: 'Please set the lamp' });
        running.send({ payload: 'rehearse slow' });
        const seen = running.out('third').length;
        await until(() => running.out('third').length > seen + 2);
        await running.deploy(flowOf(service, 'second'), type);
        await running.deploy(empty);
      };
      await round(embedded, 'full');
      await round(remote, 'full');
      await until(() => server.open() === 0);
      const before = resources();
      for (let count = 0; count < 5; count++) {
        await round(embedded, 'nodes');
        await round(remote, 'nodes');
      }
      await until(() => server.open() === 0);
      const events = running.out('third').length;
      await until(() => (resources().Timeout ?? 0) <= (before.Timeout ?? 0) + 1);
      assert.equal(running.out('third').length, events);
      for (const [kind, count] of Object.entries(resources())) {
        if (kind !== 'Timeout')
          assert.ok(count <= (before[kind] ?? 0), `${kind}: ${count}, was ${before[kind]}`);
      }
      assert.deepEqual(running.out('out'), []);
    } finally {
      await server.close();
    }
  });
});
