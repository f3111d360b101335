/** Setting runs going: a new run, a thread with its run, and the answer to a call for tool outputs. */

import { callsOf, isFunctionCall, type StepDetails } from '../domain/content.ts';
import {
  modelNotFound,
  threadLockedForRun,
  toolOutputsPartial,
  toolOutputsWrongStatus,
  unknownPathId,
} from '../domain/errors.ts';
import { newId } from '../domain/ids.ts';
import { newMessage, newThread } from '../objects/new-records.ts';
import { threadObject } from '../objects/objects.ts';
import type { CreateRun, CreateThread, CreateThreadAndRun, SubmitToolOutputs } from '../schemas/bodies.ts';
import type { Service } from '../service.ts';
import { findAssistant } from '../store/assistants.ts';
import { insertMessages } from '../store/messages.ts';
import type { RunRecord, ThreadRecord } from '../store/records.ts';
import { activeRunId, findRun, runById, transition } from '../store/runs.ts';
import { openParts, saveParts } from '../store/steps.ts';
import { atomically, type Db } from '../store/store.ts';
import { insertThread, lockedThread, threadOf } from '../store/threads.ts';
import { closeParts, closingEvents, runEvent } from '../worker/end-run.ts';
import type { EventLog, LoggedEvent } from '../worker/event-log.ts';
import { checkMessages } from './capabilities.ts';
import { endIdle } from './end-idle.ts';
import { followRun } from './follow.ts';
import { type Body, type CreateOptions, EVENTS_WHEN_QUEUED, insertNewRun, newRun } from './new-run.ts';

/** A run that was just set going. */
export interface Started {
  run: RunRecord;
  /** What happens to it, from here on. */
  log(): EventLog;
}

/** Asked before the transaction, which must not wait for a provider. @throws ApiError 400 */
async function checkModel({ store, models }: Service, { model, assistant_id }: Body): Promise<void> {
  const name = model ?? (await findAssistant(store.db, assistant_id))?.model;
  if (name !== undefined && (await models.lacks(name))) throw modelNotFound(name, 400);
}

/**
 * Writes with `write`, tells the readers, and puts the executor to work; where there is no room for the run, another
 * process takes it up, or this one later. It is held meanwhile, so that the sweep leaves it to us.
 * @param write gets whose run it becomes; `first` is the number of the first of its events
 */
async function setGoing(
  service: Service,
  runId: string,
  write: (
    trx: Db,
    worker: string | null,
  ) => Promise<{ run: RunRecord; first: number; events: LoggedEvent[] }>,
): Promise<Started> {
  const { store, hub, executor, outbox, queue } = service;
  const release = hub.hold(runId);
  const { owner: worker, release: leavePlace } = queue.place();
  const isTold = worker === null || outbox.open;
  try {
    const { run, first, events } = await atomically(store.db, async (trx) => {
      const made = await write(trx, worker);
      if (isTold) await outbox.tell(trx, made.run, made.first, made.events);
      if (worker === null) await store.shared?.ring(trx, 'queued', [runId]);
      return made;
    });
    if (worker === null) {
      void queue.take();
      return { run, log: () => followRun(service, runId, first - 1) };
    }
    const log = hub.open(runId, first);
    log.append(...events);
    if (isTold) log.told = events.length;
    executor.start(runId, log);
    return { run, log: () => log };
  } finally {
    leavePlace();
    release();
  }
}

const createdEvents = (run: RunRecord): LoggedEvent[] => {
  const queued = runEvent(run);
  return [{ ...queued, event: 'thread.run.created' }, queued];
};

/**
 * @throws ApiError 400 for a locked or empty thread, 404 for an unknown thread or assistant.
 */
