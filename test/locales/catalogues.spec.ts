/** Ten languages say the same: every text is there, is translated, keeps its places, and is asked for. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../examples/user-directory.ts';
import { catalogue, LANGUAGES, NODES, placeholders, REFERENCE, source } from './catalogue.ts';

/** Names of products, protocols and of the node types themselves: the same in every language. */
const NAMES = new Set([
  'openai runs',
  'openai runs service',
  'ID',
  'OpenAI Responses',
  'Ollama',
  'llama.cpp',
  'LM Studio',
  'vLLM',
  'LiteLLM',
  'Anthropic',
  'Google Gemini',
  'Mistral',
  'Groq',
  'OpenRouter',
  'Azure OpenAI',
  'PostgreSQL',
  'Authorization: Bearer',
  'Top p',
]);

/** Words that a language really shares with English, or borrowed; each was looked at. */
const SHARED: Record<string, readonly string[]> = {
  de: [
    'Chat',
    'Host',
    'Name',
    'Nodes: __count__',
    'Port',
    'Proxy',
    'Query',
    'Runs',
    'Schema',
    'Thread',
    'Threads',
    'Tools',
  ],
  'es-ES': [
    'Chat',
    'Host',
    'Proxy',
    '__count__ tokens',
    '__seconds__ s · __tokens__ tokens',
    '__tokens__ tokens · __seconds__ s',
  ],
  fr: [
    'Message',
    'Conversation',
    'Arguments',
    'Messages',
    'Proxy',
    'Assistants',
    'assistant',
    'Assistant',
    'Assistant __number__',
    'Description',
    'Instructions',
    'Port',
    'Service',
    'Services',
  ],
  'pt-BR': [
    'Chat',
    'Host',
    'Proxy',
    'Thread',
    'Threads',
    '__count__ tokens',
    '__seconds__ s · __tokens__ tokens',
    '__tokens__ tokens · __seconds__ s',
  ],
};

/** Nothing but places to fill in, addresses, units and signs is the same everywhere. */
function hasWords(text: string): boolean {
  return /\p{L}/u.test(text.replace(/__\w+?__|https?:\/\/\S+|\b(?:KB|s)\b/g, ''));
}

const mayStay = (language: string, english: string) =>
  !hasWords(english) || NAMES.has(english) || (SHARED[language] ?? []).includes(english);

const differences = (one: Iterable<string>, other: Iterable<string>) => {
  const known = new Set(other);
  return [...one].filter((item) => !known.has(item));
};

for (const node of NODES) {
  const english = catalogue(REFERENCE, node);

  describe(`texts of ${node}`, () => {
    for (const language of [REFERENCE, ...LANGUAGES]) {
      describe(language, () => {
        const texts = catalogue(language, node);

        it('has the keys of English in the same order, no less and no more', () => {
          assert.deepEqual(differences(english.keys(), texts.keys()), [], 'missing');
          assert.deepEqual(differences(texts.keys(), english.keys()), [], 'not in English');
          assert.deepEqual([...texts.keys()], [...english.keys()]);
        });

        it('keeps what is to be filled in', () => {
          for (const [key, text] of texts) {
            assert.deepEqual(placeholders(text), placeholders(english.get(key) ?? ''), `${key}: ${text}`);
            assert.doesNotMatch(text, /\{\{|\}\}|\$t\(/, key);
            assert.doesNotMatch(text.replace(/__\w+?__/g, ''), /__/, `${key}: half a place to fill in`);
          }
        });

        it('has no empty text, nothing left to trim', () => {
          for (const [key, text] of texts) {
            assert(text !== '' || english.get(key) === '', `${key} is empty`);
            assert.equal(text, text.trim(), key);
            assert.equal(text, text.normalize('NFC'), key);
          }
        });

        it('is written as the others are: two spaces, UTF-8, a line break at the end', () => {
          const written = source(language, node);
          assert.equal(written, `${JSON.stringify(JSON.parse(written), null, 2)}\n`);
        });

        if (language === REFERENCE) return;

        it('leaves nothing in English', () => {
          const left = [...texts].filter(
            ([key, text]) => text === english.get(key) && !mayStay(language, text),
          );
          assert.deepEqual(left, []);
        });
      });
    }

    if (node === 'openai-runs-panel') return;

    // Keys in the code are typed from the English catalogue; those in the dialogs' html are not.
    it('has every text that the html asks for', () => {
      const html = readFileSync(path.join(ROOT, 'nodes', node, `${node}.html`), 'utf8');
      const asked = Array.from(html.matchAll(/data-i18n="([^"]*)"/g), ([, value]) => (value ?? '').split(';'))
        .flat()
        .map((key) =>
          key
            .trim()
            .replace(/^\[[\w-]+\]/, '')
            .replace(`${node}.`, ''),
        );
      assert.ok(asked.length > 10);
      assert.deepEqual(
        asked.filter((key) => !english.has(key)),
        [],
      );
    });
  });
}

describe('allow-lists of the catalogues', () => {
  it('hold no word that is not needed', () => {
    const english = NODES.flatMap((node) => [...catalogue(REFERENCE, node)]);
    const spare = [...NAMES].filter((name) => !english.some(([, text]) => text === name));
    for (const [language, wordsShared] of Object.entries(SHARED)) {
      const texts = NODES.map((node) => catalogue(language, node));
      const shared = NODES.flatMap((node, index) =>
        [...catalogue(REFERENCE, node)]
          .filter(([key, text]) => texts[index]?.get(key) === text)
          .map(([, text]) => text),
      );
      spare.push(...differences(wordsShared, shared).map((word) => `${language}: ${word}`));
    }
    assert.deepEqual(spare, []);
  });
});
