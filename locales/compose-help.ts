/** Puts the help of a node together in one language, for the build and for the tests that read it. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Method } from '../nodes/openai-runs/methods/method.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
/** The published description of the API that OpenAI's own service had. */
const REFERENCE = 'https://platform.openai.com/docs/api-reference/';

/** Where the English of a part stands: a node, a method, or the fields that methods share. */
export function englishFile(part: string): string {
  if (part.startsWith('openai-runs')) return `nodes/${part}/help.html`;
  if (part === 'fields') return 'nodes/openai-runs/methods/fields.html';
  return `nodes/openai-runs/methods/${part}/help.html`;
}

/** A part of the help in a language; in English where there is no translation of it. */
export function helpPart(part: string, language: string): string {
  const translated = path.join(ROOT, `locales/${language}/help/${part}.html`);
  const file = existsSync(translated) ? translated : path.join(ROOT, englishFile(part));
  return readFileSync(file, 'utf8');
}

/** One entry of fields.html. An entry with methods is for those only, and stands before the one that others share. */
interface FieldEntry {
  methods: string[] | undefined;
  name: string;
  /** `<dt>` without its attributes, and `<dd>`. */
  html: string;
}

function fieldEntries(fields: string): FieldEntry[] {
  const entries = fields.matchAll(
    /<dt(?: data-method="([\w ]+)")?>(\w+) (<span.*?<\/span>)<\/dt>\n\s*(<dd>.*?<\/dd>)\n/g,
  );
  return Array.from(entries, ([, methods, name = '', type, text]) => ({
    methods: methods?.split(' '),
    name,
    html: `<dt>${name} ${type}</dt>${text}`,
  }));
}

/** Which entries are those of a method, by their places: the required ones first, then in the order of fields.html. */
function entriesOf(
  { id, parameters }: Method,
  entries: FieldEntry[],
): { place: number; required: boolean }[] {
  const found = new Map<string, { place: number; required: boolean }>();
  entries.forEach(({ methods, name }, place) => {
    if ((methods && !methods.includes(id)) || found.has(name) || !parameters[name]) return;
    found.set(name, { place, required: parameters[name].required === true });
  });
  const all = [...found.values()];
  return [...all.filter(({ required }) => required), ...all.filter(({ required }) => !required)];
}

/** The link to the API's own description of a method. */
function referenceOf({ reference }: Method, fields: string): string {
  if (reference === '') return '';
  const [, word = ''] = /<p data-reference>(.+?)<\/p>/.exec(fields) ?? [];
  return `<p><a href="${REFERENCE}${reference}" target="_blank">${word}</a></p>\n`;
}

/** The help of one method as it is read: with its fields, and the link to the API's own description. */
export function methodHelp(method: Method, language: string): string {
  const fields = helpPart('fields', language);
  const entries = fieldEntries(fields);
  const list = entriesOf(method, entries).map(({ place, required }) => {
    const { html = '' } = entries[place] ?? {};
    return `  ${required ? html : html.replace('<dt>', '<dt class="optional">')}\n`;
  });
  const filled = `<dl class="message-properties">\n${list.join('')}</dl>\n`;
  return (
    helpPart(method.id, language).replace('<!-- build:fields -->\n', filled) + referenceOf(method, fields)
  );
}

/**
 * The whole help of a node: its own, and below it that of its methods where it has any. Fields are said once, at the
 * end; the editor puts them into their methods (help-fields.ts), which leaves the package a quarter smaller.
 */
export function nodeHelp(name: string, methods: readonly Method[], language: string): string {
  const own = helpPart(name, language);
  if (methods.length === 0) return own;
  const fields = helpPart('fields', language);
  const entries = fieldEntries(fields);
  const parts = methods.map((method) => {
    const places = entriesOf(method, entries).map(({ place, required }) => `${place}${required ? '!' : ''}`);
    const list = `<dl class="message-properties" data-fields="${places.join(' ')}"></dl>\n`;
    return (
      helpPart(method.id, language).replace('<!-- build:fields -->\n', list) + referenceOf(method, fields)
    );
  });
  const text = parts.join('\n');
  const headings = text.matchAll(/<h3 id="([^"]+)">([^<]+)<\/h3>/g);
  const contents = Array.from(headings, ([, id, title]) => `  <li><a href="#${id}">${title}</a></li>`);
  const said = `<dl id="runs-help-fields" style="display: none">\n${entries.map(({ html }) => html).join('\n')}\n</dl>\n`;
  return own.replace('<!-- build:contents -->', () => contents.join('\n')) + text + said;
}
