/** A person's text as words in clauses; a quoted text or a JSON object is one word. */
import { isObject } from '../../domain/is-object.ts';

export interface Word {
  /** As written; of a quoted text what stands between the quotes. */
  text: string;
  /** Lower case, without accents. */
  low: string;
  kind: 'plain' | 'quote' | 'json';
  /** What stands between this word and the next. */
  gap: string;
  /** The last of its clause. */
  last: boolean;
  /** Has become an argument. */
  used: boolean;
}

/** Characters of a message that are read: what asks for a tool is short, and reading blocks the process. */
const LONGEST_READ = 4000;
/** Texts in braces that are tried as JSON. */
const MOST_OBJECTS = 50;
export const lower = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
const list = (words: string) => new Set(lower(words).split(/\s+/));

/** What divides two requests: a mark, or a word in one of the editor's languages. */
const AND = list('and then und dann et puis y luego e depois и затем 그리고 と 和 并 並 然后 然後');
const END = /[\n.,!?;。！？；、，]|\s[&+]\s/;
const YES = list(
  'on true yes enable ja wahr oui allume enciende encendido sim ligue ligado да вкл включи はい オン 예 켜 是 开 打开 開 打開',
);
const NO = list(
  'off false no not disable without aus nein nicht falsch ohne non pas sans eteins apaga apagado nao sem desligue desligado нет не без выкл выключи いいえ オフ 消し 아니요 꺼 不 关 关闭 關 關閉',
);
/** Words that their place alone never makes an argument. */
const FILLERS = list(
  `the an my your this that it is are be to of in at for from with by into as please me i you or ein eine einen der die das
  den dem des im am an zu zum zur von bei mit bitte mir ich oder le la les l un une du de des au dans pour sur mon ma ou el
  los las una en con por para do da no na os um uma в на и для 的 把 请 請`,
);
/** So many function names begin with these that they alone ask for none. */
const EVERYDAY = list(
  'get set read write list show add make do run call start stop send create update delete remove find check fetch use turn switch put change control',
);

/** What a word says about a yes-or-no; undefined if nothing. */
export const truthOf = (low: string) => (YES.has(low) ? true : NO.has(low) ? false : undefined);
export const isEveryday = (low: string) => EVERYDAY.has(low);
/** Words that are no argument by themselves; in Japanese those that are written in hiragana only. */
export const isFiller = (low: string) =>
  FILLERS.has(low) || EVERYDAY.has(low) || /^\p{Script=Hiragana}+$/u.test(low);

/** Chinese and Japanese are written without spaces. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
const segmenter = new Intl.Segmenter('ja', { granularity: 'word' });
const segments = (text: string) =>
  UNSPACED.test(text) ? Array.from(segmenter.segment(text), ({ segment }) => segment) : [text];

/** `setLamp`, `set_lamp`, `set-lamp` → set, lamp. */
export const nameWords = (name: string): string[] => {
  const words = name.replace(/(\p{Ll}|\d)(\p{Lu})/gu, '$1 $2').match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  return words.flatMap(segments).map(lower);
};

/** Same word but for an ending: lamp, lamps, Lampe; read, reading. */
export function alike(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return short === long || (short.length >= 4 && long.length - short.length <= 3 && long.startsWith(short));
}

/** Where the words after a property's name begin; undefined if it isn't named. */
export function after(words: Word[], name: string): number | undefined {
  for (const parts of [[lower(name)], nameWords(name)]) {
    const isHere = (at: number) =>
      parts.every(
        (part, next) => words[at + next]?.kind === 'plain' && alike(words[at + next]?.low ?? '', part),
      );
    const at = parts.length > 0 ? words.findIndex((_, start) => isHere(start)) : -1;
    if (at >= 0) return at + parts.length;
  }
  return undefined;
}

/** 21.5, 21,5, 1,000 and 20min as numbers. */
export function numberOf(text: string): number | undefined {
  const found = /^(-?\d{1,15}(?:[.,]\d{1,15})?)\p{L}{0,4}$/u.exec(text)?.[1];
  return found === undefined ? undefined : Number(found.replace(',', /,\d{3}$/.test(found) ? '' : '.'));
}

const QUOTED =
  /"([^"]*)"|“([^“”]*)”|„([^„“”]*)[“”]|«([^«»]*)»|「([^「」]*)」|(?<![\p{L}\p{N}])'([^']+)'(?![\p{L}\p{N}])/u;
const PLAIN =
  /(?:(?<![\p{L}\p{N}_])-(?=\d))?[\p{L}\p{M}\p{N}_]+(?:(?:[.@/'’+*^-]|(?<=\d)[,:](?=\d)|:\/\/)+[\p{L}\p{M}\p{N}_]+)*/u;
const WORD = new RegExp(`${QUOTED.source}|${PLAIN.source}`, 'gu');

/** The words of a text, in clauses: requests that commas, full stops or "and" divide. */
export function clausesOf(message: string): Word[][] {
  const clauses: Word[][] = [[]];
  for (const word of wordsOf(message)) {
    if (word.kind === 'plain' && AND.has(word.low)) word.last = true;
    else clauses.at(-1)?.push(word);
    if (word.last) clauses.push([]);
  }
  return clauses.filter((clause) => clause.length > 0);
}

function wordsOf(message: string): Word[] {
  const words: Word[] = [];
  let from = 0;
  let room = LONGEST_READ;
  for (const [start, end] of [...objectsIn(message), [message.length, message.length] as const]) {
    const text = message.slice(from, Math.min(start, from + room));
    words.push(...plainWords(text));
    if (end > start)
      words.push({ ...plainWord(message.slice(start, end), message.slice(end, end + 2)), kind: 'json' });
    room -= text.length;
    from = end;
  }
  return words;
}

function plainWords(text: string): Word[] {
  return [...text.matchAll(WORD)].flatMap((match, at, all): Word[] => {
    const gap = text.slice(match.index + match[0].length, all[at + 1]?.index);
    const quoted = match.slice(1).find((group) => group !== undefined);
    if (quoted !== undefined) return [{ ...plainWord(quoted.trim(), gap), kind: 'quote' }];
    const parts = segments(match[0]);
    return parts.map((part, index) => plainWord(part, index < parts.length - 1 ? '' : gap));
  });
}

/** A word as the text has it. */
export const plainWord = (text: string, gap = ''): Word => ({
  text,
  low: lower(text),
  kind: 'plain',
  gap,
  last: END.test(gap),
  used: false,
});

/** Where the JSON objects of a text begin and end. */
function objectsIn(text: string): [start: number, end: number][] {
  const found: [start: number, end: number][] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: sign, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (sign === '{' && depth++ === 0) start = index;
    if (sign === '}' && depth > 0 && --depth === 0) found.push([start, index + 1]);
    if (found.length === MOST_OBJECTS) break;
  }
  return found.filter(([from, end]) => objectOf(text.slice(from, end)));
}

/** The object that a JSON text holds; undefined if it holds none. */
export function objectOf(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
