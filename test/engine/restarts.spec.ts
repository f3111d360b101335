/** Engines that are closed, killed and opened again, and several at once: what becomes of their runs. */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { openStore } from '../../engine/store/open.ts';
import { onEachDatabase } from '../support/databases.ts';
import { until } from '../support/until.ts';
import { calls, hangs, type Script, ScriptedModel, says, startRun, Workshop } from './support.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} };

onEachDatabase('a database that is opened again', () => {
  const workshop = new Workshop();
  afterEach(() => workshop.cleanUp());

  const withRun = (script: Script) => startRun(workshop, script);

  it('has everything there when it is opened again', async () => {
    const first = await withRun(says('Hello'));
    await first.reaches('completed');
    const all = async ({ client }: Pick<typeof first, 'client'>) => ({
      assistants: (await client.beta.assistants.list()).data,
      thread: await client.beta.threads.retrieve(first.thread_id),
      messages: (await client.beta.threads.messages.list(first.thread_id)).data,
      runs: (await client.beta.threads.runs.list(first.thread_id)).data,
      steps: (await client.beta.threads.runs.steps.list(first.run.id, { thread_id: first.thread_id })).data,
    });
    const before = await all(first);
    assert.deepEqual([before.messages.length, before.runs.length, before.steps.length], [2, 1, 1]);
    await first.engine.close();
    assert.deepEqual(
      await all(await workshop.open(new ScriptedModel(says('x')), { database: first.database })),
      before,
    );
  });

  it('fails what was in progress at a close, keeps what waits, and frees the thread', async () => {
    const busy = await withRun(hangs('Half'));
    await busy.reaches('in_progress');
    await until(async () => (await busy.client.beta.threads.messages.list(busy.thread_id)).data.length === 2);
    const waiting = await withRun(calls(['f', {}]));
    const asked = await waiting.reaches('requires_action');
    await Promise.all([busy.engine.close(), waiting.engine.close()]);

    const again = await workshop.open(new ScriptedModel(says('x')), { database: busy.database });
    const failed = await again.client.beta.threads.runs.retrieve(busy.run.id, { thread_id: busy.thread_id });
    assert.equal(failed.status, 'failed');
    assert.deepEqual(failed.last_error, {
      code: 'server_error',
      message: 'The service was stopped while the run was in progress.',
    });
    const [answer] = (await again.client.beta.threads.messages.list(busy.thread_id)).data;
    assert.deepEqual([answer!.status, answer!.incomplete_details], ['incomplete', { reason: 'run_failed' }]);
    assert.deepEqual(answer!.content, [{ type: 'text', text: { value: 'Half', annotations: [] } }]);
    await again.client.beta.threads.messages.create(busy.thread_id, { role: 'user', content: 'And now?' });

    const resumed = await workshop.open(new ScriptedModel(says('Thanks')), { database: waiting.database });
    const run = await resumed.client.beta.threads.runs
      .submitToolOutputsStream(asked.id, {
        thread_id: waiting.thread_id,
        tool_outputs: asked.required_action!.submit_tool_outputs.tool_calls.map(({ id }) => ({
          tool_call_id: id,
          output: '1',
        })),
      })
      .finalRun();
    assert.equal(run.status, 'completed');
  });

  it('runs what a dead process left queued, fails what it had in progress, ends what it was cancelling', async () => {
    for (const [left, becomes] of [
      ['queued', 'completed'],
      ['in_progress', 'failed'],
      ['cancelling', 'cancelled'],
    ] as const) {
      const first = await withRun(hangs());
      await first.reaches('in_progress');
      await first.engine.close();
      const store = await openStore(first.database, { log });
      // Process numbers end below this: nobody lives there.
      await store.db
        .insertInto('workers')
        .values({
          id: 'dead',
          host: hostname(),
          pid: 2 ** 22 + 1,
          seen_at: Date.now() - 60_000,
        })
        .execute();
      await store.db
        .updateTable('runs')
        .set({
          status: left,
          active: 1,
          worker: 'dead',
          last_error: null,
          failed_at: null,
          expires_at: 4_000_000_000,
        })
        .execute();
      await store.close();
      const model = new ScriptedModel(says('Hello'));
      const again = await workshop.open(model, { database: first.database });
      const run = await until(async () => {
        const found = await again.client.beta.threads.runs.retrieve(first.run.id, {
          thread_id: first.thread_id,
        });
        return found.status === becomes && found;
      });
      assert.equal(model.turns.length, left === 'queued' ? 1 : 0);
      assert.equal(run.last_error?.code, left === 'in_progress' ? 'server_error' : undefined);
      assert.deepEqual(
        (await again.engine.service.store.db.selectFrom('workers').select('id').execute()).map(
          ({ id }) => id,
        ),
        [again.engine.service.workerId],
      );
    }
  });

  it('leaves the runs of a living process alone', async () => {
    const first = await withRun(hangs());
    await first.reaches('in_progress');
    const second = await workshop.open(new ScriptedModel(says('x')), { database: first.database });
    await second.engine.sweep();
    assert.equal(
      (await second.client.beta.threads.runs.retrieve(first.run.id, { thread_id: first.thread_id })).status,
      'in_progress',
    );
    // A cancel through the other one reaches it all the same.
    await second.client.beta.threads.runs.cancel(first.run.id, { thread_id: first.thread_id });
    await first.engine.sweep();
    await first.reaches('cancelled');
  });

  it('serves two engines of one process at once', async () => {
    const first = await workshop.open(new ScriptedModel(says('one two three')));
    const second = await workshop.open(new ScriptedModel(calls(['f', {}]), says('Done')), {
      database: first.database,
    });
    const { id: assistant_id } = await first.client.beta.assistants.create({ model: 'm', instructions: 'x' });
    const both = [first, second].flatMap(({ client }) =>
      Array.from({ length: 30 }, () => client.beta.threads.createAndRunStream({ assistant_id }).finalRun()),
    );
    // Transactions of both, each begun in the middle of the other's.
    const insert = ({ engine }: typeof first, name: string) =>
      engine.service.store.db.transaction().execute(async (trx) => {
        for (let i = 0; i < 5; i++) {
          const row = { id: `thread_${name}${i}`, created_at: 1, tool_resources: '{}', metadata: '{}' };
          await trx.insertInto('threads').values(row).execute();
        }
      });
    await Promise.all([insert(first, 'a'), insert(second, 'b'), insert(first, 'c'), insert(second, 'd')]);
    const statuses = (await Promise.all(both)).map(({ status }) => status);
    assert.deepEqual([...new Set(statuses)].sort(), ['completed', 'requires_action']);
    await first.engine.close();
    assert.equal((await second.client.beta.assistants.list()).data.length, 1);
  });

  it('keeps declared assistants under their ids, created once and brought up to date', async () => {
    let seconds = 1_800_000_000;
    const clock = () => seconds * 1000;
    const first = await workshop.open(new ScriptedModel(says('x')), {
      clock,
      model: { provider: 'chat', model: 'llama' },
      assistants: [
        { id: 'house', name: 'House' },
        { id: 'asst_x', model: 'own', tools: [{ type: 'file_search' }] },
      ],
    });
    const created = await first.client.beta.assistants.retrieve('house');
    assert.deepEqual([created.name, created.model, created.created_at], ['House', 'llama', seconds]);
    assert.equal((await first.client.beta.assistants.retrieve('asst_x')).model, 'own');
    await first.engine.close();
    seconds += 100;
    const second = await workshop.open(new ScriptedModel(says('x')), {
      clock,
      database: first.database,
      assistants: [{ id: 'house', instructions: 'Keep it warm.' }],
    });
    const updated = await second.client.beta.assistants.retrieve('house');
    assert.deepEqual(
      [updated.name, updated.instructions, updated.model, updated.created_at],
      [null, 'Keep it warm.', 'rehearsal', created.created_at],
    );
    assert.equal((await second.client.beta.assistants.list()).data.length, 2);
  });
});
