/** What each method puts on the wire, and what it refuses before anything is sent. */
import assert from 'node:assert/strict';
import { methods } from '../../nodes/openai-runs/methods/index.ts';
import { json, startServer, type TestServer } from '../support/http-server.ts';
import { message, run, step } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';

interface Row {
  /** `METHOD /path` below /v1. */
  line: string;
  /** What the payload must hold, and the body that becomes of it (undefined: no body at all). */
  required: Msg;
  requiredBody?: Msg;
  /** What it may hold beside that. */
  optional: Msg;
  optionalBody?: Msg;
  optionalQuery?: string;
  /** Fields that are wrong: name, value, and what the refusal says. */
  wrong: [string, unknown, RegExp][];
  answer: Msg;
}

const CONTENT = 'step_details.tool_calls[*].file_search.results[*].content';
const page = (data: Msg[]) => ({ object: 'list', data, has_more: false });

const runOptions = {
  instructions: 'Be short.',
  model: 'model-y',
  tools: [{ type: 'function', function: { name: 'lamp', parameters: { type: 'object' } } }],
  tool_choice: { type: 'function', function: { name: 'lamp' } },
  parallel_tool_calls: false,
  response_format: { type: 'json_object' },
  temperature: 0.5,
  top_p: 1,
  max_prompt_tokens: 256,
  max_completion_tokens: 16,
  truncation_strategy: { type: 'last_messages', last_messages: 2 },
  metadata: { room: 'kitchen' },
};
const notes = { tool_resources: { code_interpreter: { file_ids: [] } }, metadata: { a: 'b' } };
const assistant = {
  name: 'House',
  description: 'Knows the house.',
  instructions: 'Be short.',
  tools: [{ type: 'code_interpreter' }],
  reasoning_effort: 'low',
  response_format: 'auto',
  temperature: 0.5,
  top_p: 1,
  ...notes,
};
const paging = { limit: 2, order: 'asc', after: 'run_a', before: 'run_b' };
const badPath: Row['wrong'] = [
  ['thread_id', '../../files', /^thread_id in msg\.payload is no id/],
  ['thread_id', '..', /is no id/],
  ['thread_id', 'a/b', /is no id/],
  ['thread_id', 'a?b=c', /is no id/],
  ['thread_id', 'a%2e%2e', /is no id/],
  ['thread_id', 7, /^thread_id in msg\.payload must be string, but is number/],
  ['thread_id', null, /must be string, but is null/],
  [
    'thread_id',
    undefined,
    /^Thread ID \(thread_id\) is missing\. Set it in the node, or send it in msg\.payload\./,
  ],
];
const badOptions: Row['wrong'] = [
  ['instructions', 7, /instructions in msg\.payload must be string/],
  ['model', {}, /must be string/],
  ['tools', { type: 'function' }, /must be array/],
  ['tools', ['lamp'], /^Every entry of tools in msg\.payload must be object, but there is string \[0\]/],
  ['tool_choice', 'sometimes', /one of none, auto, required/],
  ['parallel_tool_calls', 'no', /must be boolean/],
  ['response_format', 'json', /one of auto/],
  ['temperature', Number.NaN, /must be number, but is NaN/],
  ['top_p', '1', /must be number/],
  ['max_prompt_tokens', 1.5, /must be integer/],
  ['max_completion_tokens', Number.POSITIVE_INFINITY, /must be integer, but is Infinity/],
  ['truncation_strategy', 'auto', /must be object/],
  ['metadata', ['a'], /must be object, but is array/],
  ['metadata', { on: new Map() }, /metadata in msg\.payload can't be sent as JSON: on = Map/],
  ['stream', 'yes', /stream in msg\.payload must be boolean/],
];

const table: Record<string, Row> = {
  createThreadAndRun: {
    line: 'POST /threads/runs',
    required: { assistant_id: 'asst_1' },
    requiredBody: { assistant_id: 'asst_1', stream: false },
    optional: {
      ...runOptions,
      thread: { messages: [{ role: 'user', content: 'Hi' }], metadata: { a: 'b' } },
      tool_resources: { file_search: { vector_store_ids: ['vs_1'] } },
    },
    wrong: [
      ...badOptions,
      ['assistant_id', undefined, /\(assistant_id\) is missing/],
      ['thread', ['Hi'], /thread in msg\.payload must be object, but is array/],
      ['tool_resources', 'x', /must be object/],
    ],
    answer: run(),
  },
  createRun: {
    line: 'POST /threads/thread_1/runs',
    required: { thread_id: 'thread_1', assistant_id: 'asst_1' },
    requiredBody: { assistant_id: 'asst_1', stream: false },
    optional: {
      ...runOptions,
      additional_messages: [{ role: 'user', content: 'Hi' }],
      additional_instructions: 'And friendly.',
      reasoning_effort: 'low',
      include: [CONTENT],
    },
    optionalQuery: `include[]=${CONTENT}`,
    wrong: [
      ...badPath,
      ...badOptions,
      ['additional_messages', ['Hi'], /Every entry of additional_messages/],
      ['reasoning_effort', 'some', /one of none, minimal, low/],
      ['include', [{}], /Every entry of include/],
    ],
    answer: run(),
  },
  submitToolOutputsToRun: {
    line: 'POST /threads/thread_1/runs/run_1/submit_tool_outputs',
    required: {
      thread_id: 'thread_1',
      run_id: 'run_1',
      tool_outputs: [{ tool_call_id: 'call_1', output: '21' }],
    },
    requiredBody: { tool_outputs: [{ tool_call_id: 'call_1', output: '21' }], stream: false },
    optional: {},
    wrong: [
      ...badPath,
      ['run_id', '.', /run_id in msg\.payload is no id/],
      ['tool_outputs', undefined, /\(tool_outputs\) is missing/],
      ['tool_outputs', '21', /must be array/],
      ['tool_outputs', ['21'], /Every entry of tool_outputs/],
    ],
    answer: run(),
  },
  getRun: {
    line: 'GET /threads/thread_1/runs/run_1',
    required: { thread_id: 'thread_1', run_id: 'run_1' },
    optional: {},
    wrong: [...badPath, ['run_id', undefined, /\(run_id\) is missing/]],
    answer: run(),
  },
  listRuns: {
    line: 'GET /threads/thread_1/runs',
    required: { thread_id: 'thread_1' },
    optional: paging,
    optionalQuery: 'limit=2&order=asc&after=run_a&before=run_b',
    wrong: [...badPath, ['limit', '2', /must be integer/], ['order', 'up', /one of asc, desc/]],
    answer: page([run()]),
  },
  modifyRun: {
    line: 'POST /threads/thread_1/runs/run_1',
    required: { thread_id: 'thread_1', run_id: 'run_1' },
    requiredBody: {},
    optional: { metadata: { seen: 'yes' } },
    wrong: [...badPath, ['metadata', 'seen', /metadata in msg\.payload must be object, but is string/]],
    answer: run(),
  },
  cancelRun: {
    line: 'POST /threads/thread_1/runs/run_1/cancel',
    required: { thread_id: 'thread_1', run_id: 'run_1' },
    optional: {},
    wrong: [...badPath, ['run_id', 'a\nb', /is no id/]],
    answer: run({ status: 'cancelling' }),
  },
  listRunSteps: {
    line: 'GET /threads/thread_1/runs/run_1/steps',
    required: { thread_id: 'thread_1', run_id: 'run_1' },
    optional: { ...paging, include: [CONTENT] },
    optionalQuery: `limit=2&order=asc&after=run_a&before=run_b&include[]=${CONTENT}`,
    wrong: [...badPath, ['include', CONTENT, /must be array/], ['after', 7, /must be string/]],
    answer: page([step()]),
  },
  getRunStep: {
    line: 'GET /threads/thread_1/runs/run_1/steps/step_1',
    required: { thread_id: 'thread_1', run_id: 'run_1', step_id: 'step_1' },
    optional: { include: [CONTENT] },
    optionalQuery: `include[]=${CONTENT}`,
    wrong: [...badPath, ['step_id', undefined, /\(step_id\) is missing/], ['step_id', 'a#b', /is no id/]],
    answer: step(),
  },
  createThread: {
    line: 'POST /threads',
    required: {},
    requiredBody: {},
    optional: { messages: [{ role: 'user', content: 'Hi' }], ...notes },
    wrong: [
      ['messages', ['Hi'], /Every entry of messages/],
      ['metadata', 'x', /must be object/],
    ],
    answer: { id: 'thread_1', object: 'thread' },
  },
  getThread: {
    line: 'GET /threads/thread_1',
    required: { thread_id: 'thread_1' },
    optional: {},
    wrong: badPath,
    answer: { id: 'thread_1', object: 'thread' },
  },
  modifyThread: {
    line: 'POST /threads/thread_1',
    required: { thread_id: 'thread_1' },
    requiredBody: {},
    optional: notes,
    wrong: [...badPath, ['metadata', 'x', /must be object/]],
    answer: { id: 'thread_1', object: 'thread' },
  },
  deleteThread: {
    line: 'DELETE /threads/thread_1',
    required: { thread_id: 'thread_1' },
    optional: {},
    wrong: badPath,
    answer: { id: 'thread_1', object: 'thread.deleted', deleted: true },
  },
  createMessage: {
    line: 'POST /threads/thread_1/messages',
    required: { thread_id: 'thread_1', role: 'user', content: 'Hi' },
    requiredBody: { role: 'user', content: 'Hi' },
    optional: {
      attachments: [{ file_id: 'file_1', tools: [{ type: 'file_search' }] }],
      metadata: { a: 'b' },
    },
    wrong: [
      ...badPath,
      ['role', 'system', /one of user, assistant/],
      ['content', undefined, /\(content\) is missing/],
      ['content', [7], /Every entry of content/],
      ['content', 7, /must be string \| array/],
    ],
    answer: message('Hi', { role: 'user' }),
  },
  listMessages: {
    line: 'GET /threads/thread_1/messages',
    required: { thread_id: 'thread_1' },
    optional: { run_id: 'run_1', ...paging },
    optionalQuery: 'run_id=run_1&limit=2&order=asc&after=run_a&before=run_b',
    wrong: [...badPath, ['run_id', 7, /must be string/]],
    answer: page([message('Hi')]),
  },
  getMessage: {
    line: 'GET /threads/thread_1/messages/msg_1',
    required: { thread_id: 'thread_1', message_id: 'msg_1' },
    optional: {},
    wrong: [...badPath, ['message_id', 'a/b', /is no id/]],
    answer: message('Hi'),
  },
  modifyMessage: {
    line: 'POST /threads/thread_1/messages/msg_1',
    required: { thread_id: 'thread_1', message_id: 'msg_1' },
    requiredBody: {},
    optional: { metadata: { seen: 'yes' } },
    wrong: [...badPath, ['message_id', undefined, /\(message_id\) is missing/]],
    answer: message('Hi'),
  },
  deleteMessage: {
    line: 'DELETE /threads/thread_1/messages/msg_1',
    required: { thread_id: 'thread_1', message_id: 'msg_1' },
    optional: {},
    wrong: [...badPath, ['message_id', '..', /is no id/]],
    answer: { id: 'msg_1', object: 'thread.message.deleted', deleted: true },
  },
  createAssistant: {
    line: 'POST /assistants',
    required: { model: 'model-x' },
    requiredBody: { model: 'model-x' },
    optional: assistant,
    wrong: [
      ['model', undefined, /\(model\) is missing/],
      ['tools', ['lamp'], /Every entry of tools/],
      ['reasoning_effort', 'some', /one of none, minimal, low/],
    ],
    answer: { id: 'asst_1', object: 'assistant' },
  },
  listAssistants: {
    line: 'GET /assistants',
    required: {},
    optional: paging,
    optionalQuery: 'limit=2&order=asc&after=run_a&before=run_b',
    wrong: [['limit', '2', /must be integer/]],
    answer: page([{ id: 'asst_1', object: 'assistant' }]),
  },
  getAssistant: {
    line: 'GET /assistants/asst_1',
    required: { assistant_id: 'asst_1' },
    optional: {},
    wrong: [['assistant_id', 'a/b', /is no id/]],
    answer: { id: 'asst_1', object: 'assistant' },
  },
  modifyAssistant: {
    line: 'POST /assistants/asst_1',
    required: { assistant_id: 'asst_1' },
    requiredBody: {},
    optional: { model: 'model-y', ...assistant },
    wrong: [['assistant_id', undefined, /\(assistant_id\) is missing/]],
    answer: { id: 'asst_1', object: 'assistant' },
  },
  deleteAssistant: {
    line: 'DELETE /assistants/asst_1',
    required: { assistant_id: 'asst_1' },
    optional: {},
    wrong: [['assistant_id', '..', /is no id/]],
    answer: { id: 'asst_1', object: 'assistant.deleted', deleted: true },
  },
  listModels: {
    line: 'GET /models',
    required: {},
    optional: {},
    wrong: [],
    answer: { object: 'list', data: [{ id: 'model-x', object: 'model' }] },
  },
};

const sorted = (query: string) => [...new URLSearchParams(query)].map((pair) => pair.join('=')).sort();

describe('the table of requests', () => {
  it('has a row for every method, and every parameter of each in it', () => {
    // What answers other programs asks as getRun does, and goes on by itself.
    const asking = methods.filter((method) => !('serves' in method));
    assert.deepEqual(Object.keys(table).sort(), asking.map(({ id }) => id).sort());
    for (const { id, parameters } of asking) {
      const { required, optional } = table[id] as Row;
      assert.deepEqual(Object.keys({ ...required, ...optional }).sort(), Object.keys(parameters).sort(), id);
    }
  });
});

onEachRuntime('requests', (start) => {
  let server: TestServer;
  const service = () => ({ backend: 'server', url: `${server.url}/v1` });
  beforeEach(async () => {
    server = await startServer((_request, response) => json(response, {}));
  });
  afterEach(() => server.close());

  for (const [method, row] of Object.entries(table)) {
    const answered = () => {
      server.answer = (_request, response) => json(response, row.answer);
    };

    it(`${method} sends ${row.line} with what is required, and with all that is optional`, async () => {
      answered();
      const flow = await start(flowWith({ method, delivery: 'start' }, service()));
      // Ids of other methods in the same payload stay out of path, query and body.
      const others = { thread_id: 'thread_x', run_id: 'run_x', step_id: 'step_x', message_id: 'msg_x' };
      const foreign = Object.entries(others).filter(([name]) => !(name in row.optional));
      flow.send({ payload: { ...Object.fromEntries(foreign), stream: false, ...row.required } });
      const out = await flow.wait('out');
      const { object, id } = row.answer;
      assert.deepEqual({ object: out.payload.object, id: out.payload.id }, { object, id });
      flow.send({ payload: { ...row.required, ...row.optional } });
      await flow.wait('out', 2);
      const [bare, full] = server.received;
      for (const request of [bare, full]) {
        assert.equal(`${request?.method} ${request?.path}`, row.line.replace(' ', ' /v1'));
        const beta = method === 'listModels' ? undefined : 'assistants=v2';
        assert.equal(request?.headers['openai-beta'], beta);
        assert.equal('content-type' in (request?.headers ?? {}), row.requiredBody !== undefined);
      }
      assert.deepEqual(bare?.body, row.requiredBody);
      assert.equal(bare?.query, '');
      const { include: _, ...inBody } = row.optional;
      assert.deepEqual(full?.body, row.requiredBody && { ...row.requiredBody, ...inBody });
      assert.deepEqual(sorted(full?.query ?? ''), sorted(row.optionalQuery ?? ''));
      assert.equal(server.received.length, 2);
    });

    it(`${method} refuses what is wrong, naming it, and sends nothing`, async () => {
      answered();
      const flow = await start(flowWith({ method, delivery: 'start' }, service()));
      for (const [index, [name, value, wording]] of row.wrong.entries()) {
        if (name === 'stream' && !['createRun', 'createThreadAndRun'].includes(method)) continue;
        flow.send({ payload: { ...row.required, ...row.optional, [name]: value } });
        const { error } = await flow.wait('caught', index + 1);
        assert.match(error.message, wording, `${name} = ${String(value)}`);
        assert.equal(error.cause.param, name);
      }
      assert.deepEqual(server.received, []);
      assert.deepEqual(flow.out('out'), []);
    });
  }

  it('carries a key against repeating in a header, where something is made', async () => {
    const key = { idempotency_key: 'order-17' };
    for (const method of ['createRun', 'createThreadAndRun', 'createThread', 'createMessage', 'getRun']) {
      server.received.length = 0;
      const row = table[method] as Row;
      server.answer = (_request, response) => json(response, row.answer);
      const flow = await start(flowWith({ method, delivery: 'start' }, service()));
      flow.send({ payload: { ...row.required, ...key } });
      await flow.wait('out');
      const [request] = server.received;
      assert.equal(request?.headers['idempotency-key'], method === 'getRun' ? undefined : 'order-17', method);
      assert.deepEqual(request?.body, row.requiredBody, method);
      await import('node-red-node-test-helper').then(({ default: helper }) => helper.unload());
    }
  });

  it('refuses a key that no header can carry', async () => {
    const flow = await start(flowWith({ method: 'createThread' }, service()));
    for (const [index, idempotency_key] of [7, 'a\nb', 'ü', '', 'x'.repeat(256)].entries()) {
      flow.send({ payload: { idempotency_key } });
      const { error } = await flow.wait('caught', index + 1);
      assert.equal(error.cause.param, 'idempotency_key');
    }
    assert.deepEqual(server.received, []);
  });

  it('sends null where null is a value of its own', async () => {
    server.answer = (_request, response) => json(response, run());
    const nulls = { temperature: null, instructions: null, tool_choice: null, metadata: null };
    const flow = await start(flowWith({ method: 'createRun', delivery: 'start' }, service()));
    flow.send({ payload: { thread_id: 'thread_1', assistant_id: 'asst_1', ...nulls } });
    await flow.wait('out');
    assert.deepEqual(server.received[0]?.body, { assistant_id: 'asst_1', ...nulls, stream: false });
  });

  it("passes on body fields that the SDK does not know, and none in a method without a body's fields", async () => {
    server.answer = ({ path }, response) => json(response, path.endsWith('/runs') ? page([]) : run());
    const extra = {
      verbosity: 'low',
      body: { x: 1 },
      headers: { y: '2' },
      path: '/elsewhere',
      method: 'PUT',
    };
    const flow = await start(flowWith({ method: 'modifyRun' }, service()));
    flow.send({ payload: { thread_id: 'thread_1', run_id: 'run_1', ...extra } });
    await flow.wait('out');
    assert.deepEqual(server.received[0]?.body, extra);
    assert.equal(server.received[0]?.path, '/v1/threads/thread_1/runs/run_1');
    assert.equal(server.received[0]?.headers.y, undefined);
    await flow.deploy(flowWith({ method: 'listRuns' }, service()));
    flow.send({ payload: { thread_id: 'thread_1', limit: 1, timeout: 5, signal: 'x', ...extra } });
    await flow.wait('out', 2);
    assert.equal(`${server.received[1]?.method} ${server.received[1]?.query}`, 'GET limit=1');
  });
});
