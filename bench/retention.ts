/** 100,000 threads with a run each, all of them unused for long: size before and after, time and longest block. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as breathe } from 'node:timers/promises';
import { sql } from 'kysely';
import { startEngine } from '../engine/start.ts';

const THREADS = 100_000;
const MB = 2 ** 20;
const DAY_MS = 86_400_000;

const folder = mkdtempSync(path.join(tmpdir(), 'runs-bench-'));
const database = path.join(folder, 'runs.sqlite');
let ahead = 0;

const engine = await startEngine(
  { database, model: { provider: 'rehearsal' }, retentionDays: 30, clock: () => Date.now() + ahead },
  { async *run() {} },
);
const { db } = engine.service.store;
const now = engine.service.now();
const text = 'A few sentences, as people and assistants exchange them. '.repeat(5);
const numbers = sql`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${THREADS})`;
await sql`INSERT INTO threads (id, created_at, tool_resources, metadata)
  ${numbers} SELECT 'thread_' || i, ${now}, '{}', '{}' FROM n`.execute(db);
await sql`INSERT INTO messages (id, thread_id, created_at, role, status, content, attachments, metadata)
  ${numbers} SELECT 'msg_' || i, 'thread_' || i, ${now}, 'user', 'completed', ${text}, '[]', '{}' FROM n`.execute(
  db,
);
await sql`INSERT INTO runs (id, thread_id, assistant_id, status, created_at, completed_at, usage, metadata, options)
  ${numbers} SELECT 'run_' || i, 'thread_' || i, 'asst', 'completed', ${now}, ${now}, '{}', '{}', ${text} FROM n`.execute(
  db,
);
await sql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(db);
const before = statSync(database).size;

ahead = 31 * DAY_MS;
const delay = monitorEventLoopDelay({ resolution: 1 });
const steps: number[] = [];
delay.enable();
while ((await engine.counts()).threads > 0) {
  const begin = performance.now();
  await engine.sweep();
  steps.push(performance.now() - begin);
  await breathe();
}
for (let i = 0; i < 200; i++) await engine.sweep();
delay.disable();
await sql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(db);
steps.sort((a, b) => a - b);
console.log(`retention, ${THREADS} threads with a message and a run each:`);
console.log(`  ${(before / MB).toFixed(0)} MB before, ${(statSync(database).size / MB).toFixed(1)} MB after`);
console.log(
  `  ${steps.length} steps, one a second in use: median ${steps[steps.length >> 1]?.toFixed(1)} ms, longest ${steps.at(-1)?.toFixed(1)} ms`,
);
console.log(`  longest block of the event loop ${(delay.max / 1e6).toFixed(0)} ms`);
await engine.close();
rmSync(folder, { recursive: true, force: true });
