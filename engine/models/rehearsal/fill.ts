/** Arguments from a text, by a JSON Schema: what the text says, then what the schema gives. */
import { findFormat, findString } from './find.ts';
import { completed, DEEPEST, distinct, type Filling, invented } from './invent.ts';
import { fitNumber, fitString, fits, isRecord, kindOf, options, resolve, type Schema } from './schema.ts';
import { after, alike, asNumber, isState, nameWords, truth, type Word } from './words.ts';

/** A property that the text speaks of, and how surely. */
type Found = { value: unknown } | undefined;

/** The value that text and schema give together; always an instance of the schema as far as filling goes. */
export function fill(schema: unknown, filling: Filling): unknown {
  const [first = {}] = options(resolve(schema, filling.root), filling.root);
  return fromText(schema, filling, '', true)?.value ?? invented(first, filling);
}

/** What the text says of the properties of a schema: nothing invented, no defaults. */
export function evidence(schema: unknown, filling: Filling): Record<string, unknown> {
  const [first = {}] = options(resolve(schema, filling.root), filling.root);
  return kindOf(first) === 'object' ? said(first, filling, true) : {};
}

function fromText(schema: unknown, filling: Filling, name: string, needed: boolean): Found {
  const ways = options(resolve(schema, filling.root), filling.root);
  const known = filling.known[name];
  if (name && known !== undefined && ways.some((way) => fits(known, way))) return { value: known };
  for (const way of ways) {
    const found = one(way, filling, name, needed);
    if (found) return found;
  }
  return undefined;
}

function one(schema: Schema, filling: Filling, name: string, needed: boolean): Found {
  if (schema.const !== undefined) return needed ? { value: schema.const } : undefined;
  if (Array.isArray(schema.enum)) return choice(schema.enum, filling.words);
  switch (kindOf(schema)) {
    case 'boolean':
      return yesOrNo(filling.words, name);
    case 'number':
    case 'integer':
      return amount(schema, filling.words, name);
    case 'string':
      return wrap(findString(filling.words, { name, schema, needed, toolWords: filling.toolWords }));
    case 'array':
      return several(schema, filling, name, needed);
    case 'object':
      return record(schema, filling, needed);
    default:
      return undefined;
  }
}

const wrap = (text: string | undefined): Found => (text === undefined ? undefined : { value: text });

function record(schema: Schema, filling: Filling, needed: boolean): Found {
  const json = filling.words.find((word) => word.held?.kind === 'json' && !word.used);
  if (json?.held?.kind === 'json') {
    json.used = true;
    return { value: json.held.value };
  }
  if (filling.depth > DEEPEST) return undefined;
  const inside = { ...filling, depth: filling.depth + 1 };
  const found = said(schema, inside, needed);
  return needed || Object.keys(found).length > 0 ? { value: completed(schema, found, filling) } : undefined;
}

/**
 * Sure signs first (names, quotes, formats, choices), so that a guess for one property takes none of another's.
 * Guesses from the place in the sentence are for what is required, and only where `guess` allows them.
 */
function said(schema: Schema, filling: Filling, guess: boolean): Record<string, unknown> {
  const { root } = filling;
  const properties = Object.entries(isRecord(schema.properties) ? schema.properties : {});
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const guessed = required.size ? required : new Set(properties.slice(0, 1).map(([name]) => name));
  const found = new Map<string, unknown>();
  for (const guessing of guess ? [false, true] : [false]) {
    for (const [name, property] of properties) {
      if (found.has(name)) continue;
      const waits = guess && required.has(name) && hasKind(property, root, 'object');
      if (guessing ? !guessed.has(name) && isGuesswork(property, root) : waits) continue;
      // null says "not given" better than a guess
      const needed =
        guessing && !hasKind(property, root, 'null') && (waits || !hasKind(property, root, 'object'));
      const value = fromText(property, filling, name, needed);
      if (value) found.set(name, value.value);
    }
  }
  return Object.fromEntries(
    properties.flatMap(([name]) => (found.has(name) ? [[name, found.get(name)]] : [])),
  );
}

const hasKind = (schema: unknown, root: Schema, kind: string) =>
  options(resolve(schema, root), root).some((way) => kindOf(way) === kind);
const isGuesswork = (schema: unknown, root: Schema) =>
  hasKind(schema, root, 'string') || hasKind(schema, root, 'array');

function choice(values: unknown[], words: Word[]): Found {
  const found = mentions(values, words)[0];
  return found ? { value: take(found, words) } : undefined;
}

