/** The one estimate of tokens, for what no provider has counted: room in a prompt, and usage where none is sent. */

/**
 * Quarters of a token that a character makes, by where its alphabet begins in Unicode. Measured against o200k and
 * cl100k: four to five Latin characters are a token; two to four of Cyrillic, Greek, Arabic, Hindi or Thai, in older
 * vocabularies only one to two; Han, kana and hangul one to two, in older ones one. What is guessed too low overflows a
 * context, so the estimate stays on the side of more tokens.
 */
const QUARTERS: [from: number, quarters: number][] = [
  [0x2e80, 4], // Han, kana, hangul, and each half of an emoji
  [0x0250, 2],
  [0, 1],
];
const LATIN = /^[\0-\u024f]*$/;

const quartersOf = (code: number): number => QUARTERS.find(([from]) => code >= from)?.[1] ?? 1;

/** Tokens that a picture or a file is taken for; providers count between 85 and 1105 for a picture. */
export const PICTURE_TOKENS = 1000;

/** The tokens of a text in quarters, so that pieces add up to the whole. */
export function countQuarters(text: string): number {
  // nearly all text is: no look at each character then
  if (LATIN.test(text)) return text.length;
  let quarters = 0;
  for (let at = 0; at < text.length; at++) quarters += quartersOf(text.charCodeAt(at));
  return quarters;
}

/** The tokens of a text, rounded up; an empty text has none. */
export const countTokens = (text: string): number => Math.ceil(countQuarters(text) / 4);

/** As much of a text's beginning as makes no more than some tokens. */
export function firstTokens(text: string, tokens: number): string {
  let room = tokens * 4;
  let end = 0;
  while (end < text.length && room >= quartersOf(text.charCodeAt(end)))
    room -= quartersOf(text.charCodeAt(end++));
  return text.slice(0, end);
}
