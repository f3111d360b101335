/**
 * What serving over HTTP costs: runs a second beside the in-process fetch; readers that take nothing; a thousand
 * streaming clients at the command `serve` and at Node-RED, side by side. `node bench/served.ts` after a build.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../examples/user-directory.ts';
import { newKey, service, startServing } from '../test/served/support.ts';
import { until } from '../test/support/until.ts';
import { KEY, LONG, open, PATIENCE_MS } from './served-child.ts';

const RUNS = 400;
const AT_ONCE = 20;
const CLIENTS = 1000;
const READERS = 200;
const LOOKS = 40;
const ROUNDS = 3;
const PROBE = { NODE_OPTIONS: `--import ${new URL('loop-probe.ts', import.meta.url).href}` };

const bodyOf = (content: string) =>
  JSON.stringify({
    assistant_id: 'asst_home',
    stream: true,
    thread: { messages: [{ role: 'user', content }] },
  });

const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS + 10 });

/** Sends a request and reads its answer to the end. @returns milliseconds to the first byte, and to the end */
function send(url: string, options: { body?: string; key?: string } = {}) {
  const { body, key } = options;
  const since = performance.now();
  return new Promise<{ first: number; all: number }>((resolve, reject) => {
    const headers = { ...(key && { authorization: `Bearer ${key}` }) };
    const request = httpRequest(url, { method: body ? 'POST' : 'GET', headers, agent }, (response) => {
      let first = 0;
      response.on('data', () => (first ||= performance.now() - since));
      response.on('end', () => {
        if (response.statusCode !== 200) reject(new Error(`${url}: ${response.statusCode}`));
        else resolve({ first, all: performance.now() - since });
      });
      response.on('error', reject);
    });
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

/** Median and longest of some looks, in milliseconds. */
async function look(url: string, key?: string) {
  const all: number[] = [];
  for (let i = 0; i < LOOKS; i++) {
    all.push((await send(url, { key })).all);
    await sleep(50);
  }
  all.sort((a, b) => a - b);
  return { median: all[all.length >> 1]!, longest: all.at(-1)! };
}

/** A server under measure: where its runs are made, another of its pages, its key, and where it tells its figures. */
interface Subject {
  base: string;
  other: string;
  key: string;
  probe: string;
}

type Figures = { longest: number; most: number; memory: number; computed: number };
const figuresOf = async ({ probe }: Subject) => (await (await fetch(probe)).json()) as Figures;

const probeIn = (log: string) => {
  const port = /\[loop probe (\d+)\]/.exec(log)?.[1];
  return port && `http://127.0.0.1:${port}/`;
};

type Crowd = Awaited<ReturnType<typeof crowd>>;

/** A thousand clients that stream, and what one more request waits meanwhile. */
async function crowd(title: string, subject: Subject) {
  const { base, other, key } = subject;
  const idle = await look(other, key);
  const before = await figuresOf(subject);
  const since = performance.now();
  const streams = Promise.all(
    Array.from({ length: CLIENTS }, () =>
      send(`${base}/threads/runs`, { body: bodyOf('rehearse slow'), key }),
    ),
  );
  await sleep(2000);
  const busy = await look(other, key);
  const begun = await figuresOf(subject);
  const firsts = (await streams).map(({ first }) => first).sort((a, b) => a - b);
  const ended = await figuresOf(subject);
  const { memory } = begun;
  const longest = Math.max(begun.longest, ended.longest);
  const most = Math.max(begun.most, ended.most);
  const more = memory - before.memory;
  const computed = ended.computed - before.computed;
  const first = firsts[CLIENTS >> 1]!;
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  console.log(`${title}: ${CLIENTS} streams in ${((performance.now() - since) / 1000).toFixed(1)} s`);
  console.log(`  first byte after ${ms(first)} (median)`);
  console.log(
    `  ${memory.toFixed(0)} MB, ${more.toFixed(0)} more: ${((more * 1024) / CLIENTS).toFixed(0)} KB a stream`,
  );
  console.log(
    `  computes for ${computed.toFixed(1)} s; its loop: longest block ${ms(longest)}, 99 of 100 below ${ms(most)}`,
  );
  console.log(
    `  another request: ${ms(idle.median)} idle, ${ms(busy.median)} meanwhile, longest ${ms(busy.longest)}`,
  );
  return { first, memory, more, longest, most, computed };
}

/** The command `serve`, as users start it. */
async function ofCommand() {
  const folder = await mkdtemp(path.join(tmpdir(), 'runs-served-'));
  const assistants = path.join(folder, 'assistants.json');
  await writeFile(assistants, JSON.stringify(service([]).assistants));
  const child = spawn(
    process.execPath,
    [
      path.join(ROOT, 'dist/cli.js'),
      'serve',
      '--port',
      '0',
      '--database',
      ':memory:',
      '--assistants',
      assistants,
    ],
    { cwd: folder, env: { ...process.env, ...PROBE, OPENAI_RUNS_KEYS: 'bench' } },
  );
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (log += text));
  const base = await until(() => /Serving (\S+)/.exec(log)?.[1]);
  const probe = await until(() => probeIn(log));
  const result = await crowd('The command serve', { base, other: `${base}/models`, key: 'bench', probe });
  const gone = once(child, 'exit');
  child.kill();
  await gone;
  await rm(folder, { recursive: true });
  return result;
}

async function ofNodeRed() {
  const { key, kept } = newKey('bench');
  const red = await startServing([service([{ kept }], { serveRuns: 0, serveRequests: 0 })], { env: PROBE });
  const probe = await until(() => probeIn(red.log()));
  const result = await crowd('In Node-RED (the other request: its editor)', {
    base: red.base,
    other: `${red.address}/settings`,
    key,
    probe,
  });
  await red.stop();
  return result;
}

type Held = { memory: number; heap: number; connections: number; running: number };

async function ask(child: ChildProcess, what: 'held' | 'running'): Promise<Held> {
  child.send(what);
  const [figures] = await once(child, 'message');
  return figures;
}

/** Clients that ask for a long answer and read nothing of it. */
async function slowReaders(child: ChildProcess, socketPath: string): Promise<void> {
  const before = await ask(child, 'held');
  const body = bodyOf('Tell me at length');
  const sockets = Array.from({ length: READERS }, () => {
    const socket = connect(socketPath).pause();
    socket.on('error', () => {});
    socket.write(
      `POST /v1/threads/runs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEY}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    return socket;
  });
  const isRunning = async () => (await ask(child, 'running')).running > 0;
  await until(isRunning);
  await until(async () => !(await isRunning()), PATIENCE_MS * 4);
  const held = await ask(child, 'held');
  await sleep(PATIENCE_MS + 2000);
  const after = await ask(child, 'held');
  for (const socket of sockets) socket.destroy();
  const kilobytes = (value: number) => `${((value * 1024) / READERS).toFixed(0)} KB`;
  const answer = (LONG.pieces * LONG.characters) / 1024;
  console.log(
    `${held.connections} of ${READERS} readers take nothing of an answer of ${answer.toFixed(0)} KB each:`,
  );
  console.log(
    `  each holds ${kilobytes(held.heap - before.heap)} of objects, ${kilobytes(held.memory - before.memory)} of memory`,
  );
  console.log(
    `  when their time is over ${after.connections} are left, ${kilobytes(after.heap - before.heap)} of objects`,
  );
}

async function measure(): Promise<void> {
  const engine = await open();
  const inside = await rate(async () => {
    const init = { method: 'POST', body: bodyOf('Hi') };
    await (await engine.fetch('http://engine.local/v1/threads/runs', init)).text();
  });
  await engine.close();
  const socketPath = path.join(tmpdir(), `runs-bench-${process.pid}.sock`);
  const child = fork(path.join(import.meta.dirname, 'served-child.ts'), ['serve', socketPath], {
    execArgv: ['--expose-gc'],
  });
  const [port] = await once(child, 'message');
  const over = await rate(() =>
    send(`http://127.0.0.1:${port}/v1/threads/runs`, { body: bodyOf('Hi'), key: KEY }),
  );
  console.log(
    `runs a second: ${inside.toFixed(0)} in process, ${over.toFixed(0)} over HTTP: ×${(over / inside).toFixed(2)}`,
  );
  await slowReaders(child, socketPath);
  child.kill();
  await rm(socketPath, { force: true });

  const rounds: { command: Crowd; nodeRed: Crowd }[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    rounds.push({ command: await ofCommand(), nodeRed: await ofNodeRed() });
  }
  console.log(`Node-RED beside the command, the middle one of ${ROUNDS} rounds:`);
  for (const [name, what] of [
    ['first', 'first byte'],
    ['computed', 'computing'],
    ['longest', 'longest block of the loop'],
    ['most', '99 of 100 blocks'],
    ['more', 'memory for the streams'],
    ['memory', 'memory in all'],
  ] as const) {
    const ratios = rounds.map(({ command, nodeRed }) => nodeRed[name] / command[name]).sort((x, y) => x - y);
    console.log(`  ${what}: ×${ratios[ROUNDS >> 1]!.toFixed(2)}`);
  }
  agent.destroy();
}

await measure();
