/** Every error the engine answers with, made here and nowhere else. The texts are those of OpenAI's service. */
import type { RunStatus } from './types.ts';

export interface ErrorBody {
  message: string;
  type: string;
  param: string | null;
  code: string | null;
}

/** An answer that is not 200. Thrown anywhere below the app, which turns it into the envelope. */
export class ApiError extends Error {
  readonly status: number;
  readonly body: ErrorBody;
  /** Of the answer. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    more: Partial<Omit<ErrorBody, 'message'>> = {},
    headers: Record<string, string> = {},
  ) {
    super(message);
    this.headers = headers;
    this.name = 'ApiError';
    this.status = status;
    this.body = {
      message,
      type: more.type ?? 'invalid_request_error',
      param: more.param ?? null,
      code: more.code ?? null,
    };
  }
}

type StartValues = Readonly<Record<string, string | number>>;

/** Why the service could not be opened, as one sentence each for the person who set it up. */
const START_FAULTS = {
  noSqlite: ({ version }: StartValues) =>
    `The embedded service needs Node.js 22.13 or newer for its database (this is ${version}).`,
  otherProgram: ({ file }: StartValues) =>
    `The database ${file} belongs to another program; choose another file.`,
  newer: ({ file, format, known }: StartValues) =>
    `The database ${file} was written by a newer version of this package (format ${format}, this version knows ${known}); update the package or choose another file.`,
  notWritable: ({ file, reason }: StartValues) =>
    `The database ${file} cannot be opened for writing: ${reason}.`,
  locked: ({ file }: StartValues) =>
    `The database ${file} is held by another program, such as a backup or a database browser; end that, or choose another file.`,
  diskFull: ({ file }: StartValues) => `The disk of the database ${file} is full; free some space.`,
  damaged: ({ file, reason }: StartValues) =>
    `The database ${file} is damaged or not a SQLite file (${reason}); it was left untouched.`,
  notOpened: ({ file, reason }: StartValues) => `The database ${file} cannot be opened: ${reason}.`,
  badAddress: ({ reason }: StartValues) => `The address of the PostgreSQL database is not valid: ${reason}.`,
  unreachable: ({ place, reason }: StartValues) =>
    `The database server of ${place} does not answer (${reason}); check host and port, and that it is running.`,
  wrongPassword: ({ place, user }: StartValues) =>
    `The database ${place} refuses the user ${user}; check user and password.`,
  noDatabase: ({ place, database }: StartValues) =>
    `The server of ${place} has no database named ${database}; create it, or choose another.`,
  noRights: ({ place, user, reason }: StartValues) =>
    `The user ${user} may not make tables in the database ${place} (${reason}); give it the right, or a schema of its own.`,
  oldServer: ({ place, version }: StartValues) =>
    `The server of ${place} runs PostgreSQL ${version}; version 14 or newer is needed.`,
  badAssistant: ({ assistant, reason }: StartValues) =>
    `The assistant '${assistant}' is not valid: ${reason}`,
  other: ({ reason }: StartValues) => `The embedded service could not start: ${reason}.`,
};

/** The service could not be opened. `fault` and `values` are for those who word it in another language. */
export class EngineStartError extends Error {
  readonly fault: keyof typeof START_FAULTS;
  readonly values: StartValues;

