/** kill -9 at random moments, many times, then an audit of the database against what clients had been told. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Row } from '../../engine/store/records.ts';
import { hangs, ScriptedModel, Workshop } from '../engine/support.ts';
import { until } from '../support/until.ts';
import { buildChild } from './build-child.ts';
import { auditTold, auditTurns, readJournal } from './journal.ts';
import { FULL, limit, report, size } from './sizes.ts';

const KILLS = size(32, 1000);
const LANES = 4;
/** Bytes that a process notes at most before it is killed; some forty tell of one run. */
const NOTES = 6000;

describe('a process that is killed', function () {
  this.timeout(limit(180_000));
  const workshop = new Workshop();
  after(() => workshop.cleanUp());

  /** The child in one file: it is started many times. */
  let child: string;
  before(async () => {
    child = path.join(await workshop.folder(), 'child.mjs');
    await buildChild(child);
  });

  /** Statuses of runs at the moments of the kills, to see that all states were met. */
  const met: Record<string, number> = {};
  const totals = { runs: 0, turns: 0, messages: 0, failed: 0 };

  async function killOnce(database: string, journal: string): Promise<void> {
    const victim = fork(child, [database, journal], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let complaint = '';
    victim.stderr!.on('data', (text) => {
      complaint += text;
    });
    const exited = once(victim, 'exit');
    await Promise.race([once(victim, 'message'), exited]);
    // So much is to be noted before the kill, whatever the machine's speed.
    const enough = statSync(journal).size + Math.random() ** 2 * NOTES;
    while (statSync(journal).size < enough && victim.exitCode === null) await sleep(1);
    await sleep(Math.random() * 5);
    victim.kill('SIGKILL');
    const [, signal] = await exited;
    assert.equal(signal, 'SIGKILL', complaint);
    const db = new DatabaseSync(database, { readOnly: true });
    for (const row of db.prepare('SELECT status, count(*) AS n FROM runs GROUP BY status').all()) {
      if (['queued', 'in_progress', 'requires_action', 'cancelling'].includes(String(row.status))) {
        met[String(row.status)] = (met[String(row.status)] ?? 0) + Number(row.n);
      }
    }
    db.close();
  }

  async function audit(database: string, journal: string): Promise<void> {
    const { engine } = await workshop.open(new ScriptedModel(hangs()), {
      database,
      assistants: [{ id: 'actor' }],
    });
    const { db } = engine.service.store;
    // What was queued at the last kill is running now, on a model that never answers.
    await until(async () => {
      const queued = await db
        .selectFrom('runs')
        .select('id')
        .where('status', 'in', ['queued', 'cancelling'])
        .execute();
      return queued.length === 0;
    });
    await engine.close();
    const file = new DatabaseSync(database, { readOnly: true });
    assert.deepEqual(
      file
        .prepare('PRAGMA integrity_check')
        .all()
        .map((row) => row.integrity_check),
      ['ok'],
    );
    assert.deepEqual(file.prepare('PRAGMA foreign_key_check').all(), []);
    const rows = file.prepare('SELECT * FROM runs').all() as unknown as Row<'runs'>[];
    const runs = new Map(rows.map((row) => [row.id, row]));
    const told = readJournal(journal);
    auditTold(told, runs);
    for (const [id] of told.of('thread')) {
      assert(file.prepare('SELECT 1 FROM threads WHERE id = ?').get(id), `thread ${id} is lost`);
    }
    const turns = auditTurns(told, runs);

    // Every run has ended or waits for its tools, and its parts with it.
    const left = rows.filter(
      ({ status }) => status === 'queued' || status === 'in_progress' || status === 'cancelling',
    );
    assert.deepEqual(left, []);
    const open = file
      .prepare("SELECT run_id FROM steps WHERE status = 'in_progress'")
      .all()
      .map(({ run_id }) => String(run_id));
    const waiting = rows.filter(({ status }) => status === 'requires_action').map(({ id }) => id);
    assert.deepEqual(open.toSorted(), waiting.toSorted());
    assert.equal(file.prepare("SELECT count(*) AS n FROM messages WHERE status = 'in_progress'").get()!.n, 0);

    // User messages stand once; a completed run has exactly its one answer; a failed one says why.
    const tags = file
      .prepare("SELECT content FROM messages WHERE role = 'user'")
      .all()
      .map(({ content }) => String(content));
    assert.equal(new Set(tags).size, tags.length);
    assert.equal(tags.length, rows.length);
    const answers = file.prepare('SELECT content, status FROM messages WHERE run_id = ?');
    for (const row of rows) {
      if (row.status === 'completed') {
        const found = answers.all(row.id);
        assert.equal(found.length, 1);
        const [{ text }] = JSON.parse(String(found[0]!.content));
        assert.match(text.value, /^You said (text|tool|stop)-\d+-\d+$/);
        const steps = file.prepare('SELECT type, usage FROM steps WHERE run_id = ? ORDER BY seq').all(row.id);
        const used = steps.reduce((sum, { usage }) => sum + JSON.parse(String(usage)).total_tokens, 0);
        assert.equal(JSON.parse(row.usage).total_tokens, used);
        assert.equal(used, 3 * steps.length);
      }
      if (row.status === 'failed') {
        totals.failed++;
        assert.match(row.last_error!, /The service was stopped while the run was in progress/);
      }
    }
    totals.runs += rows.length;
    totals.turns += turns;
    totals.messages += Number(file.prepare('SELECT count(*) AS n FROM messages').get()!.n);
    file.close();
  }

  it(`loses nothing, repeats nothing and leaves nothing open, ${KILLS} times`, async () => {
    const lanes = Array.from({ length: LANES }, async () => {
      const folder = await workshop.folder();
      const [database, journal] = [path.join(folder, 'runs.sqlite'), path.join(folder, 'journal')];
      writeFileSync(journal, '');
      for (let i = 0; i < KILLS / LANES; i++) await killOnce(database, journal);
      await audit(database, journal);
    });
    await Promise.all(lanes);
    // A few kills may miss some of the states.
    for (const status of FULL ? ['queued', 'in_progress', 'requires_action'] : [])
      assert(met[status], `never killed while ${status}`);
    assert(totals.runs > KILLS, JSON.stringify(totals));
    report('kills', { kills: KILLS, met, ...totals });
  });
});
