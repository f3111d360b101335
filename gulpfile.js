// The build: `gulp check` looks at the source, `gulp build` writes dist/, `gulp watch` does both on change.
import { spawn } from 'node:child_process';
import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import * as esbuild from 'esbuild';
import gulp from 'gulp';

const { dest, parallel, series, src } = gulp;
const OUT = 'dist';
const NODES = ['openai-runs', 'openai-runs-service'];
const PLUGIN = 'openai-runs-panel';

/** Output file (without .js) → source. These are what Node-RED loads when it starts: small. */
const REGISTERED = {
  'openai-runs': 'nodes/openai-runs/openai-runs.ts',
  'openai-runs-service': 'nodes/openai-runs-service/openai-runs-service.ts',
  'openai-runs-panel': 'nodes/openai-runs-panel/openai-runs-panel.ts',
};

/** Loaded on first use, with the libraries they need; never when Node-RED starts. */
const ON_DEMAND = {
  client: 'nodes/openai-runs-service/client.ts',
  network: 'nodes/openai-runs-service/network.ts',
  engine: 'engine/index.ts',
  postgres: 'engine/store/postgres/pg.ts',
  cli: 'nodes/openai-runs-service/cli.ts',
  migrate: 'engine/move/cli.ts',
  server: 'nodes/openai-runs-service/serve/server.ts',
  serve: 'nodes/openai-runs-service/serve/cli.ts',
};

/** Runs a package's script on this Node; a non-zero exit fails the task. */
function command(script, ...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [`node_modules/${script}`, ...args], { stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${script} found problems (exit ${code})`)),
    );
  });
}

/** `await import('…')` of another entry stays an import of that entry's output file. */
const lazyEntries = {
  name: 'lazy-entries',
  setup(build) {
    const outputs = new Map(Object.entries(ON_DEMAND).map(([out, file]) => [path.resolve(file), out]));
    build.onResolve({ filter: /\.ts$/ }, ({ kind, path: target, resolveDir }) => {
      const out = outputs.get(path.resolve(resolveDir, target));
      if (kind !== 'dynamic-import' || !out) return undefined;
      return { path: `./${out}.js`, external: true };
    });
  },
};

/** The SDK's client makes an object for every resource of the API; of those that no node asks for, empty ones do. */
const unusedResources = {
  name: 'unused-resources',
  setup(build) {
    const resource =
      /openai\/resources\/(?!(?:models|shared|beta\/beta|beta\/assistants|beta\/threads\/[\w/]+)\.mjs)/;
    build.onLoad({ filter: /openai\/resources\/.*\.mjs$/ }, async ({ path: file }) => {
      if (!resource.test(file) || path.basename(file) === 'index.mjs') return undefined;
      const source = await readFile(file, 'utf8');
      const classes = Array.from(
        source.matchAll(/^export class (\w+)/gm),
        ([, name]) => `export class ${name} {}`,
      );
      const others = Array.from(
        source.matchAll(/^export (?:async )?(?:const|let|function) (\w+)/gm),
        ([, name]) => `export const ${name} = undefined;`,
      );
      // What a file hands on comes from a file of the same kind.
      const handedOn = source.match(/^export .* from .*$/gm) ?? [];
      return { contents: [...classes, ...others, ...handedOn].join('\n') };
    });
  },
};

/** undici brings its parser twice, for processors with and without SIMD; the one without runs on all of them. */
const oneParser = {
  name: 'one-parser',
  setup(build) {
    build.onResolve({ filter: /llhttp_simd-wasm\.js$/ }, ({ resolveDir }) => ({
      path: path.join(resolveDir, '../llhttp/llhttp-wasm.js'),
    }));
  },
};

async function code() {
  const inputs = await Promise.all([bundle(REGISTERED), bundle(ON_DEMAND)]);
  // Node-RED 4.1 requires what 5 imports: the built files are CommonJS, whatever the sources are.
  await writeFile(`${OUT}/package.json`, '{ "type": "commonjs" }\n');
  await writeFile(`${OUT}/THIRD-PARTY-NOTICES.md`, await notices(inputs.flat()));
}

/** Bundles entries and returns every source file that went in. */
async function bundle(entryPoints) {
  const { metafile } = await esbuild.build({
    entryPoints,
    outdir: OUT,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    minify: true,
    legalComments: 'none',
    // A faster way to PostgreSQL where somebody has compiled it; here nobody has.
    external: ['pg-native'],
    plugins: [lazyEntries, unusedResources, oneParser],
    metafile: true,
    logLevel: 'warning',
  });
  return Object.keys(metafile.inputs);
}

/** The licences of all that was bundled, as their terms ask. */
async function notices(inputs) {
  const found = inputs
    .map((input) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1])
    .filter(Boolean);
  const parts = ['# Third-party notices\n\nThis package contains code of the following projects.\n'];
  for (const name of [...new Set(found)].sort()) {
    const folder = `node_modules/${name}`;
    const { version, license } = JSON.parse(await readFile(`${folder}/package.json`, 'utf8'));
    parts.push(`## ${name} ${version} (${license})\n\n${await licenceIn(folder)}\n`);
  }
  return parts.join('\n');
}

