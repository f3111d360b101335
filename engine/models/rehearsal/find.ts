/** Finding a text argument in a person's words: by name, quotes, form and place in the sentence. */
import { fitString, matches, type Schema } from './schema.ts';
import { after, alike, asNumber, isStop, isVerb, PREPOSITIONS, truth, type Word } from './words.ts';

interface Wanted {
  name: string;
  schema: Schema;
  /** Guess from the place in the sentence if no sure sign is there. */
  needed: boolean;
  toolWords: string[];
}

/** Free text rather than a name: takes whole stretches of words. */
const FREE_TEXT =
  /text|message|body|content|query|question|prompt|title|note|subject|description|command|input/i;
const FORMULA = /expression|formula|equation|calculation/i;

const FORMS: Record<string, RegExp> = {
  date: /^\d{4}-\d\d-\d\d$/,
  email: /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
  ipv4: /^\d+\.\d+\.\d+\.\d+$/,
  uuid: /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i,
};

/** The text for a property, its words marked as used; undefined if there is none. */
export function findString(words: Word[], wanted: Wanted): string | undefined {
  const { schema, needed } = wanted;
  const text =
    schema.format || schema.pattern
      ? findFormat(words, schema)
      : (named(words, wanted) ?? quoted(words) ?? (needed ? guessed(words, wanted) : undefined));
  return text === undefined ? undefined : fitString(text, schema);
}

/** A text that shows by its form what it is: a date, an address, or what a pattern asks for. */
export function findFormat(words: Word[], { format, pattern }: Schema): string | undefined {
  if (!format && !pattern) return undefined;
  const form = FORMS[String(format)];
  if (!pattern && !form) return undefined;
  const word = words.find(
    (one) => !one.used && (form?.test(plain(one)) ?? true) && matches(plain(one), pattern),
  );
  return word && use([word]);
}

const plain = (word: Word) => (word.held?.kind === 'quote' ? word.held.text.trim() : word.text);

function use(words: Word[]): string | undefined {
  if (words.length === 0) return undefined;
  for (const word of words) word.used = true;
  return words
    .map((word, at) => plain(word) + (at < words.length - 1 ? word.gap : ''))
    .join('')
    .trim();
}

/** The stretch of words from a place on for which a rule holds; a comma ends it unless it is free text. */
function stretch(
  words: Word[],
  from: number,
  holds: (word: Word, at: number) => boolean,
  commas = false,
): Word[] {
  const rest = words.slice(from);
  const end = rest.findIndex((word, at) => {
    const cut = !commas && at > 0 && /[,;]/.test(rest[at - 1]?.gap ?? '');
    return cut || word.used || word.held !== undefined || !holds(word, at);
  });
  return end < 0 ? rest : rest.slice(0, end);
}

function quoted(words: Word[]): string | undefined {
  const word = words.find(({ held, used }) => held?.kind === 'quote' && !used);
  return word && use([word]);
}

const FILLERS = new Set(['is', 'to', 'as', 'of', 'auf', 'ist', 'als']);

/** `city: Paris`, `city=Paris`, `city is New York`. */
function named(words: Word[], { name }: Wanted): string | undefined {
  const start = after(words, name);
  const mark = start === undefined ? undefined : words[start - 1];
  if (start === undefined || !mark) return undefined;
  const explicit = /^\s*[:=]/.exec(mark.gap)?.[0];
  const from = !explicit && FILLERS.has(words[start]?.low ?? '') ? start + 1 : start;
  const next = words[from];
  if (!next || next.used) return undefined;
  if (next.held?.kind === 'quote') return use([next]);
  if (explicit?.endsWith(':') && FREE_TEXT.test(name)) return use(stretch(words, from, () => true, true));
  if (explicit)
    return use(stretch(words, from, (word, at) => at === 0 || (isCapital(next) && isCapital(word))));
  if (isStop(next.low) && !isLetter(words, from)) return undefined;
  if (FREE_TEXT.test(name)) return use(stretch(words, from, () => true, true));
  return truth(next.low) === undefined || isLetter(words, from)
    ? use(stretch(words, from, (word, at) => at === 0 || (isCapital(next) && isCapital(word))))
    : undefined;
}

