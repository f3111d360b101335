/**
 * Three processes on one database: killed, stopped for longer than their lease and let go on, cut off from the server, at
 * random moments. Then an audit of the database against what clients and readers had been told.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { StartedEngine } from '../../engine/start.ts';
import type { Row } from '../../engine/store/records.ts';
import { type Frame, framesOf, hangs, ScriptedModel, send, Workshop } from '../engine/support.ts';
import { withPostgres } from '../support/databases.ts';
import { startPostgres, type TestPostgres } from '../support/postgres-server.ts';
import { until } from '../support/until.ts';
import { buildChild } from './build-child.ts';
import { auditTold, auditTurns, readJournal } from './journal.ts';
import { limit, report, size } from './sizes.ts';

const KILLS = size(100, 1000);
const PROCESSES = 3;
/** Beside so many kills, one pause beyond the lease, one cut of all connections, one crash or restart of the server. */
const KILLS_A_PAUSE = 12;
const KILLS_A_CUT = 6;
const KILLS_A_RESTART = 20;
const LEASE_MS = 2500;
const PAUSE_MS = 4000;
/** Runs at once in each process, of which each wants more. */
const CAPACITY = 4;
/** One of so many runs has a reader on a machine of its own. */
const RUNS_A_READER = 3;

describe('three processes on one database that are killed, stopped and cut off', function () {
  this.timeout(limit(240_000));
  const workshop = new Workshop();
  /** Of its own, to be restarted; none where the tests have been given one. */
  let server: TestPostgres | undefined;
  before(async () => {
    if (!process.env.OPENAI_RUNS_TEST_POSTGRES) server = await startPostgres({ durable: true });
  });
  after(async () => {
    await workshop.cleanUp();
    await server?.stop();
  });

  /** What readers elsewhere have seen, by run. */
  const seen = new Map<string, Frame[]>();
  const readers: Promise<void>[] = [];
  const done = { kills: 0, pauses: 0, cuts: 0, restarts: 0, crashes: 0 };
  let created = 0;

  async function read(engine: StartedEngine, { id, thread_id }: { id: string; thread_id: string }) {
    const path = `/threads/${thread_id}/runs/${id}?stream=true&starting_after=`;
    const frames: Frame[] = [];
    seen.set(id, frames);
    // A run that waits for its tools ends the stream; its reader comes back for the rest, however long it waits.
    while (true) {
      const response = await send(engine, 'GET', `${path}${frames.length}`);
      frames.push(...(await framesOf(response)).filter(({ event }) => event !== 'done'));
      if (frames.at(-1)?.event !== 'thread.run.requires_action') return;
      await sleep(100);
      // Asked again while it still waits, it says so again.
      if ((await statusOf(engine, thread_id, id)) === 'requires_action') frames.pop();
    }
  }
  const statusOf = async (engine: StartedEngine, thread: string, id: string): Promise<string> =>
    ((await (await send(engine, 'GET', `/threads/${thread}/runs/${id}`)).json()) as { status: string })
      .status;

  async function play(child: string, database: string, journal: string, reader: StartedEngine) {
    const victim = fork(child, [database, journal, String(CAPACITY), String(LEASE_MS)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let complaint = '';
    victim.stderr!.on('data', (text) => {
      complaint += text;
    });
    victim.on('message', (message) => {
      if (typeof message !== 'object' || created++ % RUNS_A_READER !== 0) return;
      readers.push(read(reader, message as { id: string; thread_id: string }));
    });
    const exited = once(victim, 'exit');
    await Promise.race([once(victim, 'message'), exited]);
    return { victim, exited, complaint: () => complaint };
  }

  async function lane(start: () => ReturnType<typeof play>, cut: () => Promise<void>): Promise<void> {
    while (done.kills < KILLS) {
      const { victim, exited, complaint } = await start();
      const number = ++done.kills;
      await sleep(Math.random() ** 2 * 600);
      if (number % KILLS_A_CUT === 0) await atServer(cut);
      if (server && number % KILLS_A_RESTART === 0) await atServer(() => restart(server!));
      if (number % KILLS_A_PAUSE === 0) {
        done.pauses++;
        await pause(victim);
      }
      victim.kill('SIGKILL');
      const [, signal] = await exited;
      assert.equal(signal, 'SIGKILL', complaint());
    }
  }

  /** The lanes share one server: what one does to it is over before the next does anything. */
  let atWork: Promise<void> = Promise.resolve();
  function atServer(act: () => Promise<void>): Promise<void> {
    atWork = atWork.then(act);
    return atWork;
  }

  async function restart(server: TestPostgres): Promise<void> {
    if ((done.restarts + done.crashes) % 2 === 0) {
      done.crashes++;
      await server.crash();
    } else {
      done.restarts++;
      await server.pause();
    }
    await server.start();
    await sleep(Math.random() * 500);
  }

  async function pause(victim: ChildProcess): Promise<void> {
    victim.kill('SIGSTOP');
    await sleep(PAUSE_MS);
    victim.kill('SIGCONT');
    await sleep(500);
  }

  async function audit(client: Client, journal: string): Promise<object> {
    const all = async <T>(text: string): Promise<T[]> => (await client.query(text)).rows;
    const rows = await all<Row<'runs'>>('select * from runs');
    const runs = new Map(rows.map((row) => [row.id, row]));
    const told = readJournal(journal);
    auditTold(told, runs);
    const turns = auditTurns(told, runs);

    // Every run has ended or waits for its tools, and its parts with it.
    const count = (status: string) => rows.filter((row) => row.status === status).length;
    for (const status of ['queued', 'in_progress', 'cancelling']) assert.equal(count(status), 0, status);
    const open = (await all<{ run_id: string }>("select run_id from steps where status = 'in_progress'")).map(
      ({ run_id }) => run_id,
    );
    const waiting = rows.filter(({ status }) => status === 'requires_action').map(({ id }) => id);
    assert.deepEqual(open.toSorted(), waiting.toSorted());
    assert.deepEqual(await all("select id from messages where status = 'in_progress'"), []);

    // User messages stand once; a completed run has exactly its one answer; a failed one says why.
    const messages = await all<{ role: string; run_id: string | null; content: string }>(
      'select role, run_id, content from messages',
    );
    const asked = messages.filter(({ role }) => role === 'user').map(({ content }) => content);
    assert.equal(new Set(asked).size, asked.length);
    assert.equal(asked.length, rows.length);
    for (const row of rows) {
      const answers = messages.filter(({ run_id }) => run_id === row.id);
      if (row.status === 'completed') {
        assert.equal(answers.length, 1);
        assert.match(JSON.parse(answers[0]!.content)[0].text.value, /^You said (text|tool|stop)-\d+-\d+$/);
      }
      if (row.status === 'failed') assert.match(row.last_error!, /The service was stopped while/);
    }
    return { runs: rows.length, turns, failed: count('failed'), completed: count('completed') };
  }

  /** What each reader has seen is complete and in order. */
  function auditReaders(runs: Map<string, string>): number {
    let events = 0;
    for (const [id, frames] of seen) {
      const names = frames.map(({ event }) => event);
      events += names.length;
      assert.deepEqual(names.slice(0, 2), ['thread.run.created', 'thread.run.queued'], id);
      assert.equal(names.at(-1), `thread.run.${runs.get(id)}`, id);
      for (const part of ['message.created', 'message.completed', 'run.completed', 'run.failed']) {
        assert.ok(names.filter((name) => name === `thread.${part}`).length < 2, `${id}: ${part} twice`);
      }
      const whole = frames.find(({ event }) => event === 'thread.message.completed')?.data.content[0].text
        .value;
      if (whole === undefined) continue;
      const pieces = frames.filter(({ event }) => event === 'thread.message.delta');
      assert.equal(pieces.map(({ data }) => data.delta.content[0].text.value).join(''), whole, id);
    }
    return events;
  }

  it(`loses nothing, repeats nothing and leaves nothing open, ${KILLS} times`, async () => {
    const folder = await workshop.folder();
    const [child, journal] = [path.join(folder, 'child.mjs'), path.join(folder, 'journal')];
    const database = server?.address ?? (await workshop.database('PostgreSQL'));
    writeFileSync(journal, '');
    await buildChild(child);
    const model = new ScriptedModel(hangs());
    const internals = { leaseMs: LEASE_MS };
    const { engine: reader } = await workshop.open(model, { database, capacity: 0 }, internals);
    const schema = new URL(database).searchParams.get('schema') ?? 'openai_runs';
    const cut = async () => {
      done.cuts++;
      await withPostgres(database, async (client) => {
        await client.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'openai-runs ${schema}'`,
        );
      });
      await sleep(Math.random() * 300);
    };
    await Promise.all(
      Array.from({ length: PROCESSES }, () => lane(() => play(child, database, journal, reader), cut)),
    );
    // What was queued at the last kill is taken up here, by a model that never answers.
    const last = await workshop.open(model, { database, assistants: [{ id: 'actor' }] }, internals);
    const { db } = reader.service.store;
    const left = (status: 'queued' | 'in_progress' | 'cancelling') =>
      db.selectFrom('runs').select('id').where('status', '=', status).execute();
    await until(async () => (await left('queued')).length + (await left('cancelling')).length === 0, 30_000);
    await last.engine.close();
    await until(async () => (await left('in_progress')).length === 0, 30_000);
    await withPostgres(database, async (client) => {
      await client.query(`set search_path to "${schema}"`);
      const totals = await audit(client, journal);
      // Those that wait for their tools are waited for no longer.
      await client.query("update runs set expires_at = 0 where status = 'requires_action'");
      await reader.sweep();
      await until(async () => {
        await reader.sweep();
        return (await client.query('select 1 from runs where active = 1')).rows.length === 0;
      }, 30_000);
      await Promise.all(readers);
      const { rows } = await client.query('select id, status from runs');
      const events = auditReaders(new Map(rows.map(({ id, status }) => [id, status])));
      report('postgres', { ...done, ...totals, readers: seen.size, events });
    });
  });
});
