/** One tool call with 5 MB of arguments in pieces of four bytes, from a chat server over HTTP: memory and the loop. */
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createEngine } from '../engine/index.ts';

const MB = 1024 * 1024;
const SIZES = [MB / 2, 5 * MB];
const PIECE = 4;

/** The server is a process of its own, so that only the engine is measured. */
function serve(): void {
  const frame = (call: object) =>
    `data: ${JSON.stringify({ choices: [{ delta: { tool_calls: [{ index: 0, ...call }] } }] })}\n\n`;
  const server = createServer(async (request, response) => {
    const size = Number(new URL(request.url ?? '', 'http://x').searchParams.get('size'));
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(frame({ id: 'call_1', function: { name: 'store', arguments: '{"data":"' } }));
    const block = frame({ function: { arguments: 'x'.repeat(PIECE) } }).repeat(1024);
    for (let sent = 0; sent < size; sent += PIECE * 1024) {
      if (!response.write(block)) await new Promise((resolve) => response.once('drain', resolve));
    }
    response.write(frame({ function: { arguments: '"}' } }));
    response.end('data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n');
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

async function callTool(port: number, size: number): Promise<void> {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  let peak = before;
  // The processor's time between two ticks: what we ourselves block, not what the machine's other programs do.
  let block = 0;
  let cpu = process.threadCpuUsage();
  const timer = setInterval(() => {
    const { user, system } = process.threadCpuUsage(cpu);
    cpu = process.threadCpuUsage();
    block = Math.max(block, (user + system) / 1000);
    peak = Math.max(peak, process.memoryUsage().heapUsed);
  }, 5);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const engine = await createEngine({
    database: ':memory:',
    model: { provider: 'chat', url: `http://127.0.0.1:${port}/v1?size=${size}`, model: 'm' },
    assistants: [{ id: 'asst_1', tools: [{ type: 'function', function: { name: 'store' } }] }],
  });
  delay.enable();
  block = 0;
  const begin = performance.now();
  const response = await engine.fetch('http://engine/v1/threads/runs', {
    method: 'POST',
    body: JSON.stringify({
      assistant_id: 'asst_1',
      stream: true,
      thread: { messages: [{ role: 'user', content: 'Go' }] },
    }),
  });
  let events = 0;
  let last = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    const text = decoder.decode(chunk, { stream: true });
    events += text.split('\nevent: ').length;
    last = (last + text).slice(-200);
  }
  const seconds = (performance.now() - begin) / 1000;
  delay.disable();
  clearInterval(timer);
  await engine.close();
  if (!last.includes('[DONE]')) throw new Error(`ended with ${last}`);
  console.log(
    `  ${(size / MB).toFixed(1)} MB in pieces of ${PIECE} bytes: ${seconds.toFixed(1)} s, heap peak +${((peak - before) / MB).toFixed(0)} MB, longest block ${block.toFixed(0)} ms of our own (${(delay.max / 1e6).toFixed(0)} ms with other programs), about ${events} events`,
  );
}

async function measure(): Promise<void> {
  const server = fork(import.meta.filename, ['serve']);
  const port = await new Promise<number>((resolve) =>
    server.once('message', (value) => resolve(value as number)),
  );
  console.log('one tool call with long arguments:');
  try {
    // The first round warms up.
    for (const size of [MB / 8, ...SIZES]) await callTool(port, size);
  } finally {
    server.kill();
  }
}

if (process.argv[2] === 'serve') serve();
else await measure();
