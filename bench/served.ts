/**
 * What serving over HTTP costs: runs a second beside the in-process fetch, then a thousand streaming clients, without
 * Node-RED and with it. `node bench/served.ts` after a build.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Model } from '../engine/models/model.ts';
import { startEngine } from '../engine/start.ts';
import { Served } from '../nodes/openai-runs-service/serve/server.ts';
import { newKey, service, startServing } from '../test/served/support.ts';

const RUNS = 400;
const AT_ONCE = 20;
const CLIENTS = 1000;
const WORDS = 50;
const LOOKS = 40;

/** Fifty words at once, or one each fifth of a second where the user says "slow". */
const model: Model = {
  async *run(turn) {
    const slow = JSON.stringify(turn).includes('slow');
    for (let i = 0; i < WORDS; i++) {
      if (slow) await sleep(200);
      yield { type: 'text', delta: 'word ' };
    }
    yield { type: 'end', reason: 'stop' };
  },
};

const open = () =>
  startEngine(
    {
      database: ':memory:',
      model: { provider: 'rehearsal' },
      assistants: [{ id: 'asst_home', instructions: 'x' }],
    },
    model,
  );

const bodyOf = (content: string) =>
  JSON.stringify({
    assistant_id: 'asst_home',
    stream: true,
    thread: { messages: [{ role: 'user', content }] },
  });

/** The other process: the engine over HTTP, and its own figures when asked. */
async function serve(): Promise<void> {
  const engine = await open();
  const limits = { requestsPerMinute: 0, requestsAtOnce: 0, runsAtOnce: 0, onUse() {}, warn: console.error };
  const served = new Served({ access: 'local', keys: [], origins: [], fetch: engine.fetch, ...limits });
  const server = createServer((request, response) => void served.handle(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const delay = monitorEventLoopDelay({ resolution: 2 });
  process.on('message', (what) => {
    if (what === 'begin') delay.enable();
    else process.send?.({ longest: delay.max / 1e6, most: delay.percentile(99) / 1e6 });
  });
  process.send?.((server.address() as AddressInfo).port);
}

const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS + 10 });

/** Sends a request and reads its answer to the end. @returns milliseconds to the first byte, and to the end */
function send(base: string, path: string, options: { body?: string; key?: string } = {}) {
  const { body, key } = options;
  const since = performance.now();
  return new Promise<{ first: number; all: number }>((resolve, reject) => {
    const headers = { ...(key && { authorization: `Bearer ${key}` }) };
    const request = httpRequest(
      base + path,
      { method: body ? 'POST' : 'GET', headers, agent },
      (response) => {
        let first = 0;
        response.on('data', () => (first ||= performance.now() - since));
        response.on('end', () => {
          if (response.statusCode !== 200) reject(new Error(`${path}: ${response.statusCode}`));
          else resolve({ first, all: performance.now() - since });
        });
        response.on('error', reject);
      },
    );
    request.on('error', reject).end(body);
  });
}

/** Runs a second, so many at once. */
async function rate(run: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < 50; i++) await run();
  const since = performance.now();
  let left = RUNS;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) await run();
    }),
  );
  return RUNS / ((performance.now() - since) / 1000);
}

const megabytes = (pid: number | undefined) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** Median and longest of some looks, in milliseconds. */
async function look(base: string, path: string, key?: string) {
  const all: number[] = [];
  for (let i = 0; i < LOOKS; i++) {
    all.push((await send(base, path, { key })).all);
    await sleep(50);
  }
  all.sort((a, b) => a - b);
  return { median: all[all.length >> 1]!, longest: all.at(-1)! };
}

/** A thousand clients that stream, and what one more request waits meanwhile. */
async function crowd(
  base: string,
  path: string,
  pid: number | undefined,
  other: [string, string],
  key?: string,
) {
  const idle = await look(other[0], other[1], key);
  const before = megabytes(pid);
  const since = performance.now();
  const streams = Promise.all(
    Array.from({ length: CLIENTS }, () => send(base, path, { body: bodyOf('rehearse slow'), key })),
  );
  await sleep(2000);
  const busy = await look(other[0], other[1], key);
  const memory = megabytes(pid) - before;
  const firsts = (await streams).map(({ first }) => first).sort((a, b) => a - b);
  const seconds = (performance.now() - since) / 1000;
  return { idle, busy, memory, seconds, first: firsts[firsts.length >> 1]! };
}

function tell(
  title: string,
  { idle, busy, memory, seconds, first }: Awaited<ReturnType<typeof crowd>>,
): void {
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  console.log(
    `${title}: ${CLIENTS} streams in ${seconds.toFixed(1)} s, first byte after ${ms(first)} (median)`,
  );
  console.log(`  ${memory.toFixed(0)} MB more, ${((memory * 1024) / CLIENTS).toFixed(0)} KB a stream`);
  console.log(
    `  another request: ${ms(idle.median)} idle, ${ms(busy.median)} meanwhile, longest ${ms(busy.longest)}`,
  );
}

async function figuresOf(child: ChildProcess): Promise<{ longest: number; most: number }> {
  child.send('end');
  const [figures] = await once(child, 'message');
  return figures;
}

async function measure(): Promise<void> {
  const engine = await open();
  const inside = await rate(async () => {
    const init = { method: 'POST', body: bodyOf('Hi') };
    await (await engine.fetch('http://engine.local/v1/threads/runs', init)).text();
  });
  await engine.close();
  const child = fork(import.meta.filename, ['serve']);
  const [port] = await once(child, 'message');
  const base = `http://127.0.0.1:${port}/v1`;
  const over = await rate(() => send(base, '/threads/runs', { body: bodyOf('Hi') }));
  console.log(
    `runs a second: ${inside.toFixed(0)} in process, ${over.toFixed(0)} over HTTP: ${(over / inside).toFixed(2)}`,
  );
  child.send('begin');
  tell('without Node-RED', await crowd(base, '/threads/runs', child.pid, [base, '/models']));
  const { longest, most } = await figuresOf(child);
  console.log(`  longest block of its loop ${longest.toFixed(0)} ms, 99 of 100 below ${most.toFixed(0)} ms`);
  child.kill();

  const { key, kept } = newKey('bench');
  const red = await startServing([service([{ kept }], { serveRuns: 0, serveRequests: 0 })]);
  const editor: [string, string] = [red.address, '/settings'];
  tell(
    'in Node-RED (the other request: its editor)',
    await crowd(red.base, '/threads/runs', red.pid, editor, key),
  );
  await red.stop();
  agent.destroy();
}

await (process.argv[2] === 'serve' ? serve() : measure());
