/** That a parameter of the SDK's which comes or goes fails the type check, tried with the type checker itself. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
const COMMON = path.join(ROOT, 'nodes/openai-runs/methods/common.ts');
const METHODS = path.join(ROOT, 'nodes/openai-runs/methods');

describe('parameter tables', () => {
  let folder: string;
  // Beside the sources, so that their imports hold; the name says what it is.
  beforeEach(() => {
    folder = mkdtempSync(path.join(METHODS, '../.type-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const problems = (edit: (text: string) => string): string => {
    const file = path.join(folder, 'common.ts');
    writeFileSync(
      file,
      edit(readFileSync(COMMON, 'utf8')).replaceAll("'./method.ts'", "'../methods/method.ts'"),
    );
    const options =
      '--noEmit --strict --module nodenext --target es2024 --skipLibCheck --allowImportingTsExtensions';
    const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
    const args = [tsc, '--ignoreConfig', ...options.split(' '), '--types', 'node', file];
    return spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' }).stdout;
  };

  it('are right as they are', () =>
    assert.equal(
      problems((text) => text),
      '',
    ));

  it('fail with a parameter that the SDK does not have', () => {
    const extra = (text: string) =>
      text.replace('  top_p:', "  gone: { in: 'body', type: 'string' },\n  top_p:");
    assert.match(problems(extra), /'gone' does not exist/);
  });

  it('fail without a parameter that the SDK has', () => {
    assert.match(
      problems((text) => text.replace(/^ {2}top_p: .*\n/m, '')),
      /top_p/,
    );
    assert.match(
      problems((text) => text.replace(/^ {2}before: .*\n/m, '')),
      /before/,
    );
  });
});