/** A package's licence; a few have it at the end of their README. */
async function licenceIn(folder) {
  const files = await readdir(folder);
  const file = files.find((entry) => /^licen[cs]e/i.test(entry));
  if (file) return (await readFile(`${folder}/${file}`, 'utf8')).trim();
  const readme = files.find((entry) => /^readme/i.test(entry));
  const text = readme ? await readFile(`${folder}/${readme}`, 'utf8') : '';
  const licence = /^#+ *licen[cs]e *$([\s\S]*)/im.exec(text)?.[1]?.trim();
  if (!licence) throw new Error(`${folder} is bundled but carries no licence`);
  return licence;
}

/** The behaviour of one node's dialog, for the browser. */
async function editorScript(name) {
  return `<script type="text/javascript">\n${await forBrowser(`nodes/${name}/editor.ts`)}</script>`;
}

/** What the plugin's tab loads when it is first opened. */
async function panel() {
  await mkdir(OUT, { recursive: true });
  await writeFile(`${OUT}/panel.js`, await forBrowser(`nodes/${PLUGIN}/editor/panel.ts`));
}

/** A bundle for the browser, as text. */
async function forBrowser(entry) {
  const { outputFiles } = await esbuild.build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    minify: true,
    charset: 'utf8',
    logLevel: 'warning',
  });
  return outputFiles[0].text;
}

/** template.html of every method, in the order of methods/index.ts. */
async function templates(folder) {
  const { everyMethod } = await import(`./${folder}/methods/index.ts`);
  const parts = everyMethod.map(async ({ id }) => {
    const html = await readFile(`${folder}/methods/${id}/template.html`, 'utf8');
    return `<div class="runs-method" data-method="${id}">\n${html}</div>\n`;
  });
  return (await Promise.all(parts)).join('\n');
}

/** A node's own help, and below it that of its methods where it has any; in English unless a language is named. */
async function help(name, language = 'en-US') {
  const { nodeHelp } = await import('./locales/compose-help.ts');
  const index = `./nodes/${name}/methods/index.ts`;
  const { everyMethod } = (await exists(index)) ? await import(index) : { everyMethod: [] };
  return nodeHelp(name, everyMethod, language);
}

const exists = (file) =>
  access(file).then(
    () => true,
    () => false,
  );

/** Fills `<!-- build:… -->` in a node's html: script, templates, help. */
async function fill(name, html) {
  const makers = {
    script: () => editorScript(name),
    templates: () => templates(`nodes/${name}`),
    help: () => help(name),
  };
  let text = html;
  for (const [part, make] of Object.entries(makers)) {
    const mark = `<!-- build:${part} -->`;
    if (text.includes(mark)) text = text.split(mark).join(await make());
  }
  return text;
}

/** Without the indentation of tags, which nobody reads. */
const dense = (html) => html.replace(/^ +(?=<)/gm, '');

function html() {
  return src([...NODES, PLUGIN].map((name) => `nodes/${name}/${name}.html`))
    .pipe(
      new Transform({
        objectMode: true,
        transform(file, _encoding, done) {
          fill(file.stem, file.contents.toString()).then((text) => {
            file.contents = Buffer.from(dense(text));
            done(null, file);
          }, done);
        },
      }),
    )
    .pipe(dest(OUT));
}

/** Transforms each file's text. */
const eachText = (change) =>
  new Transform({
    objectMode: true,
    transform(file, _encoding, done) {
      file.contents = Buffer.from(change(file.contents.toString()));
      done(null, file);
    },
  });

/** Without the white space that only people need. */
function catalogues() {
  const compact = eachText((text) => JSON.stringify(JSON.parse(text)));
  return src('locales/*/*.json')
    .pipe(compact)
    .pipe(dest(`${OUT}/locales`));
}

/** Node-RED reads the translated help of a node from locales/<language>/<node>.html, beside its code. */
async function translations() {
  for (const language of await readdir('locales')) {
    if (!(await exists(`locales/${language}/help`))) continue;
    await mkdir(`${OUT}/locales/${language}`, { recursive: true });
    for (const name of NODES) {
      const html = `<script type="text/html" data-help-name="${name}">\n${await help(name, language)}</script>\n`;
      await writeFile(`${OUT}/locales/${language}/${name}.html`, dense(html));
    }
  }
}

function icons() {
  return src('nodes/*/icons/*', { encoding: false })
    .pipe(
      new Transform({
        objectMode: true,
        transform(file, _encoding, done) {
          file.base = file.dirname;
          done(null, file);
        },
      }),
    )
    .pipe(dest(`${OUT}/icons`));
}

export const clean = () => rm(OUT, { recursive: true, force: true });
const types = () => command('typescript/bin/tsc', '--noEmit');
const style = () => command('@biomejs/biome/bin/biome', 'check', '--error-on-warnings');
export const check = series(types, style);
/** What the browser gets; quicker than all of it while working on a dialog. */
export const editor = parallel(html, panel, catalogues, translations, icons);
export const build = series(clean, parallel(code, editor));
export const watch = () =>
  gulp.watch(['nodes/**', 'engine/**', 'locales/**'], { ignoreInitial: false }, series(types, build));
export default series(check, build);
