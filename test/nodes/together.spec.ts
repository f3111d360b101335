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

/** Asked by HTTP; tools' calls are kept for the test to answer, by HTTP too. `/begin` tells of its run at once. */
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
    code('called', "global.set('calls', [...(global.get('calls') ?? []), msg.tool]); return null;", 0, []),
    entry('look', 'get', '/calls', 'looked'),
    code('looked', "msg.payload = global.get('calls') ?? []; return msg;", 1, [['reply']]),
    entry('begin', 'get', '/begin', 'begun'),
    code('begun', 'msg.payload = msg.payload.text; return msg;', 1, [['beginner']]),
    at('beginner', 'openai-runs', {
      service: SERVICE,
      method: 'createThreadAndRun',
      delivery: 'start',
      result: 'run',
      fields: { assistant_id: { value: 'asst_one', type: 'str' } },
      outputs: 1,
      wires: [['reply']],
    }),
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
  type Call = { call_id: string; run_id: string };
  /** Waits until so many calls have left at a machine. */
  const called = (i: number, count: number) =>
    until(async () => {
      const calls = (await (await fetch(`${machines[i]!.address}/calls`)).json()) as Call[];
      return calls.length >= count && calls;
    });
  const answer = async (i: number, tool: Call, payload: string) => {
    const response = await fetch(`${machines[i]!.address}/answer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tool, payload }),
    });
    assert.equal(await response.text(), 'taken');
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
    const [tool] = await called(0, 1);
    await answer(1, tool!, 'it shines');
    assert.match(await reply, /it shines/);
    assert.deepEqual(await query('select status from runs'), [{ status: 'completed' }]);
    await until(async () => (await query('select 1 from rounds')).length === 0);
    assert.deepEqual(await query('select 1 from answers'), []);
  });

  it('lose nothing and do nothing twice when one is killed in mid-traffic', async () => {
    await start();
    const [victim] = machines;
    const begin = async (i: number, text: string): Promise<string> => {
      const response = await fetch(`${machines[i]!.address}/begin?${new URLSearchParams({ text })}`);
      return ((await response.json()) as { id: string }).id;
    };
    /** Runs that the one to be killed has in hand. */
    const inHand = (status: string) =>
      query(`select r.id from runs r join workers w on w.id = r.worker
        where w.pid = ${victim!.pid} and r.status = '${status}'`);

    // The others answer all the time.
    let goesOn = true;
    const replies: string[] = [];
    const busy = [1, 2, 1, 2].map(async (machine, line) => {
      for (let n = 0; goesOn; n++) {
        const text = `Question ${line}-${n}`;
        const reply = await ask(machine, text, `line ${line}`);
        assert.match(reply, new RegExp(`${text}\\b`));
        replies.push(text);
      }
    });
    // What waits for tools, what takes its time, and many more than are begun at once.
    const lost = [0, 1, 2].map((n) => ask(0, 'Please call lamp', `tool ${n}`).catch(() => 'gone'));
    const calls = await called(0, 3);
    const acknowledged = await Promise.all(Array.from({ length: 5 }, () => begin(0, 'rehearse slow')));
    const flood = Array.from({ length: 300 }, (_, n) => begin(0, `Flood ${n}`).catch(() => undefined));
    await until(async () => (await inHand('queued')).length >= 5);
    // It stands still for a moment, so that it is certain what it leaves behind.
    process.kill(victim!.pid!, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 200));
    const [queued, working] = [await inHand('queued'), await inHand('in_progress')];
    await victim!.end('SIGKILL');
    assert.ok(queued.length > 0 && working.length > 0, `${queued.length} queued, ${working.length} working`);
    acknowledged.push(...(await Promise.all(flood)).filter((id) => id !== undefined));
    assert.deepEqual(await Promise.all(lost), ['gone', 'gone', 'gone']);

    // Each answer comes in at both that are left.
    for (const [n, tool] of calls.entries()) {
      await answer(1 + (n % 2), tool, `first answer ${n}`);
      await answer(2 - (n % 2), tool, `second answer ${n}`);
    }
    const during = replies.length;
    await until(() => replies.length > during + 8);
    await until(async () => (await query('select 1 from runs where active = 1')).length <= busy.length);
    goesOn = false;
    await Promise.all(busy);
    await until(async () => (await query('select 1 from runs where active = 1')).length === 0);

    const runs = await query(`select r.id, r.status, r.last_error, m.answers, m.content, s.outputs
      from runs r
      left join (select run_id, count(*)::int answers, string_agg(content, '') as content from messages
        where role = 'assistant' and status = 'completed' group by run_id) m on m.run_id = r.id
      left join (select run_id, string_agg(details, '') as outputs from steps
        where type = 'tool_calls' group by run_id) s on s.run_id = r.id`);
    const byId = new Map(runs.map((run) => [run.id as string, run]));
    for (const id of acknowledged) assert.ok(byId.has(id), `${id} is gone`);
    const stopped = runs.filter(({ status }) => status === 'failed');
    for (const { id, status, last_error, answers } of runs) {
      if (status === 'failed') {
        assert.match(last_error, /The service was stopped while the run was in progress/);
      } else assert.deepEqual([status, answers], ['completed', 1], id);
    }
    for (const { id } of queued) assert.equal(byId.get(id)!.status, 'completed', `${id} was queued`);
    assert.deepEqual(stopped.map(({ id }) => id).sort(), working.map(({ id }) => id).sort());
    for (const { run_id } of calls) {
      const { outputs, content } = byId.get(run_id)!;
      const [said, ...more] = String(content).match(/(?:first|second) answer \d/g) ?? [];
      assert.ok(said && more.length === 0 && outputs.includes(said), `${content} ${outputs}`);
    }
    assert.equal(new Set(replies).size, replies.length);
    const asked = runs.filter(({ content }) => /Question \d-\d/.test(content ?? ''));
    assert.equal(asked.length, replies.length);
    await until(async () => (await query('select 1 from line')).length === 0);
  });
});
