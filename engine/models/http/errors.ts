/** What goes wrong between us and a provider, in words for the person who set it up. Never holds a key. */
import { ModelError } from '../model.ts';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const LONGEST = 500;

interface Said {
  message: string;
  code: string;
}

/** What a server's error body says, in any of the shapes servers use. */
function saidBy(body: string): Said {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { message: /^\s*</.test(body) ? '' : body.trim().slice(0, LONGEST), code: '' };
  }
  return saidIn(value);
}

/** The message and code of `{error:{…}}`, `{error:"…"}`, `{message}`, `{detail}`, or of FastAPI's list of details. */
export function saidIn(value: unknown): Said {
  if (typeof value === 'string') return { message: value.slice(0, LONGEST), code: '' };
  if (Array.isArray(value)) {
    const parts = value.map((one) =>
      isRecord(one) && Array.isArray(one.loc) ? `${one.loc.join('.')}: ${one.msg}` : saidIn(one).message,
    );
    return { message: parts.filter(Boolean).join('; ').slice(0, LONGEST), code: '' };
  }
  if (!isRecord(value)) return { message: '', code: '' };
  const inner = value.error ?? value.detail ?? value.errors;
  if (inner !== undefined && inner !== null) return saidIn(inner);
  const code = [value.code, value.type].find((one) => typeof one === 'string') ?? '';
  const message = typeof value.message === 'string' ? value.message : '';
  const param = typeof value.param === 'string' && !message.includes(value.param) ? ` (${value.param})` : '';
  return { message: (message + param).slice(0, LONGEST), code: String(code) };
}

const QUOTA = /insufficient_quota|billing_hard_limit|quota_exceeded/;

/** The run's `last_error.code` for what a provider says about itself. */
function codeFor(status: number | undefined, said: Said): ModelError['code'] {
  if (status === 429 || QUOTA.test(said.code) || /rate_limit|too_many_requests/.test(said.code))
    return 'rate_limit_exceeded';
  if (status === 400 || status === 413 || status === 422 || /^invalid_|context_length/.test(said.code))
    return 'invalid_prompt';
  return 'server_error';
}

const AGAIN = new Set([408, 409, 425, 429]);

/** An HTTP answer that is not 2xx. */
export function refused(response: Response, body: string, address: string): ModelError {
  const { status } = response;
  const said = saidBy(body);
  return new ModelError(wording(status, said, address), {
    code: codeFor(status, said),
    status,
    retryAfter: retryAfter(response.headers),
    beforeFirstByte: true,
    retryable: (AGAIN.has(status) || status >= 500) && !QUOTA.test(said.code),
  });
}

function wording(status: number, { message }: Said, address: string): string {
  // a 401's own text likes to repeat the key
  if (status === 401)
    return `The model provider at ${address} refused the API key (401). Check the key of the service.`;
  if (status === 404 && !message) return `There is nothing at ${address} (404). Check the provider's URL.`;
  return `The model provider at ${address} answered ${status}${message ? `: ${message}` : '.'}`;
}

/** An error that comes as part of a 2xx answer. */
export function failedInAnswer(value: unknown, address: string, beforeFirstByte: boolean): ModelError {
  const said = saidIn(value);
  const status = isRecord(value) && typeof value.code === 'number' ? value.code : undefined;
  const code = codeFor(status, said);
  return new ModelError(
    `The model provider at ${address} failed: ${said.message || said.code || 'no reason given'}`,
    {
      code,
      status,
      beforeFirstByte,
      retryable: beforeFirstByte && code !== 'invalid_prompt' && !QUOTA.test(said.code),
    },
  );
}

/** Seconds to wait, from `retry-after-ms` or `retry-after` (seconds or a date). */
function retryAfter(headers: Headers): number | undefined {
  const ms = Number(headers.get('retry-after-ms') ?? Number.NaN);
  if (ms >= 0) return ms / 1000;
  const text = headers.get('retry-after');
  if (!text) return undefined;
  const seconds = Number(text);
  if (seconds >= 0) return seconds;
  const until = (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(until) ? undefined : Math.max(0, Math.ceil(until));
}

interface Reason {
  sign: RegExp;
  words: string;
  /** Asking again can't help, or might repeat paid work. */
  final?: true;
}

const REASONS: Reason[] = [
  { sign: /ECONNREFUSED/, words: 'nothing listens there. Is the model server running?' },
  { sign: /ENOTFOUND|EAI_AGAIN/, words: 'the host name is not known.' },
  { sign: /EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL/, words: 'there is no way to this host.' },
  { sign: /ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT/, words: 'the host does not answer.' },
  { sign: /UND_ERR_(HEADERS|BODY)_TIMEOUT/, words: 'it stayed silent for five minutes.', final: true },
  {
    sign: /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/,
    words: 'its TLS certificate is not trusted.',
    final: true,
  },
  {
    sign: /EPROTO|ERR_SSL|WRONG_VERSION/,
    words: 'it does not speak TLS. Should the address begin with http:// ?',
    final: true,
  },
  {
    sign: /HTTPParserError|HPE_/,
    words: 'it does not speak HTTP. Should the address begin with https:// ?',
    final: true,
  },
];

/** A request that got no answer, or whose answer broke off: the platform's fetch only says "fetch failed". */
export function unreachable(error: unknown, address: string, beforeFirstByte: boolean): ModelError {
  const signs = signsOf(error);
  const known = REASONS.find(({ sign }) => sign.test(signs));
  const reason = known?.words ?? (beforeFirstByte ? 'the connection was closed.' : 'the answer broke off.');
  const message = beforeFirstByte
    ? `No answer from the model provider at ${address}: ${reason}`
    : `The model provider at ${address} was lost in the middle of its answer: ${reason}`;
  return new ModelError(message, { beforeFirstByte, retryable: beforeFirstByte && !known?.final });
}

/** Names and codes of an error and of all its causes. */
function signsOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 4) return '';
  const { code } = error as { code?: unknown };
  const inner = error instanceof AggregateError ? error.errors.map((one) => signsOf(one, depth + 1)) : [];
  return [error.name, String(code ?? ''), signsOf(error.cause, depth + 1), ...inner].join(' ');
}

/** Nothing came for longer than the service's timeout. Work may have been done and paid for: not to be repeated. */
export function silent(address: string, ms: number, beforeFirstByte: boolean): ModelError {
  const message = `The model provider at ${address} stayed silent for ${ms / 1000} seconds.`;
  return new ModelError(message, { beforeFirstByte, retryable: false });
}

/** A 2xx answer that isn't one of a model. */
export function notAModel(address: string, kind: 'html' | 'text'): ModelError {
  const what = kind === 'html' ? 'a web page' : 'something that is not JSON';
  return new ModelError(
    `${address} answered with ${what} instead of a model's reply. Check the provider's URL.`,
  );
}

/** The stream ended with no sign that the model had finished. */
export function brokenOff(address: string, beforeFirstByte: boolean): ModelError {
  return new ModelError(`The model provider at ${address} ended its answer before the model had finished.`, {
    beforeFirstByte,
  });
}
