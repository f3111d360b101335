/** Many streams at once on the embedded engine: the longest block of the event loop, and the time for all. */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Model } from '../engine/models/model.ts';
import { startEngine } from '../engine/start.ts';

const COUNTS = [100, 1000, 3000];
const WORDS = 20;

/** A word each few milliseconds, as a provider would send them. */
const model: Model = {
  async *run() {
    for (let word = 0; word < WORDS; word++) {
      yield { type: 'text', delta: `word ${word} ` };
      await sleep(50 + (word % 3) * 10);
    }
    yield { type: 'end', reason: 'stop' };
  },
};

async function measure(count: number): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'runs-bench-'));
  const engine = await startEngine(
    {
      database: path.join(folder, 'runs.sqlite'),
      model: { provider: 'rehearsal' },
      assistants: [{ id: 'asst_1', instructions: 'x' }],
    },
    model,
  );
  const stream = async () => {
    const response = await engine.fetch('http://engine/v1/threads/runs', {
      method: 'POST',
      body: JSON.stringify({
        assistant_id: 'asst_1',
        stream: true,
        thread: { messages: [{ role: 'user', content: 'Hi' }] },
      }),
    });
    let last = '';
    for await (const chunk of response.body ?? []) last = Buffer.from(chunk).toString().slice(-40);
    if (!last.includes('[DONE]')) throw new Error(`a stream ended with ${last}`);
  };
  await Promise.all(Array.from({ length: 20 }, stream));
  const delay = monitorEventLoopDelay({ resolution: 2 });
  delay.enable();
  const begin = performance.now();
  await Promise.all(Array.from({ length: count }, stream));
  const seconds = (performance.now() - begin) / 1000;
  delay.disable();
  const ms = (nanoseconds: number) => (nanoseconds / 1e6).toFixed(0);
  console.log(
    `  ${count} streams: ${seconds.toFixed(1)} s, longest block ${ms(delay.max)} ms, 99 of 100 below ${ms(delay.percentile(99))} ms`,
  );
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
}

// A process each, so that none inherits the other's garbage.
const [, , one] = process.argv;
if (one) await measure(Number(one));
else {
  console.log(`streams at once, ${WORDS} words each in about 1.2 s:`);
  for (const count of COUNTS) {
    const child = fork(import.meta.filename, [String(count)]);
    await new Promise((resolve) => child.once('exit', resolve));
  }
}
