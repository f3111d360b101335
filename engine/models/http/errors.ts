/** What goes wrong between us and a provider, from what the platform and the provider say of it. */
import { FetchFault } from '../../domain/guarded-fetch.ts';
import { isObject } from '../../domain/is-object.ts';
import { retryAfter } from '../../domain/waits.ts';
import type { FaultKey } from '../faults.ts';
import { type FailureReason, ModelError, UNNAMED_MODEL } from '../model.ts';

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
        isObject(one) && Array.isArray(one.loc)
          ? `${one.loc.filter(isPlain).join('.')}: ${isPlain(one.msg) ? one.msg : ''}`
          : saidIn(one, depth + 1).message,
      );
    return { message: parts.filter(Boolean).join('; ').slice(0, LONGEST), code: '' };
  }
  if (!isObject(value) || depth > 5) return { message: '', code: '' };
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

/** What providers say of the name that stands for none. */
const UNNAMED = new RegExp(`["'\`]${UNNAMED_MODEL}["'\`]`);

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
  return new ModelError(
    sentenceFor(status, said, reason),
    { said: said.message, status, address },
    {
      reason,
      status,
      retryAfter: retryAfter(response.headers),
      beforeFirstByte: true,
      retryable: (AGAIN.has(status) || status >= 500) && reason !== 'provider_quota',
    },
  );
}

function sentenceFor(status: number, { message }: Said, reason: FailureReason): FaultKey {
  // a 401's own text likes to repeat the key
  if (status === 401) return 'keyRefused';
  if (reason === 'provider_model_unknown' && UNNAMED.test(message)) return 'noModel';
  if (message) return 'said';
  return status === 404 ? 'notThere' : 'status';
}

/** An error that comes as part of a 2xx answer. */
export function failedInAnswer(value: unknown, address: string, beforeFirstByte: boolean): ModelError {
  const said = saidIn(value);
  const status = isObject(value) && typeof value.code === 'number' ? value.code : undefined;
  return new ModelError(
    'failed',
    { said: said.message || said.code || '?', address },
    { reason: reasonFor(status, said), status, beforeFirstByte },
  );
}

interface Sign {
  sign: RegExp;
  key: FaultKey;
  /** Asking again can't help, or might repeat paid work. */
  final?: true;
}

const SIGNS: Sign[] = [
  { sign: /ECONNREFUSED/, key: 'notListening' },
  { sign: /ENOTFOUND|EAI_AGAIN/, key: 'unknownHost' },
  { sign: /EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL/, key: 'noWay' },
  { sign: /ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT/, key: 'noAnswer' },
  { sign: /UND_ERR_(HEADERS|BODY)_TIMEOUT/, key: 'tooSilent', final: true },
  { sign: /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/, key: 'certificate', final: true },
  { sign: /EPROTO|ERR_SSL|WRONG_VERSION/, key: 'noTls', final: true },
  { sign: /HTTPParserError|HPE_/, key: 'noHttp', final: true },
];

/** A request that got no answer, or whose answer broke off: the platform's fetch only says "fetch failed". */
export function unreachable(error: unknown, address: string, beforeFirstByte: boolean): ModelError {
  const fault = faultIn(error);
  if (fault) {
    const values = { reason: fault.message, address };
    return new ModelError('unusable', values, { beforeFirstByte, retryable: false });
  }
  const signs = signsOf(error);
  const known = SIGNS.find(({ sign }) => sign.test(signs));
  const key = beforeFirstByte ? (known?.key ?? 'closed') : known?.key === 'tooSilent' ? 'tooSilent' : 'lost';
  return new ModelError(
    key,
    { address },
    {
      reason: beforeFirstByte ? 'provider_unreachable' : 'provider_failed',
      beforeFirstByte,
      retryable: beforeFirstByte && !known?.final,
    },
  );
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
  const values = { seconds: ms / 1000, address };
  return new ModelError('silent', values, { reason: 'provider_silent', beforeFirstByte, retryable: false });
}

/** A 2xx answer that isn't one of a model. */
export function notAModel(address: string, kind: 'html' | 'text'): ModelError {
  return new ModelError(kind === 'html' ? 'webPage' : 'notJson', { address });
}

/** An answer of more characters than it can sensibly have. */
export function tooLong(address: string, most: number): ModelError {
  return new ModelError('tooLong', { megabytes: most / 2 ** 20, address });
}

/** The stream ended with no sign that the model had finished. */
export function brokenOff(address: string, beforeFirstByte: boolean): ModelError {
  return new ModelError('brokenOff', { address }, { beforeFirstByte });
}
