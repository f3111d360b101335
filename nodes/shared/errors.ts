/** The one kind of error that leaves the nodes through `done(err)`. */

/** What is known of a failure beyond its sentence; all of it reaches a Catch node as `msg.error.cause`. */
export interface ErrorDetails {
  /** HTTP status, where an answer came. */
  status?: number;
  /** The API's or the system's code, e.g. `invalid_api_key`, `ECONNREFUSED`, or one of this package's own. */
  code?: string;
  type?: string;
  /** The field that is wrong. */
  param?: string;
  request_id?: string;
  /** Seconds the server asked to wait. */
  retry_after?: number;
  thread_id?: string;
  run_id?: string;
  /** The run as last seen, when it ended without success. */
  run?: unknown;
  /** What the assistant had said, when it could not be used. */
  reply?: string;
}

/**
 * An error worded for a person. Node-RED 4.1 and 5 hand `message`, `code` and `cause` to a Catch node if they
 * are the error's own properties (runtime `Flow.handleError`), so the details travel in `cause`.
 */
export class RunsError extends Error {
  override readonly name = 'RunsError';
  readonly code: string | undefined;
  override readonly cause: ErrorDetails;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message);
    this.cause = Object.fromEntries(
      Object.entries(details).filter(([, value]) => value !== undefined && value !== null),
    );
    this.code = this.cause.code;
  }

  /** Adds what the place that caught it knows, e.g. the ids of the run. */
  with(details: ErrorDetails): RunsError {
    return new RunsError(this.message, { ...details, ...this.cause });
  }

  /** What a Catch node and the log show: the sentence alone. */
  override toString(): string {
    return this.message;
  }
}

/**
 * Node-RED's `done` for errors of ours: where no Catch node takes one, the debug sidebar and the log show its sentence
 * and nothing else. They print an Error with all that it holds, and a text as it is; a Catch node is given what either
 * has of its own (runtime `Flow.handleError`).
 */
export function inWords(done: (error?: Error) => void): (error?: Error) => void {
  return (error) => {
    if (!isRunsError(error)) return error ? done(error) : done();
    const { message, code, cause, stack } = error;
    // An object, so that it can carry the rest.
    const sentence = Object.assign(new String(message), { message, code, cause, stack });
    done(sentence as unknown as Error);
  };
}

/** Whether an error is one of ours; by name, since node and client are bundled apart. */
export function isRunsError(error: unknown): error is RunsError {
  return error instanceof Error && error.name === 'RunsError';
}
