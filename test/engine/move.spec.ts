/** Moving from a file to PostgreSQL and back: all of it, once, and nothing that was not checked. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { moveDatabase } from '../../engine/move/move.ts';
import { withPostgres } from '../support/databases.ts';
import { testPostgres } from '../support/postgres-server.ts';
import { calls, ScriptedModel, says, Workshop } from './support.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const CLI = path.join(import.meta.dirname, '../../engine/move/cli.ts');

describe('moving a database', function () {
  this.timeout(60_000);
  let workshop: Workshop;
  before(() => testPostgres());
  beforeEach(() => {
    workshop = new Workshop();
  });
  afterEach(() => workshop.cleanUp());

  /** A database with runs that have ended and one that waits; closed. */
  async function filled(database: string, threads = 3) {
    const script = new ScriptedModel(
      ...Array.from({ length: threads }, () => says('Hello')),
      calls(['f', {}]),
    );
    const { client, engine } = await workshop.open(script, { database });
    const { id: assistant_id } = await client.beta.assistants.create({
      model: 'm',
      name: 'a\0b',
      instructions: 'x',
    });
    for (let i = 0; i < threads; i++) {
      const thread = { messages: [{ role: 'user' as const, content: `Grüße ${i} 🙂` }] };
      await client.beta.threads.createAndRunPoll({ assistant_id, thread }, { pollIntervalMs: 5 });
    }
    const waiting = await client.beta.threads.createAndRunPoll(
      { assistant_id },
      { pollIntervalMs: 5, headers: { 'idempotency-key': 'waits' } },
    );
    assert.equal(waiting.status, 'requires_action');
    await engine.close();
    return waiting;
  }

  it('takes everything along, there and back, and the run that waits goes on', async () => {
    const file = await workshop.database('SQLite');
    const server = await workshop.database('PostgreSQL');
    const back = await workshop.database('SQLite');
    const waiting = await filled(file);
    const rows = {
      assistants: 1,
      threads: 4,
      messages: 6,
      runs: 4,
      steps: 4,
      idempotency_keys: 1,
      run_origins: 0,
    };
    assert.deepEqual(await moveDatabase({ from: file, to: server, log: silent }), { rows });
    const there = await workshop.open(new ScriptedModel(says('Thanks')), { database: server });
    const { id, thread_id, required_action } = waiting;
    const run = await there.client.beta.threads.runs.submitToolOutputsAndPoll(
      id,
      {
        thread_id,
        tool_outputs: [{ tool_call_id: required_action!.submit_tool_outputs.tool_calls[0]!.id, output: '' }],
      },
      { pollIntervalMs: 5 },
    );
    assert.equal(run.status, 'completed');
    const { data } = await there.client.beta.threads.messages.list(thread_id);
    assert.equal(data.length, 1);
    await there.engine.close();
    const moved = await moveDatabase({ from: server, to: back, log: silent });
    assert.deepEqual(moved.rows, { ...rows, messages: 7, steps: 5 });
    const again = await workshop.open(new ScriptedModel(says('x')), { database: back });
    assert.equal((await again.client.beta.threads.messages.list(thread_id)).data[0]!.id, data[0]!.id);
  });

  it('goes on where it was broken off', async () => {
    const file = await workshop.database('SQLite');
    const server = await workshop.database('PostgreSQL');
    await filled(file, 8);
    const { rows } = await moveDatabase({ from: file, to: server, log: silent });
    await withPostgres(server, async (client) => {
      await client.query('delete from steps where seq > 3');
      await client.query('delete from messages where seq > 5');
      await client.query('delete from runs where seq > 4');
    });
    assert.deepEqual((await moveDatabase({ from: file, to: server, log: silent })).rows, rows);
  });

  it('refuses a target with other rows, and databases that are in use', async () => {
    const file = await workshop.database('SQLite');
    const server = await workshop.database('PostgreSQL');
    await filled(file);
    await filled(server, 1);
    await assert.rejects(
      moveDatabase({ from: file, to: server, log: silent }),
      /holds other threads or assistants/,
    );
    const busy = await workshop.database('PostgreSQL');
    await workshop.open(new ScriptedModel(says('x')), { database: busy });
    await assert.rejects(moveDatabase({ from: file, to: busy, log: silent }), /The target is in use/);
    await assert.rejects(moveDatabase({ from: busy, to: file, log: silent }), /The source is in use/);
  });

  it('notices a copy that is not the same', async () => {
    const file = await workshop.database('SQLite');
    const server = await workshop.database('PostgreSQL');
    await filled(file);
    await moveDatabase({ from: file, to: server, log: silent });
    const changed = new DatabaseSync(file);
    changed.exec('UPDATE messages SET metadata = \'{"a":"b"}\' WHERE seq = 1');
    changed.close();
    await assert.rejects(
      moveDatabase({ from: file, to: server, log: silent }),
      /messages is not the same \(6 rows, 6/,
    );
  });

  it('is a command that says how far it is, and what is wrong', async () => {
    const file = await workshop.database('SQLite');
    const server = await workshop.database('PostgreSQL');
    await filled(file);
    const run = (...args: string[]) =>
      promisify(execFile)(process.execPath, [CLI, ...args], { env: { ...process.env, TARGET: server } });
    const { stdout } = await run('migrate', '--from', file, '--to', '$TARGET');
    assert.match(
      stdout,
      /runs: 4 of 4[\s\S]*steps: 4 rows, [0-9a-f]{12} on both sides[\s\S]*Everything is there/,
    );
    for (const [args, code, words] of [
      [[], 2, /--from runs\.sqlite --to postgres:/],
      [['migrate', '--from', `${file}x`, '--to', server], 1, /There is no file/],
      [['migrate', '--from', file, '--to', 'postgres://x'], 1, /not valid/],
    ] as const) {
      await assert.rejects(run(...args), (error: { code?: number; stderr?: string }) => {
        assert.equal(error.code, code);
        assert.match(error.stderr!, words);
        return true;
      });
    }
  });
});