interface Mention {
  value: unknown;
  at: number;
  length: number;
}

/** The choices that stand in the text, in its order; of two at one place the longer. */
function mentions(values: unknown[], words: Word[]): Mention[] {
  const found = values.flatMap((value): Mention[] => {
    const parts = nameWords(String(value));
    const at = words.findIndex(
      (_, start) =>
        parts.length > 0 &&
        parts.every((part, offset) => {
          const word = words[start + offset];
          return word !== undefined && !word.used && sameChoice(word, part);
        }),
    );
    return at < 0 ? [] : [{ value, at, length: parts.length }];
  });
  const sorted = found.sort((a, b) => a.at - b.at || b.length - a.length);
  return sorted.filter(
    ({ at }, index) => index === 0 || at >= sorted[index - 1]!.at + sorted[index - 1]!.length,
  );
}

function sameChoice(word: Word, part: string): boolean {
  const text = word.held?.kind === 'quote' ? word.held.text.toLowerCase() : word.low;
  if (text === part || (part.length >= 4 && alike(text, part))) return true;
  return isState(part) && isState(text) && truth(part) === truth(text);
}

function take({ value, at, length }: Mention, words: Word[]): unknown {
  for (const word of words.slice(at, at + length)) word.used = true;
  return value;
}

function yesOrNo(words: Word[], name: string): Found {
  const named = after(words, name);
  const near = named === undefined ? [] : words.slice(named, named + 3);
  const word = [...near, ...(named === undefined ? words : [])].find(
    ({ low, used }) => !used && truth(low) !== undefined,
  );
  if (word) {
    word.used = true;
    return { value: truth(word.low) };
  }
  if (named === undefined) return undefined;
  const before = words[named - nameWords(name).length - 1];
  return { value: (before && truth(before.low)) ?? true };
}

function amount(schema: Schema, words: Word[], name: string): Found {
  const named = after(words, name);
  const near = named === undefined ? [] : words.slice(named, named + 4);
  const word = [...near, ...words].find(({ text, used }) => !used && asNumber(text) !== undefined);
  if (!word) return undefined;
  word.used = true;
  return { value: fitNumber(asNumber(word.text) ?? 0, schema) };
}

/** A list of choices, numbers, quoted or plain words, or one record. */
function several(schema: Schema, filling: Filling, name: string, needed: boolean): Found {
  const items = options(resolve(schema.items, filling.root), filling.root)[0] ?? {};
  const values = itemsOf(items, filling, name, needed);
  if (values.length === 0) return undefined;
  const unique = schema.uniqueItems ? [...new Set(values)] : values;
  const kept = unique.slice(0, Number(schema.maxItems ?? unique.length));
  while (kept.length < Number(schema.minItems ?? 0))
    kept.push(distinct(invented(items, filling), kept, items, schema));
  return { value: kept };
}

function itemsOf(items: Schema, filling: Filling, name: string, needed: boolean): unknown[] {
  const { words } = filling;
  if (Array.isArray(items.enum)) return mentions(items.enum, words).map((found) => take(found, words));
  switch (kindOf(items)) {
    case 'number':
    case 'integer':
      return numbers(items, words);
    case 'object': {
      const found =
        filling.depth > DEEPEST ? {} : said(items, { ...filling, depth: filling.depth + 1 }, needed);
      return Object.keys(found).length > 0 ? [completed(items, found, filling)] : [];
    }
    case 'boolean':
      return words.flatMap((word) => {
        const value = word.used ? undefined : truth(word.low);
        if (value !== undefined) word.used = true;
        return value === undefined ? [] : [value];
      });
    case 'string':
      return texts(items, filling, name, needed);
    default:
      return [];
  }
}

function numbers(items: Schema, words: Word[]): number[] {
  return words.flatMap((word) => {
    const parts = word.used ? [] : word.text.split(',');
    const found = parts.map(asNumber).filter((value) => value !== undefined);
    if (found.length === 0 || found.length < parts.length) return [];
    word.used = true;
    return found.map((value) => fitNumber(value, items));
  });
}

function texts(items: Schema, { words, toolWords }: Filling, name: string, needed: boolean): string[] {
  const found: string[] = [];
  const named = after(words, name) !== undefined;
  for (;;) {
    const about = { name, schema: items, needed: needed || found.length > 0 || named, toolWords };
    const text = findFormat(words, items) ?? findString(words, about);
    if (text === undefined) return found;
    found.push(fitString(text, items));
  }
}
