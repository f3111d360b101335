/** What Node-RED pays for having the package, and what it says where the embedded engine can't run. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { startNodeRed } from '../support/node-red.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

describe('start-up', () => {
  it('registers both types without loading the SDK or the engine', () => {
    const script = `
      const RED = {
        nodes: { registerType: (type) => types.push(type) },
        httpAdmin: { get() {}, post() {} },
        auth: { needsPermission() {} },
        _: (key) => key,
      };
      const types = [];
      for (const name of ['openai-runs-service', 'openai-runs']) {
        const register = require('./dist/' + name + '.js');
        (register.default ?? register)(RED);
      }
      const loaded = Object.keys(require.cache).map((file) => require('node:path').basename(file));
      console.log(JSON.stringify({ types, loaded }));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { cwd: ROOT, encoding: 'utf8' });
    assert.equal(stderr, '');
    const { types, loaded } = JSON.parse(stdout);
    assert.deepEqual(types, ['openai-runs-service', 'openai-runs']);
    assert.deepEqual(loaded.sort(), ['openai-runs-service.js', 'openai-runs.js']);
  });

  it('says what to do on a Node without node:sqlite, and Node-RED goes on', async () => {
    const flows = JSON.parse(readFileSync(path.join(ROOT, 'examples/01 - Ask and wait.json'), 'utf8'));
    const inject = flows.find(({ type }: { type: string }) => type === 'inject').id;
    const red = await startNodeRed({ flows, env: { NODE_OPTIONS: '--no-experimental-sqlite' } });
    try {
      const pressed = await fetch(`${red.address}/inject/${inject}`, { method: 'POST' });
      assert.equal(pressed.status, 200);
      assert.match(
        red.log(),
        /\[error\] \[openai-runs-service:Rehearsal\] The embedded service needs Node\.js 22\.13 or newer/,
      );
      assert.equal((await fetch(`${red.address}/settings`)).status, 200);
    } finally {
      await red.stop();
    }
  });
});
