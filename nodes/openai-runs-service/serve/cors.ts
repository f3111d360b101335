/** What browsers ask before a page of another origin may read an answer. */
import type { IncomingMessage, ServerResponse } from 'node:http';

const METHODS = 'GET, HEAD, POST, DELETE, OPTIONS';
const READABLE =
  'x-request-id, openai-version, openai-organization, openai-processing-ms, openai-poll-after-ms, retry-after, ' +
  ['limit', 'remaining', 'reset'].map((what) => `x-ratelimit-${what}-requests`).join(', ');
/** Seconds that a browser may remember the answer. */
const REMEMBER = '600';

/** Whether pages of an origin may ask. */
export const isAllowed = (origin: string, origins: readonly string[]): boolean =>
  origins.some((one) => one === '*' || one.toLowerCase() === origin.toLowerCase());

/** Lets a page of a listed origin read the answer. */
export function allowOrigin(
  { headers: { origin } }: IncomingMessage,
  response: ServerResponse,
  origins: readonly string[],
): void {
  // Node-RED 4.1 lets every page read what stands below the editor's path.
  response.removeHeader('access-control-allow-origin');
  if (origins.length === 0) return;
  response.setHeader('vary', 'origin');
  if (origin === undefined || !isAllowed(origin, origins)) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', READABLE);
}

/** Answers OPTIONS: nobody has to show a key for it. */
export function answerOptions({ headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('allow', METHODS);
  if (response.hasHeader('access-control-allow-origin')) {
    response.setHeader('access-control-allow-methods', METHODS);
    const asked = headers['access-control-request-headers'];
    if (asked) response.setHeader('access-control-allow-headers', asked);
    response.setHeader('access-control-max-age', REMEMBER);
  }
  response.writeHead(204).end();
}
