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

/**
 * The fields of a method, the required ones first, then in the order of fields.html. An entry with `data-method` is
 * for those methods only and stands before the one that others share.
 */
function fieldList({ id, parameters }: Method, fields: string): string {
  const entries = fields.matchAll(
    /<dt(?: data-method="([\w ]+)")?>(\w+) (<span.*?<\/span>)<\/dt>\n(\s*<dd>.*?<\/dd>)\n/g,
  );
  const found = new Map<string, string>();
  for (const [, only, name = '', type, text] of entries) {
    if ((only && !only.split(' ').includes(id)) || found.has(name) || !parameters[name]) continue;
    const optional = parameters[name].required ? '' : ' class="optional"';
    found.set(name, `  <dt${optional}>${name} ${type}</dt>\n${text}\n`);
  }
  const isRequired = (name: string) => parameters[name]?.required === true;
  const names = [...found.keys()];
  const ordered = [...names.filter(isRequired), ...names.filter((name) => !isRequired(name))];
  return `<dl class="message-properties">\n${ordered.map((name) => found.get(name)).join('')}</dl>\n`;
}

/** The help of one method, with its fields and the link to the API's own description. */
export function methodHelp(method: Method, language: string): string {
  const fields = helpPart('fields', language);
  const [, word = ''] = /<p data-reference>(.+?)<\/p>/.exec(fields) ?? [];
  const link = `<p><a href="${REFERENCE}${method.reference}" target="_blank">${word}</a></p>\n`;
  return helpPart(method.id, language).replace('<!-- build:fields -->\n', fieldList(method, fields)) + link;
}

/** The whole help of a node: its own, and below it that of its methods where it has any. */
export function nodeHelp(name: string, methods: readonly Method[], language: string): string {
  const own = helpPart(name, language);
  const text = methods.map((method) => methodHelp(method, language)).join('\n');
  const headings = text.matchAll(/<h3 id="([^"]+)">([^<]+)<\/h3>/g);
  const contents = Array.from(headings, ([, id, title]) => `  <li><a href="#${id}">${title}</a></li>`);
  return own.replace('<!-- build:contents -->', () => contents.join('\n')) + text;
}
