/** A fetch that what is at the other end can't misuse: keys stay with their server, and no answer grows without end. */

/** Bytes of an error's body that are read: room for any message, none for a flood. */
export const ERROR_BYTES = 64 * 1024;
/** Bytes of one server-sent event: beyond the largest message the API allows, with its annotations. */
export const EVENT_BYTES = 16 * 1024 * 1024;
/** Bytes of one JSON answer, decompressed: a list of a hundred of the largest runs stays below it. */
export const ANSWER_BYTES = 64 * 1024 * 1024;
/** Redirects within one server that are followed. */
const MOST_REDIRECTS = 5;

export type FetchFaultKind =
  | 'redirect'
  | 'redirectedPost'
  | 'redirectLoop'
  | 'eventTooLarge'
  | 'answerTooLarge';

/** Why an answer was not taken. `target` is where the server pointed to, `megabytes` the cap that was reached. */
export class FetchFault extends Error {
  readonly kind: FetchFaultKind;
  readonly values: { target?: string; megabytes?: number };

  constructor(kind: FetchFaultKind, values: FetchFault['values'] = {}) {
    super(WORDS[kind](values));
    this.name = 'FetchFault';
    this.kind = kind;
    this.values = values;
  }
}

const WORDS: Record<FetchFaultKind, (values: FetchFault['values']) => string> = {
  redirect: ({ target }) =>
    `it redirects to ${target}, which is another server; the key was not sent there. If that is the right one, set its address.`,
  redirectedPost: ({ target }) =>
    `it redirects a request that creates something, to ${target}; set that address.`,
  redirectLoop: () => `it redirects in a circle, more than ${MOST_REDIRECTS} times.`,
  eventTooLarge: ({ megabytes }) => `one event of its stream is larger than ${megabytes} MB.`,
  answerTooLarge: ({ megabytes }) => `its answer is larger than ${megabytes} MB.`,
};

/** The part of `fetch` that is used: an address as text, and a body that can be sent again. */
type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

/**
 * Wraps a fetch. Redirects are followed within the same scheme, host and port only; bodies are cut or refused at the
 * caps above, as they are read.
 * @throws FetchFault from the call or from reading the body; whatever the given fetch throws
 */
export function guardedFetch(fetch: Fetch): Fetch {
  return async (input, init = {}) => {
    let url = new URL(input instanceof Request ? input.url : input);
    for (let count = 0; ; count++) {
      const response = await fetch(url.href, { ...init, redirect: 'manual' });
      const target = redirectOf(response, url);
      if (!target) return guarded(response);
      await response.body?.cancel();
      if (target.origin !== url.origin) throw new FetchFault('redirect', { target: target.origin });
      const isRead = /^(get|head)$/i.test(init.method ?? 'get');
      // 301 to 303 would turn a POST into a GET, and its answer into something else.
      if (!isRead && response.status < 307) {
        throw new FetchFault('redirectedPost', { target: target.origin + target.pathname });
      }
      if (count >= MOST_REDIRECTS) throw new FetchFault('redirectLoop');
      url = target;
    }
  };
}

function redirectOf({ status, headers }: Response, from: URL): URL | undefined {
  const location = headers.get('location');
  if (![301, 302, 303, 307, 308].includes(status) || !location) return undefined;
  return URL.parse(location, from) ?? undefined;
}

function guarded(response: Response): Response {
  const { body, status, statusText, headers, ok } = response;
  if (!body) return response;
  const guard = ok ? answerGuard(capsOf(headers.get('content-type') ?? '')) : errorGuard();
  return new Response(body.pipeThrough(guard), { status, statusText, headers });
}

/** Bytes; Infinity where there is no cap. */
interface Caps {
  event: number;
  total: number;
}

/** Streams may be of any length. So may what has a wrong type or none: some servers name their streams so. */
function capsOf(type: string): Caps {
  if (type.includes('text/event-stream')) return { event: EVENT_BYTES, total: Infinity };
  if (/\bjson\b/.test(type)) return { event: Infinity, total: ANSWER_BYTES };
  return { event: ANSWER_BYTES, total: Infinity };
}

/** Ends quietly: the beginning of an error says what it is. */
function errorGuard(): TransformStream<Uint8Array, Uint8Array> {
  let left = ERROR_BYTES;
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) controller.terminate();
    },
  });
}

const LF = 10;
const CR = 13;
/** `\r\n\r\n` ends an event; more line breaks in a row say nothing, and some readers take ages over them. */
const MOST_BREAKS = 4;

/** Holds an answer to its caps and leaves out floods of line breaks, which mean nothing in JSON either. */
function answerGuard(caps: Caps): TransformStream<Uint8Array, Uint8Array> {
  let total = 0;
  /** Bytes since the last empty line, and line breaks in a row. */
  let size = 0;
  let breaks = 0;
  return new TransformStream({
    transform(chunk, controller) {
      total += chunk.length;
      if (total > caps.total) throw new FetchFault('answerTooLarge', { megabytes: caps.total / 2 ** 20 });
      let kept = 0;
      let from = 0;
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < chunk.length; at++) {
        const byte = chunk[at];
        if (byte !== LF && byte !== CR) {
          breaks = 0;
          size++;
          continue;
        }
        breaks++;
        if (breaks > 1 && (byte === chunk[at - 1] || breaks === MOST_BREAKS)) size = 0;
        if (breaks <= MOST_BREAKS) continue;
        if (at > from) pieces.push(chunk.subarray(from, at));
        kept += at - from;
        from = at + 1;
      }
      if (size > caps.event) throw new FetchFault('eventTooLarge', { megabytes: caps.event / 2 ** 20 });
      if (from === 0) return controller.enqueue(chunk);
      const rest = chunk.subarray(from);
      if (kept + rest.length > 0) controller.enqueue(Buffer.concat([...pieces, rest]));
    },
  });
}
