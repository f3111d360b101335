/** The thread of a chat that names no conversation goes with its run, wherever that ends and whoever is gone by then. */
import assert from 'node:assert/strict';
import type { Caller, EngineOptions } from '../../engine/index.ts';
import { onEachDatabase } from '../support/databases.ts';
import { until } from '../support/until.ts';
import { type Bench, calls, HOME, type Json, type Script, ScriptedModel, says, Workshop } from './support.ts';

const ANNA: Caller = { id: 'key_anna' };
const SERVED: Caller = { ...ANNA, isServedTools: true };

onEachDatabase('the thread of a chat without a conversation', function (kind) {
  this.timeout(30_000);
  let workshop: Workshop;
  let database: string;
  let time: number;
  beforeEach(async () => {
    workshop = new Workshop();
    database = await workshop.database();
    time = 1_790_000_000_000;
  });
  afterEach(() => workshop.cleanUp());

  const open = (scripts: Script[], options: Partial<EngineOptions> = {}) =>
    workshop.open(new ScriptedModel(...scripts), {
      database,
      assistants: [HOME],
      clock: () => time,
      ...options,
    });
  const ask = async ({ engine }: Bench, body: object = {}, caller = ANNA): Promise<Json> => {
    const response = await engine.fetch(
      'http://engine.local/v1/chat/completions',
      {
        method: 'POST',
        body: JSON.stringify({ model: 'Home', messages: [{ role: 'user', content: 'Hi' }], ...body }),
      },
      caller,
    );
    return response.json();
  };
  const statuses = async ({ engine }: Bench) =>
    (await engine.service.store.db.selectFrom('runs').select('status').orderBy('seq').execute()).map(
      ({ status }) => status,
    );
  const threads = async ({ engine }: Bench) => (await engine.counts()).threads;
  /** Some seconds later, those that look after the database have looked. */
  const pass = async (seconds: number, ...benches: Bench[]) => {
    time += seconds * 1000;
    for (const { engine } of benches) await engine.sweep();
  };

  it('goes where a process died after the run had ended, and no other does', async () => {
    const first = await open([says('Yes')]);
    const { db } = first.engine.service.store;
    await ask(first, { user: 'anna' });
    const { client } = first;
    const { id } = await client.beta.threads.create({ messages: [{ role: 'user', content: 'Hi' }] });
    await client.beta.threads.runs.createAndPoll(id, { assistant_id: HOME.id });
    // Nobody sees to it any more once the run is written as ended.
    const forgotten = client.beta.threads.runs.stream(id, { assistant_id: HOME.id });
    await forgotten.finalRun();
    await db
      .updateTable('runs')
      .set({ options: '{"model":"m","tools":[],"forgetsThread":true}' } as never)
      .where('thread_id', '=', id)
      .execute();
    await first.engine.close();
    const second = await open([says('Yes')]);
    assert.equal(await threads(second), 2);
    await pass(1, second);
    assert.equal(await threads(second), 2, 'readers elsewhere have a moment to read the end');
    await pass(6, second);
    assert.equal(await threads(second), 1);
    assert.deepEqual(await statuses(second), ['completed']);
    await pass(1_000_000, second);
    assert.equal(await threads(second), 1);
  });

  it('stays while its run waits for what a flow answers, and goes once that has come', async () => {
    const first = await open([calls(['lamp', {}])], { answersCalls: () => true });
    const gone = ask(first, {}, SERVED);
    await until(async () => (await statuses(first)).join() === 'requires_action');
    await first.engine.close();
    await gone;
    const second = await open([says('Done')], { answersCalls: () => true });
    await pass(100, second);
    assert.deepEqual(await statuses(second), ['requires_action']);
    const { client, engine } = second;
    const row = await engine.service.store.db.selectFrom('runs').selectAll().executeTakeFirstOrThrow();
    const waiting = await client.beta.threads.runs.retrieve(row.id, { thread_id: row.thread_id });
    const [call] = waiting.required_action!.submit_tool_outputs.tool_calls;
    await client.beta.threads.runs.submitToolOutputsAndPoll(row.id, {
      thread_id: row.thread_id,
      tool_outputs: [{ tool_call_id: call!.id, output: 'bright' }],
    });
    await pass(6, second);
    assert.equal(await threads(second), 0);
  });

  it('stays while its run waits for outputs of the program, which may come', async () => {
    const tools = [{ type: 'function', function: { name: 'lamp' } }];
    const first = await open([calls(['lamp', {}])]);
    const { choices } = await ask(first, { tools });
    await first.engine.close();
    const second = await open([says('Done')]);
    await pass(500, second);
    const { message } = choices[0];
    const output = { role: 'tool', tool_call_id: message.tool_calls[0].id, content: 'bright' };
    const { choices: answer } = await ask(second, {
      messages: [{ role: 'user', content: 'Hi' }, message, output],
      tools,
    });
    assert.equal(answer[0].message.content, 'Done');
    await until(async () => (await threads(second)) === 0);
    // And where they never come, with the run's time.
    const third = await open([calls(['lamp', {}])]);
    await ask(third, { tools });
    await pass(601, second, third);
    await pass(6, second, third);
    assert.equal(await threads(second), 0);
  });

  if (kind === 'PostgreSQL') {
    it('goes where the process that read it is gone, and another had the run', async () => {
      const { promise: end, resolve } = Promise.withResolvers<void>();
      const slow: Script = async function* (turn) {
        await end;
        yield* says('Yes')(turn);
      };
      const door = await open([says('never')], { capacity: 0 });
      const worker = await open([slow]);
      const gone = ask(door);
      await until(async () => (await statuses(worker)).join() === 'in_progress');
      await door.engine.close();
      assert.equal((await gone).error.code, 'service_closed');
      resolve();
      await until(async () => (await statuses(worker)).join() === 'completed');
      await pass(6, worker);
      assert.equal(await threads(worker), 0);
    });
  }
});
