/** A short piece of what a server sent, for a sentence: without tags, on one line. */

/** Characters that are looked at; the rest of an answer of any size is left alone. */
const LOOKED_AT = 4096;

/**
 * @param value a text, or anything that JSON can write
 * @param most characters of the result, beyond which it ends in …
 */
export function excerpt(value: unknown, most: number): string {
  const said = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  // `<` ends the look for a tag's end, so that a text of nothing but `<` takes no longer than another.
  const text = said
    .slice(0, LOOKED_AT)
    .replace(/<[^<>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
