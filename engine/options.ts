/** The public types: what an engine is made from, and what it gives. */
import type { ConnectionOptions } from 'node:tls';
import type { Caller } from './domain/caller.ts';
import type { EngineLog } from './domain/log.ts';
import type { ModelOptions } from './models/model.ts';
import type { RunNotice } from './notices.ts';
import type { RunsOverview } from './overview.ts';
import type { Together } from './together/together.ts';

/** An assistant declared by the user: the create body plus the id it keeps for good. */
export interface AssistantDeclaration {
  id: string;
  name?: string | null;
  description?: string | null;
  model?: string | null;
  instructions?: string | null;
  tools?: unknown[];
  tool_resources?: unknown;
  metadata?: Record<string, string> | null;
  temperature?: number | null;
  top_p?: number | null;
  response_format?: unknown;
  reasoning_effort?: string | null;
}

export interface EngineOptions {
  /**
   * Path of the SQLite file, or `:memory:`; missing folders are made. Or a database on PostgreSQL that several processes
   * share: `postgres://user:password@host:port/database`, with `?schema=` (`openai_runs`) and `&sslmode=`.
   */
  database: string;
  /** Certificates and the like for the way to PostgreSQL; with them it is encrypted. */
  databaseTls?: ConnectionOptions | undefined;
  model: ModelOptions;
  /** Created or brought up to date when the engine starts. */
  assistants?: AssistantDeclaration[];
  /** Seconds until a run that has not ended expires. Default 600, as OpenAI's service had it. */
  expirySeconds?: number;
  /** Days that threads are kept after their last message or run, with all that is in them. 0, the default: for ever. */
  retentionDays?: number;
  /** Tokens the model can read; older messages are left out beyond it. 0 or nothing: as its provider tells. */
  contextWindow?: number;
  /**
   * Runs that this process works on at once, where others share its database; the rest are for whoever has room. 0: none,
   * it only takes requests. Default 1,000.
   */
  capacity?: number;
  log?: EngineLog;
  onNotice?: (notice: RunNotice) => void;
  /** Whether whoever hears the notices now answers the calls of callers' runs; else another process is to. */
  answersCalls?: () => boolean;
  /** Milliseconds since 1970; for tests. */
  clock?: () => number;
}

export interface Engine {
  /**
   * Answers a request as the platform's fetch would, never touching the network. Whatever goes wrong here is an
   * answer too; it rejects only where the platform's does: aborted, no valid URL, a body that breaks off.
   * @param caller on whose behalf; without one everything is allowed
   */
  fetch(input: string | URL | Request, init?: RequestInit, caller?: Caller): Promise<Response>;
  /** What several engines share where the database is on PostgreSQL. */
  together: Together | undefined;
  /** All runs at a glance, for people who look at them. */
  readonly overview: RunsOverview;
  /**
   * To be called before the calls of a run are handed out: makes this process the one that does.
   * @returns false where another that lives does so
   */
  takeCalls(runId: string): Promise<boolean>;
  /**
   * Whether a model looks at pictures, as far as its provider tells.
   * @param model by default that of the service
   * @returns undefined where nobody tells, or it can't be asked
   */
  seesPictures(model?: string): Promise<boolean | undefined>;
  /** How many threads and runs the database holds. */
  counts(): Promise<{ threads: number; runs: number }>;
  /**
   * Ends model requests, writes the last rows, closes the database. Runs in progress fail and say that the service
   * was stopped, queued ones run at the next start, those that wait for tools wait on. Safe to call twice.
   */
  close(): Promise<void>;
}
