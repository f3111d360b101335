/** Rate and memory of a stream of 100,000 events through the node, beside the SDK's bare loop in the same process. */
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import OpenAI from 'openai';

const ROOT = path.resolve(import.meta.dirname, '..');
const EVENTS = 100_000;
const ROUNDS = 3;
const MB = 1024 * 1024;

/** The server is a process of its own, so that only the reading side is measured. */
function serve(): void {
  const frame = (event: string, data: unknown) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  const block = frame('thread.message.delta', delta('word ')).repeat(1000);
  const server = createServer(async (request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(frame('thread.run.created', run()));
    for (let sent = 0; sent < EVENTS; sent += 1000) {
      if (!response.write(block)) await new Promise((resolve) => response.once('drain', resolve));
    }
    response.write(frame('thread.message.completed', message('done')));
    response.write(frame('thread.run.completed', run('completed')));
    response.end('event: done\ndata: [DONE]\n\n');
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

/** Objects as far as a follower of the stream looks at them. */
const run = (status = 'queued') => ({ id: 'run_1', object: 'thread.run', thread_id: 'thread_1', status });
const message = (value: string) => ({
  id: 'msg_1',
  object: 'thread.message',
  role: 'assistant',
  content: [{ type: 'text', text: { value, annotations: [] } }],
});
const delta = (value: string) => ({
  id: 'msg_1',
  object: 'thread.message.delta',
  delta: { content: [{ index: 0, type: 'text', text: { value } }] },
});

interface Measured {
  seconds: number;
  /** Highest heap in use above the beginning, in MB. */
  peak: number;
  events: number;
}

async function measure(read: () => Promise<number>): Promise<Measured> {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().heapUsed);
  }, 5);
  const begin = performance.now();
  const events = await read();
  const seconds = (performance.now() - begin) / 1000;
  clearInterval(timer);
  return { seconds, peak: (peak - before) / MB, events };
}

async function bareLoop(url: string): Promise<number> {
  const client = new OpenAI({ baseURL: url, apiKey: 'none' });
  const body = { assistant_id: 'asst_1', stream: true } as const;
  let events = 0;
  for await (const _ of await client.beta.threads.runs.create('thread_1', body)) events += 1;
  return events;
}

/** The built node with as much of Node-RED around it as it touches; its sends are counted, not kept. */
function nodeUnderTest(url: string, coalesce: number) {
  const require = createRequire(import.meta.url);
  type Handler = (msg: object, send: (out: unknown[]) => void, done: (error?: Error) => void) => void;
  const handlers = new Map<string, Handler>();
  const nodes = new Map<string, object>();
  const types = new Map<string, (this: object, def: object) => void>();
  const RED = {
    _: (key: string) => key,
    settings: {},
    httpAdmin: { get() {}, post() {} },
    auth: { needsPermission: () => () => {} },
    util: {
      evaluateNodeProperty: (
        name: string,
        _type: string,
        _node: object,
        msg: object,
        done: (...all: unknown[]) => void,
      ) => done(null, msg[name as keyof typeof msg]),
    },
    nodes: {
      createNode() {},
      getNode: (id: string) => nodes.get(id),
      registerType: (type: string, make: never) => types.set(type, make),
    },
  };
  const make = (id: string, type: string, def: object) => {
    const context = { get() {}, set() {}, keys: () => [] };
    const node = {
      id,
      credentials: {},
      on: (event: string, handler: Handler) => handlers.set(`${id} ${event}`, handler),
      status() {},
      debug() {},
      error: console.error,
      warn: console.warn,
      context: () => ({ ...context, flow: context, global: context }),
    };
    nodes.set(id, node);
    types.get(type)?.call(node, { id, type, ...def });
  };
  for (const name of ['openai-runs-service', 'openai-runs']) {
    const loaded = require(path.join(ROOT, 'dist', `${name}.js`));
    (loaded.default ?? loaded)(RED);
  }
  make('svc', 'openai-runs-service', { backend: 'server', url });
  make('runs', 'openai-runs', { service: 'svc', method: 'createRun', delivery: 'stream', coalesce });
  const input = handlers.get('runs input') as Handler;
  return (): Promise<number> =>
    new Promise((resolve, reject) => {
      let sent = 0;
      const msg = { payload: { thread_id: 'thread_1', assistant_id: 'asst_1' } };
      input(
        msg,
        () => {
          sent += 1;
        },
        (error) => (error ? reject(error) : resolve(sent)),
      );
    });
}

async function compare(): Promise<void> {
  const server = fork(import.meta.filename, ['serve']);
  const port = await new Promise<number>((resolve) =>
    server.once('message', (value) => resolve(value as number)),
  );
  const url = `http://127.0.0.1:${port}/v1`;
  const contenders: [string, () => Promise<number>][] = [
    ["the SDK's bare loop", () => bareLoop(url)],
    ['the node, delivery stream', nodeUnderTest(url, 0)],
    ['the node, coalesce 100 ms', nodeUnderTest(url, 100)],
  ];
  const best = new Map<string, Measured>();
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [name, read] of contenders) {
        const measured = await measure(read);
        // The first round warms up.
        if (round > 0 && measured.seconds < (best.get(name)?.seconds ?? Number.POSITIVE_INFINITY)) {
          best.set(name, measured);
        }
      }
    }
  } finally {
    server.kill();
  }
  const bare = best.get(contenders[0]?.[0] ?? '') as Measured;
  console.log(`a stream of ${EVENTS} text deltas, best of ${ROUNDS} rounds in one process:`);
  for (const [name, { seconds, peak, events }] of best) {
    const rate = Math.round(EVENTS / seconds);
    const ratio = (seconds / bare.seconds).toFixed(2);
    console.log(
      `  ${name}: ${rate} events/s (time × ${ratio}), heap peak +${peak.toFixed(0)} MB, ${events} messages out`,
    );
  }
}

if (process.argv[2] === 'serve') serve();
else await compare();
