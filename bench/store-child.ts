/** One machine of bench/store.ts. Arguments: database, capacity. Does what it is told by messages. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Model } from '../engine/models/model.ts';
import { startEngine } from '../engine/start.ts';

const [, , database, capacity] = process.argv as [string, string, string, string];
const WORDS = 50;

/** Milliseconds since 1970, in fractions: the same clock for all processes of a machine. */
const now = () => performance.timeOrigin + performance.now();

/** Says fifty words, at once or, where it is asked for the time, every 20 ms what time it is. */
const model: Model = {
  async *run(turn) {
    const item = turn.items.at(-1);
    const text = item?.type === 'message' && item.content[0]?.type === 'text' ? item.content[0].text : '';
    process.send?.({ asked: text, at: now() });
    for (let i = 0; i < WORDS; i++) {
      if (text.startsWith('time')) await sleep(20);
      yield { type: 'text', delta: text.startsWith('time') ? `${now()} ` : 'word ' };
    }
    yield { type: 'usage', usage: { prompt_tokens: 1, completion_tokens: WORDS, total_tokens: WORDS + 1 } };
    yield { type: 'end', reason: 'stop' };
  },
};

const engine = await startEngine(
  {
    database,
    model: { provider: 'rehearsal' },
    assistants: [{ id: 'asst_bench' }],
    ...(capacity && { capacity: Number(capacity) }),
  },
  model,
);

/** Milliseconds to the first text of a streamed run. */
async function streamedRun(content: string): Promise<number> {
  const start = performance.now();
  const response = await engine.fetch('http://engine.local/v1/threads/runs', {
    method: 'POST',
    body: JSON.stringify({
      assistant_id: 'asst_bench',
      thread: { messages: [{ role: 'user', content }] },
      stream: true,
    }),
  });
  const decoder = new TextDecoder();
  let first = 0;
  let text = '';
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk);
    if (!first && text.includes('thread.message.delta')) first = performance.now() - start;
    if (content.startsWith('time')) tellTimes(text.slice(text.lastIndexOf('event: ')));
  }
  if (!text.includes('thread.run.completed')) throw new Error(text.slice(-500));
  return first;
}

/** How long each word of a machine that says the time has been on its way. */
const told = new Set<string>();
function tellTimes(text: string): void {
  for (const [, time] of text.matchAll(/"value":"([\d.]+) "/g)) {
    if (told.has(time!)) continue;
    told.add(time!);
    process.send?.({ late: now() - Number(time) });
  }
}

process.on('message', async (order: { runs?: number; atOnce?: number; say?: string; stop?: true }) => {
  if (order.stop) {
    await engine.close();
    process.exit(0);
  }
  if (order.say) {
    const sent = now();
    const first = await streamedRun(order.say);
    process.send?.({ said: order.say, sent, first });
  }
  if (order.runs) {
    const firsts: number[] = [];
    const start = performance.now();
    let left = order.runs;
    await Promise.all(
      Array.from({ length: order.atOnce ?? 1 }, async () => {
        while (left-- > 0) firsts.push(await streamedRun('Hello'));
      }),
    );
    process.send?.({ firsts, ms: performance.now() - start });
  }
});
process.send?.('ready');