  constructor(fault: keyof typeof START_FAULTS, values: StartValues, options?: ErrorOptions) {
    super(START_FAULTS[fault](values), options);
    this.name = 'EngineStartError';
    this.fault = fault;
    this.values = values;
  }
}

export type Kind = 'assistant' | 'thread' | 'message' | 'run' | 'run step';

export const notFound = (kind: Kind, id: string) => new ApiError(404, `No ${kind} found with id '${id}'.`);

const PREFIX: Record<Kind, { param: string; prefix: string }> = {
  assistant: { param: 'assistant_id', prefix: 'asst' },
  thread: { param: 'thread_id', prefix: 'thread' },
  message: { param: 'message_id', prefix: 'msg' },
  run: { param: 'run_id', prefix: 'run' },
  'run step': { param: 'step_id', prefix: 'step' },
};

/** What a path id that matches nothing deserves: 400 when it is not even of the right kind, else 404. */
export function unknownPathId(kind: Kind, id: string): ApiError {
  const { param, prefix } = PREFIX[kind];
  if (id.startsWith(prefix)) return notFound(kind, id);
  return invalidValue(param, `Invalid '${param}': '${id}'. Expected an ID that begins with '${prefix}'.`);
}

export const threadLockedForMessage = (threadId: string, runId: string) =>
  new ApiError(400, `Can't add messages to ${threadId} while a run ${runId} is active.`);

export const threadLockedForRun = (threadId: string, runId: string) =>
  new ApiError(400, `Thread ${threadId} already has an active run ${runId}.`);

export const emptyThread = () =>
  new ApiError(400, 'Run creation requires a Thread with a user message or an assistant with instructions.', {
    code: 'invalid_thread',
  });

export const toolOutputsWrongStatus = (status: RunStatus) =>
  new ApiError(400, `Runs in status "${status}" do not accept tool outputs.`);

const quotedList = (ids: string[]) => `[${ids.map((id) => `'${id}'`).join(', ')}]`;

export const toolOutputsPartial = (expected: string[], got: string[]) =>
  new ApiError(400, `Expected tool outputs for call_ids ${quotedList(expected)}, got ${quotedList(got)}`);

export const cancelWrongStatus = (status: RunStatus) =>
  new ApiError(400, `Cannot cancel run with status '${status}'.`);

export const modifyWrongStatus = (status: RunStatus) =>
  new ApiError(400, `Cannot update run with status '${status}'.`);

export const betaV1 = () =>
  new ApiError(
    400,
    'The v1 Assistants API has been deprecated. See the migration guide for more information: https://platform.openai.com/docs/assistants/migration.',
    { code: 'invalid_beta' },
  );

export const missingParameter = (param: string) =>
  new ApiError(400, `Missing required parameter: '${param}'.`, { param, code: 'missing_required_parameter' });

export const unknownParameter = (param: string) =>
  new ApiError(400, `Unknown parameter: '${param}'.`, { param, code: 'unknown_parameter' });

export const invalidType = (param: string, expected: string, got: string) =>
  new ApiError(
    400,
    param
      ? `Invalid type for '${param}': expected ${expected}, but got ${got} instead.`
      : `Invalid body: expected ${expected}, but got ${got} instead.`,
    { param: param || null, code: 'invalid_type' },
  );

export const invalidValue = (param: string, message: string) =>
  new ApiError(400, message, { param, code: 'invalid_value' });

/** `detail` reads on after `Invalid '{param}': `, e.g. `string too long. Expected …`. */
export const outOfBounds = (param: string, detail: string, code: string) =>
  new ApiError(400, `Invalid '${param}': ${detail}`, { param, code });

export const propertyNameTooLong = (param: string, key: string, maximum: number) =>
  new ApiError(
    400,
    `Invalid property name in '${param}': '${key.slice(0, 3)}...${key.slice(-3)}' is too long. Expected a string with maximum length ${maximum}, but got a string with length ${key.length} instead.`,
    { param: `${param}.${key}`, code: 'property_name_above_max_length' },
  );

export const notJson = () =>
  new ApiError(
    400,
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
  );

export const unknownUrl = (method: string, path: string) =>
  new ApiError(404, `Unknown request URL: ${method} ${path}. Please check the URL for typos.`, {
    code: 'unknown_url',
  });

export const methodNotAllowed = (method: string, path: string) =>
  new ApiError(405, `Not allowed to ${method} on ${path}.`, { code: 'method_not_supported' });

export const serverError = (message = 'The server had an error while processing your request.') =>
  new ApiError(500, message, { type: 'server_error' });

/** What the model provider behind this service can't do. */
export const unsupported = (param: string, what: string, or = '') =>
  new ApiError(
    400,
    `${what} can't be used with this service's model provider; the provider OpenAI Responses can do it${or && `, ${or}`}.`,
    { param, code: 'unsupported_value' },
  );

export const modelNotFound = (model: string, status: 400 | 404 = 404) =>
  new ApiError(status, `The model '${model}' does not exist or you do not have access to it.`, {
    param: 'model',
    code: 'model_not_found',
  });

/** The database can't be read or written: nothing was done that would have to be undone. */
export const storeFailed = (code: string, message: string) =>
  new ApiError(503, message, { type: 'server_error', code });

/** What a caller may not do, however right the request is. */
export const notPermitted = (what: string) =>
  new ApiError(403, `This key may not ${what}.`, { code: 'insufficient_permissions' });

/** Milliseconds after which a place may be free again. */
const RUN_PLACE_MS = 2000;

export const tooManyRuns = (most: number) =>
  new ApiError(
    429,
    `Rate limit reached: ${most} runs at once. Please try again when one of them has ended.`,
    { type: 'requests', code: 'rate_limit_exceeded' },
    { 'retry-after': String(RUN_PLACE_MS / 1000), 'x-should-retry': 'true' },
  );

export const serviceClosed = () =>
  new ApiError(503, 'The service is closed.', { type: 'server_error', code: 'service_closed' });
