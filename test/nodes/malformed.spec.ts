/** Two hundred malformed inputs and more: none reaches the server wrongly formed, none ends the process. */
import assert from 'node:assert/strict';
import { methods } from '../../nodes/openai-runs/methods/index.ts';
import type { Parameter } from '../../nodes/openai-runs/methods/method.ts';
import { json, type Received, startServer, type TestServer } from '../support/http-server.ts';
import { run, step } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';
import { until } from '../support/until.ts';

const circle: Msg = { a: 1 };
circle.self = circle;
const deep = () => {
  let at: Msg = {};
  for (let depth = 0; depth < 20_000; depth++) at = { at };
  return at;
};
const throwing = () => ({
  get boom() {
    throw new Error('a getter that throws');
  },
});
const trapped = () =>
  new Proxy(
    {},
    {
      ownKeys() {
        throw new Error('a proxy that throws');
      },
    },
  );
/** Says something else each time it is asked. */
const fickle = () => {
  let looks = 0;
  return {
    get id() {
      return looks++ === 0 ? 'thread_1' : '../../files';
    },
  };
};

/** Values that are wrong for most fields, and some that look right until they are sent. */
const values: [string, () => unknown][] = [
  ['null', () => null],
  ['NaN', () => Number.NaN],
  ['Infinity', () => Number.POSITIVE_INFINITY],
  ['-0', () => -0],
  ['a number', () => 42],
  ['a huge number', () => 1e308],
  ['a BigInt', () => 10n],
  ['true', () => true],
  ['a symbol', () => Symbol('s')],
  ['a function', () => () => 'x'],
  ['a class', () => class {}],
  ['an empty object', () => ({})],
  ['an empty array', () => []],
  ['nested arrays', () => [[['x']]]],
  ['an array with holes', () => new Array(2)],
  ['an array of undefined', () => [undefined]],
  ['an array of BigInt', () => [1n]],
  ['a Buffer', () => Buffer.from('bytes')],
  ['a Buffer within', () => ({ content: Buffer.from('bytes') })],
  ['an ArrayBuffer', () => new ArrayBuffer(8)],
  ['a Date', () => new Date(0)],
  ['a wrong Date', () => new Date(Number.NaN)],
  ['a Map', () => new Map([['a', 1]])],
  ['a Set within', () => ({ set: new Set([1]) })],
  ['a RegExp', () => /x/],
  ['an Error', () => new Error('e')],
  ['a Promise', () => Promise.resolve({})],
  ['a boxed text', () => Object('thread_1')],
  ['a circle', () => circle],
  ['a circle of arrays', () => [circle]],
  ['twenty thousand levels', deep],
  ['a getter that throws', throwing],
  ['a getter that throws, within', () => ({ in: throwing() })],
  ['a proxy that throws', trapped],
  ['a proxy that throws, within', () => [trapped()]],
  ['toJSON that throws', () => ({ toJSON: () => assert.fail('toJSON') })],
  ['toJSON that says undefined', () => ({ toJSON: () => undefined })],
  ['toJSON that says a text', () => ({ toJSON: () => '../..' })],
  ['toJSON that says NaN', () => ({ toJSON: () => Number.NaN })],
  [
    'prototype keys',
    () => JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
  ],
  ['an object without a prototype', () => Object.assign(Object.create(null), { a: 'b' })],
  ['a function within', () => ({ a: () => 1 })],
  ['a symbol within', () => ({ a: Symbol('s') })],
  ['NaN within', () => ({ a: [Number.NaN] })],
  ['an empty text', () => ''],
  ['a megabyte of text', () => 'x'.repeat(1_000_000)],
  ['a lone surrogate', () => '\ud800'],
  ['a NUL', () => 'a\u0000b'],
  ['a line break', () => 'a\r\nX-Evil: 1'],
];
const tricks = [
  '.',
  '..',
  '../x',
  'a/../../b',
  'a/b',
  'a\\b',
  '%2e%2e',
  'a%2fb',
  'a?b=c',
  'a#b',
  ' a',
  'a b',
  '/',
]
  .concat(['\t', 'a\u007f', 'a;b\n', '..\\..', 'http://x/y', '//x', 'a&b c'])
  .map((trick): [string, () => unknown] => [`the path trick ${JSON.stringify(trick)}`, () => trick]);

