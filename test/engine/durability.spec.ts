/** The database file: opened, migrated, damaged, full, killed. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { EngineStartError } from '../../engine/domain/errors.ts';
import { realPath } from '../../engine/store/sqlite/database.ts';
import { MIGRATIONS } from '../../engine/store/sqlite/migrations.ts';
import { until } from '../support/until.ts';
import { calls, framesOf, type Script, ScriptedModel, says, send, startRun, Workshop } from './support.ts';

const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

describe('the database', () => {
  const workshop = new Workshop();
  afterEach(() => workshop.cleanUp());

  const inFolder = async (name: string) => path.join(await workshop.folder(), name);

  const withRun = (script: Script, database?: string) => startRun(workshop, script, database);

  it('is in WAL mode with foreign keys on', async () => {
    const { engine } = await workshop.open(new ScriptedModel(says('x')));
    const pragma = async (name: string) =>
      Object.values(
        (await sql<object>`${sql.raw(`PRAGMA ${name}`)}`.execute(engine.service.store.db)).rows[0]!,
      )[0];
    assert.equal(await pragma('journal_mode'), 'wal');
    assert.equal(await pragma('foreign_keys'), 1);
    assert.equal(await pragma('user_version'), MIGRATIONS.length);
  });

  it('comes up to date from every earlier format, with what is in it', async () => {
    for (let version = 1; version < MIGRATIONS.length; version++) {
      const { database, engine, reaches, run } = await withRun(calls(['f', {}]));
      await reaches('requires_action');
      await engine.close();
      // What a process of that version would have written: the columns that it had, with the same values.
      const file = await inFolder('runs.sqlite');
      const old = new DatabaseSync(file);
      for (const statements of MIGRATIONS.slice(0, version)) old.exec(statements);
      old.exec(
        `PRAGMA user_version = ${version}; PRAGMA application_id = ${0x52756e73}; ATTACH '${database}' AS now`,
      );
      const isTold =
        old.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'run_origins'").get() !== undefined;
      for (const table of ['assistants', 'threads', 'messages', 'runs', 'steps']) {
        const columns = old.prepare(`SELECT name FROM pragma_table_info('${table}')`).all();
        const names = columns.map(({ name }) => name).join(', ');
        old.exec(`INSERT INTO main.${table} (${names}) SELECT ${names} FROM now.${table}`);
      }
      const origin = { node: 'n', flow: 'f', msgId: 'm', key: undefined, marks: undefined };
      if (isTold)
        old.exec(
          `INSERT INTO main.run_origins (run_id, node_id, flow_id, msg_id) VALUES ('${run.id}', 'n', 'f', 'm')`,
        );
      old.close();

      const { client, engine: again } = await workshop.open(new ScriptedModel(says('Hello')), {
        database: file,
      });
      const waiting = await client.beta.threads.runs.retrieve(run.id, { thread_id: run.thread_id });
      assert.equal(waiting.status, 'requires_action');
      const [row] = await again.overview.rows([run.id]);
      assert.deepEqual(row?.origin, isTold ? origin : undefined);
      await assert.rejects(
        client.beta.threads.messages.create(run.thread_id, { role: 'user', content: 'x' }),
        /while a run run_\w+ is active/,
      );
      const [call] = waiting.required_action!.submit_tool_outputs.tool_calls;
      const ended = await client.beta.threads.runs
        .submitToolOutputsStream(run.id, {
          thread_id: run.thread_id,
          tool_outputs: [{ tool_call_id: call!.id, output: '1' }],
        })
        .finalRun();
      assert.equal(ended.status, 'completed');
      const version_ = await sql<{ user_version: number }>`PRAGMA user_version`.execute(
        again.service.store.db,
      );
      assert.equal(version_.rows[0]!.user_version, MIGRATIONS.length);
    }
  });

  it('is never searched row by row', async () => {
    const texts = new Set<string>();
    const prepare = DatabaseSync.prototype.prepare;
    DatabaseSync.prototype.prepare = function (text, ...rest) {
      texts.add(text);
      return prepare.call(this, text, ...rest);
    };
    try {
      const { client, engine, run, reaches, thread_id } = await withRun(calls(['f', {}]));
      const asked = await reaches('requires_action');
      const tool_outputs = asked.required_action!.submit_tool_outputs.tool_calls.map(({ id }) => ({
        tool_call_id: id,
        output: '1',
      }));
      await client.beta.threads.runs.submitToolOutputs(run.id, { thread_id, tool_outputs });
      await reaches('requires_action');
      await client.beta.threads.runs.cancel(run.id, { thread_id });
      await reaches('cancelled');
      await engine.sweep();
      const [last] = (await client.beta.threads.messages.list(thread_id, { limit: 1 })).data;
      await client.beta.threads.messages.list(thread_id, { run_id: run.id });
      await client.beta.threads.messages.list(thread_id, { after: last!.id, order: 'asc' });
      await client.beta.threads.runs.list(thread_id);
      await client.beta.threads.runs.steps.list(run.id, { thread_id });
      await client.beta.threads.messages.delete(last!.id, { thread_id });
      await client.beta.threads.delete(thread_id);
    } finally {
      DatabaseSync.prototype.prepare = prepare;
    }
    const file = new DatabaseSync(':memory:');
    for (const statements of MIGRATIONS) file.exec(statements);
    const looked = [...texts].filter(
      (text) => /\b(where|from)\b/i.test(text) && /"(messages|runs|steps|threads)"/.test(text),
    );
    assert(looked.length > 20, `${looked.length} queries seen`);
    for (const text of looked) {
      for (const { detail } of file.prepare(`EXPLAIN QUERY PLAN ${text}`).all()) {
        assert(!/^SCAN (messages|runs|steps|threads)$/.test(String(detail)), `${detail}: ${text}`);
      }
    }
    file.close();
  });

  const refusal = (open: Promise<unknown>, pattern: RegExp) =>
    assert.rejects(open, (error: unknown) => {
      assert(error instanceof EngineStartError);
      assert.match(error.message, pattern);
      assert(!error.message.includes('\n'));
      return true;
    });
  const opening = (database: string) => workshop.open(new ScriptedModel(says('x')), { database });

  it('that is damaged is refused and left untouched', async () => {
    const garbage = await inFolder('garbage.sqlite');
    writeFileSync(garbage, 'This is not a database, whatever its name says.'.repeat(100));
    const torn = await withRun(says('Hello'));
    await torn.reaches('completed');
    await torn.engine.close();
    const bytes = readFileSync(torn.database);
    bytes.fill(0xff, 4096, 3 * 4096);
    writeFileSync(torn.database, bytes);
    for (const file of [garbage, torn.database]) {
      const before = digest(file);
      await refusal(opening(file), /is damaged or not a SQLite file .*it was left untouched\.$/);
      assert.equal(digest(file), before);
    }
  });

  it('that is newer, or another program’s, is refused and left untouched', async () => {
    const newer = await withRun(says('Hello'));
    await newer.reaches('completed');
    await newer.engine.close();
    const db = new DatabaseSync(newer.database);
    db.exec('PRAGMA user_version = 999');
    db.close();
    const foreign = await inFolder('foreign.sqlite');
    const other = new DatabaseSync(foreign);
    other.exec('CREATE TABLE runs (mine TEXT)');
    other.close();
    for (const [file, pattern] of [
      [newer.database, /written by a newer version .*format 999/],
      [foreign, /belongs to another program/],
    ] as const) {
      const before = digest(file);
      await refusal(opening(file), pattern);
      assert.equal(digest(file), before);
    }
  });

  it('that cannot be written is refused', async () => {
    const folder = await workshop.folder();
    const file = path.join(folder, 'file');
    writeFileSync(file, '');
    await refusal(opening(path.join(file, 'runs.sqlite')), /cannot be opened for writing/);
    const directory = path.join(folder, 'directory.sqlite');
    mkdirSync(directory);
    await refusal(opening(directory), /cannot be opened for writing: it is a folder/);
    // SQLite would take this for a file that is gone after the close.
    await refusal(opening(''), /cannot be opened for writing: it is a folder/);
    if (process.platform !== 'win32') await refusal(opening('/dev/null'), /writing: it is not a file/);
    // As on a drive that is not there.
    assert.equal(
      realPath(path.resolve('/no/drive'), () => false),
      path.resolve('/no/drive'),
    );
    if (process.getuid?.() === 0) return;
    const locked = path.join(folder, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o500);
    await refusal(opening(path.join(locked, 'runs.sqlite')), /cannot be opened for writing/);
  });

  it('says what is needed on a Node.js that has no SQLite', async () => {
    const code = `
      const { createEngine, EngineStartError } = await import('${new URL('../../engine/index.ts', import.meta.url).href}');
      try { await createEngine({ database: ':memory:', model: { provider: 'rehearsal' } }); }
      catch (error) { console.log(error instanceof EngineStartError, error.message); }`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--no-experimental-sqlite',
      '--input-type=module',
      '-e',
      code,
    ]);
    assert.equal(
      stdout.trim(),
      `true The embedded service needs Node.js 22.13 or newer for its database (this is ${process.version}).`,
    );
  });

  it('that is full fails the run, not the process, and the run’s row follows', async () => {
    const { promise: full, resolve: go } = Promise.withResolvers<void>();
    const long: Script = async function* () {
      yield { type: 'text', delta: 'a' };
      await full;
      yield { type: 'text', delta: 'b'.repeat(1_000_000) };
      yield { type: 'end', reason: 'stop' };
    };
    const { engine, client } = await workshop.open(new ScriptedModel(long, says('Fine')));
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'm' });
    const { id: thread_id } = await client.beta.threads.create({
      messages: [{ role: 'user', content: 'Hi' }],
    });
    const response = await send(engine, 'POST', `/threads/${thread_id}/runs`, { assistant_id, stream: true });
    const framing = framesOf(response);
    await until(async () => (await client.beta.threads.messages.list(thread_id)).data.length === 2);
    await sql`PRAGMA max_page_count = 1`.execute(engine.service.store.db);
    go();
    const frames = await framing;
    assert.deepEqual(
      frames.slice(-4).map(({ event }) => event),
      ['thread.message.incomplete', 'thread.run.step.failed', 'thread.run.failed', 'done'],
    );
    assert.match(frames.at(-2)!.data.last_error.message, /full/);
    await sql`PRAGMA max_page_count = 1000000`.execute(engine.service.store.db);
    await engine.sweep();
    const [row] = (await client.beta.threads.runs.list(thread_id)).data;
    assert.equal(row!.status, 'failed');
    const next = await client.beta.threads.runs.createAndPoll(
      thread_id,
      { assistant_id },
      { pollIntervalMs: 1 },
    );
    assert.equal(next.status, 'completed');
  });

  it('that cannot be taken up is let go of again, with whatever was begun', async () => {
    const file = await inFolder('runs.sqlite');
    await (await opening(file)).engine.close();
    const other = new DatabaseSync(file);
    const thread = `INSERT INTO threads VALUES ('thread_a', 0, '{}', '{}', NULL)`;
    const columns = 'id, thread_id, assistant_id, status, active, created_at, usage, metadata, options';
    const run = `INSERT INTO runs (${columns}) VALUES ('run_a', 'thread_a', 'asst_a', 'in_progress', 1, 0, '{}', '{}', '{')`;
    other.exec(`${thread}; ${run}`);
    await refusal(opening(file), /^The embedded service could not start: /);
    assert.deepEqual(other.prepare('SELECT * FROM workers').all(), []);
    other.exec('DELETE FROM runs');
    other.close();
    await (await opening(file)).engine.close();
  });

  it('says which declared assistant is wrong, and where', async () => {
    for (const [declaration, pattern] of [
      [{ id: 'no spaces' }, /The assistant 'no spaces' is not valid: Invalid 'id'/],
      [
        { id: 'hot', temperature: 3 },
        /The assistant 'hot' is not valid: Invalid 'temperature': integer above maximum value/,
      ],
    ] as const) {
      await refusal(workshop.open(new ScriptedModel(says('x')), { assistants: [declaration] }), pattern);
    }
  });
});
