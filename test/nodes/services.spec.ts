/** The same flow on every kind of service: embedded on rehearsal, on a Chat-Completions server, and on a Runs server. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { LLMock } from '@copilotkit/aimock';
import { startRunsServer } from '../support/runs-server.ts';
import { flowWith, type Msg, onEachRuntime, type Running } from '../support/runtime.ts';
import { until } from '../support/until.ts';

const EXAMPLE = path.resolve(import.meta.dirname, '../../examples/01 - Ask and wait.json');

/** Example 01 with another service; what a debug node would show is kept by a helper node. */
function example(service: Msg): {
  flow: Msg[];
  runs: string;
  reply: string;
  events: string;
  question: string;
} {
  const saved: Msg[] = JSON.parse(readFileSync(EXAMPLE, 'utf8'));
  const find = (match: (node: Msg) => boolean) => saved.find(match) as Msg;
  const flow = saved
    .filter(({ type }) => type !== 'inject' && type !== 'comment')
    .map((node) => {
      if (node.type === 'debug') return { ...node, type: 'helper' };
      return node.type === 'openai-runs-service' ? { ...node, ...service } : node;
    });
  return {
    flow,
    runs: find(({ type }) => type === 'openai-runs').id,
    reply: find(({ name }) => name === 'reply').id,
    events: find(({ name }) => name === 'events').id,
    question: find(({ type }) => type === 'inject').payload,
  };
}

/** Asks example 01's question and returns what came out. */
async function ask({ reply, events, runs, question }: ReturnType<typeof example>, flow: Running) {
  flow.send({ payload: question }, runs);
  const result = await flow.wait(reply);
  return { result, events: flow.out(events) };
}

onEachRuntime('example 01', (start) => {
  const streamed = (events: Msg[]) =>
    events
      .filter((event) => 'delta' in event)
      .map(({ delta }) => delta)
      .join('');

  it('answers on the embedded engine with the rehearsal model', async () => {
    const flow01 = example({});
    const { result, events } = await ask(flow01, await start(flow01.flow));
    assert.match(result.payload, /^\[rehearsal\] You said: Hello!.*not a language model/);
    assert.equal(result.run.status, 'completed');
    assert.equal(events[0]?.event, 'thread.created');
    assert.equal(events.at(-1)?.event, 'thread.run.completed');
    assert.equal(streamed(events), result.payload);
  });

  it('answers on the embedded engine with a Chat-Completions server', async () => {
    const mock = new LLMock({ port: 0 });
    mock.onMessage('Hello! What can you do', { content: 'I can switch lamps.' });
    await mock.start();
    try {
      const flow01 = example({ provider: 'chat', url: `${mock.url}/v1`, model: 'mock-model' });
      const { result, events } = await ask(flow01, await start(flow01.flow));
      assert.equal(result.payload, 'I can switch lamps.');
      assert.equal(streamed(events), 'I can switch lamps.');
      assert.equal(result.run.model, 'mock-model');
      assert.equal(mock.getRequests().length, 1);
    } finally {
      await mock.stop();
    }
  });

  it('answers on a server that speaks the Runs API, with its key', async () => {
    const declared = JSON.parse(readFileSync(EXAMPLE, 'utf8')).find(
      (node: Msg) => node.type === 'openai-runs-service',
    );
    const server = await startRunsServer({ assistants: declared.assistants }, 'dummy-key');
    try {
      const flow01 = example({ backend: 'server', url: server.url, assistants: [] });
      const flow = await start(flow01.flow, { [declared.id]: { apiKey: 'dummy-key' } });
      const { result, events } = await ask(flow01, flow);
      assert.match(result.payload, /^\[rehearsal\] You said: Hello!.*not a language model/);
      assert.equal(streamed(events), result.payload);
      assert.deepEqual(server.requests, ['POST /v1/threads/runs']);
    } finally {
      await server.close();
    }
  });
});

onEachRuntime('tools and model servers over HTTP', (start) => {
  const assistants = [
    {
      id: 'asst_house',
      instructions: 'You look after a house.',
      tools: [
        {
          type: 'function',
          function: {
            name: 'set_lamp',
            parameters: { type: 'object', properties: { on: { type: 'boolean' } }, required: ['on'] },
          },
        },
      ],
    },
  ];

  for (const provider of ['chat', 'responses']) {
    it(`calls leave as messages and answers reach the model, provider ${provider}`, async () => {
      const mock = new LLMock({ port: 0 });
      mock.on({ userMessage: 'lamp', hasToolResult: false } as never, {
        toolCalls: [{ name: 'set_lamp', arguments: '{"on":true}' }],
      });
      mock.on({ userMessage: 'lamp', hasToolResult: true } as never, { content: 'The lamp is on.' });
      await mock.start();
      try {
        const service = {
          backend: 'embedded',
          provider,
          url: `${mock.url}/v1`,
          model: 'mock-model',
          assistants,
        };
        const runs = {
          method: 'createThreadAndRun',
          fields: { assistant_id: { value: 'asst_house', type: 'str' } },
          result: 'text',
          tools: true,
          delivery: 'stream',
        };
        const flow = await start(flowWith(runs, service), { svc: { apiKey: 'dummy-key' } });
        flow.send({ payload: 'Please switch the lamp on' });
        const call = await flow.wait('second');
        assert.deepEqual(call.payload, { on: true });
        flow.send({ ...call, payload: 'switched' });
        assert.equal((await flow.wait('out')).payload, 'The lamp is on.');
        const [first, second] = mock.getRequests().map(({ body }) => JSON.stringify(body));
        assert.match(first as string, /You look after a house/);
        assert.match(second as string, /switched/);
        assert.deepEqual(flow.out('caught'), []);
      } finally {
        await mock.stop();
      }
    });
  }
});

