/** What a text says of a schema's properties: first by name, then by form, then by place. */
import { Pattern } from './pattern.ts';
import {
  fitNumber,
  fitText,
  kindOf,
  limit,
  propertiesOf,
  requiredOf,
  type Schema,
  type SchemaReader,
} from './schema.ts';
import {
  after,
  alike,
  isFiller,
  lower,
  nameWords,
  numberOf,
  plainWord,
  truthOf,
  type Word,
} from './words.ts';

/** Properties that a text is searched for, and how deep: each costs a search, and some schemas never end. */
const MOST_PLACES = 300;
const DEEPEST = 6;
/** Comparisons of words that cost as much as a step in a schema. */
const COMPARISONS = 50;
/** Longest word, in characters, that is tried as a date, an address or a pattern. */
const LONGEST_FORM = 256;

/** Texts by format: what one looks like, and one to stand in. */
export const FORMATS: Record<string, [form: RegExp, sample: string]> = {
  'date-time': [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i, '2026-01-01T12:00:00Z'],
  date: [/^\d{4}-\d\d-\d\d$/, '2026-01-01'],
  time: [/^\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i, '12:00:00Z'],
  duration: [/^P(?=[\dT])[\dYMWDTHS.]+$/, 'PT1M'],
  email: [/^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'rehearsal@example.com'],
  hostname: [/^[a-z\d-]+(?:\.[a-z\d-]+)+$/i, 'example.com'],
  ipv4: [/^\d+\.\d+\.\d+\.\d+$/, '192.0.2.1'],
  ipv6: [/^[\da-f]*:[\da-f:]*:[\da-f]*$/i, '2001:db8::1'],
  uri: [/^\w+:\/\/\S+$/, 'https://example.com/'],
  uuid: [/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i, '00000000-0000-4000-8000-000000000000'],
};

/** Where to look. */
export interface Source {
  words: Word[];
  /** Words that name the tool, not its arguments. */
  toolWords: string[];
  /** Values by property name, from JSON that the conversation holds. */
  known: Record<string, unknown>;
}

/** A place in the value that a text may fill. */
interface Place {
  path: string;
  name: string;
  schema: Schema;
  /** So needed that a word's place in the text is reason enough. */
  needed: boolean;
  depth: number;
}

/** The path of a property or list item below another; the root's is empty. */
export const below = (path: string, name: string | number) => `${path}\0${name}`;

/** What is found, by path. Sure signs for all properties come first, so that a guess takes none of them. */
export function find(reader: SchemaReader, source: Source): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const places = placesOf(reader);
  for (const look of [known, named, formed, guessed]) {
    for (const place of places) {
      const value = found.has(place.path) ? undefined : look(place, source, reader);
      if (value !== undefined) found.set(place.path, value);
    }
  }
  return found;
}

/** The properties that are no objects themselves, those of the outer objects first. */
function placesOf(reader: SchemaReader): Place[] {
  const places: Place[] = [];
  const open: Place[] = [{ path: '', name: '', schema: reader.root, needed: true, depth: 0 }];
  // grows while it is walked through
  for (const place of open) {
    const { schema, nullable } = reader.way(place.schema);
    // null says "not given" better than a guess
    const needed = place.needed && !nullable;
    const isList = kindOf(schema) === 'array';
    const object = isList ? reader.way(schema.items).schema : schema;
    if (kindOf(object) !== 'object') places.push({ ...place, schema, needed });
    else if (place.depth < DEEPEST && open.length < MOST_PLACES)
      open.push(...inside(object, { ...place, needed, path: isList ? below(place.path, 0) : place.path }));
  }
  return places.slice(0, MOST_PLACES);
}

function inside(object: Schema, { path, needed, depth }: Place): Place[] {
  const required = requiredOf(object);
  // where nothing is required, the first property is what a function is about
  const first = required.size === 0 && depth === 0 ? 0 : -1;
  return Object.entries(propertiesOf(object)).map(([name, schema], at) => ({
    path: below(path, name),
    name,
    schema: schema as Schema,
    needed: needed && (required.has(name) || at === first),
    depth: depth + 1,
  }));
}

function known({ name, schema }: Place, { known: values }: Source, reader: SchemaReader): unknown {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (typeof value === 'object' || value === undefined) return undefined;
  const kind = typeof value === 'string' ? 'quote' : 'plain';
  return take(schema, [{ ...plainWord(String(value)), kind }], reader, 1)[0];
}

/** `city: New York`, `city=Paris`, `count 3`, `not urgent`. */
function named({ name, schema }: Place, { words }: Source, reader: SchemaReader): unknown {
  const at = after(words, name);
  if (at === undefined || words[at - 1]?.used) return undefined;
  const kind = kindOf(schema);
  if (kind === 'array') return several(schema, words.slice(at), reader, true);
  const isLoose = Array.isArray(schema.enum) || kind === 'number' || kind === 'integer';
  const found = take(schema, words.slice(at, at + (isLoose ? 3 : 1)), reader, 1)[0];
  if (found !== undefined || isLoose) return found;
  if (kind === 'boolean') return truthOf(words[at - nameWords(name).length - 1]?.low ?? '') ?? true;
  const value = kind === 'string' ? valueAfter(words, at) : [];
  return value.length > 0 && hasForm(joined(value), schema, reader) !== false
    ? use(value, schema)
    : undefined;
}

