/** What several Node-REDs share beyond runs: conversations, and lines in the order in which they came. */
import assert from 'node:assert/strict';
import type { Together } from '../../engine/index.ts';
import { withPostgres } from '../support/databases.ts';
import { withoutLooks } from '../support/looks.ts';
import { deafProxy } from '../support/postgres-proxy.ts';
import { testPostgres } from '../support/postgres-server.ts';
import { until } from '../support/until.ts';
import { type Bench, hangs, ScriptedModel, Workshop } from './support.ts';

describe('what machines share', function () {
  this.timeout(30_000);
  let workshop: Workshop;
  let database: string;
  let benches: Bench[];
  before(() => testPostgres());
  beforeEach(async () => {
    workshop = new Workshop();
    database = await workshop.database('PostgreSQL');
    benches = [];
    for (let i = 0; i < 3; i++) benches.push(await workshop.open(new ScriptedModel(hangs()), { database }));
  });
  afterEach(() => workshop.cleanUp());

  const parts = (): [Together, Together, Together] =>
    benches.map(({ engine }) => engine.together!) as [Together, Together, Together];
  const never = new AbortController().signal;

  it('is nothing on a file', async () => {
    const { engine } = await workshop.open(new ScriptedModel(hangs()), {
      database: await workshop.database('SQLite'),
    });
    assert.equal(engine.together, undefined);
  });

  it('has one thread a key, however many machines ask at once', async () => {
    const all = parts();
    const ids = await Promise.all(
      Array.from({ length: 30 }, (_, i) => all[i % 3]!.conversations.threadOf('node', 'key')),
    );
    assert.equal(new Set(ids).size, 1);
    const threads = await withPostgres(database, (client) => client.query('select id from threads'));
    assert.deepEqual(threads.rows, [{ id: ids[0] }]);
    const [{ conversations }] = all;
    assert.notEqual(await conversations.threadOf('other', 'key'), ids[0]);
    await conversations.forget('node', 'key', 'thread_another');
    assert.equal(await conversations.threadOf('node', 'key'), ids[0]);
    await conversations.forget('node', 'key');
    const second = await conversations.threadOf('node', 'key');
    assert.notEqual(second, ids[0]);
    // A thread that was remembered before is taken, if it is there.
    const before = await benches[0]!.client.beta.threads.create();
    assert.equal(await conversations.threadOf('node', 'remembered', before.id), before.id);
    assert.notEqual(await conversations.threadOf('node', 'forgotten', 'thread_none'), 'thread_none');
    // A thread that is deleted takes its conversation along.
    await benches[1]!.client.beta.threads.delete(second);
    const third = await conversations.threadOf('node', 'key');
    assert.notEqual(third, second);
    await conversations.forgetAll('node');
    assert.notEqual(await conversations.threadOf('node', 'key'), third);
  });

  it(
    'lets in so many at once over all machines, and for each that leaves the one who came first',
    withoutLooks(async () => {
      const all = parts();
      const [{ line }] = all;
      const inside: number[] = [];
      const leave = new Map<number, () => void>();
      const entering: Promise<void>[] = [];
      for (let i = 0; i < 12; i++) {
        const entered = all[i % 3]!.line.enter('runs.x', 2, { signal: never });
        entering.push(
          entered.then((left) => {
            inside.push(i);
            leave.set(i, left);
          }),
        );
        // The next comes when this one stands in line.
        await until(async () => (await line.length('runs.x')) === i + 1);
      }
      await Promise.all(entering.slice(0, 2));
      assert.deepEqual(inside.toSorted(), [0, 1]);
      for (let next = 2; next < 12; next++) {
        // Now the one, now the other that is in; a place given back twice is given back once.
        const goes = inside.at(next % 3 === 0 ? -1 : -2)!;
        inside.splice(inside.indexOf(goes), 1);
        leave.get(goes)!();
        leave.get(goes)!();
        await until(() => inside.length === 2);
        assert.equal(inside.at(-1), next);
        await until(async () => (await line.length('runs.x')) === 12 - (next - 1));
        assert.equal(inside.length, 2);
      }
      for (const i of inside) leave.get(i)!();
      await until(async () => (await line.length('runs.x')) === 0);
    }),
  );

  it(
    'wakes the next at once, tells how many are ahead, and lets one give up',
    withoutLooks(async () => {
      const [first, second, third] = parts();
      const leave = await first.line.enter('thread.x', 1, { signal: never });
      const ahead: number[] = [];
      const stop = new AbortController();
      const gaveUp = second.line.enter('thread.x', 1, { signal: stop.signal });
      gaveUp.catch(() => {});
      await until(async () => (await first.line.length('thread.x')) === 2);
      const waits = third.line.enter('thread.x', 1, { signal: never, onWait: (count) => ahead.push(count) });
      await until(() => ahead.length === 1);
      stop.abort(new Error('No more.'));
      await assert.rejects(gaveUp, /No more/);
      await until(() => ahead.length === 2);
      leave();
      (await waits)();
      assert.deepEqual(ahead, [2, 1]);
    }),
  );

  it('takes those out of line whose machine is gone', async () => {
    const [first, second] = parts();
    await first.line.enter('thread.y', 1, { signal: never });
    await benches[0]!.engine.close();
    (await second.line.enter('thread.y', 1, { signal: never }))();
    await until(async () => {
      await benches[1]!.engine.sweep();
      const left = await withPostgres(database, (client) => client.query('select 1 from line'));
      return left.rows.length === 0;
    });
  });

  it(
    'brings answers to the machine that asked, and says when that is gone',
    withoutLooks(async () => {
      const [first, second, third] = parts();
      const bench = benches[0]!;
      const { id: assistant_id } = await bench.client.beta.assistants.create({
        model: 'm',
        instructions: 'x',
      });
      const { id } = await bench.client.beta.threads.createAndRun({ assistant_id });
      assert.equal(await second.answers.give(id, 'call_0', 'nobody asked'), false);
      const taken = new Map<string, string>();
      const end = await first.answers.ask(id, (callId, output) => taken.set(callId, output));
      assert.equal(await second.answers.give(id, 'call_1', 'one'), true);
      assert.equal(await third.answers.give(id, 'call_2', 'two'), true);
      assert.equal(await third.answers.give(id, 'call_2', 'again'), true);
      await until(() => taken.size === 2);
      assert.deepEqual(Object.fromEntries(taken), { call_1: 'one', call_2: 'two' });
      const isTaken = second.answers.isTaken(id, never);
      await end();
      assert.equal(await isTaken, true);
      assert.equal((await second.answers.of(id)).size, 0);
      // The next that asks finds what was given to one that is gone.
      const { id: other } = await benches[1]!.client.beta.threads.createAndRun({ assistant_id });
      await first.answers.ask(other, () => {});
      assert.equal(await second.answers.give(other, 'call_3', 'three'), true);
      await bench.engine.close();
      assert.equal(await second.answers.isTaken(other, never), false);
      const found: string[] = [];
      await second.answers.ask(other, (_callId, output) => found.push(output));
      assert.deepEqual(found, ['three']);
    }),
  );

  it('asks the others to end what they have on a thread, once', async () => {
    const [first, second] = parts();
    const ended: string[] = [];
    second.onSupersede((id) => ended.push(id));
    first.onSupersede((id) => ended.push(`own ${id}`));
    assert.equal(first.hasOthers, true);
    await first.supersede('thread_1');
    await until(() => ended.length === 1);
    await first.supersede('thread_2');
    await until(() => ended.length === 2);
    await first.supersede('thread_1');
    await until(() => ended.length === 3);
    assert.deepEqual(ended, ['thread_1', 'thread_2', 'thread_1']);
  });

  it('comes through where notifications do not', async () => {
    const proxy = await deafProxy(database);
    try {
      const open = () => workshop.open(new ScriptedModel(hangs('Well')), { database: proxy.address });
      const [near, far] = await Promise.all([open(), open()]);
      const ended: string[] = [];
      near.engine.together!.onSupersede((id) => ended.push(id));
      await far.engine.together!.supersede('thread_1');
      await until(() => ended.length === 1);

      const { id: assistant_id } = await near.client.beta.assistants.create({
        model: 'm',
        instructions: 'x',
      });
      const runs = await Promise.all(
        [0, 1].map(() => near.client.beta.threads.createAndRun({ assistant_id })),
      );
      await until(() => runs.every(({ id }) => near.engine.service.executor.has(id)));
      const [first, second] = runs as [(typeof runs)[0], (typeof runs)[0]];
      const answers: string[] = [];
      const end = await near.engine.together!.answers.ask(first.id, (_call, output) => answers.push(output));
      assert.equal(await far.engine.together!.answers.give(first.id, 'call_1', 'one'), true);
      await until(() => answers.length > 0);
      await end();

      await far.client.beta.threads.runs.cancel(first.id, { thread_id: first.thread_id });
      await far.client.beta.threads.delete(second.thread_id);
      await until(() => runs.every(({ id }) => !near.engine.service.executor.has(id)));
      const { status } = await far.client.beta.threads.runs.retrieve(first.id, {
        thread_id: first.thread_id,
      });
      assert.equal(status, 'cancelled');
      assert.deepEqual(ended, ['thread_1']);
    } finally {
      await workshop.cleanUp();
      await proxy.close();
    }
  });
});