onEachRuntime('the embedded service', (start) => {
  const assistants = [{ id: 'asst_home', name: 'Home', instructions: 'Be short.' }];
  const service = (more: Msg = {}) => ({ backend: 'embedded', provider: 'rehearsal', assistants, ...more });
  const asks = {
    method: 'createThreadAndRun',
    fields: { assistant_id: { value: 'asst_home', type: 'str' } },
  };

  it('keeps its runs in a file of the user directory, across a full deploy', async () => {
    const flow = await start(flowWith({ ...asks, z: 'tab' }, service()));
    flow.send({ payload: 'one' });
    const first = await flow.wait('out');
    assert.ok(existsSync(path.join(flow.userDir, 'openai-runs/svc.sqlite')));
    await flow.deploy(flowWith({ method: 'getRun' }, service()), 'full');
    flow.send({ payload: { thread_id: first.run.thread_id, run_id: first.run.id } });
    const again = await flow.wait('out', 2);
    assert.equal(again.payload.status, 'completed');
    assert.equal(again.reply, first.reply);
  });

  it('has the declared assistants after a deploy, before any message', async () => {
    const flow = await start(flowWith({ ...asks, delivery: 'start' }, service()));
    flow.send({ payload: 'one' });
    const { payload } = await flow.wait('out');
    assert.equal(payload.assistant_id, 'asst_home');
    assert.equal(payload.instructions, 'Be short.');
  });

  it('says which assistant is missing', async () => {
    const fields = { assistant_id: { value: 'asst_none', type: 'str' } };
    const flow = await start(flowWith({ ...asks, fields }, service()));
    flow.send({ payload: 'one' });
    const { error } = await flow.wait('caught');
    assert.equal(error.message, "No assistant found with id 'asst_none'.");
    assert.equal(error.cause.status, 404);
  });

  it('says that a declared assistant holds no JSON, and goes on', async () => {
    const broken = [{ id: 'asst_home', tools: '[{' }];
    const flow = await start(flowWith(asks, service({ assistants: broken })));
    flow.send({ payload: 'one' });
    const { error } = await flow.wait('caught');
    assert.match(error.message, /^The assistant "asst_home" has no valid JSON in tools/);
  });

  it('says that the database cannot be written, and answers once it can', async () => {
    const flow = await start(flowWith(asks, service({ database: 'taken/runs.sqlite' })));
    flow.send({ payload: 'zero' });
    await flow.wait('out');
    await flow.deploy([{ id: 'tab', type: 'tab', label: 'empty' }]);
    writeFileSync(path.join(flow.userDir, 'blocked'), 'a file, not a folder');
    await flow.deploy(flowWith(asks, service({ database: 'blocked/runs.sqlite' })));
    flow.send({ payload: 'one' });
    await until(() => flow.out('caught').some(({ error }) => /blocked/.test(error.message)));
    const { error } = flow.out('caught').at(-1) as Msg;
    assert.match(error.message, /blocked.runs\.sqlite/);
    assert.equal(flow.out('out').length, 1);
  });

  it('lets getRun join a run that is going on, with its events as they come', async () => {
    const look = {
      id: 'look',
      type: 'openai-runs',
      service: 'svc',
      method: 'getRun',
      delivery: 'stream',
      result: 'text',
      fields: {},
      wires: [['seen'], ['events']],
      z: 'tab',
      x: 0,
      y: 0,
    };
    const helpers = ['seen', 'events'].map((id) => ({ id, type: 'helper', z: 'tab', x: 0, y: 0 }));
    const flow = await start([...flowWith({ ...asks, delivery: 'start' }, service()), look, ...helpers]);
    flow.send({ payload: 'Tell me something, one word after the other, please' });
    const { payload } = await flow.wait('out');
    flow.send({ payload }, 'look');
    const seen = await flow.wait('seen');
    assert.equal(seen.run.status, 'completed');
    assert.match(seen.payload, /one word after the other/);
    const events = flow.out('events');
    const deltas = events.filter((event) => 'delta' in event);
    assert.ok(deltas.length > 3, `only ${deltas.length} deltas`);
    assert.equal(deltas.map(({ delta }) => delta).join(''), seen.payload);
    assert.equal(events.at(-1)?.event, 'thread.run.completed');

    flow.send({ payload }, 'look');
    const again = await flow.wait('seen', 2);
    assert.equal(again.payload, seen.payload);
    assert.equal(again.messages.length, 1);
  });

  it('ends what is in flight when the flow is replaced', async () => {
    const flow = await start(flowWith({ ...asks, delivery: 'stream' }, service()));
    flow.send({ payload: 'rehearse slow' });
    await flow.wait('second', 3);
    await flow.deploy([{ id: 'tab', type: 'tab', label: 'empty' }]);
    const before = flow.out('second').length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(flow.out('second').length, before);
    assert.equal(flow.out('out').length, 0);
  });
});
