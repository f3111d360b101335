/** One place that turns what the SDK throws into sentences for people. */

import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  OpenAIError,
} from 'openai';
import { FetchFault } from '../../engine/domain/guarded-fetch.ts';
import type { redactor } from '../../engine/domain/redact.ts';
import { retryAfter } from '../../engine/domain/waits.ts';
import { type ErrorDetails, isRunsError, RunsError } from '../shared/errors.ts';
import { excerpt } from '../shared/excerpt.ts';
import type { Below, ServiceText, ServiceTranslate } from '../shared/texts.ts';
import type { Connection } from './connection.ts';

export interface ExplainOptions {
  /** Address of the server; empty for the embedded engine. */
  url: string;
  /** The proxy on the way, where the service names one. */
  proxy?: URL;
  /** Takes out what must not be shown. */
  redact: ReturnType<typeof redactor>;
  /** Seconds. */
  timeout: number;
  translate: ServiceTranslate;
}

/** Characters of a body that is no JSON, and of what an API's error says, that go into a sentence. */
const EXCERPT = 200;
const LONGEST_MESSAGE = 2000;

type Sentence = Below<ServiceText, 'error'>;

/** System error codes → sentence. */
const NETWORK: Readonly<Record<string, Sentence>> = {
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

/** What keeps the embedded engine from its database → sentence. */
const DATABASE: Readonly<Record<string, Sentence>> = {
  database_locked: 'databaseLocked',
  database_full: 'databaseFull',
  database_read_only: 'databaseReadOnly',
  database_damaged: 'databaseDamaged',
  database_unreachable: 'databaseUnreachable',
};

/**
 * Makes the `explain` of a connection.
 * @returns a function that never throws and never lets a secret through
 */
export function explainer({ url, proxy, redact, timeout, translate }: ExplainOptions): Connection['explain'] {
  const t = (key: Sentence, values: Record<string, unknown> = {}) =>
    translate(`error.${key}`, { url, ...values });

  function say(error: unknown, known: ErrorDetails): RunsError {
    const ours = causeIn(error, isRunsError);
    if (ours) return ours.with(known);
    const fault = causeIn(error, (one): one is FetchFault => one instanceof FetchFault);
    if (fault) {
      return new RunsError(t(fault.kind, { ...fault.values }), { code: 'unexpected_answer', ...known });
    }
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
    return new RunsError(t(key, { url: at, reason: excerpt(reason, EXCERPT), seconds: timeout }), {
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
      retry_after: secondsAsked(error.headers),
      ...known,
    };
    const message = said.slice(0, LONGEST_MESSAGE) || plain(error);
    return new RunsError(t(sentence(error, said), { message, status: error.status, ...details }), details);
  }

  /** Which sentence an answer of the server gets; `__message__` in it is what the server said. */
  function sentence({ status, code }: APIError, said: string): Sentence {
    const fault = DATABASE[code ?? ''];
    if (fault && url === '') return fault;
    if (status === undefined) return 'inStream';
    if (status === 401) return 'unauthorized';
    if (status === 403) return 'forbidden';
    if (status === 404 && isOpenAI(url)) return 'ended';
    if (status === 429) return 'rateLimit';
    if (status >= 500) return 'server';
    // What frameworks say by themselves of a path, or a method, that is not there.
    if (status === 405 || (status === 404 && /^not found\.?$/i.test(said))) return 'noMethod';
    if (said !== '') return 'api';
    return status === 404 ? 'noApi' : 'notJson';
  }

  return (error, known = {}) => {
    const explained = say(error, known);
    const cleaned = new RunsError(redact(explained.message), redact(explained.cause));
    if (explained.stack) cleaned.stack = redact(explained.stack);
    return cleaned;
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
  return excerpt(error.message.replace(/^\d{3} /, ''), EXCERPT);
}

/** Whatever was thrown, as a text; even of what has none. */
function errorText(error: unknown): string {
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
  return { code, reason: reason || errorText(error), host, port };
}

/** Seconds that the server asks to wait, as the API has its times. */
function secondsAsked(headers: Headers | undefined): number | undefined {
  const asked = retryAfter(headers);
  return asked === undefined ? undefined : asked / 1000;
}

/** What our own fetch would not take, also where the SDK has wrapped it. */
function causeIn<Fault>(error: unknown, is: (one: unknown) => one is Fault, depth = 0): Fault | undefined {
  if (is(error)) return error;
  return error instanceof Error && depth < 4 ? causeIn(error.cause, is, depth + 1) : undefined;
}
