/** Real Node-RED in a process of its own, as a user has it. Node-RED exists once a process, hence the child. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nodeRedSettings, prepareUserDirectory, ROOT } from '../../examples/user-directory.ts';

/** The releases that are supported, and the packages they are installed as. */
export const RELEASES = { '5': 'node-red', '4.1': 'node-red-4' } as const;
export type Release = keyof typeof RELEASES;

export interface NodeRed {
  /** e.g. http://127.0.0.1:40123 */
  readonly address: string;
  readonly userDir: string;
  readonly pid: number | undefined;
  /** Everything it has logged so far. */
  log(): string;
  /** Ends the process and removes the user directory. */
  stop(): Promise<void>;
  /** Ends the process at once, as a power cut does, or as its user does; what it has saved stays. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Starts it again after its end, with the flows that are deployed, at the same address. */
  startAgain(): Promise<void>;
}

const START_LIMIT = 30_000;

/**
 * Starts Node-RED with this package and the given flows.
 * @param options.env further environment variables of the process
 * @param options.settings further settings, as in a settings file
 * @param options.code what stands there that JSON can't say
 * @throws when the flows have not started within 30 s, with the log
 */
export async function startNodeRed(
  options: {
    release?: Release;
    /** Or what makes them, of the port that Node-RED gets. */
    flows?: unknown[] | ((port: number) => unknown[]);
    env?: Record<string, string>;
    settings?: object;
    code?: string;
  } = {},
): Promise<NodeRed> {
  const { release = '5', flows = [], env = {} } = options;
  const userDir = await mkdtemp(path.join(tmpdir(), 'openai-runs-'));
  const port = await freePort();
  await prepareUserDirectory(userDir, typeof flows === 'function' ? flows(port) : flows);
  const settings = path.join(userDir, 'settings.cjs');
  const contents = { ...nodeRedSettings({ userDir, port }), ...options.settings };
  await writeFile(settings, `module.exports = ${JSON.stringify(contents)};\n${options.code ?? ''}`);
  const script = path.join(ROOT, 'node_modules', RELEASES[release], 'red.js');
  const output: string[] = [];
  const log = () => output.join('');
  let child: ChildProcess;
  const start = async () => {
    child = spawn(process.execPath, [script, '--settings', settings, '--userDir', userDir], {
      cwd: userDir,
      env: { ...process.env, HOME: userDir, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const before = log().length;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => output.push(text));
    }
    await started(child, () => log().slice(before));
  };
  const stop = async () => {
    await end(child);
    await rm(userDir, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    // Somebody took the port between our look and Node-RED's.
    if (String(error).includes('port in use')) return startNodeRed(options);
    throw error;
  }
  return {
    address: `http://127.0.0.1:${port}`,
    userDir,
    get pid() {
      return child.pid;
    },
    log,
    stop,
    end: (signal) => end(child, signal),
    startAgain: start,
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

function started(child: ChildProcess, log: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => reject(new Error(`Node-RED ${reason}:\n${log()}`));
    const timer = setTimeout(() => fail('did not start in time'), START_LIMIT);
    const look = () => {
      // Two things that come in either order.
      if (!/Started flows/.test(log()) || !/Server now running/.test(log())) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout?.on('data', look);
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`ended with ${code}`);
    });
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await gone;
  clearTimeout(timer);
}
