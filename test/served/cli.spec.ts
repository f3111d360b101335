/** The command `serve`: the same endpoint without Node-RED, as the package's command starts it. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import OpenAI from 'openai';
import { ROOT } from '../../examples/user-directory.ts';
import { until } from '../support/until.ts';
import { ask } from './support.ts';

const { bin } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));

describe('the command serve', function () {
  this.timeout(30_000);
  let folder: string;
  let child: ChildProcess | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'runs-serve-'));
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  /** @returns all that it has said */
  const start = (args: string[], env: Record<string, string> = {}) => {
    let said = '';
    child = spawn(process.execPath, [path.join(ROOT, bin['node-red-openai-runs']), ...args], {
      cwd: folder,
      env: { ...process.env, ...env },
    });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += chunk));
    return () => said;
  };
  const addressOf = (said: () => string) => until(() => /Serving (\S+)/.exec(said())?.[1]);

  it('answers whoever has a key, and ends with its database closed', async () => {
    const said = start(['serve', '--port', '0', '--database', 'x.sqlite'], { OPENAI_RUNS_KEYS: 'one,two' });
    const baseURL = await addressOf(said);
    const client = new OpenAI({ apiKey: 'two', baseURL, maxRetries: 0 });
    const { id } = await client.beta.assistants.create({ model: 'rehearsal', instructions: 'Be kind.' });
    const run = await client.beta.threads.createAndRunPoll({ assistant_id: id });
    assert.equal(run.status, 'completed');
    assert.equal((await ask('GET', `${baseURL}/assistants`, { key: 'three' })).status, 401);
    child?.kill('SIGTERM');
    assert.deepEqual(await once(child as ChildProcess, 'exit'), [0, null]);
  });

  it('without keys serves this machine only', async () => {
    const base = await addressOf(start(['serve', '--port', '0', '--database', ':memory:']));
    assert.equal((await ask('GET', `${base}/assistants`)).status, 200);
    assert.equal(
      (await ask('GET', `${base}/assistants`, { headers: { 'x-real-ip': '1.2.3.4' } })).status,
      403,
    );
    child?.kill('SIGKILL');
    const said = start(['serve', '--host', '0.0.0.0', '--port', '0']);
    await once(child as ChildProcess, 'exit');
    assert.match(said(), /only this machine is served, not 0\.0\.0\.0/);
  });

  it('says how it is used', async () => {
    const said = start([]);
    await once(child as ChildProcess, 'exit');
    assert.match(said(), /^Usage: npx @flowruns\/node-red-openai-runs serve/);
  });
});
