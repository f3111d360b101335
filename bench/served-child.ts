/** An engine over HTTP in a process of its own, for `served.ts`. Says its port, then answers messages by its figures. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Model } from '../engine/models/model.ts';
import { startEngine } from '../engine/start.ts';
import { keep } from '../nodes/openai-runs-service/serve/keys.ts';
import { Served } from '../nodes/openai-runs-service/serve/server.ts';

const WORDS = 50;
/** Pieces of a long answer, and their characters. */
export const LONG = { pieces: 1000, characters: 256 };
/** Milliseconds that a reader may take nothing here; two minutes in use. */
export const PATIENCE_MS = 15_000;
export const KEY = 'bench';

/** Fifty words at once, or a long answer where the user says so. */
const model: Model = {
  async *run(turn) {
    if (JSON.stringify(turn.items).includes('at length')) {
      for (let i = 0; i < LONG.pieces; i++) {
        if (i % 100 === 0) await sleep(1);
        yield { type: 'text', delta: 'x'.repeat(LONG.characters) };
      }
    } else for (let i = 0; i < WORDS; i++) yield { type: 'text', delta: 'word ' };
    yield { type: 'end', reason: 'stop' };
  },
};

export const open = () =>
  startEngine(
    {
      database: ':memory:',
      model: { provider: 'rehearsal' },
      assistants: [{ id: 'asst_home', instructions: 'x' }],
    },
    model,
  );

async function serve(): Promise<void> {
  const engine = await open();
  const served = new Served({
    access: 'keys',
    keys: [{ id: KEY, name: '', assistants: [], ownThreads: false, ...keep(KEY) }],
    origins: [],
    fetch: engine.fetch,
    ...{ requestsPerMinute: 0, requestsAtOnce: 0, runsAtOnce: 0, patienceMs: PATIENCE_MS },
    onUse() {},
    warn: console.error,
  });
  const start = () => createServer((request, response) => void served.handle(request, response));
  const server = start();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // Holds little on its way, where TCP on one machine takes megabytes from a sender.
  const local = start();
  await once(local.listen(process.argv[3]), 'listening');
  process.on('message', (what) => {
    if (what === 'held') globalThis.gc?.();
    local.getConnections((_error, connections) => {
      const memory = process.memoryUsage.rss() / 2 ** 20;
      process.send?.({
        memory,
        heap: process.memoryUsage().heapUsed / 2 ** 20,
        connections,
        running: engine.service.executor.size,
      });
    });
  });
  process.once('disconnect', () => process.exit());
  process.send?.((server.address() as AddressInfo).port);
}

if (process.argv[2] === 'serve') await serve();