export async function createRun(
  service: Service,
  threadId: string,
  body: CreateRun,
  options: CreateOptions = {},
): Promise<Started> {
  const id = newId('run');
  checkMessages(service, body.additional_messages);
  await checkModel(service, body);
  try {
    return await setGoing(service, id, async (trx, worker) => {
      const thread = await lockedThread(trx, threadId);
      const active = await activeRunId(trx, threadId);
      if (active) throw threadLockedForRun(threadId, active);
      const messages = body.additional_messages ?? [];
      await insertMessages(
        trx,
        messages.map((message) => newMessage(threadId, message, service.now())),
      );
      const run = await newRun(service, trx, thread, id, body, worker, options);
      await insertNewRun(service, trx, run, options);
      return { run, first: 1, events: createdEvents(run) };
    });
  } catch (error) {
    // Another process was first, between our look and our write.
    const { store } = service;
    const active = store.isUniqueViolation(error) && (await activeRunId(store.db, threadId));
    throw active ? threadLockedForRun(threadId, active) : error;
  }
}

/** Makes a thread and its first messages; to be called in a transaction. */
export async function insertNewThread(
  db: Db,
  body: CreateThread,
  now: number,
  owner?: string,
): Promise<ThreadRecord> {
  const thread = newThread(body, now, owner);
  await insertThread(db, thread);
  await insertMessages(
    db,
    (body.messages ?? []).map((message) => newMessage(thread.id, message, now)),
  );
  return thread;
}

/** @throws ApiError 400 for an empty thread, 404 for an unknown assistant; then no thread is made either. */
export async function createThreadAndRun(
  service: Service,
  body: CreateThreadAndRun,
  options: CreateOptions = {},
): Promise<Started> {
  const id = newId('run');
  checkMessages(service, body.thread?.messages);
  await checkModel(service, body);
  return setGoing(service, id, async (trx, worker) => {
    const thread = await insertNewThread(trx, body.thread ?? {}, service.now(), options.caller?.id);
    const run = await newRun(service, trx, thread, id, body, worker, options);
    await insertNewRun(service, trx, run, options);
    const events = [{ event: 'thread.created', data: threadObject(thread) }, ...createdEvents(run)];
    return { run, first: 0, events };
  });
}

/** The step's details with every output in its place. @throws ApiError 400 unless all ids are there, once. */
function withOutputs(details: StepDetails, outputs: SubmitToolOutputs['tool_outputs']): StepDetails {
  const calls = callsOf(details).filter(isFunctionCall);
  const expected = calls.map(({ id }) => id);
  const got = outputs.map(({ tool_call_id }) => tool_call_id);
  const byId = new Map(outputs.map(({ tool_call_id, output }) => [tool_call_id, output ?? '']));
  if (got.length !== expected.length || !expected.every((id) => byId.has(id))) {
    throw toolOutputsPartial(expected, got);
  }
  for (const call of calls) call.function.output = byId.get(call.id)!;
  return details;
}

/**
 * Answers a run that waits for its tools; it is queued again.
 * @throws ApiError 400 for a run in another status or ids that are not exactly those asked for, 404.
 */
export async function submitToolOutputs(
  service: Service,
  threadId: string,
  runId: string,
  body: SubmitToolOutputs,
): Promise<Started> {
  const { db } = service.store;
  await threadOf(db, threadId);
  const run = await findRun(db, threadId, runId);
  if (!run) throw unknownPathId('run', runId);
  const now = service.now();
  if (run.status === 'requires_action' && run.expires_at !== null && run.expires_at <= now) {
    await endIdle(service, runId, 'expire');
    throw toolOutputsWrongStatus('expired');
  }
  if (run.status !== 'requires_action') throw toolOutputsWrongStatus(run.status);
  return setGoing(service, runId, async (trx, worker) => {
    const patch = { worker, events: run.events + EVENTS_WHEN_QUEUED };
    const queued = await transition(trx, runId, 'submit', now, patch);
    if (!queued) {
      // Another request was first, between our look and our write.
      const found = await runById(trx, runId);
      throw found ? toolOutputsWrongStatus(found.status) : unknownPathId('run', runId);
    }
    const { step } = await openParts(trx, runId);
    const details = withOutputs(step!.details, body.tool_outputs);
    const parts = closeParts({ step: { ...step!, details } }, { name: 'complete', now });
    await saveParts(trx, parts);
    const events = [...closingEvents(parts, queued), runEvent(queued)];
    return { run: queued, first: run.events + 1, events };
  });
}
