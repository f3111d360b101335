/** One place that turns what the SDK throws into sentences for people. */
import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  OpenAIError,
} from 'openai';
import { type ErrorDetails, isRunsError, RunsError } from '../openai-runs/errors.ts';
import type { Connection, Translate } from './connection.ts';

export interface ExplainOptions {
  /** Address of the server; empty for the embedded engine. */
  url: string;
  /** The proxy on the way, where the service names one. */
  proxy?: URL;
  apiKey: string;
  /** Seconds. */
  timeout: number;
  translate: Translate;
}

/** Longest piece of a body that is no JSON which goes into a sentence. */
const EXCERPT = 200;

/** Shorter ones are no secrets but place-holders, and taking them out would tear words apart. */
const SHORTEST_KEY = 4;

/** The first characters of a key, by which a piece of it is known; so many of them all keys share. */
const SHORTEST_PIECE = 8;

/** System error codes → sentence. */
const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'unknownHost',
  EAI_AGAIN: 'unknownHost',
  ECONNRESET: 'reset',
  UND_ERR_SOCKET: 'reset',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  ETIMEDOUT: 'timeout',
};

/**
 * Makes the `explain` of a connection.
 * @returns a function that never throws and never lets the key through
 */
export function explainer({ url, proxy, apiKey, timeout, translate }: ExplainOptions): Connection['explain'] {
  const t = (key: string, values: Record<string, unknown> = {}) =>
    translate(`error.${key}`, { url, ...values });

  function say(error: unknown, known: ErrorDetails): RunsError {
    if (isRunsError(error)) return error.with(known);
    if (error instanceof APIUserAbortError) return new RunsError(t('stopped'), { code: 'stopped', ...known });
    if (error instanceof APIConnectionTimeoutError) {
      return new RunsError(t('timeout', { seconds: timeout }), { code: 'timeout', ...known });
    }
    if (error instanceof APIConnectionError) return network(error, known);
    if (error instanceof APIError) return api(error, known);
    if (error instanceof OpenAIError) return new RunsError(error.message, known);
    // The reason would quote a piece of the answer, and that may be a piece of the key.
    if (error instanceof SyntaxError) {
      return new RunsError(t('noJson'), { code: 'unexpected_answer', ...known });
    }
    const { code, reason } = innermost(error);
    // What the SDK lets through without a system's code: a header that can't be sent.
    if (code === '') return new RunsError(t('unusable', { reason }), { code: 'unexpected_answer', ...known });
    return network(error, known);
  }

  function network(error: unknown, known: ErrorDetails): RunsError {
    const { code, reason, host, port } = innermost(error);
    const tls = /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_VERIFY|EPROTO/.test(code);
    const key = tls ? 'tls' : (NETWORK[code] ?? 'connection');
    // What could not be reached may be the proxy on the way, not the server.
    const at = proxy && (host ? proxy.hostname === host : effectivePort(proxy) === port) ? proxy.origin : url;
    return new RunsError(t(key, { url: at, reason, seconds: timeout }), {
      code: code || 'connection_error',
      ...known,
    });
  }

  function api(error: APIError, known: ErrorDetails): RunsError {
    const body = (error.error ?? {}) as { message?: unknown };
    const said = typeof body.message === 'string' ? body.message : '';
    const details: ErrorDetails = {
      status: error.status,
      code: error.code ?? undefined,
      type: error.type,
      param: error.param ?? undefined,
      request_id: error.requestID ?? undefined,
      retry_after: retryAfter(error.headers),
      ...known,
    };
    const message = said || plain(error);
    return new RunsError(
      t(sentence(error, said !== ''), { message, status: error.status, ...details }),
      details,
    );
  }

  /** Which sentence an answer of the server gets; `{{message}}` in it is what the server said. */
  function sentence({ status }: APIError, isApi: boolean): string {
    if (status === undefined) return 'inStream';
    if (status === 401) return 'unauthorized';
    if (status === 403) return 'forbidden';
    if (status === 404 && isOpenAI(url)) return 'ended';
    if (status === 429) return 'rateLimit';
    if (status >= 500) return 'server';
    if (isApi) return 'api';
    return status === 404 ? 'noApi' : 'notJson';
  }

  return (error, known = {}) => {
    const explained = say(error, known);
    return apiKey.length >= SHORTEST_KEY ? redact(explained, apiKey) : explained;
  };
}

