/** The translated help says all that the English one says, in the dialog's own words, and Node-RED serves it. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../examples/user-directory.ts';
import { englishFile } from '../../locales/compose-help.ts';
import { everyMethod, methods } from '../../nodes/openai-runs/methods/index.ts';
import { type NodeRed, RELEASES, type Release, startNodeRed } from '../support/node-red.ts';

const NODES = ['openai-runs', 'openai-runs-service'];
const LANGUAGES = ['de', 'es-ES', 'fr', 'ja', 'ko', 'pt-BR', 'ru', 'zh-CN', 'zh-TW'];
/** Addresses that the help may link to. */
const ALLOWED_LINKS = methods.map(
  ({ reference }) => `https://platform.openai.com/docs/api-reference/${reference}`,
);

/** Every part of the help. */
const PARTS = [...NODES, 'fields', ...everyMethod.map(({ id }) => id)];

const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const english = (part: string) => read(englishFile(part));
const translated = (language: string, part: string) => read(`locales/${language}/help/${part}.html`);

/** What a regular expression finds: its first group, or all of it. */
const all = (text: string, pattern: RegExp) =>
  Array.from(text.matchAll(pattern), ([whole, one]) => one ?? whole);

const headings = (html: string) => all(html, /<h3[^>]*>([^<]+)<\/h3>/g);
const texts = (html: string) => all(html, /<(?:p|dd|li)>(.+?)(?:<\/(?:p|dd|li)>|\n)/g);

/** What must be the same in every language. */
function shape(part: string, html: string) {
  // In the service's help a property is called by its label, and named in the second place.
  const property = part === 'openai-runs-service' ? /<dt.+property-type">([^<]+)</g : /<dt[^>]*>(.+?) <span/g;
  return {
    tags: all(html, /<\/?\w+[^>]*>/g).filter((tag) => !/^<\/?(?:code|i|b)>$/.test(tag)),
    properties: all(html, property),
    terms: all(html, /<[ib]>/g).length,
    codes: all(html, /<code>(.+?)<\/code>/g).sort(),
    payloads: all(html, /<pre>([\s\S]+?)<\/pre>/g),
  };
}

/** Tags that are not closed, or not in their order. */
function unbalanced(html: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [, end, name = ''] of html.replace(/<!--.*?-->/g, '').matchAll(/<(\/?)(\w+)[^>]*>/g)) {
    if (!end) open.push(name);
    else if (open.pop() !== name) wrong.push(name);
  }
  return [...wrong, ...open];
}

/** All texts of a node's catalogue. */
function words(language: string, node: string): string[] {
  const flat = (value: unknown): string[] =>
    typeof value === 'string' ? [value] : Object.values(value as object).flatMap(flat);
  return flat(JSON.parse(read(`locales/${language}/${node}.json`)));
}

/** The help of a node as it is built. */
function built(language: string, node: string): string {
  if (language !== 'en-US') return read(`dist/locales/${language}/${node}.html`);
  const [help] = all(read(`dist/${node}.html`), /<script[^>]*data-help-name=[\s\S]+?<\/script>/g);
  assert(help);
  return help;
}

describe('help', () => {
  it('is translated into these languages, each part of it', () => {
    const folders = readdirSync(path.join(ROOT, 'locales'));
    const withHelp = folders.filter((language) => existsSync(path.join(ROOT, 'locales', language, 'help')));
    assert.deepEqual(withHelp.sort(), LANGUAGES);
    const files = PARTS.map((part) => `${part}.html`);
    for (const language of LANGUAGES) {
      assert.deepEqual(readdirSync(path.join(ROOT, 'locales', language, 'help')).sort(), files.sort());
    }
  });

  for (const language of ['en-US', ...LANGUAGES]) {
    describe(language, () => {
      const own = (part: string) => (language === 'en-US' ? english(part) : translated(language, part));

      for (const part of PARTS) {
        it(`${part} is well-formed and calls things what the dialog calls them`, () => {
          const html = own(part);
          assert.deepEqual(unbalanced(html), []);
          assert.deepEqual(all(html, /&(?!(?:amp|lt|gt|quot|#\d+);)/g), []);
          // The help of the node leads into the service's dialog, too, and both into the panel.
          const known = [...NODES, 'openai-runs-panel'].flatMap((node) => words(language, node));
          const called = [
            ...all(html, /<[ib]>(.+?)<\/[ib]>/g),
            ...(part === 'openai-runs-service' ? all(html, /<dt[^>]*>(.+?) <span/g) : []),
          ].flatMap((term) => (known.includes(term) ? [] : term.split(', ')));
          for (const term of called) {
            const found = headings(html).includes(term) || known.some((word) => word.startsWith(term));
            assert(found, `neither the dialog nor a heading says "${term}"`);
          }
          const title = JSON.parse(read(`locales/${language}/openai-runs.json`))['openai-runs'].method[part]
            ?.name;
          if (title) assert.deepEqual(headings(html), [title]);
        });
      }

      it('has links that lead somewhere, and none to other places', () => {
        for (const node of NODES) {
          const html = built(language, node);
          const ids = all(html, / id="([^"]+)"/g);
          assert.equal(new Set(ids).size, ids.length);
          for (const link of all(html, / (?:href|src)="([^"]*)"/g)) {
            const leads = link.startsWith('#') ? ids.includes(link.slice(1)) : ALLOWED_LINKS.includes(link);
            assert(leads, `${link} leads nowhere`);
          }
        }
      });

      it('leads from its contents to each method, in the order of the dialog', () => {
        const links = all(built(language, 'openai-runs'), /<li><a href="#runs-help-(\w+)">/g);
        assert.deepEqual(
          links,
          everyMethod.map(({ id }) => id),
        );
      });
    });
  }

  for (const language of LANGUAGES) {
    for (const part of PARTS) {
      it(`${part} says in ${language} all that it says in English`, () => {
        const [source, html] = [english(part), translated(language, part)];
        assert.deepEqual(shape(part, html), shape(part, source));
        assert.equal(html.split('\n').length, source.split('\n').length);
        const untouched = texts(source).filter((text) => texts(html).includes(text));
        assert.deepEqual(untouched, []);
      });
    }
  }

  for (const release of Object.keys(RELEASES) as Release[]) {
    describe(`in Node-RED ${release}`, () => {
      let red: NodeRed;
      before(async () => {
        red = await startNodeRed({ release });
      });
      after(() => red?.stop());

      /** As the editor asks: the languages of the browser, or the one chosen in its settings. */
      async function served(language: string): Promise<string> {
        const headers = { accept: 'text/html', 'accept-language': language };
        return (await fetch(`${red.address}/nodes`, { headers })).text();
      }

      const asked = {
        de: 'de',
        'de-AT': 'de',
        ja: 'ja',
        'ja-JP': 'ja',
        'zh-CN': 'zh-CN',
        'en-US': 'en-US',
        fr: 'fr',
      };
      for (const [wanted, given] of Object.entries(asked)) {
        it(`comes in ${given} to an editor in ${wanted}`, async () => {
          const html = await served(wanted);
          for (const node of NODES) {
            const found = all(
              html,
              new RegExp(`<script[^>]*data-help-name="${node}"[\\s\\S]+?</script>`, 'g'),
            );
            assert.deepEqual(found, [built(given, node).trim()]);
          }
        });
      }
    });
  }
});
