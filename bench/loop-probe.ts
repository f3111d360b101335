/**
 * Put before a process by `node --import`: says on its output where its own figures are. `GET` gives the delay of its
 * event loop in milliseconds since the last look (longest, and what 99 of 100 stay below), its memory in megabytes, and
 * the seconds that it has computed for so far.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 2 });
delay.enable();
const server = createServer((_request, response) => {
  const { user, system } = process.cpuUsage();
  const figures = {
    longest: delay.max / 1e6,
    most: delay.percentile(99) / 1e6,
    memory: process.memoryUsage.rss() / 2 ** 20,
    computed: (user + system) / 1e6,
  };
  delay.reset();
  response.end(JSON.stringify(figures));
});
server.listen(0, '127.0.0.1', () => {
  console.log(`[loop probe ${(server.address() as AddressInfo).port}]`);
});
server.unref();
