/** Chat programs whose functions are called: their next request finds the run that waits, wherever it comes in. */
import assert from 'node:assert/strict';
import type { Caller } from '../../engine/index.ts';
import { onEachDatabase } from '../support/databases.ts';
import { until } from '../support/until.ts';
import { type Bench, calls, hangs, type Json, ScriptedModel, says, Workshop } from './support.ts';

const ASSISTANT = { id: 'asst_home', name: 'Home', instructions: 'Be kind.' };
const OTHER = { id: 'asst_other', name: 'Other', instructions: 'Be another.' };
const tools = ['lamp', 'heat'].map((name) => ({ type: 'function', function: { name } }));
const question = { role: 'user', content: 'Light and warmth, please' };
const ANNA: Caller = { id: 'key_anna' };

onEachDatabase('the outputs of a chat program', function (kind) {
  this.timeout(30_000);
  let workshop: Workshop;
  beforeEach(() => {
    workshop = new Workshop();
  });
  afterEach(() => workshop.cleanUp());

  const open = async (database: string, ...scripts: ConstructorParameters<typeof ScriptedModel>) => {
    const model = new ScriptedModel(...scripts);
    const options = { database, assistants: [ASSISTANT, OTHER] };
    return { ...(await workshop.open(model, options)), model };
  };
  const ask = async ({ engine }: Bench, body: object, caller: Caller = ANNA): Promise<Json> => {
    const text = JSON.stringify({ model: 'Home', tools, ...body });
    const response = await engine.fetch(
      'http://engine.local/v1/chat/completions',
      { method: 'POST', body: text },
      caller,
    );
    return { status: response.status, body: await response.json() };
  };
  /** What a program knows after its first request: its question, the calls, and its outputs. */
  const upToOutputs = async (bench: Bench, more: object = {}, caller = ANNA) => {
    const { body } = await ask(bench, { messages: [question], ...more }, caller);
    const [{ message, finish_reason }] = body.choices;
    assert.equal(finish_reason, 'tool_calls');
    const outputs = message.tool_calls.map(({ id }: Json) => ({
      role: 'tool',
      tool_call_id: id,
      content: `output of ${id}`,
    }));
    return [question, message, ...outputs] as Json[];
  };
  const runsOf = ({ engine }: { engine: Bench['engine'] }) =>
    engine.service.store.db.selectFrom('runs').select(['id', 'status']).orderBy('seq').execute();
  const threads = async ({ engine }: Bench) => (await engine.counts()).threads;
  const TWO = [calls(['lamp', { on: true }], ['heat', {}]), says('Done')] as const;

  it('reach the run after a restart, in a conversation and without one', async () => {
    const database = await workshop.database();
    for (const more of [{}, { user: 'anna' }]) {
      const first = await open(database, TWO[0]);
      const messages = await upToOutputs(first, more);
      const before = await runsOf(first);
      await first.engine.close();
      const second = await open(database, TWO[1]);
      const { status, body } = await ask(second, { messages, ...more });
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(body.choices[0].message.content, 'Done');
      assert.equal(body.id.slice('chatcmpl-'.length), before[0]!.id.slice('run_'.length));
      assert.match(JSON.stringify(second.model.turns[0]!.items), /output of call_/);
      const kept = 'user' in more ? 1 : 0;
      await until(async () => (await threads(second)) === kept);
      assert.equal((await runsOf(second)).length, kept);
      await second.engine.close();
    }
  });

  if (kind === 'PostgreSQL') {
    it('reach the run on another machine, and the answer comes from there', async () => {
      const database = await workshop.database();
      const [first, second] = [await open(database, TWO[0]), await open(database, TWO[1])];
      const messages = await upToOutputs(first);
      const { body } = await ask(second, { messages });
      assert.equal(body.choices[0].message.content, 'Done');
      assert.equal(body.usage.total_tokens, 15);
      assert.equal(first.model.turns.length, 1);
      await until(async () => (await threads(second)) === 0);
    });
  }

  it('count once, however often and wherever they come', async () => {
    const database = await workshop.database();
    const first = await open(database, ...TWO);
    const second = await open(database, ...TWO.slice(1));
    const messages = await upToOutputs(first, { user: 'anna' });
    const asked = [first, second, first, second].map((bench) => ask(bench, { messages, user: 'anna' }));
    const answers = await Promise.all(asked);
    const steps = await first.engine.service.store.db
      .selectFrom('steps')
      .select('details')
      .where('type', '=', 'tool_calls')
      .execute();
    // Who came too late found a busy thread, or began anew with all that was said.
    const [waited] = await runsOf(first);
    assert.ok(answers.some(({ body }) => body.id === waited!.id.replace('run_', 'chatcmpl-')));
    assert.equal(waited!.status, 'completed');
    const ofFirst = await first.engine.service.store.db
      .selectFrom('steps')
      .select('id')
      .where('type', '=', 'tool_calls')
      .where('run_id', '=', waited!.id)
      .execute();
    assert.equal(ofFirst.length, 1);
    assert.equal(steps.length, (await runsOf(first)).length);
  });

  it('may be of a conversation that begins in two places at once', async () => {
    const database = await workshop.database();
    const benches = [await open(database, says('Yes')), await open(database, says('Yes'))];
    for (const user of ['anna', 'ben', 'cleo', 'dora']) {
      const answers = await Promise.all(benches.map((bench) => ask(bench, { messages: [question], user })));
      // The thread is busy for who comes second.
      for (const { status, body } of answers) assert.ok([200, 400].includes(status), JSON.stringify(body));
      assert.ok(answers.some(({ status }) => status === 200));
    }
  });

  it('of a run that waits no more are told to the model with all that was said', async () => {
    const database = await workshop.database();
    const bench = await open(database, TWO[0], says('Never mind'), says('Done'));
    const messages = await upToOutputs(bench, { user: 'anna' });
    await ask(bench, { messages: [{ role: 'user', content: 'Forget it' }], user: 'anna' });
    const { status, body } = await ask(bench, { messages });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.choices[0].message.content, 'Done');
    const { items } = bench.model.turns[2]!;
    assert.deepEqual(
      items.map(({ type }) => type),
      ['message', 'call', 'call', 'output', 'output'],
    );
    const [first, second] = messages[1].tool_calls.map(({ id }: Json) => `output of ${id}`);
    assert.deepEqual(
      items.flatMap((item) => (item.type === 'output' ? [item.output] : [])),
      [first, second],
    );
    await until(async () => (await threads(bench)) === 1);
    // Several rounds in a row are all told, those before the user spoke last are not.
    const call = (id: string) => ({ id, type: 'function', function: { name: 'lamp', arguments: '{}' } });
    const round = (id: string) => [
      { role: 'assistant', content: null, tool_calls: [call(id)] },
      { role: 'tool', tool_call_id: id, content: `said ${id}` },
    ];
    const long = [question, ...round('call_a'), { role: 'assistant', content: 'So' }, question];
    await ask(bench, { messages: [...long, ...round('call_b'), ...round('call_c')] });
    const told = bench.model.turns[3]!.items.flatMap((item) => (item.type === 'output' ? [item.output] : []));
    assert.deepEqual(told, ['said call_b', 'said call_c']);
  });

  it('without the calls that they belong to are told in words, and those that are not all there refused', async () => {
    const bench = await open(await workshop.database(), ...TWO);
    const messages = await upToOutputs(bench);
    for (const tool_call_id of ['call_none', '%']) {
      const { status } = await ask(bench, { messages: [{ role: 'tool', tool_call_id, content: 'x' }] });
      assert.equal(status, 200);
      assert.match(JSON.stringify(bench.model.turns.at(-1)!.items), /Output of a function: x/);
    }
    const { status, body } = await ask(bench, { messages: messages.slice(0, 3) });
    assert.equal(status, 400);
    assert.match(body.error.message, /Expected tool outputs for call_ids/);
    assert.equal((await runsOf(bench))[0]!.status, 'requires_action');
  });

  it('of another key touch no run but one of its own', async () => {
    const bench = await open(await workshop.database(), TWO[0], says('Mine'), says('Yours'));
    const messages = await upToOutputs(bench, { user: 'anna' });
    const [waits] = await runsOf(bench);
    for (const caller of [{ id: 'key_ben' }, { ...ANNA, assistants: ['asst_other'] }]) {
      const model = caller.id === ANNA.id ? 'Other' : 'Home';
      const { status } = await ask(bench, { model, messages }, caller);
      assert.equal(status, 200);
      const [first] = await runsOf(bench);
      assert.deepEqual([first?.id, first?.status], [waits!.id, 'requires_action']);
    }
    await ask(bench, { messages: [messages[2]] }, { id: 'key_ben' });
    assert.equal((await runsOf(bench))[0]!.status, 'requires_action');
    assert.equal((await ask(bench, { messages, user: 'anna' })).status, 200);
    assert.equal((await runsOf(bench))[0]!.status, 'completed');
  });

  it('or not: what a process leaves behind goes with its run at the next', async () => {
    let time = 1_790_000_000_000;
    const database = await workshop.database();
    const options = { clock: () => time, assistants: [ASSISTANT], database };
    const first = await workshop.open(new ScriptedModel(hangs('Well')), options);
    const asked = ask(first, { messages: [question] });
    await until(async () => (await runsOf(first))[0]?.status === 'in_progress');
    const { db } = first.engine.service.store;
    const thread = await db.selectFrom('threads').selectAll().executeTakeFirstOrThrow();
    const run = await db.selectFrom('runs').selectAll().executeTakeFirstOrThrow();
    await first.engine.close();
    assert.equal((await asked).status, 503);
    // As a kill leaves it.
    const second = await workshop.open(new ScriptedModel(says('Yes')), options);
    const later = second.engine.service.store.db;
    await later.deleteFrom('threads').execute();
    await later.insertInto('threads').values(thread).execute();
    await later.insertInto('runs').values(run).execute();
    await second.engine.sweep();
    assert.equal((await runsOf(second))[0]!.status, 'failed');
    time += 6_000;
    await second.engine.sweep();
    assert.equal(await threads(second), 0);
  });

  it('of a run whose time is over begin anew, and its thread goes', async () => {
    let time = 1_790_000_000_000;
    const model = new ScriptedModel(TWO[0], says('Done'));
    const options = { clock: () => time, assistants: [ASSISTANT], expirySeconds: 60 };
    const bench = await workshop.open(model, { ...options, database: await workshop.database() });
    const messages = await upToOutputs(bench);
    time += 61_000;
    const { body } = await ask(bench, { messages });
    assert.equal(body.choices[0].message.content, 'Done');
    await bench.engine.sweep();
    await until(async () => (await threads(bench)) === 0);
  });
});
