/**
 * What the engine costs, measured in one run and told as ratios where machines differ.
 * `node bench/engine.ts`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Engine } from '../engine/index.ts';
import type { Model, Turn } from '../engine/models/model.ts';
import { newMessage } from '../engine/objects/new-records.ts';
import { type StartedEngine, startEngine } from '../engine/start.ts';
import { insertMessages } from '../engine/store/messages.ts';

const RUNS = 500;
const WORDS = 50;
const LENGTHS = [10, 1000, 100_000];

/** Says fifty words without a pause: what is measured is everything around it. */
const model: Model = {
  async *run() {
    for (let i = 0; i < WORDS; i++) yield { type: 'text', delta: 'word ' };
    yield { type: 'usage', usage: { prompt_tokens: 1, completion_tokens: WORDS, total_tokens: WORDS + 1 } };
    yield { type: 'end', reason: 'stop' };
  },
};

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const ms = (value: number) => `${value.toFixed(2)} ms`;

async function post<T>(engine: Engine, target: string, body: unknown): Promise<T> {
  const response = await engine.fetch(`http://engine.local/v1${target}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as T;
}

/** Milliseconds to the first text and to the end of a streamed run. */
async function streamedRun(
  engine: Engine,
  target: string,
  body: object,
): Promise<{ first: number; total: number }> {
  const start = performance.now();
  const response = await engine.fetch(`http://engine.local/v1${target}`, {
    method: 'POST',
    body: JSON.stringify({ ...body, stream: true }),
  });
  const decoder = new TextDecoder();
  let first = 0;
  let text = '';
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk);
    if (!first && text.includes('thread.message.delta')) first = performance.now() - start;
  }
  if (!text.includes('thread.run.completed')) throw new Error(text.slice(-500));
  return { first, total: performance.now() - start };
}

async function bareModel(): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    for await (const _ of model.run({} as Turn)) {
      times.push(performance.now() - start);
      break;
    }
  }
  return median(times);
}

async function rate(engine: Engine, assistant_id: string, atOnce: number): Promise<number> {
  const thread = { messages: [{ role: 'user', content: 'Hello' }] };
  const start = performance.now();
  let left = RUNS;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) await streamedRun(engine, '/threads/runs', { assistant_id, thread });
    }),
  );
  return RUNS / ((performance.now() - start) / 1000);
}

/** A run and a page of messages on a thread of so many messages. */
async function byLength(engine: StartedEngine, assistant_id: string, count: number) {
  const { id } = await post<{ id: string }>(engine, '/threads', {});
  for (let i = 0; i < count; i += 1000) {
    const messages = Array.from({ length: Math.min(1000, count - i) }, (_, n) =>
      newMessage(id, { role: 'user', content: `This is message number ${i + n} of a long thread.` }, 1),
    );
    await engine.service.store.db.transaction().execute((trx) => insertMessages(trx, messages));
  }
  const runs: number[] = [];
  const pages: number[] = [];
  for (let i = 0; i < 30; i++) {
    runs.push((await streamedRun(engine, `/threads/${id}/runs`, { assistant_id })).total);
    const start = performance.now();
    await (await engine.fetch(`http://engine.local/v1/threads/${id}/messages?limit=20`)).text();
    pages.push(performance.now() - start);
  }
  return { run: median(runs), page: median(pages) };
}

const folder = await mkdtemp(path.join(tmpdir(), 'runs-bench-'));
const engine = await startEngine(
  { database: path.join(folder, 'runs.sqlite'), model: { provider: 'rehearsal' }, contextWindow: 8000 },
  model,
);
const { id: assistant_id } = await post<{ id: string }>(engine, '/assistants', {
  model: 'm',
  instructions: 'Be.',
});
await rate(engine, assistant_id, 10);

console.info(`runs a second, one after another: ${(await rate(engine, assistant_id, 1)).toFixed(0)}`);
console.info(`runs a second, 50 at once:        ${(await rate(engine, assistant_id, 50)).toFixed(0)}`);

const firsts: number[] = [];
for (let i = 0; i < RUNS; i++) {
  const thread = { messages: [{ role: 'user', content: 'Hello' }] };
  firsts.push((await streamedRun(engine, '/threads/runs', { assistant_id, thread })).first);
}
const bare = await bareModel();
console.info(
  `time to the first text: ${ms(median(firsts))}, of the bare model ${ms(bare)}: ${ms(median(firsts) - bare)} added`,
);

let base: { run: number; page: number } | undefined;
for (const count of LENGTHS) {
  const cost = await byLength(engine, assistant_id, count);
  base ??= cost;
  console.info(
    `thread of ${String(count).padStart(6)} messages, window 8000 tokens: run ${ms(cost.run)} (×${(cost.run / base.run).toFixed(2)}), page ${ms(cost.page)} (×${(cost.page / base.page).toFixed(2)})`,
  );
}
await engine.close();
await rm(folder, { recursive: true });
