/** POST /chat/completions: chat programs talk to assistants. A conversation is a thread, an answer is a run. */
import { setTimeout as delay } from 'node:timers/promises';
import { Hono } from 'hono';
import type { Caller } from '../../domain/caller.ts';
import { modelNotFound } from '../../domain/errors.ts';
import { untilAborted } from '../../domain/waits.ts';
import { newThread } from '../../objects/new-records.ts';
import { seesCalls } from '../../objects/objects.ts';
import { logFor } from '../../runs/across-calls.ts';
import { createRun, createThreadAndRun, type Started, submitToolOutputs } from '../../runs/create.ts';
import { endIdle } from '../../runs/end-idle.ts';
import { forgetThread, forgetThreadAfter } from '../../runs/forget.ts';
import type { CreateOptions } from '../../runs/new-run.ts';
import type { CreateMessage } from '../../schemas/bodies.ts';
import { type ChatCompletion, chatCompletion } from '../../schemas/chat.ts';
import type { Service } from '../../service.ts';
import { assistantsNamed } from '../../store/assistants.ts';
import { newestMessages } from '../../store/messages.ts';
import type { RunRecord } from '../../store/records.ts';
import { activeRunId, runById, runWaitingFor, transition } from '../../store/runs.ts';
import { insertThreadOnce } from '../../store/threads.ts';
import { maySee } from '../access.ts';
import { type RouteEnv, readBody } from '../routes/http.ts';
import { eventStream } from '../routes/sse.ts';
import { chunks, headOf, wholeAnswer } from './answer.ts';
import { firstNew, messagesOf, outputsOf, roundsOf, runBody, threadIdOf, untold } from './request.ts';
import { cancelWhenLeft, throwIfOver } from './stop.ts';

/** Milliseconds that a conversation may be busy for a request to wait for it, and between two looks. */
const BUSY_MS = 3000;
const LOOK_MS = 50;

export function chatRoutes(service: Service): Hono<RouteEnv> {
  const { db } = service.store;
  const routes = new Hono<RouteEnv>();

  routes.post('/completions', async (c) => {
    const { caller, signal, closing } = c.env;
    const body = readBody(c, chatCompletion);
    const conversation = c.req.header('x-conversation') || body.user || undefined;
    const assistantId = await assistantOf(body.model, caller);
    const { run, log: first } = await begin({ body, assistantId, conversation, caller, signal, closing });
    const isDone = cancelWhenLeft(service, run, c.env);
    const log = logFor(caller, service, run, first());
    void forgetThreadAfter(service, run.id, log);
    const head = headOf(run.id, run.created_at, body.model);
    const usedSoFar = async () => (await runById(db, run.id))?.usage;
    const part = { log, before: run.usage, usedSoFar };
    if (!body.stream) return c.json(await untilAborted(wholeAnswer(head, part), closing).finally(isDone));
    const answer = chunks(head, part, body.stream_options?.include_usage === true);
    answer.onLeft = (hasAll) => {
      if (hasAll) isDone();
    };
    return eventStream(answer, signal);
  });

  /** The assistant of an id or a name. @throws ApiError 404 */
  async function assistantOf(model: string, caller: Caller | undefined): Promise<string> {
    const found = (await assistantsNamed(db, model)).find(({ id }) => maySee(caller, id));
    if (!found) throw modelNotFound(model);
    return found.id;
  }

  interface Request {
    body: ChatCompletion;
    assistantId: string;
    conversation: string | undefined;
    caller: Caller | undefined;
    signal: AbortSignal | null | undefined;
    closing: AbortSignal;
  }

  /** The caller's run that waits for the output of a call, whichever process it began in. */
  async function waitingRun(callId: string, caller: Caller | undefined): Promise<RunRecord | undefined> {
    const run = await runWaitingFor(db, callId, caller?.id ?? null);
    if (!run || !seesCalls(run, caller) || !maySee(caller, run.assistant_id)) return undefined;
    return run.expires_at !== null && run.expires_at <= service.now() ? undefined : run;
  }

  async function begin(request: Request): Promise<Started> {
    const { body, assistantId, conversation, caller } = request;
    const { messages } = body;
    const outputs = outputsOf(messages);
    const callId = messages.findLast(({ role }) => role === 'tool')?.tool_call_id;
    const run = callId ? await waitingRun(callId, caller) : undefined;
    throwIfOver(request);
    if (run && outputs) return submitToolOutputs(service, run.thread_id, run.id, { tool_outputs: outputs });
    if (run) await giveUp(run);
    // Nobody waits any more, but the request says all there is to know.
    const rounds = outputs ? roundsOf(messages) : [];
    const isWhole = rounds.at(-1)?.some(({ id }) => id === callId) ?? false;
    const settings = runBody(body, assistantId);
    const options: CreateOptions = { caller, ...(isWhole && { rounds }) };
    const told = { withOutputs: !isWhole };
    if (conversation === undefined) {
      const thread = { messages: messagesOf(messages, told) };
      return createThreadAndRun(service, { ...settings, thread }, { ...options, forgetsThread: true });
    }
    const threadId = threadIdOf(caller?.id ?? '', assistantId, conversation);
    const isNew = await makeThread(threadId, caller);
    if (!isNew) await freeThread(threadId, request);
    const news = messagesOf(messages, { ...told, from: isNew ? 0 : firstNew(messages) });
    // One alone is new.
    const additional_messages = isNew || news.length < 2 ? news : await withoutTold(threadId, news);
    return createRun(service, threadId, { ...settings, additional_messages }, options);
  }

  async function withoutTold(threadId: string, news: CreateMessage[]): Promise<CreateMessage[]> {
    // Between two questions stands at most what was said of an answer.
    const limit = 2 * news.length;
    return untold(news, await newestMessages(db, threadId, { from: 0, before: undefined, limit }));
  }

  /** @returns whether it was not there before */
  function makeThread(id: string, caller: Caller | undefined): Promise<boolean> {
    return insertThreadOnce(db, { ...newThread({}, service.now(), caller?.id), id });
  }

  /**
   * A run whose calls the program did not answer makes room for what it says instead. Any other is waited for a little:
   * the next question may come before the Stop of the one before.
   */
  async function freeThread(threadId: string, request: Request): Promise<void> {
    for (const end = performance.now() + BUSY_MS; performance.now() < end; await delay(LOOK_MS)) {
      throwIfOver(request);
      const active = await activeRunId(db, threadId);
      const run = active ? await runById(db, active) : undefined;
      if (!run) return;
      if (run.status === 'requires_action' && seesCalls(run, request.caller)) return giveUp(run);
    }
    throwIfOver(request);
  }

  async function giveUp({ id }: RunRecord): Promise<void> {
    if (await transition(db, id, 'cancel', service.now())) await endIdle(service, id, 'cancelled');
    await forgetThread(service, id);
  }

  return routes;
}