const required: Record<string, Msg> = {
  createRun: { thread_id: 'thread_1', assistant_id: 'asst_1' },
  createThreadAndRun: { assistant_id: 'asst_1' },
  submitToolOutputsToRun: { thread_id: 'thread_1', run_id: 'run_1', tool_outputs: [] },
  getRunStep: { thread_id: 'thread_1', run_id: 'run_1', step_id: 'step_1' },
  createMessage: { thread_id: 'thread_1', role: 'user', content: 'Hi' },
  createAssistant: { model: 'model-x' },
};
const requiredOf = (id: string): Msg => {
  if (required[id]) return required[id];
  const ids = { thread_id: 'thread_1', run_id: 'run_1', message_id: 'msg_1', assistant_id: 'asst_1' };
  const { parameters } = methods.find((one) => one.id === id) as (typeof methods)[number];
  return Object.fromEntries(Object.entries(ids).filter(([name]) => parameters[name]?.required));
};

/** Which fields each malformed value is put into. */
const cases: [string, string, string, () => unknown][] = [
  ...values.flatMap(([name, make]): [string, string, string, () => unknown][] => [
    ['createRun', 'thread_id', name, make],
    ['createRun', 'metadata', name, make],
    ['createRun', 'additional_messages', name, make],
    ['createRun', 'something_new', name, make],
    ['listRunSteps', 'include', name, make],
    ['listRuns', 'after', name, make],
    ['modifyRun', 'metadata', name, make],
    ['createThread', 'messages', name, make],
    ['createMessage', 'content', name, make],
    ['modifyAssistant', 'tools', name, make],
    ['submitToolOutputsToRun', 'tool_outputs', name, make],
  ]),
  ...tricks.flatMap(([name, make]): [string, string, string, () => unknown][] => [
    ['getRunStep', 'thread_id', name, make],
    ['getRunStep', 'run_id', name, make],
    ['getRunStep', 'step_id', name, make],
    ['deleteMessage', 'message_id', name, make],
    ['deleteThread', 'thread_id', name, make],
    ['getAssistant', 'assistant_id', name, make],
    ['createThreadAndRun', 'assistant_id', name, make],
  ]),
];

/** Holds a request that came through against the API's form, independently of the node's own checks. */
function assertWellFormed(id: string, { method, path, query, headers, body }: Received): void {
  const segment = '[^/?#\\s\\\\]+';
  const paths: Record<string, string> = {
    createRun: `POST /v1/threads/${segment}/runs`,
    createThreadAndRun: 'POST /v1/threads/runs',
    getRun: `GET /v1/threads/${segment}/runs/${segment}`,
    listRuns: `GET /v1/threads/${segment}/runs`,
    modifyRun: `POST /v1/threads/${segment}/runs/${segment}`,
    cancelRun: `POST /v1/threads/${segment}/runs/${segment}/cancel`,
    submitToolOutputsToRun: `POST /v1/threads/${segment}/runs/${segment}/submit_tool_outputs`,
    listRunSteps: `GET /v1/threads/${segment}/runs/${segment}/steps`,
    getRunStep: `GET /v1/threads/${segment}/runs/${segment}/steps/${segment}`,
    createThread: 'POST /v1/threads',
    getThread: `GET /v1/threads/${segment}`,
    modifyThread: `POST /v1/threads/${segment}`,
    deleteThread: `DELETE /v1/threads/${segment}`,
    createMessage: `POST /v1/threads/${segment}/messages`,
    listMessages: `GET /v1/threads/${segment}/messages`,
    getMessage: `GET /v1/threads/${segment}/messages/${segment}`,
    modifyMessage: `POST /v1/threads/${segment}/messages/${segment}`,
    deleteMessage: `DELETE /v1/threads/${segment}/messages/${segment}`,
    createAssistant: 'POST /v1/assistants',
    listAssistants: 'GET /v1/assistants',
    getAssistant: `GET /v1/assistants/${segment}`,
    modifyAssistant: `POST /v1/assistants/${segment}`,
    deleteAssistant: `DELETE /v1/assistants/${segment}`,
    listModels: 'GET /v1/models',
  };
  assert.match(`${method} ${path}`, new RegExp(`^${paths[id]}$`));
  assert.ok(!/%2f|%5c|\/\.{1,2}(\/|$)|%2e/i.test(path), path);
  assert.equal(headers['x-evil'], undefined);
  for (const [name] of new URLSearchParams(query)) {
    assert.match(name, /^(limit|order|after|before|include\[\])$/);
  }
  const { parameters } = methods.find((one) => one.id === id) as (typeof methods)[number];
  assert.ok(body === undefined || Object.getPrototypeOf(body) === Object.prototype);
  for (const [name, value] of Object.entries(body ?? {})) {
    assert.ok(!['__proto__', 'constructor', 'prototype'].includes(name), name);
    const parameter = parameters[name] as Parameter | undefined;
    assert.notEqual(parameter?.in, 'path', name);
    if (!parameter || value === null) continue;
    const kind = Array.isArray(value) ? 'array' : typeof value === 'number' ? 'number' : typeof value;
    const types = [parameter.type]
      .flat()
      .map((type) => type.replace('integer', 'number').replace('id', 'string'));
    assert.ok(types.includes(kind), `${name} is ${kind}`);
    if (parameter.items && Array.isArray(value)) {
      for (const item of value) assert.ok(item !== null && typeof item === parameter.items, name);
    }
  }
}