function isOpenAI(url: string): boolean {
  try {
    return new URL(url).hostname === 'api.openai.com';
  } catch {
    return false;
  }
}

/** What a body that is no JSON says, short and on one line. */
function plain(error: APIError): string {
  const text = error.message
    .replace(/^\d{3} /, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return text.length > EXCERPT ? `${text.slice(0, EXCERPT)}…` : text;
}

/** Whatever was thrown, as a text; even of what has none. */
function textOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    return typeof error;
  }
}

/** What Node.js tells of a failed connection. */
interface SystemError {
  code?: unknown;
  message?: string;
  hostname?: string;
  port?: number;
  cause?: unknown;
  errors?: unknown[];
}

const effectivePort = ({ port, protocol }: URL): number => Number(port) || (protocol === 'https:' ? 443 : 80);

/** Follows `cause` to where the system says what happened. */
function innermost(error: unknown): { code: string; reason: string; host?: string; port?: number } {
  let at = error as SystemError | undefined;
  let code = '';
  let reason = '';
  let host: string | undefined;
  let port: number | undefined;
  for (let depth = 0; at && depth < 8; depth++) {
    if (typeof at.code === 'string') code = at.code;
    if (at.message) reason = at.message;
    host = at.hostname ?? host;
    port = at.port ?? port;
    at = (at.cause ?? at.errors?.[0]) as typeof at;
  }
  return { code, reason: reason || textOf(error), host, port };
}

/** Seconds the server asks to wait, from either of the two headers that the API uses. */
function retryAfter(headers: Headers | undefined): number | undefined {
  const milliseconds = Number(headers?.get('retry-after-ms') || Number.NaN);
  return Number.isFinite(milliseconds) ? milliseconds / 1000 : secondsIn(headers?.get('retry-after'));
}

function secondsIn(header: string | null | undefined): number | undefined {
  if (!header) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return seconds;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}

/** The key must not leave in an error, even where a server echoes it, in whatever form. */
function redact(error: RunsError, apiKey: string): RunsError {
  const forms = formsOf(apiKey);
  const clean = <T>(value: T): T => {
    if (typeof value === 'string') {
      return forms.reduce<string>(without, value) as T;
    }
    if (Array.isArray(value)) return value.map(clean) as T;
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [clean(key), clean(inner)])) as T;
    }
    return value;
  };
  const cleaned = new RunsError(clean(error.message), clean(error.cause));
  if (error.stack) cleaned.stack = clean(error.stack);
  return cleaned;
}

/** Takes a key out of a text, also where the text was cut short within the key. */
function without(text: string, key: string): string {
  if (!text.includes(key.slice(0, SHORTEST_PIECE))) return text;
  let rest = text;
  for (let length = key.length; length >= Math.min(SHORTEST_PIECE, key.length); length--) {
    rest = rest.replaceAll(key.slice(0, length), '***');
  }
  return rest;
}

/** How a key may come back: as it is, in a URL, in a form, within JSON, in base64; the longest first. */
function formsOf(apiKey: string): string[] {
  const inUrl = encodeURIComponent(apiKey);
  const inForm = new URLSearchParams([['', apiKey]]).toString().slice(1);
  const lower = (text: string) => text.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());
  const base64 = Buffer.from(apiKey).toString('base64').replace(/=+$/, '');
  const forms = [
    apiKey,
    inUrl,
    inForm,
    lower(inUrl),
    lower(inForm),
    JSON.stringify(apiKey).slice(1, -1),
    base64,
  ];
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}