const isCapital = (word: Word) => /^\p{Lu}/u.test(word.text);

/** "lamp a on", "lamp b": a single letter is a name if nothing follows that it could be the article of. */
function isLetter(words: Word[], at: number): boolean {
  const next = words[at + 1];
  return (
    words[at]?.text.length === 1 &&
    (!next || truth(next.low) !== undefined || asNumber(next.text) !== undefined)
  );
}

function guessed(words: Word[], { name, toolWords }: Wanted): string | undefined {
  const isTool = (word: Word) => toolWords.some((tool) => alike(tool, word.low));
  const free = (word: Word) =>
    !isTool(word) && !isStop(word.low) && !isVerb(word.low) && truth(word.low) === undefined && !word.held;
  if (FORMULA.test(name)) return formula(words);
  if (FREE_TEXT.test(name)) return freeText(words, isTool, free);
  return (
    capitals(words, free) ??
    afterPreposition(words, free) ??
    besideTool(words, isTool, free) ??
    leftOver(words, free)
  );
}

function formula(words: Word[]): string | undefined {
  const isPart = (word: Word) => asNumber(word.text) !== undefined || /^[-+*/^().,\d]+$/.test(word.text);
  const from = words.findIndex((word) => !word.used && isPart(word));
  return from < 0 ? undefined : use(stretch(words, from, isPart));
}

/** All that follows the words that name the tool, up to "to", "into" or "in" with a name after it. */
function freeText(words: Word[], isTool: (word: Word) => boolean, free: (word: Word) => boolean) {
  const colon = words.findIndex(({ gap }) => /^\s*:\s/.test(gap));
  if (colon >= 0) return use(stretch(words, colon + 1, () => true, true));
  const last = words.findLastIndex((word) => isTool(word) || isVerb(word.low));
  const from = words.findIndex((word, at) => at > last && !word.used && !PREPOSITIONS.has(word.low));
  const start = from < 0 ? words.findIndex((word) => !word.used && free(word)) : from;
  if (start < 0) return undefined;
  return use(
    stretch(
      words,
      start,
      (word, at) => {
        const next = words[start + at + 1];
        return !(at > 0 && PREPOSITIONS.has(word.low) && next && isCapital(next));
      },
      true,
    ),
  );
}

function capitals(words: Word[], free: (word: Word) => boolean): string | undefined {
  const from = words.findIndex((word, at) => at > 0 && !word.used && isCapital(word) && free(word));
  return from < 0 ? undefined : use(stretch(words, from, (word) => isCapital(word) && free(word)));
}

function afterPreposition(words: Word[], free: (word: Word) => boolean): string | undefined {
  for (const [at, word] of words.entries()) {
    if (!PREPOSITIONS.has(word.low)) continue;
    const from = words.findIndex((next, place) => place > at && !isStop(next.low));
    const found =
      from < 0 ? [] : stretch(words, from, (next) => free(next) && asNumber(next.text) === undefined);
    if (found.length > 0) return use(found);
  }
  return undefined;
}

/** "lamp a", then "kitchen lamp". */
function besideTool(words: Word[], isTool: (word: Word) => boolean, free: (word: Word) => boolean) {
  const noun = words.findLastIndex((word) => isTool(word) && !isVerb(word.low));
  if (noun < 0) return undefined;
  const next = words[noun + 1];
  if (next && !next.used && (free(next) || isLetter(words, noun + 1))) return use([next]);
  let from = noun;
  while (from > 0 && free(words[from - 1]!) && !words[from - 1]!.used) from--;
  return use(words.slice(from, noun));
}

function leftOver(words: Word[], free: (word: Word) => boolean): string | undefined {
  const from = words.findIndex((word, at) => !word.used && (free(word) || (at > 0 && isLetter(words, at))));
  if (from < 0) return undefined;
  return use(stretch(words, from, (word, at) => at === 0 || free(word)));
}
