/** Tool calls as wires: calls leave by output 2, answers come back into the node. */
import assert from 'node:assert/strict';
import { apiError, json, sse, startServer, type TestServer } from '../support/http-server.ts';
import { run, textStream } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime, type Running } from '../support/runtime.ts';
import { until } from '../support/until.ts';

const call = (id: string, name = 'set_lamp', args = '{"on":true}') => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});
const asking = (ids: string[], fields: Msg = {}) =>
  run({
    status: 'requires_action',
    required_action: {
      type: 'submit_tool_outputs',
      submit_tool_outputs: { tool_calls: ids.map((id) => call(id)) },
    },
    expires_at: null,
    ...fields,
  });

onEachRuntime('tool calls as wires', (start) => {
  let server: TestServer;
  /** Rounds of calls that the far side asks for, one after the other; then it answers. */
  let rounds: string[][];
  const submitted = () => server.received.filter(({ path }) => path.endsWith('/submit_tool_outputs'));
  const service = (more: Msg = {}) => ({ backend: 'server', url: `${server.url}/v1`, ...more });
  const runs = (more: Msg = {}) => ({ method: 'createRun', tools: true, toolTimeout: 5, ...more });
  const payload = { thread_id: 'thread_1', assistant_id: 'asst_1' };

  beforeEach(async () => {
    rounds = [['call_a', 'call_b', 'call_c']];
    server = await startServer(({ path }, response) => {
      if (path.endsWith('/cancel')) return json(response, run({ status: 'cancelling' }));
      const write = sse(response);
      const next = rounds.shift();
      if (next) write('thread.run.requires_action', asking(next));
      else for (const [event, data] of textStream(['Done.'])) write(event, data);
      write();
    });
  });
  afterEach(() => server.close());

  /** Answers a call as a tool's flow would: the message goes back into the node. */
  const answer = (flow: Running, msg: Msg, payload: unknown) => flow.send({ ...msg, payload });

  it('sends one message a call, collects the answers in any order, and submits once', async () => {
    const flow = await start(flowWith(runs({ result: 'text' }), service()));
    flow.send({ payload, topic: 'kitchen' });
    await flow.wait('second', 3);
    const calls = flow.out('second');
    assert.deepEqual(calls[1]?.tool, {
      type: 'function',
      name: 'set_lamp',
      call_id: 'call_b',
      run_id: 'run_1',
      thread_id: 'thread_1',
      arguments: '{"on":true}',
      index: 1,
      count: 3,
      expires_at: null,
      node: 'runs',
    });
    assert.deepEqual(calls[1]?.payload, { on: true });
    assert.equal(calls[1]?.topic, 'kitchen');
    answer(flow, calls[2] as Msg, 'text');
    answer(flow, calls[0] as Msg, { on: true });
    assert.equal(submitted().length, 0);
    answer(flow, calls[1] as Msg, Buffer.from('bytes'));
    const out = await flow.wait('out');
    assert.equal(out.payload, 'Done.');
    assert.equal(out.topic, 'kitchen');
    assert.equal(out.tool, undefined);
    assert.deepEqual(
      submitted().map(({ body }) => body),
      [
        {
          tool_outputs: [
            { tool_call_id: 'call_a', output: '{"on":true}' },
            { tool_call_id: 'call_b', output: Buffer.from('bytes').toString('base64') },
            { tool_call_id: 'call_c', output: 'text' },
          ],
          stream: true,
        },
      ],
    );
    await flow.wait('completed', 4);
    assert.deepEqual(flow.out('caught'), []);
  });

  const others: [string, Msg][] = [
    ['createThreadAndRun', { assistant_id: 'asst_1' }],
    ['submitToolOutputsToRun', { thread_id: 'thread_1', run_id: 'run_1', tool_outputs: [] }],
  ];
  for (const [method, payload] of others) {
    for (const delivery of ['wait', 'stream']) {
      it(`works for ${method}, delivery ${delivery}`, async () => {
        rounds = [['call_a']];
        const flow = await start(flowWith(runs({ method, delivery, result: 'text' }), service()));
        flow.send({ payload });
        answer(flow, await flow.wait('second'), 1);
        assert.equal((await flow.wait('out')).payload, 'Done.');
        assert.deepEqual(submitted().at(-1)?.body.tool_outputs, [{ tool_call_id: 'call_a', output: '1' }]);
        assert.equal(flow.out('third').length > 0, delivery === 'stream');
      });
    }
  }

  it('goes through several rounds, and streams on behind each', async () => {
    rounds = [['call_a'], ['call_b']];
    const flow = await start(flowWith(runs({ delivery: 'stream' }), service()));
    flow.send({ payload });
    answer(flow, await flow.wait('second'), 1);
    answer(flow, await flow.wait('second', 2), 2);
    await flow.wait('out');
    const events = flow.out('third');
    assert.equal(events.filter(({ event }) => event === 'thread.run.requires_action').length, 2);
    assert.equal(events.at(-1)?.event, 'thread.run.completed');
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, index) => index),
    );
    assert.deepEqual(
      submitted().map(({ body }) => body.tool_outputs[0].output),
      ['1', '2'],
    );
  });

  it('counts an answer once, ignores a late one, refuses one that nobody asked for', async () => {
    rounds = [['call_a', 'call_b']];
    const flow = await start(flowWith(runs(), service()));
    flow.send({ payload });
    await flow.wait('second', 2);
    const [a, b] = flow.out('second') as [Msg, Msg];
    answer(flow, a, 'first');
    answer(flow, a, 'second');
    answer(flow, b, 'b');
    await flow.wait('out');
    answer(flow, a, 'late');
    await flow.wait('completed', 5);
    assert.deepEqual(
      submitted().map(({ body }) => body.tool_outputs.map(({ output }: Msg) => output)),
      [['first', 'b']],
    );
    flow.send({ payload: 'x', tool: { call_id: 'call_z' } });
    const { error } = await flow.wait('caught');
    assert.match(error.message, /^No run waits for the tool call call_z/);
    assert.equal(error.code, 'unknown_call');
  });

  it('takes a message from a Catch node as an error output', async () => {
    rounds = [['call_a']];
    const flow = await start(flowWith(runs(), service()));
    flow.send({ payload });
    const a = await flow.wait('second');
    flow.send({ ...a, error: { message: 'The lamp is broken.', source: { id: 'x' } } });
    await flow.wait('out');
    assert.equal(submitted()[0]?.body.tool_outputs[0].output, '{"error":"The lamp is broken."}');
  });

  it('says so when an answer is no JSON, and takes a better one', async () => {
    rounds = [['call_a']];
    const circle: Msg = {};
    circle.self = circle;
    const flow = await start(flowWith(runs(), service()));
    flow.send({ payload });
    const a = await flow.wait('second');
    answer(flow, a, circle);
    assert.match(
      (await flow.wait('caught')).error.message,
      /^The answer of the tool set_lamp can't be sent as JSON/,
    );
    answer(flow, a, 'ok');
    await flow.wait('out');
  });

  it('answers in place of a tool that takes too long', async () => {
    rounds = [['call_a', 'call_b']];
    const flow = await start(flowWith(runs({ toolTimeout: 0.2 }), service()));
    flow.send({ payload });
    await flow.wait('second', 2);
    answer(flow, flow.out('second')[1] as Msg, 'b');
    await flow.wait('out');
    assert.deepEqual(submitted()[0]?.body.tool_outputs, [
      { tool_call_id: 'call_a', output: '{"error":"The tool did not answer within 0.2 s."}' },
      { tool_call_id: 'call_b', output: 'b' },
    ]);
  });

  it('ends a run that asks for tools too often', async () => {
    rounds = [['call_a'], ['call_b'], ['call_c']];
    const flow = await start(flowWith(runs({ maxToolRounds: 2 }), service()));
    flow.send({ payload });
    answer(flow, await flow.wait('second'), 1);
    answer(flow, await flow.wait('second', 2), 2);
    const { error } = await flow.wait('caught');
    assert.match(error.message, /more than 2 times/);
    await until(() => server.received.some(({ path }) => path.endsWith('/run_1/cancel')));
  });

  it('fails at once when nothing is wired to output 2', async () => {
    const flow = await start(flowWith(runs({ wires: [['out'], []] }), service()));
    flow.send({ payload });
    assert.match((await flow.wait('caught')).error.message, /nothing is wired to the tool output/);
    await until(() => server.received.some(({ path }) => path.endsWith('/run_1/cancel')));
  });

  it('follows a run to its end that was cancelled elsewhere while its tools worked', async () => {
    rounds = [['call_a']];
    const normal = server.answer;
    server.answer = (request, response) => {
      if (request.path.endsWith('/submit_tool_outputs')) {
        return apiError(response, 400, { message: 'Runs in status "cancelled" do not accept tool outputs.' });
      }
      if (request.method === 'GET' && request.path.endsWith('/messages'))
        return json(response, { data: [], has_more: false });
      if (request.method === 'GET') return json(response, run({ status: 'cancelled' }));
      return normal(request, response);
    };
    const flow = await start(flowWith(runs(), service()));
    flow.send({ payload });
    answer(flow, await flow.wait('second'), 1);
    assert.match((await flow.wait('caught')).error.message, /^The run was cancelled/);
  });

  it('takes the calls of another node for requests: an assistant may be a tool', async () => {
    rounds = [];
    const flow = await start(flowWith(runs(), service()));
    flow.send({
      payload,
      tool: { call_id: 'call_a', node: 'another', run_id: 'run_9', thread_id: 'thread_9' },
    });
    const out = await flow.wait('out');
    assert.equal(out.run.status, 'completed');
    assert.equal(out.tool.call_id, 'call_a');
  });

  it('stops waiting at msg.reset, and cancels the run', async () => {
    const flow = await start(flowWith(runs({ toolTimeout: 0 }), service()));
    flow.send({ payload });
    await flow.wait('second', 3);
    flow.send({ reset: true });
    await flow.wait('completed', 2);
    assert.equal(server.received.at(-1)?.path, '/v1/threads/thread_1/runs/run_1/cancel');
    answer(flow, flow.out('second')[0] as Msg, 'late');
    await flow.wait('completed', 3);
    assert.equal(submitted().length, 0);
  });

  it('shows how many tools have answered', async () => {
    const flow = await start(flowWith(runs(), service()));
    flow.send({ payload });
    await flow.wait('second', 3);
    answer(flow, flow.out('second')[0] as Msg, 1);
    await until(() =>
      flow.statuses.some(
        ({ text, fill, shape }) => text === 'tools 1/3' && fill === 'yellow' && shape === 'ring',
      ),
    );
  });
});