/** After a colon the rest of the clause up to the next `name:`, after `=` one word; else one that says something. */
function valueAfter(words: Word[], at: number): Word[] {
  const first = words[at];
  const sign = /^\s*[:=：]/.exec(words[at - 1]?.gap ?? '')?.[0].trim();
  if (!first || first.used) return [];
  if (sign && sign !== '=')
    return stretch(words, at, ({ kind, gap }) => kind === 'plain' && !/^\s*[:=：]/.test(gap));
  return sign || (!isFiller(first.low) && truthOf(first.low) === undefined) ? [first] : [];
}

/** The unused words from a place on for which a rule holds, up to the end of the clause. */
function stretch(words: Word[], from: number, holds: (word: Word) => boolean): Word[] {
  const ends = (word: Word, at: number) =>
    word.used || !holds(word) || (at > 0 && words[from + at - 1]?.last);
  const end = words.slice(from).findIndex(ends);
  return words.slice(from, end < 0 ? undefined : from + end);
}

const joined = (words: Word[]) =>
  words
    .map(({ text, gap }, at) => text + (at < words.length - 1 ? gap : ''))
    .join('')
    .trim();

function use(words: Word[], schema: Schema): string {
  for (const word of words) word.used = true;
  return fitText(joined(words), schema);
}

/** What its form gives away: a choice, a number, yes or no, a date or address, a quoted text. */
const formed = ({ schema }: Place, { words }: Source, reader: SchemaReader): unknown =>
  kindOf(schema) === 'array' ? several(schema, words, reader, false) : take(schema, words, reader, 1)[0];

/** A list of what the words hold; with `all` plain words are texts, too. */
function several(schema: Schema, words: Word[], reader: SchemaReader, all: boolean): unknown[] | undefined {
  const items = reader.way(schema.items).schema;
  const found = take(items, words, reader, limit(schema, 'maxItems', Infinity));
  if (all && found.length === 0 && isPlainText(items, reader))
    found.push(...words.filter(isFree).map((word) => use([word], items)));
  return found.length > 0 ? found : undefined;
}

/** The values of a schema's form that the words hold, in their order; their words are used up. */
function take(schema: Schema, words: Word[], reader: SchemaReader, most: number): unknown[] {
  const found: unknown[] = [];
  const choices = Array.isArray(schema.enum)
    ? schema.enum.map((value) => ({ value, parts: partsOf(value) }))
    : undefined;
  // the longer name first: "living room" before "room"
  choices?.sort((a, b) => b.parts.length - a.parts.length);
  reader.spend(((choices?.length ?? 1) * words.length) / COMPARISONS);
  for (const [at, word] of words.entries()) {
    if (found.length >= most) break;
    if (word.used) continue;
    const choice = choices?.find(
      ({ parts }) => parts.length > 0 && parts.every((part, next) => says(words[at + next], part)),
    );
    const value = choices ? choice?.value : readAs(word, schema, reader);
    if (value === undefined) continue;
    for (const taken of words.slice(at, at + (choice?.parts.length ?? 1))) taken.used = true;
    found.push(value);
  }
  return found;
}

/** What a choice is called: a number as it is, a text by its words. */
const partsOf = (value: unknown) => (typeof value === 'string' ? nameWords(value) : [lower(String(value))]);

const says = (word: Word | undefined, part: string) =>
  word !== undefined && !word.used && (alike(word.low, part) || (truthOf(part) ?? 0) === truthOf(word.low));

function readAs(word: Word, schema: Schema, reader: SchemaReader): unknown {
  const kind = schema.const === undefined ? kindOf(schema) : undefined;
  if (kind === 'boolean') return truthOf(word.low);
  if (kind === 'string')
    return (hasForm(word.text, schema, reader) ?? word.kind === 'quote')
      ? fitText(word.text, schema)
      : undefined;
  const number = kind === 'number' || kind === 'integer' ? numberOf(word.text) : undefined;
  return number === undefined ? undefined : fitNumber(number, schema);
}

/** Whether a text is what format and pattern ask for; undefined if they ask for nothing. */
function hasForm(text: string, schema: Schema, reader: SchemaReader): boolean | undefined {
  const { format, pattern } = schema;
  const form = FORMATS[String(format)]?.[0];
  if (!form && typeof pattern !== 'string') return undefined;
  if (text.length > LONGEST_FORM || form?.test(text) === false || fitText(text, schema) !== text)
    return false;
  return typeof pattern !== 'string' || new Pattern(pattern, reader.spend).matches(text);
}

const isPlainText = (schema: Schema, reader: SchemaReader) =>
  kindOf(schema) === 'string' &&
  !('enum' in schema) &&
  !('const' in schema) &&
  hasForm('', schema, reader) === undefined;

const isFree = ({ used, kind, low }: Word) =>
  !used && kind === 'plain' && !isFiller(low) && truthOf(low) === undefined && numberOf(low) === undefined;

/** A needed text without any sign: a name with a capital letter, or else the last word that is left over. */
function guessed({ schema, needed }: Place, { words, toolWords }: Source, reader: SchemaReader): unknown {
  if (!needed) return undefined;
  const free = (word: Word) => isFree(word) && !toolWords.some((tool) => alike(tool, word.low));
  if (kindOf(schema) === 'array') return several(schema, words.filter(free), reader, true);
  if (!isPlainText(schema, reader)) return undefined;
  const isName = (word: Word) => /^\p{Lu}/u.test(word.text) && free(word);
  const from = words.findIndex((word, at) => at > 0 && isName(word));
  const value =
    from > 0
      ? stretch(words, from, isName)
      : words.filter((word, at) => free(word) && (at > 0 || !isName(word))).slice(-1);
  return value.length > 0 ? use(value, schema) : undefined;
}
