/** What a user installs: small, complete, without dependencies, and as the flow library wants it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));

/**
 * Bytes that a Raspberry Pi should have to unpack at most: two megabytes, and the files that are loaded only where the
 * database is on PostgreSQL, other programs are served, or the panel of runs is opened.
 */
const LIMIT = 2.4 * 1024 * 1024;

interface Packed {
  unpackedSize: number;
  files: { path: string; size: number }[];
}

function pack(): Packed {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const shell = process.platform === 'win32';
  const printed = JSON.parse(
    execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', shell, stdio: 'pipe' }),
  );
  return (Array.isArray(printed) ? printed[0] : Object.values(printed)[0]) as Packed;
}

describe('the published package', () => {
  let packed: Packed;
  before(() => {
    packed = pack();
  });
  const has = (file: string) => packed.files.some((entry) => entry.path === file);

  it('stays small and brings no dependencies', () => {
    assert.ok(packed.unpackedSize <= LIMIT, `${packed.unpackedSize} bytes`);
    assert.equal(manifest.dependencies, undefined);
  });

  it('holds what Node-RED loads, the examples and the pages, and nothing else', () => {
    for (const file of Object.values<string>(manifest['node-red'].nodes)) {
      assert.ok(has(file), file);
      assert.ok(has(file.replace('.js', '.html')), `${file} has no html`);
    }
    for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE', 'dist/THIRD-PARTY-NOTICES.md'])
      assert.ok(has(file), file);
    for (const example of readdirSync(path.join(ROOT, 'examples')).filter((name) => name.endsWith('.json'))) {
      assert.ok(has(`examples/${example}`), example);
    }
    const strange = packed.files
      .map((entry) => entry.path)
      .filter((file) => !/^(dist\/|examples\/[^/]+\.json$|[A-Z]+(\.md)?$|package\.json$)/.test(file));
    assert.deepEqual(strange, []);
  });

  it('brings the plugin with its tab, and the editor less than 150 KB of code', () => {
    for (const file of Object.values<string>(manifest['node-red'].plugins)) {
      assert.ok(has(file) && has(file.replace('.js', '.html')), file);
    }
    const pages = [
      ...Object.values(manifest['node-red'].nodes),
      ...Object.values(manifest['node-red'].plugins),
    ];
    const scripts = (pages as string[]).flatMap((file) => {
      const html = readFileSync(path.join(ROOT, file.replace('.js', '.html')), 'utf8');
      return Array.from(
        html.matchAll(/<script type="text\/javascript">([\s\S]*?)<\/script>/g),
        ([, code]) => code ?? '',
      );
    });
    scripts.push(readFileSync(path.join(ROOT, 'dist/panel.js'), 'utf8'));
    const bytes = scripts.reduce((sum, code) => sum + Buffer.byteLength(code), 0);
    assert.ok(bytes > 50_000 && bytes <= 150 * 1024, `${bytes} bytes`);
  });

  it('holds every file that is loaded on demand, and no place of the machine it was built on', () => {
    const wanted = new Set<string>();
    for (const { path: file } of packed.files.filter((entry) => /^dist\/[^/]+\.js$/.test(entry.path))) {
      const text = readFileSync(path.join(ROOT, file), 'utf8');
      for (const [, found] of text.matchAll(/import\("\.\/([\w-]+\.js)"\)/g)) wanted.add(`dist/${found}`);
      assert.ok(!text.includes(ROOT), `${file} names ${ROOT}`);
    }
    assert.ok(wanted.has('dist/client.js') && wanted.has('dist/engine.js'));
    for (const file of wanted) assert.ok(has(file), file);
  });

  it('carries the licence of everything that is bundled', () => {
    const notices = readFileSync(path.join(ROOT, 'dist/THIRD-PARTY-NOTICES.md'), 'utf8');
    for (const name of ['openai', 'hono', 'zod', 'kysely', 'undici', 'eventsource-parser', 'pg', 'pgpass']) {
      assert.match(notices, new RegExp(`^## ${name} \\d`, 'm'));
    }
  });

  it('meets the checks of the flow library that need no network', () => {
    assert.equal(manifest.license, 'MIT');
    assert.match(manifest.name, /^@[^/]+\/./);
    assert.ok(manifest.repository.url && manifest.bugs.url);
    assert.ok(manifest.keywords.includes('node-red'));
    assert.equal(manifest['node-red'].version, '>=4.1.0');
    assert.equal(manifest.engines.node, '>=22.13');
    for (const [type, file] of Object.entries<string>(manifest['node-red'].nodes)) {
      const html = path.join(ROOT, file.replace('.js', '.html'));
      assert.ok(existsSync(html));
      // Tools read the type and its defaults from the text, without running it.
      assert.match(
        readFileSync(html, 'utf8'),
        new RegExp(`registerType\\("${type}",\\{[\\s\\S]*?defaults:\\{name:`),
      );
    }
  });
});
