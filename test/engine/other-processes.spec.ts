/** Databases that others use too: dead owners and living ones, locks, full disks, rights. */
import assert from 'node:assert/strict';
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { sleep } from '../../engine/domain/waits.ts';
import { openStore } from '../../engine/store/sqlite/database.ts';
import { until } from '../support/until.ts';
import { hangs, ScriptedModel, says, Workshop } from './support.ts';

const run = promisify(execFile);

describe('a database that others use too', function () {
  this.timeout(60_000);
  let workshop: Workshop;
  let folder: string;
  let count = 0;

  beforeEach(() => {
    workshop = new Workshop();
    folder = mkdtempSync(path.join(tmpdir(), 'runs-others-'));
  });
  afterEach(async () => {
    await workshop.cleanUp();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A run in progress whose worker's row is as given; the engine that began it is closed. */
  async function leftBy(worker: { host: string; pid: number; seen_at: number }) {
    const database = path.join(folder, `left-${count++}.sqlite`);
    const first = await workshop.open(new ScriptedModel(hangs()), { database });
    const { id: assistant_id } = await first.client.beta.assistants.create({ model: 'm', instructions: 'x' });
    const made = await first.client.beta.threads.createAndRun({ assistant_id });
    await until(
      async () =>
        (await first.client.beta.threads.runs.retrieve(made.id, { thread_id: made.thread_id })).status ===
        'in_progress',
    );
    await first.engine.close();
    const store = await openStore(database);
    await store.db
      .insertInto('workers')
      .values({ id: 'left', ...worker })
      .execute();
    await store.db
      .updateTable('runs')
      .set({ status: 'in_progress', active: 1, worker: 'left', failed_at: null, expires_at: 4_000_000_000 })
      .execute();
    await store.close();
    const again = await workshop.open(new ScriptedModel(says('Hello')), { database });
    const look = async () =>
      (await again.client.beta.threads.runs.retrieve(made.id, { thread_id: made.thread_id })).status;
    return { look, engine: again.engine };
  }

  /** How this process signs, up to its start. */
  const scope = () => {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  };
  const linux = process.platform === 'linux';

  it('is freed of a dead owner whose number is in use again, by this very process or another', async function () {
    if (!linux) this.skip();
    const seen_at = Date.now();
    for (const worker of [
      // A container's: same name, number 1, and that is us; or our own number, from before.
      { host: `${scope()} 1`, pid: process.pid, seen_at },
      { host: `${scope()} 1`, pid: process.ppid, seen_at },
      { host: `${scope()} 1`, pid: 2 ** 22 + 1, seen_at },
      // Nothing certain is known of these: their silence tells.
      { host: hostname(), pid: process.pid, seen_at: seen_at - 60_000 },
      { host: 'elsewhere', pid: 1, seen_at: seen_at - 60_000 },
    ]) {
      const { look } = await leftBy(worker);
      await until(async () => (await look()) === 'failed');
    }
  });

  it('is left to an owner that gives signs of life, whatever its number', async () => {
    for (const worker of [
      { host: hostname(), pid: 2 ** 22 + 1 },
      { host: 'elsewhere', pid: 1 },
      { host: hostname(), pid: process.pid },
    ]) {
      const { look, engine } = await leftBy({ ...worker, seen_at: Date.now() + 5_000 });
      await engine.sweep();
      await engine.sweep();
      assert.equal(await look(), 'in_progress', JSON.stringify(worker));
      await engine.close();
    }
  });

  it('judges nobody right after the clock was set', async () => {
    let ahead = 0;
    const database = path.join(folder, 'clock.sqlite');
    const first = await workshop.open(new ScriptedModel(hangs()), { database });
    const { id: assistant_id } = await first.client.beta.assistants.create({ model: 'm', instructions: 'x' });
    const made = await first.client.beta.threads.createAndRun({ assistant_id });
    const second = await workshop.open(new ScriptedModel(says('x')), {
      database,
      clock: () => Date.now() + ahead,
    });
    const store = await openStore(database);
    // As another machine would have signed.
    await store.db
      .updateTable('workers')
      .set({ host: 'elsewhere' } as never)
      .execute();
    await store.close();
    ahead = 300_000;
    await second.engine.sweep();
    const { status } = await second.client.beta.threads.runs.retrieve(made.id, { thread_id: made.thread_id });
    assert.notEqual(status, 'failed');
  });

  it('is opened by two at once after a kill', async () => {
    const database = path.join(folder, 'killed.sqlite');
    const script = path.join(import.meta.dirname, '../campaign/kills-child.ts');
    for (let round = 0; round < 4; round++) {
      const child = fork(script, [database, path.join(folder, 'journal')], { stdio: 'ignore' });
      await once(child, 'message');
      await sleep(60);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const opened = await Promise.all(
        Array.from({ length: 3 }, () =>
          run(process.execPath, [path.join(import.meta.dirname, 'opening-child.ts'), database]),
        ),
      );
      assert.deepEqual(
        opened.map(({ stdout }) => stdout.trim()),
        ['opened', 'opened', 'opened'],
      );
    }
  });

  it('waits for a lock without stopping the process', async () => {
    const database = path.join(folder, 'locked.sqlite');
    const { client } = await workshop.open(new ScriptedModel(says('Hello')), { database });
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'm', instructions: 'x' });
    const other = new DatabaseSync(database);
    other.exec('BEGIN IMMEDIATE');
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const made = client.beta.threads.createAndRun({ assistant_id });
    await sleep(1500);
    delay.disable();
    other.exec('COMMIT');
    other.close();
    const { id, thread_id } = await made;
    await until(
      async () => (await client.beta.threads.runs.retrieve(id, { thread_id })).status === 'completed',
    );
    // It was 5 s in one piece.
    assert.ok(delay.max / 1e6 < 2500, `${delay.max / 1e6} ms`);
  });

  it('says what to do about a lock, a full disk, a file that is read only', async () => {
    const database = path.join(folder, 'faults.sqlite');
    const { engine, client } = await workshop.open(new ScriptedModel(says('Hello')), { database });
    const fails = async (code: string, words: RegExp) =>
      assert.rejects(client.beta.threads.create({ metadata: { a: 'x'.repeat(500) } }), (error) => {
        assert.deepEqual(
          [(error as { status?: number }).status, (error as { code?: string }).code],
          [503, code],
        );
        assert.match((error as Error).message, words);
        return true;
      });
    const pragma = (text: string) => sql`${sql.raw(`PRAGMA ${text}`)}`.execute(engine.service.store.db);
    await pragma('query_only = 1');
    await fails('database_read_only', /right to write/);
    await pragma('query_only = 0');
    await pragma('max_page_count = 1');
    await assert.rejects(async () => {
      for (let i = 0; i < 100; i++) await client.beta.threads.create({ metadata: { a: 'x'.repeat(500) } });
    }, /disk of the database is full/);
    await pragma('max_page_count = 1000000');
    await client.beta.threads.create();
  });

  it('can be read by nobody else', async function () {
    if (process.platform === 'win32') this.skip();
    const database = path.join(folder, 'made', 'here', 'runs.sqlite');
    const { client } = await workshop.open(new ScriptedModel(says('Hello')), { database });
    await client.beta.threads.create();
    const mode = (file: string) => (statSync(file).mode & 0o777).toString(8);
    assert.deepEqual([database, `${database}-wal`, `${database}-shm`, path.dirname(database)].map(mode), [
      '600',
      '600',
      '600',
      '700',
    ]);
    // What a user has made for it stays as it is.
    const own = path.join(folder, 'own');
    mkdirSync(own, { mode: 0o755 });
    const second = await workshop.open(new ScriptedModel(says('Hello')), {
      database: path.join(own, 'x.sqlite'),
    });
    await second.client.beta.threads.create();
    assert.deepEqual([mode(own), mode(path.join(own, 'x.sqlite'))], ['755', '600']);
  });
});
