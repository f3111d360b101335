/** The tables as the database has them. Times are seconds since 1970 where nothing else is said. */
import type { ColumnType, Generated, Kysely } from 'kysely';
import type { RunStatus } from '../domain/types.ts';

/** Grows by one with every row: what lists are ordered by, so that equal seconds keep their order. */
type Sequence = Generated<number>;
/** JSON text; what it holds says records.ts. */
type Json = string;
/** Never changes after the insert. */
type Fixed<T> = ColumnType<T, T, never>;

export interface AssistantsTable {
  seq: Sequence;
  id: Fixed<string>;
  created_at: Fixed<number>;
  name: string | null;
  description: string | null;
  model: string;
  instructions: string | null;
  tools: Json;
  tool_resources: Json;
  metadata: Json;
  temperature: number | null;
  top_p: number | null;
  response_format: Json;
  reasoning_effort: string | null;
}

export interface ThreadsTable {
  id: Fixed<string>;
  created_at: Fixed<number>;
  tool_resources: Json;
  metadata: Json;
  /** The caller who made it; null for the program that the engine lives in. */
  owner: Fixed<string | null>;
}

export interface MessagesTable {
  seq: Sequence;
  id: Fixed<string>;
  thread_id: Fixed<string>;
  created_at: Fixed<number>;
  role: Fixed<'user' | 'assistant'>;
  status: 'in_progress' | 'incomplete' | 'completed';
  content: Json;
  attachments: Json;
  metadata: Json;
  assistant_id: Fixed<string | null>;
  run_id: Fixed<string | null>;
  completed_at: number | null;
  incomplete_at: number | null;
  incomplete_reason: string | null;
}

export interface RunsTable {
  seq: Sequence;
  id: Fixed<string>;
  thread_id: Fixed<string>;
  assistant_id: Fixed<string>;
  status: RunStatus;
  /** 1 while the run can still change, else 0: what the indexes of active runs go by. */
  active: 0 | 1;
  created_at: Fixed<number>;
  started_at: number | null;
  expires_at: number | null;
  cancelled_at: number | null;
  failed_at: number | null;
  completed_at: number | null;
  required_action: Json | null;
  last_error: Json | null;
  incomplete_details: Json | null;
  /** What the models have used so far; shown once the run has ended. */
  usage: Json;
  metadata: Json;
  /** The rest of the wire's fields, as they were settled at creation (see RunOptions). */
  options: Fixed<Json>;
  /**
   * The process that has the run in hand (workers.id): works on it, or has its calls answered by flows. Null when none
   * has; NOBODY_YET or NOBODY_NOW (runs.ts) while it waits for one that has its calls answered.
   */
  worker: string | null;
  /** First message (seq) after the gap that the model sees; settled by the first turn so that prompts only grow. */
  window_from: number | null;
  /** Message (seq) kept before the gap: the thread's first. */
  window_head: number | null;
  /**
   * Counts the claims, and the ends that others than the claimer have made: whoever writes for an attempt names it, so
   * that a process that stood still can't write over its successor.
   */
  attempt: number;
  /** How many events (`thread.run.created` is the first) had been told when the run was last queued or began to wait. */
  events: number;
}

export interface StepsTable {
  seq: Sequence;
  id: Fixed<string>;
  run_id: Fixed<string>;
  thread_id: Fixed<string>;
  assistant_id: Fixed<string>;
  created_at: Fixed<number>;
  type: Fixed<'message_creation' | 'tool_calls'>;
  status: 'in_progress' | 'cancelled' | 'failed' | 'completed' | 'expired';
  details: Json;
  last_error: Json | null;
  usage: Json | null;
  expires_at: number | null;
  completed_at: number | null;
  failed_at: number | null;
  cancelled_at: number | null;
  expired_at: number | null;
  /** What a provider asked to see again, and under which ids it knows the calls (see ProviderState). */
  memory: Json;
}

/** One row per process that has this database open: the lease of all runs it has in hand. */
export interface WorkersTable {
  id: Fixed<string>;
  host: Fixed<string>;
  pid: Fixed<number>;
  /** Milliseconds since 1970. */
  seen_at: number;
}

/** What streams on other machines read; there only where several share a database. */
export interface EventsTable {
  run_id: Fixed<string>;
  /** From 1, `thread.run.created`; 0 for `thread.created`. */
  seq: Fixed<number>;
  event: Fixed<string>;
  /** The text of the event's data, as it goes over the wire. */
  data: Fixed<string>;
  /** Whether a stream ends with it. */
  ends: Fixed<boolean>;
  at: Generated<Date>;
}

/** What requests with a key against repeating have made. */
export interface IdempotencyKeysTable {
  /** The request's path and its key. */
  key: Fixed<string>;
  run_id: Fixed<string>;
}

/** The thread of a conversation; there only where several machines share the database. */
export interface ConversationsTable {
  /** Whose keys they are, such as a node's id. */
  scope: Fixed<string>;
  key: Fixed<string>;
  thread_id: Fixed<string>;
}

/** Who is in, or waits, in the order of `seq`, and who wants a thread for itself; there only where several machines share the database. */
export interface LineTable {
  seq: Sequence;
  /** What they stand in line for. */
  scope: Fixed<string>;
  /** Counts as long as that process gives signs of life. */
  worker: Fixed<string>;
}

/** Which process has sent a run's tool calls out; there only where several machines share the database. */
export interface RoundsTable {
  run_id: Fixed<string>;
  worker: string;
}

/** Answers to tool calls that came in elsewhere; there only where several machines share the database. */
export interface AnswersTable {
  run_id: Fixed<string>;
  call_id: Fixed<string>;
  output: Fixed<string>;
}

/** What a run came from, where the program that the engine lives in says so; gone with the run. */
export interface RunOriginsTable {
  run_id: Fixed<string>;
  node_id: string;
  flow_id: string;
  /** Id of the message that asked for the run. */
  msg_id: string;
  /** Key of the conversation that it belongs to. */
  conversation: string | null;
  /** Milliseconds from the request to the run's end. */
  took: number | null;
  /** JSON text: `[milliseconds since 1970, what happened][]`. */
  marks: Json | null;
  /** See Origin. */
  name: string | null;
}

export interface Tables {
  assistants: AssistantsTable;
  threads: ThreadsTable;
  messages: MessagesTable;
  runs: RunsTable;
  steps: StepsTable;
  workers: WorkersTable;
  events: EventsTable;
  idempotency_keys: IdempotencyKeysTable;
  conversations: ConversationsTable;
  line: LineTable;
  rounds: RoundsTable;
  answers: AnswersTable;
  run_origins: RunOriginsTable;
}

/** The database, or a transaction on it. */
export type Db = Kysely<Tables>;
