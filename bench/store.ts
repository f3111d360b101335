/**
 * The engine on a file and on PostgreSQL, measured in one run: compare the figures with each other, not with those of
 * another machine. The server keeps its own defaults: every commit is on the disk before it is answered.
 * `node bench/store.ts`
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres } from '../test/support/postgres-server.ts';

const RUNS = 400;
const AT_ONCE = 20;
const PINGS = 200;
const CHILD = path.join(import.meta.dirname, 'store-child.ts');

const at = (values: number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!;
const ms = (values: number[]) =>
  `p50 ${at(values, 0.5).toFixed(1)} ms, p99 ${at(values, 0.99).toFixed(1)} ms`;

interface Word {
  asked?: string;
  at?: number;
  late?: number;
  said?: string;
  sent?: number;
  firsts?: number[];
  ms?: number;
}

async function machine(database: string, capacity = ''): Promise<ChildProcess> {
  const child = fork(CHILD, [database, capacity]);
  await once(child, 'message');
  return child;
}

/** Waits for a word of a machine. */
function hear<T>(child: ChildProcess, pick: (word: Word) => T | undefined): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  const onWord = (word: Word) => {
    const found = pick(word);
    if (found === undefined) return;
    child.off('message', onWord);
    resolve(found);
  };
  child.on('message', onWord);
  return promise;
}

async function stop(machines: ChildProcess[]): Promise<void> {
  for (const child of machines) {
    child.send({ stop: true });
    await once(child, 'exit');
  }
}

/** Runs a second over all machines, and milliseconds to the first text of runs one after another. */
async function load(database: string, count: number): Promise<{ rate: number; first: number }> {
  const machines = await Promise.all(Array.from({ length: count }, () => machine(database)));
  const all = async (runs: number, atOnce: number, on = machines) => {
    const results = on.map((child) => hear(child, (word) => word.firsts && (word as Required<Word>)));
    for (const child of on) child.send({ runs, atOnce });
    return Promise.all(results);
  };
  await all(50, 5);
  const start = performance.now();
  await all(Math.round(RUNS / count), Math.round(AT_ONCE / count));
  const rate = RUNS / ((performance.now() - start) / 1000);
  const [{ firsts }] = (await all(100, 1, machines.slice(0, 1))) as [Required<Word>];
  await stop(machines);
  return { rate, first: at(firsts, 0.5) };
}

/** From sending a run to one machine until another asks its model; and how long its words are on their way back. */
async function between(database: string): Promise<void> {
  const door = await machine(database, '0');
  const worker = await machine(database);
  const claims: number[] = [];
  for (let i = 0; i < PINGS; i++) {
    const word = `ping ${i}`;
    const asked = hear(worker, (heard) => (heard.asked === word ? heard.at : undefined));
    const said = hear(door, (heard) => (heard.said === word ? heard.sent : undefined));
    door.send({ say: word });
    claims.push((await asked) - (await said));
    await sleep(20);
  }
  const late: number[] = [];
  door.on('message', (word: Word) => word.late !== undefined && late.push(word.late));
  for (let i = 0; i < 5; i++) {
    const said = hear(door, (heard) => (heard.said === `time ${i}` ? true : undefined));
    door.send({ say: `time ${i}` });
    await said;
  }
  console.info(`created on one machine, asked on another: ${ms(claims)}`);
  console.info(`a delta from one machine to a reader on another: ${ms(late)}`);
  await stop([door, worker]);
}

const folder = await mkdtemp(path.join(tmpdir(), 'runs-bench-'));
const server = await startPostgres({ durable: true });
const schema = (name: string) => `${server.address}?schema=${name}`;
try {
  const file = await load(path.join(folder, 'runs.sqlite'), 1);
  const tell = (name: string, { rate, first }: typeof file) =>
    console.info(
      `${name}: ${rate.toFixed(0)} runs a second (×${(rate / file.rate).toFixed(2)}), first text after ${first.toFixed(1)} ms (×${(first / file.first).toFixed(2)})`,
    );
  tell('SQLite, 1 process      ', file);
  for (const count of [1, 2, 3])
    tell(
      `PostgreSQL, ${count} process${count > 1 ? 'es' : '  '}`,
      await load(schema(`bench_${count}`), count),
    );
  await between(schema('bench_between'));
} finally {
  await server.stop();
  await rm(folder, { recursive: true });
}
