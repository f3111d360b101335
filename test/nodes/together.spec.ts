/** Three real Node-REDs with the same flow on one PostgreSQL: one conversation a key, one line, answers anywhere. */
import assert from 'node:assert/strict';
import { dropSchemas, newSchema, withPostgres } from '../support/databases.ts';
import { type NodeRed, startNodeRed } from '../support/node-red.ts';
import { testPostgres } from '../support/postgres-server.ts';
import { until } from '../support/until.ts';

const TAB = 'f0000000000000c0';
const SERVICE = 'f0000000000000c1';
const RUNS = 'f0000000000000c2';
const LAMP = { type: 'function', function: { name: 'lamp', parameters: { type: 'object', properties: {} } } };

/** Asked by HTTP; a tool's call is kept for the test to answer, by HTTP too. */
const flows = (database: string, concurrency: number) => {
  const at = (id: string, type: string, more: object) => ({ id, type, z: TAB, x: 100, y: 100, ...more });
  const entry = (id: string, method: string, url: string, to: string) =>
    at(id, 'http in', { method, url, upload: false, wires: [[to]] });
  const code = (id: string, func: string, outputs: number, wires: string[][]) =>
    at(id, 'function', { func, outputs, wires });
  return [
    { id: TAB, type: 'tab', label: 'together' },
    {
      id: SERVICE,
      type: 'openai-runs-service',
      backend: 'embedded',
      provider: 'rehearsal',
      assistants: [{ id: 'asst_one', name: 'One', tools: [LAMP] }],
      database,
      concurrency,
    },
    entry('ask', 'get', '/ask', 'asked'),
    code('asked', 'msg.topic = msg.payload.key; msg.payload = msg.payload.text; return msg;', 1, [[RUNS]]),
    at(RUNS, 'openai-runs', {
      service: SERVICE,
      method: 'createRun',
      delivery: 'wait',
      result: 'text',
      fields: { assistant_id: { value: 'asst_one', type: 'str' } },
      conversation: 'topic',
      conversationType: 'msg',
      busy: 'queue',
      tools: true,
      toolTimeout: 60,
      outputs: 2,
      wires: [['reply'], ['called']],
    }),
    at('reply', 'http response', { wires: [] }),
    code('called', "global.set('call', msg.tool); return null;", 0, []),
    entry('look', 'get', '/call', 'looked'),
    code('looked', "msg.payload = global.get('call') ?? {}; return msg;", 1, [['reply']]),
    entry('answer', 'post', '/answer', 'answered'),
    code('answered', "return [{ ...msg.payload }, { ...msg, payload: 'taken' }];", 2, [[RUNS], ['reply']]),
    at('catch', 'catch', { scope: null, uncaught: false, wires: [['failed']] }),
    code('failed', 'msg.statusCode = 500; msg.payload = msg.error.message; return msg;', 1, [['reply']]),
  ];
};

describe('three Node-REDs on one PostgreSQL', function () {
  this.timeout(90_000);
  const schemas: string[] = [];
  let machines: NodeRed[];
  let address: string;

  const start = async (concurrency = 0) => {
    address = await newSchema();
    schemas.push(address);
    machines = await Promise.all(
      Array.from({ length: 3 }, () => startNodeRed({ flows: flows(address, concurrency) })),
    );
  };
  before(() => testPostgres());
  afterEach(async () => {
    await Promise.all(machines.map((machine) => machine.stop()));
    await dropSchemas(schemas.splice(0));
  });

  const ask = async (i: number, text: string, key: string) => {
    const query = new URLSearchParams({ text, key });
    const response = await fetch(`${machines[i]!.address}/ask?${query}`);
    const reply = await response.text();
    assert.equal(response.status, 200, reply);
    return reply;
  };
  const query = (text: string) => withPostgres(address, async (client) => (await client.query(text)).rows);

  it('keep one thread a key and one order, however many ask at once', async () => {
    await start(2);
    const asked = Array.from({ length: 12 }, (_, i) => ask(i % 3, `Number ${i}`, i < 9 ? 'one' : 'two'));
    for (const [i, reply] of (await Promise.all(asked)).entries())
      assert.match(reply, new RegExp(`Number ${i}`));
    assert.equal((await query('select id from threads')).length, 2);
    const runs = await query('select status from runs');
    assert.equal(runs.length, 12);
    assert.ok(runs.every(({ status }) => status === 'completed'));
    const messages = await query(
      'select role from messages where thread_id = (select thread_id from messages group by thread_id having count(*) > 10) order by seq',
    );
    // Question and answer in turn: no run began before the one before it had ended.
    assert.deepEqual(
      messages.map(({ role }) => role),
      Array.from({ length: 9 }, () => ['user', 'assistant']).flat(),
    );
    await until(async () => (await query('select 1 from line')).length === 0);
  });

  it('take a tool’s answer anywhere; the reply leaves where the question came in', async () => {
    await start();
    const reply = ask(0, 'Please call lamp', 'tool');
    const tool = await until(async () => {
      const call = (await (await fetch(`${machines[0]!.address}/call`)).json()) as { call_id?: string };
      return call.call_id !== undefined && call;
    });
    const response = await fetch(`${machines[1]!.address}/answer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tool, payload: 'it shines' }),
    });
    assert.equal(await response.text(), 'taken');
    assert.match(await reply, /it shines/);
    assert.deepEqual(await query('select status from runs'), [{ status: 'completed' }]);
    await until(async () => (await query('select 1 from rounds')).length === 0);
    assert.deepEqual(await query('select 1 from answers'), []);
  });
});
