/** Threads that nobody has used for long go, with all that is in them; nothing else does. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { sql } from 'kysely';
import { newMessage, newThread } from '../../engine/objects/new-records.ts';
import { insertMessages } from '../../engine/store/messages.ts';
import { insertThread } from '../../engine/store/threads.ts';
import { onEachDatabase } from '../support/databases.ts';
import { until } from '../support/until.ts';
import { hangs, ScriptedModel, says, Workshop } from './support.ts';

const DAY = 86_400_000;

onEachDatabase('retention', (kind) => {
  let workshop: Workshop;
  beforeEach(() => {
    workshop = new Workshop();
  });
  afterEach(() => workshop.cleanUp());

  /** An engine whose clock can be moved. */
  async function open(
    retentionDays: number | undefined,
    ...scripts: ConstructorParameters<typeof ScriptedModel>
  ) {
    let now = Date.now();
    const opened = await workshop.open(new ScriptedModel(...scripts), {
      clock: () => now,
      ...(retentionDays !== undefined && { retentionDays }),
    });
    const { id: assistant_id } = await opened.client.beta.assistants.create({
      model: 'm',
      instructions: 'x',
    });
    const { threads } = opened.client.beta;
    return {
      ...opened,
      assistant_id,
      threads,
      pass: (days: number) => {
        now += days * DAY;
      },
      async sweep(times = 1) {
        for (let i = 0; i < times; i++) await opened.engine.sweep();
      },
      exists: (id: string) =>
        threads.retrieve(id).then(
          () => true,
          (error: { status: number }) => error.status !== 404,
        ),
    };
  }

  it('deletes nothing unasked', async () => {
    for (const days of [undefined, 0]) {
      const { threads, pass, sweep, exists } = await open(days, says('Hello'));
      const { id } = await threads.create();
      pass(10_000);
      await sweep(3);
      assert.equal(await exists(id), true);
    }
  });

  it('counts from the last message or run, and takes runs, steps and messages along', async () => {
    const { threads, pass, sweep, exists, assistant_id, engine } = await open(7, says('Hello'));
    const { id: unused } = await threads.create();
    const ran = await threads.createAndRunStream({ assistant_id }).finalRun();
    const { id: talked } = await threads.create();
    pass(5);
    await threads.messages.create(talked, { role: 'user', content: 'Still here' });
    const later = await threads.createAndRunStream({ assistant_id }).finalRun();
    pass(3);
    await sweep();
    assert.deepEqual(await Promise.all([unused, ran.thread_id, talked, later.thread_id].map(exists)), [
      false,
      false,
      true,
      true,
    ]);
    const runs = await engine.service.store.db.selectFrom('runs').select('thread_id').execute();
    assert.deepEqual(
      runs.map(({ thread_id }) => thread_id),
      [later.thread_id],
    );
    assert.equal((await engine.service.store.db.selectFrom('steps').select('id').execute()).length, 1);
    assert.equal(await engine.counts().then(({ threads: count }) => count), 2);
  });

  it('leaves a thread alone whose run waits', async () => {
    const { threads, pass, sweep, exists, assistant_id, engine } = await open(1, hangs());
    const { id, thread_id } = await threads.createAndRun({ assistant_id });
    await until(async () => (await threads.runs.retrieve(id, { thread_id })).status === 'in_progress');
    await engine.service.store.db.updateTable('runs').set({ expires_at: 4_000_000_000 }).execute();
    pass(30);
    await sweep(2);
    assert.equal(await exists(thread_id), true);
  });

  it('takes many, and long ones, step by step, and makes the file smaller', async () => {
    const { threads, pass, sweep, exists, engine, database } = await open(1, says('Hello'));
    const { db } = engine.service.store;
    const { id: long } = await threads.create();
    const now = engine.service.now();
    const content = 'x'.repeat(1000);
    await insertMessages(
      db,
      Array.from({ length: 3000 }, () => newMessage(long, { role: 'user', content }, now)),
    );
    for (let i = 0; i < 300; i++) await insertThread(db, newThread({}, now));
    const size = async () => {
      await sql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(db);
      return statSync(database).size;
    };
    const before = kind === 'SQLite' ? await size() : 0;
    pass(2);
    await sweep();
    assert.equal(await exists(long), true, 'a step is a small one');
    await sweep(40);
    assert.deepEqual(await engine.counts(), { threads: 0, runs: 0 });
    if (kind === 'SQLite') assert.ok((await size()) < before / 4, `${await size()} of ${before}`);
  });
});
