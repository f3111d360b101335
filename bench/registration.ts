/** Milliseconds that registering both nodes costs Node-RED's start, beside loading the SDK's client and the engine. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
const ROUNDS = 15;

/** Loads files in a fresh process and says how long it took, in milliseconds. */
function load(files: string[]): number {
  const script = `
    const RED = {
      nodes: { registerType() {} },
      httpAdmin: { get() {}, post() {} },
      auth: { needsPermission() {} },
      _: (key) => key,
    };
    const begin = performance.now();
    for (const file of ${JSON.stringify(files)}) {
      const loaded = require('./dist/' + file);
      const register = loaded.default ?? loaded;
      if (typeof register === 'function') register(RED);
    }
    console.log(performance.now() - begin);`;
  return Number(spawnSync(process.execPath, ['-e', script], { cwd: ROOT, encoding: 'utf8' }).stdout);
}

const median = (numbers: number[]) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;

const register: number[] = [];
const everything: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  register.push(load(['openai-runs-service.js', 'openai-runs.js']));
  everything.push(load(['openai-runs-service.js', 'openai-runs.js', 'client.js', 'engine.js']));
}
const [lean, full] = [median(register), median(everything)];
console.log(`register both nodes: ${lean.toFixed(1)} ms (median of ${ROUNDS} fresh processes)`);
console.log(
  `with SDK and engine: ${full.toFixed(1)} ms; registering alone is ${(lean / full).toFixed(2)} of that`,
);
