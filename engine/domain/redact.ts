/** Takes secrets out of whatever is shown or written down: errors, log, status. The one place that knows how. */

/** Shorter ones are no secrets but place-holders, and taking them out would tear words apart. */
const SHORTEST_SECRET = 4;
/** So many characters of a secret in a row are a piece of it, wherever it was cut. */
const PIECE = 8;
const MASK = '***';

/** Names of headers and query parameters whose values are secrets. */
const SECRET_NAME = /auth|key|token|secret|cookie|passw|signature|credential/i;
/** The value of a header that says itself that it is one. */
const SCHEME = /^(?:bearer|basic|digest|token)\s+/i;

/**
 * The secrets among headers or query parameters, known by their names, or by a scheme such as Bearer in front.
 * @param pairs name and value each
 */
export function secretsIn(pairs: Iterable<readonly [name: string, value: string]>): string[] {
  return Array.from(pairs)
    .filter(([name, value]) => SECRET_NAME.test(name) || SCHEME.test(value))
    .map(([, value]) => value.replace(SCHEME, '').trim());
}

/**
 * Makes a function that replaces secrets by `***` in texts, and in the texts of arrays and plain objects.
 * A secret is found as it is, in a URL, in a form, within JSON, in base64, and by any eight characters of it in a row.
 * @param secrets undefined and those below four characters are left out
 */
export function redactor(secrets: Iterable<string | undefined>): <T>(value: T) => T {
  const forms = [...new Set(Array.from(secrets).flatMap(formsOf))].sort((a, b) => b.length - a.length);
  const pieces = new Set(forms.flatMap(piecesOf));
  const starts = new Set([...pieces].map((piece) => startAt(piece, 0)));
  const clean = (text: string) =>
    withoutPieces(
      forms.reduce((rest, form) => rest.replaceAll(form, MASK), text),
      pieces,
      starts,
    );
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return clean(value);
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [clean(key), walk(inner)]));
  };
  return <T>(value: T) => (forms.length === 0 ? value : (walk(value) as T));
}

/** How a secret may come back. */
function formsOf(given: string | undefined): string[] {
  const secret = given?.trim() ?? '';
  if (secret.length < SHORTEST_SECRET) return [];
  const inUrl = encodeURIComponent(secret.toWellFormed());
  const inForm = new URLSearchParams([['', secret]]).toString().slice(1);
  const lower = (text: string) => text.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  return [secret, inUrl, inForm, lower(inUrl), lower(inForm), JSON.stringify(secret).slice(1, -1), base64];
}

const piecesOf = (form: string): string[] =>
  Array.from({ length: Math.max(0, form.length - PIECE + 1) }, (_, at) => form.slice(at, at + PIECE));

/** Two characters as one number: tells most places where no piece begins, without taking a piece out. */
const startAt = (text: string, at: number): number => (text.charCodeAt(at) << 16) | text.charCodeAt(at + 1);

/** Replaces every stretch of the text that consists of pieces; one pass, whatever the text. */
function withoutPieces(text: string, pieces: ReadonlySet<string>, starts: ReadonlySet<number>): string {
  let result = '';
  let kept = 0;
  for (let at = 0; at + PIECE <= text.length; at++) {
    if (!starts.has(startAt(text, at)) || !pieces.has(text.slice(at, at + PIECE))) continue;
    let end = at + PIECE;
    while (end < text.length && pieces.has(text.slice(end - PIECE + 1, end + 1))) end++;
    result += text.slice(kept, at) + MASK;
    kept = end;
    at = end - 1;
  }
  return result + text.slice(kept);
}
