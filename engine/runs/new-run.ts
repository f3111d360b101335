/** A new run: what it is made of, and what belongs to it from its beginning. */

import type { Caller } from '../domain/caller.ts';
import type { FunctionCall } from '../domain/content.ts';
import { emptyThread, notFound, tooManyRuns } from '../domain/errors.ts';
import { EMPTY_USAGE } from '../domain/usage.ts';
import { settleOptions } from '../objects/run-options.ts';
import type { CreateRun, CreateThreadAndRun } from '../schemas/bodies.ts';
import type { Service } from '../service.ts';
import { findAssistant } from '../store/assistants.ts';
import { keepKey } from '../store/keys.ts';
import { hasUserMessage } from '../store/messages.ts';
import { countActiveRuns } from '../store/owners.ts';
import type { RunRecord, ThreadRecord } from '../store/records.ts';
import { keepCaller } from '../store/run-origins.ts';
import { insertRun } from '../store/runs.ts';
import { insertStep } from '../store/steps.ts';
import type { Db } from '../store/store.ts';
import { newStep } from '../worker/open-parts.ts';
import { checkTools } from './capabilities.ts';

export type Body = CreateRun | CreateThreadAndRun;

/** Beside the body. */
export interface CreateOptions {
  /** Show in the stream's steps what file searches found. */
  fileSearchContent?: boolean;
  /** The program that asks, where it is not the engine's own. */
  caller?: Caller | undefined;
  /** Finds this run again; see `once`. */
  key?: string | undefined;
  /** Calls that were made and answered before, as far as the run goes: the model is shown them. */
  rounds?: FunctionCall[][];
  /** See RunOptions. */
  forgetsThread?: boolean;
}

/** @throws ApiError 404 for an assistant that is not the caller's to run, 429 where its places are taken */
async function checkCaller(db: Db, caller: Caller, assistantId: string): Promise<void> {
  const { id, assistants, runsAtOnce = 0 } = caller;
  if (assistants && !assistants.includes(assistantId)) throw notFound('assistant', assistantId);
  if (runsAtOnce > 0 && (await countActiveRuns(db, id)) >= runsAtOnce) throw tooManyRuns(runsAtOnce);
}

/** `thread.run.created` and `thread.run.queued`; after outputs, the step's completion and `thread.run.queued`. */
export const EVENTS_WHEN_QUEUED = 2;

/** The new run on a thread that is known to be free; nothing is written. */
export async function newRun(
  service: Service,
  db: Db,
  thread: ThreadRecord,
  id: string,
  body: Body,
  worker: string | null,
  { fileSearchContent = false, caller, forgetsThread }: CreateOptions,
): Promise<RunRecord> {
  if (caller) await checkCaller(db, caller, body.assistant_id);
  const assistant = await findAssistant(db, body.assistant_id);
  if (!assistant) throw notFound('assistant', body.assistant_id);
  const options = settleOptions(assistant, thread, body, fileSearchContent);
  if (caller?.isServedTools && !body.tools) options.isServedTools = true;
  // At the end, where the housekeeping looks for it (store/retention.ts).
  if (forgetsThread) options.forgetsThread = true;
  checkTools(service, options);
  if (!options.instructions && !(await hasUserMessage(db, thread.id))) throw emptyThread();
  const now = service.now();
  return {
    id,
    thread_id: thread.id,
    assistant_id: assistant.id,
    status: 'queued',
    active: 1,
    created_at: now,
    started_at: null,
    expires_at: now + service.expirySeconds,
    cancelled_at: null,
    failed_at: null,
    completed_at: null,
    required_action: null,
    last_error: null,
    incomplete_details: null,
    usage: EMPTY_USAGE,
    metadata: body.metadata ?? {},
    options,
    worker,
    window_from: null,
    window_head: null,
    attempt: 0,
    events: EVENTS_WHEN_QUEUED,
  };
}

/** A run, with what belongs to it from its beginning. */
export async function insertNewRun(
  service: Service,
  trx: Db,
  run: RunRecord,
  { key, rounds = [], caller }: CreateOptions,
): Promise<void> {
  await insertRun(trx, run);
  if (caller?.name) await keepCaller(trx, run.id, caller.name);
  if (key) await keepKey(trx, key, run.id);
  const now = service.now();
  for (const tool_calls of rounds) {
    const ids = tool_calls.map(({ id }) => id);
    const step = newStep(run, 'tool_calls', { type: 'tool_calls', tool_calls }, { ids, carry: [] }, now);
    await insertStep(trx, { ...step, status: 'completed', completed_at: now });
  }
}
