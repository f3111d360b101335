/** What goes wrong between us and a provider, in words for the person who set it up. Never holds a key. */
import { FetchFault } from '../../domain/guarded-fetch.ts';
import { retryAfter } from '../../domain/waits.ts';
import { type FailureReason, ModelError } from '../model.ts';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What can be put into a text; a server's object may have a `toString` that is no function. */
const isPlain = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number';

/** Characters of what a provider says that go into a sentence. */
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
    return { message: body.trimStart().startsWith('<') ? '' : body.trim().slice(0, LONGEST), code: '' };
  }
  return saidIn(value);
}

/** The message and code of `{error:{…}}`, `{error:"…"}`, `{message}`, `{detail}`, or of FastAPI's list of details. */
export function saidIn(value: unknown, depth = 0): Said {
  if (typeof value === 'string') return { message: value.slice(0, LONGEST), code: '' };
  if (Array.isArray(value)) {
    const parts = value
      .slice(0, 10)
      .map((one) =>
        isRecord(one) && Array.isArray(one.loc)
          ? `${one.loc.filter(isPlain).join('.')}: ${isPlain(one.msg) ? one.msg : ''}`
          : saidIn(one, depth + 1).message,
      );
    return { message: parts.filter(Boolean).join('; ').slice(0, LONGEST), code: '' };
  }
  if (!isRecord(value) || depth > 5) return { message: '', code: '' };
  const inner = value.error ?? value.detail ?? value.errors;
  if (inner !== undefined && inner !== null) return saidIn(inner, depth + 1);
  const code = [value.code, value.type].find((one) => typeof one === 'string') ?? '';
  const message = typeof value.message === 'string' ? value.message.slice(0, LONGEST) : '';
  const param = typeof value.param === 'string' && !message.includes(value.param) ? ` (${value.param})` : '';
  return { message: (message + param).slice(0, LONGEST), code: String(code) };
}

/** What providers call the same thing; the code says more than the status where both are known. */
const BY_CODE: readonly [sign: RegExp, reason: FailureReason][] = [
  [/insufficient_quota|billing_hard_limit|quota_exceeded/, 'provider_quota'],
  [/rate_limit|too_many_requests/, 'provider_rate_limited'],
  [/invalid_api_key|authentication|permission|unauthorized/i, 'provider_key_refused'],
  [/model_not_found|model_not_available|DeploymentNotFound/, 'provider_model_unknown'],
  [/context_length|context_window|exceed_context_size|string_above_max/, 'context_length_exceeded'],
];

/** For servers whose codes say nothing: what their messages say. */
const TOO_LONG = /context (?:length|window|size)|maximum context|too many tokens|prompt is too long/i;
const BAD_KEY = /api key (?:not valid|is (?:invalid|missing))|(?:invalid|incorrect|missing|no) api key/i;
const NO_MODEL = /model\b.{0,200}\b(?:not found|does not exist|not exist|unknown|not available)/i;

function reasonFor(status: number | undefined, { code, message }: Said): FailureReason {
  const known = BY_CODE.find(([sign]) => sign.test(code))?.[1];
  if (known) return known;
  if (status === 429) return 'provider_rate_limited';
  if (status === 402) return 'provider_quota';
  if (status === 401 || status === 403) return 'provider_key_refused';
  if (BAD_KEY.test(message)) return 'provider_key_refused';
  if (NO_MODEL.test(message)) return 'provider_model_unknown';
  if (status === 413 || TOO_LONG.test(message)) return 'context_length_exceeded';
  if (status === 400 || status === 422 || /^invalid_/.test(code)) return 'provider_request_refused';
  return 'provider_failed';
}

const AGAIN = new Set([408, 409, 425, 429]);

/** An HTTP answer that is not 2xx. */
export function refused(response: Response, body: string, address: string): ModelError {
  const { status } = response;
  const said = saidBy(body);
  const reason = reasonFor(status, said);
  return new ModelError(wording(status, said, address), {
    reason,
    status,
    retryAfter: retryAfter(response.headers),
    beforeFirstByte: true,
    retryable: (AGAIN.has(status) || status >= 500) && reason !== 'provider_quota',
  });
}

function wording(status: number, { message }: Said, address: string): string {
  // a 401's own text likes to repeat the key
  if (status === 401)
    return `The model provider refused the API key (401). Check the key of the service. (${address})`;
  if (status === 404 && !message) return `There is nothing at ${address} (404). Check the provider's URL.`;
  return `The model provider at ${address} answered ${status}${message ? `: ${message}` : '.'}`;
}

/** An error that comes as part of a 2xx answer. */
export function failedInAnswer(value: unknown, address: string, beforeFirstByte: boolean): ModelError {
  const said = saidIn(value);
  const status = isRecord(value) && typeof value.code === 'number' ? value.code : undefined;
  return new ModelError(
    `The model provider at ${address} failed: ${said.message || said.code || 'no reason given'}`,
    { reason: reasonFor(status, said), status, beforeFirstByte },
  );
}

interface Sign {
  sign: RegExp;
  words: string;
  /** Asking again can't help, or might repeat paid work. */
  final?: true;
}

const SIGNS: Sign[] = [
  { sign: /ECONNREFUSED/, words: 'nothing listens there. Is the model server running?' },
  { sign: /ENOTFOUND|EAI_AGAIN/, words: 'the host name is not known.' },
  { sign: /EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL/, words: 'there is no way to this host.' },
  { sign: /ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT/, words: 'the host does not answer.' },
  { sign: /UND_ERR_(HEADERS|BODY)_TIMEOUT/, words: 'it stayed silent for too long.', final: true },
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
  const fault = faultIn(error);
  if (fault) {
    return new ModelError(`The model provider at ${address} can't be used: ${fault.message}`, {
      beforeFirstByte,
      retryable: false,
    });
  }
  const signs = signsOf(error);
  const known = SIGNS.find(({ sign }) => sign.test(signs));
  const words = known?.words ?? (beforeFirstByte ? 'the connection was closed.' : 'the answer broke off.');
  const message = beforeFirstByte
    ? `No answer from the model provider at ${address}: ${words}`
    : `The model provider at ${address} was lost in the middle of its answer: ${words}`;
  return new ModelError(message, {
    reason: beforeFirstByte ? 'provider_unreachable' : 'provider_failed',
    beforeFirstByte,
    retryable: beforeFirstByte && !known?.final,
  });
}

function faultIn(error: unknown): FetchFault | undefined {
  if (error instanceof FetchFault) return error;
  return error instanceof Error && error.cause instanceof FetchFault ? error.cause : undefined;
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
  return new ModelError(message, { reason: 'provider_silent', beforeFirstByte, retryable: false });
}

/** A 2xx answer that isn't one of a model. */
export function notAModel(address: string, kind: 'html' | 'text'): ModelError {
  const what = kind === 'html' ? 'a web page' : 'something that is not JSON';
  return new ModelError(
    `${address} answered with ${what} instead of a model's reply. Check the provider's URL.`,
  );
}

/** An answer of more characters than it can sensibly have. */
export function tooLong(address: string, most: number): ModelError {
  return new ModelError(`${address} answered with more than ${most / 2 ** 20} MB.`);
}

/** The stream ended with no sign that the model had finished. */
export function brokenOff(address: string, beforeFirstByte: boolean): ModelError {
  return new ModelError(`The model provider at ${address} ended its answer before the model had finished.`, {
    beforeFirstByte,
  });
}
