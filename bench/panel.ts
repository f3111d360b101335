/** The tab "Runs" with 100 and with 100,000 runs: how soon it stands there; and how it goes on while 50 runs stream. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { startEngine } from '../engine/start.ts';
import { openBrowser } from '../test/support/browser.ts';
import { Editor } from '../test/support/editor.ts';
import { startNodeRed } from '../test/support/node-red.ts';
import { FLOWS, OPEN, openPanel, rowsOf } from '../test/support/panel.ts';

const STREAMS = 50;
const folder = mkdtempSync(path.join(tmpdir(), 'runs-bench-'));

/** A database with so many runs that have ended, each with a question and an answer. */
async function fill(count: number): Promise<string> {
  const database = path.join(folder, `${count}.sqlite`);
  const engine = await startEngine({ database, model: { provider: 'rehearsal' } }, { async *run() {} });
  const { db } = engine.service.store;
  const now = engine.service.now() - count;
  const usage = '{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}';
  const said = '[{"type":"text","text":{"value":"A few words, as people say them.","annotations":[]}}]';
  const options = JSON.stringify({ instructions: 'You tend a greenhouse. '.repeat(20) });
  const numbers = sql`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;
  await sql`INSERT INTO threads (id, created_at, tool_resources, metadata)
    ${numbers} SELECT 'thread_' || i, ${now} + i, '{}', '{}' FROM n`.execute(db);
  for (const role of ['user', 'assistant']) {
    await sql`INSERT INTO messages (id, thread_id, created_at, role, status, content, attachments, metadata, run_id)
      ${numbers} SELECT ${role} || i, 'thread_' || i, ${now} + i, ${role}, 'completed', ${said}, '[]', '{}',
      CASE ${role} WHEN 'user' THEN NULL ELSE 'run_' || i END FROM n`.execute(db);
  }
  await sql`INSERT INTO runs (id, thread_id, assistant_id, status, created_at, completed_at, usage, metadata, options)
    ${numbers} SELECT 'run_' || i, 'thread_' || i, 'asst_greenhouse', 'completed', ${now} + i, ${now} + i + 3,
    ${usage}, '{}', ${options} FROM n`.execute(db);
  const blocks = monitorEventLoopDelay({ resolution: 1 });
  const timed = async (what: string, work: () => Promise<unknown>) => {
    await delay(50);
    blocks.reset();
    blocks.enable();
    const start = performance.now();
    await work();
    blocks.disable();
    const longest = (blocks.max / 1e6).toFixed(0);
    console.log(
      `${count} runs, ${what}: ${(performance.now() - start).toFixed(0)} ms, longest block ${longest} ms`,
    );
  };
  await timed('first page', () => engine.overview.list({}, 60));
  await timed('page in the middle', () => engine.overview.list({}, 60, count / 2));
  await timed('sums', () => engine.overview.sums({}));
  await engine.close();
  return database;
}

/** Runs that stream at the same time, and what the browser's page was held up by. */
async function look(count: number, database: string, streams: number): Promise<void> {
  const flows = FLOWS.map((node) => (node.id === OPEN ? { ...node, database } : node));
  const [red, browser] = await Promise.all([startNodeRed({ flows }), openBrowser()]);
  try {
    const editor = await Editor.open(browser, red.address);
    const start = performance.now();
    const panel = await openPanel(editor);
    await rowsOf(panel).nth(3).waitFor();
    console.log(`${count} runs: the tab stands there after ${(performance.now() - start).toFixed(0)} ms`);
    if (streams === 0) return;
    await delay(3000);
    await editor.page.evaluate(() => {
      const page = window as unknown as { tasks: number[] };
      page.tasks = [];
      new PerformanceObserver((list) =>
        page.tasks.push(...list.getEntries().map((one) => one.duration)),
      ).observe({
        type: 'longtask',
      });
    });
    const talks = Array.from({ length: streams }, async () => {
      const response = await fetch(`${red.address}/openai-runs-panel/${OPEN}/chat`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ assistant_id: 'asst_greenhouse', text: 'rehearse slow' }),
      });
      await response.text();
    });
    await Promise.race([Promise.all(talks), delay(20_000)]);
    const tasks = await editor.page.evaluate(() => (window as unknown as { tasks: number[] }).tasks);
    const longest = Math.max(0, ...tasks).toFixed(0);
    console.log(`${streams} runs stream: ${tasks.length} long tasks (over 50 ms), the longest ${longest} ms`);
  } finally {
    await browser.close();
    await red.stop();
  }
}

try {
  await look(100, await fill(100), 0);
  await look(100_000, await fill(100_000), STREAMS);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