onEachRuntime('malformed inputs', (start) => {
  let server: TestServer;
  const faults: unknown[] = [];
  const note = (fault: unknown) => faults.push(fault);
  const service = () => ({ backend: 'server', url: `${server.url}/v1`, retries: 0 });

  beforeEach(async () => {
    faults.length = 0;
    process.on('uncaughtExceptionMonitor', note);
    server = await startServer(({ method, path }, response) => {
      if (/\/steps\/[^/]+$/.test(path)) return json(response, step());
      const isList = method === 'GET' && /\/(runs|steps|messages|assistants|models)$/.test(path);
      json(response, isList ? { object: 'list', data: [], has_more: false } : run());
    });
  });
  afterEach(async () => {
    process.off('uncaughtExceptionMonitor', note);
    await server.close();
  });

  /** Sends messages one after the other, each followed by a good one, and counts how they ended. */
  async function throwAt(
    id: string,
    msgs: Msg[],
    more: Msg = {},
  ): Promise<{ sent: number; refused: number }> {
    const flow = await start(flowWith({ method: id, delivery: 'start', ...more }, service()));
    const all = (node: string) => new Set(flow.out(node).map(({ nr }) => nr));
    const bad = msgs.map((msg, nr) => ({ ...msg, nr }));
    for (const msg of bad) {
      flow.send(msg);
      flow.send({ payload: requiredOf(id), nr: `good ${msg.nr}` });
      await until(() => all('completed').has(`good ${msg.nr}`));
    }
    // A message that Node-RED itself cannot copy ends in the log: neither Catch nor Complete can have it.
    const refused = bad.filter(({ nr }) => !all('completed').has(nr)).length;
    assert.deepEqual(faults, []);
    for (const request of server.received) assertWellFormed(id, request);
    return { sent: server.received.length - bad.length, refused };
  }

  for (const id of [...new Set(cases.map(([method]) => method))]) {
    const own = cases.filter(([method]) => method === id);
    it(`${id} takes ${own.length} of them: sent in the API's form or refused`, async () => {
      const bad = own.map(([, field, , make]) => ({ payload: { ...requiredOf(id), [field]: make() } }));
      const { sent, refused } = await throwAt(id, bad);
      assert.equal(sent + refused, own.length);
      assert.ok(refused > own.length / 4, `${refused} refused`);
    });
  }

  it('are two hundred at least', () => assert.ok(cases.length >= 200, String(cases.length)));

  it('as the whole payload, in every method', async () => {
    // What answers other programs follows its run to the end, which the server here never tells.
    for (const { id, parameters } of methods.filter((method) => !('serves' in method))) {
      // Where nothing is needed, what is no request is an empty one.
      const needsNothing = !Object.values(parameters).some((parameter) => parameter.required);
      server.received.length = 0;
      const bad = values.map(([, make]) => ({ payload: make() }));
      const { sent } = await throwAt(id, bad);
      assert.equal(needsNothing || sent === 0, true, id);
      await import('node-red-node-test-helper').then(({ default: helper }) => helper.unload());
    }
  });

  it('a hand-written form whose fields are none', async () => {
    const odd = { model: 7, tools: null, instructions: {}, temperature: { value: 0.5, type: 'num' } };
    const unknown = { constructor: { value: 'x', type: 'str' }, stream: { value: 'true', type: 'bool' } };
    const form = (more: Msg) =>
      flowWith(
        { method: 'createRun', delivery: 'start', fields: { ...odd, ...unknown, ...more } },
        service(),
      );
    const flow = await start(form({}));
    flow.send({ payload: requiredOf('createRun') });
    await flow.wait('out');
    assert.deepEqual(server.received[0]?.body, { assistant_id: 'asst_1', temperature: 0.5, stream: false });
    await flow.deploy(form({ metadata: { value: '{}', type: 'bogus' } }));
    flow.send({ payload: requiredOf('createRun') });
    assert.match((await flow.wait('caught')).error.message, /^Metadata in the form must be object/);
  });

  it('a getter that says something else each time reaches no other path', async () => {
    const source = fickle();
    const msg = {
      payload: Object.defineProperty({ run_id: 'run_1' }, 'thread_id', {
        enumerable: true,
        get: () => source.id,
      }),
    };
    const { sent } = await throwAt('getRun', [msg]);
    assert.ok(sent <= 1);
  });
});
