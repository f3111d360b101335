/** Reading a person's text without understanding it: words, clauses, quoted parts, a few word lists. */

export interface Word {
  text: string;
  /** Lower case, without accents. */
  low: string;
  /** A quoted text or JSON object, taken out before splitting. */
  held?: Held;
  /** Already became an argument. */
  used: boolean;
  /** What stands between this word and the next. */
  gap: string;
}

export type Held = { kind: 'quote'; text: string } | { kind: 'json'; value: Record<string, unknown> };

const list = (words: string) => new Set(words.split(' '));

/** Asking verbs and question words, then doing verbs: they tell get_lamp from set_lamp. */
export const READING = list(
  'get read fetch query show check look measure tell what which how is are lies lese zeig zeige wie was ist welche sag quel quelle lis affiche combien cual lee muestra esta dime',
);
export const ACTING = list(
  'set switch turn put make change write update control send start stop schalte schalt stell stelle mach mache setze sende starte allume eteins regle mets envoie enciende apaga pon ajusta envia',
);
const OTHER_VERBS = list(
  'add list do create delete remove run call use find search please bitte can could would',
);
export const isVerb = (low: string) => READING.has(low) || ACTING.has(low) || OTHER_VERBS.has(low);

export const PREPOSITIONS = list(
  'du del della do da in at for from to into of near about with im am fur nach von vom zum zur bei uber mit en a de para por con au aux dans pour chez sur',
);
const FUNCTION_WORDS = list(
  'the a an my your our this that it its me i you we us and or then also now it be as by der die das den dem des ein eine einen einem einer mein meine ich mir uns und oder auch jetzt le la les un une des mon ma mes et ou el los las una unos mi mis y o',
);
export const isStop = (low: string) => FUNCTION_WORDS.has(low) || PREPOSITIONS.has(low);

const YES = list('on true yes enable enabled an ein ja wahr oui allume active si encendido enciende');
const NO = list(
  'off false no not disable disabled without aus nein falsch ohne non eteins inactive apagado apaga',
);
/** Words that are as often an answer or an article as a state: too weak to start another call. */
const WEAK = list('yes no not ein ja nein oui non si without ohne');

/** What a word says about a yes-or-no, undefined if nothing. */
export const truth = (low: string) => (YES.has(low) ? true : NO.has(low) ? false : undefined);
export const isState = (low: string) => truth(low) !== undefined && !WEAK.has(low);

export const lower = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

/** `setLamp`, `set_lamp`, `set-lamp` → set, lamp. */
export const nameWords = (name: string): string[] =>
  lower(name.replace(/(\p{Ll}|\d)(\p{Lu})/gu, '$1 $2')).match(/[\p{L}\p{N}]+/gu) ?? [];

/** Same word but for an ending: lamp, lamps, Lampe; read, reading. */
export function alike(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return short === long || (short.length >= 4 && long.length - short.length <= 3 && long.startsWith(short));
}

/** Where the words after a property's name begin; undefined if it isn't named. */
export function after(words: Word[], name: string): number | undefined {
  const parts = nameWords(name);
  if (parts.length === 0) return undefined;
  const at = words.findIndex(
    ({ low }, start) =>
      low === name.toLowerCase() ||
      parts.every((part, offset) => alike(words[start + offset]?.low ?? '', part)),
  );
  if (at < 0) return undefined;
  return at + (words[at]?.low === name.toLowerCase() ? 1 : parts.length);
}

const NUMBER = /^(-?\d+(?:[.,]\d+)?)(?:\p{L}{0,4})$/u;

/** 21.5, 21,5, 1,000 and 20min as numbers. */
export function asNumber(text: string): number | undefined {
  const found = NUMBER.exec(text)?.[1];
  if (found === undefined) return undefined;
  return Number(/,\d{3}$/.test(found) ? found.replace(',', '') : found.replace(',', '.'));
}

const FIRST_HOLD = 0xe000;
const QUOTES = /"([^"]*)"|“([^”]*)”|„([^“”]*)[“”]|«([^»]*)»|(?<![\p{L}\p{N}])'([^']+)'(?![\p{L}\p{N}])/gu;
const WORD =
  /[\ue000-\uf8ff]|(?<![\p{L}\p{N}_])-(?=\d)\d+(?:[.,]\d+)*|[\p{L}\p{M}\p{N}_](?:[\p{L}\p{M}\p{N}_.,@/'’-]*[\p{L}\p{M}\p{N}_])?/gu;
const BREAK =
  /\n+|[.!?;]+(?=\s|$)|[。！？；、]|,(?=\s)|(?<=\s)(?:and|then|und|dann|sowie|et|puis|y|luego|e|и|&|\+)(?=\s)/giu;

/** Text whose quoted parts and JSON objects are single words, so that splitting leaves them whole. */
export class Reading {
  readonly clauses: string[];
  readonly #held: Held[] = [];

  constructor(message: string) {
    const plain = message.replace(/[\ue000-\uf8ff]/g, ' ');
    const held = this.#holdJson(plain).replace(QUOTES, (_all, ...found) =>
      this.#hold({ kind: 'quote', text: found.slice(0, 5).find((text) => text !== undefined) ?? '' }),
    );
    this.clauses = held
      .split(BREAK)
      .map((clause) => clause.trim())
      .filter(Boolean);
  }

  words(text: string): Word[] {
    const found = [...text.matchAll(WORD)];
    return found.map((match, at) => {
      const held = this.#held[match[0].charCodeAt(0) - FIRST_HOLD];
      const end = match.index + match[0].length;
      const word = {
        text: match[0],
        low: lower(match[0]),
        used: false,
        gap: text.slice(end, found[at + 1]?.index),
      };
      return held ? { ...word, held } : word;
    });
  }

  /** The text as it was written. */
  plain(text: string): string {
    return text.replace(/[\ue000-\uf8ff]/g, (mark) => {
      const held = this.#held[mark.charCodeAt(0) - FIRST_HOLD];
      return held?.kind === 'quote' ? held.text : JSON.stringify(held?.value);
    });
  }

  #hold(held: Held): string {
    return ` ${String.fromCharCode(FIRST_HOLD + this.#held.push(held) - 1)} `;
  }

  #holdJson(text: string): string {
    let rest = text;
    let out = '';
    for (let open = rest.indexOf('{'); open >= 0; open = rest.indexOf('{')) {
      const [value, length] = jsonAt(rest.slice(open));
      out += rest.slice(0, open) + (value ? this.#hold({ kind: 'json', value }) : '{');
      rest = rest.slice(open + length);
    }
    return out + rest;
  }
}

/** The JSON object at the start of a text and its length; no object: only the brace. */
function jsonAt(text: string): [Record<string, unknown> | undefined, number] {
  for (
    let close = text.indexOf('}'), tries = 0;
    close >= 0 && tries < 64;
    close = text.indexOf('}', close + 1), tries++
  ) {
    try {
      return [JSON.parse(text.slice(0, close + 1)), close + 1];
    } catch {
      // a brace inside: try the next one
    }
  }
  return [undefined, 1];
}
