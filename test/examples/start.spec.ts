/** `npm start` without npm: what the terminal shows, and that nothing is left behind after Ctrl-C. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { ROOT } from '../../examples/user-directory.ts';

describe('the launcher', function () {
  this.timeout(60_000);
  let launcher: ChildProcess;
  let occupied: Server | undefined;
  let shown = '';

  /** Resolves once the terminal shows it. */
  const shows = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => pattern.test(shown) && resolve(shown);
      launcher.stdout?.on('data', look);
      launcher.once('exit', () => reject(new Error(`the launcher ended:\n${shown}`)));
      look();
    });

  before(async () => {
    // Whoever holds 1880 already takes it just as well.
    occupied = createServer().listen(1880, '127.0.0.1');
    await Promise.race([once(occupied, 'listening'), once(occupied, 'error')]).catch(() => {});
    launcher = spawn(process.execPath, ['examples/start.ts'], { cwd: ROOT });
    for (const stream of [launcher.stdout, launcher.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        shown += text;
      });
    }
  });

  after(() => {
    occupied?.close();
    launcher.kill('SIGKILL');
  });

  it('says that the port is taken, and where it listens instead', async () => {
    await shows(/Port 1880 is taken\.[\s\S]*is running at http:\/\/127\.0\.0\.1:18\d\d\//);
  });

  it('runs the example by itself: events as they stream, then the reply', async () => {
    await shows(/Reply: .*rehearsal/);
    assert.match(
      shown,
      /thread\.run\.created[\s\S]*thread\.message\.delta {2}"[\s\S]*thread\.run\.completed/,
    );
    await shows(/Ctrl-C ends Node-RED/);
  });

  it('keeps everything below .node-red in the repository', () => {
    assert(existsSync(path.join(ROOT, '.node-red/flows.json')));
    assert(existsSync(path.join(ROOT, '.node-red/openai-runs')));
  });

  it('serves the editor with this package', async () => {
    const address = /running at (\S+)/.exec(shown)?.[1];
    const nodes = await fetch(`${address}nodes`, { headers: { accept: 'application/json' } });
    const sets = (await nodes.json()) as { module: string; types: string[] }[];
    const types = sets
      .filter(({ module }) => module === '@flowruns/node-red-openai-runs')
      .flatMap((set) => set.types);
    assert.deepEqual(types.sort(), ['openai-runs', 'openai-runs-service']);
  });

  it('ends with Ctrl-C, without complaint', async () => {
    const address = /running at (\S+)/.exec(shown)?.[1] ?? '';
    const ended = once(launcher, 'exit');
    launcher.kill('SIGINT');
    assert.deepEqual(await ended, [0, null]);
    await assert.rejects(fetch(address));
    assert.doesNotMatch(shown, /error/i);
  });
});
