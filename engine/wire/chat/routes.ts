/** POST /chat/completions: chat programs talk to assistants. A conversation is a thread, an answer is a run. */
import { Hono } from 'hono';
import type { Caller } from '../../domain/caller.ts';
import { modelNotFound } from '../../domain/errors.ts';
import { untilAborted } from '../../domain/waits.ts';
import { newThread } from '../../objects/new-records.ts';
import { logFor } from '../../runs/across-calls.ts';
import { createRun, createThreadAndRun, type Started, submitToolOutputs } from '../../runs/create.ts';
import { type ChatCompletion, chatCompletion } from '../../schemas/chat.ts';
import type { Service } from '../../service.ts';
import { assistantsNamed } from '../../store/assistants.ts';
import { activeRunId, runById, transition } from '../../store/runs.ts';
import { atomically } from '../../store/store.ts';
import { findThread, insertThread } from '../../store/threads.ts';
import { endRun } from '../../worker/end-run.ts';
import { maySee } from '../access.ts';
import { type RouteEnv, readBody } from '../routes/http.ts';
import { eventStream } from '../routes/sse.ts';
import { chunks, headOf, wholeAnswer } from './answer.ts';
import { firstNew, messagesOf, outputsOf, runBody, threadIdOf } from './request.ts';
import { Waiting } from './waiting.ts';

export function chatRoutes(service: Service): Hono<RouteEnv> {
  const { db } = service.store;
  const routes = new Hono<RouteEnv>();
  const waiting = new Waiting(service);

  routes.post('/completions', async (c) => {
    const { caller, signal } = c.env;
    const body = readBody(c, chatCompletion);
    const conversation = c.req.header('x-conversation') || body.user || undefined;
    const assistantId = await assistantOf(body.model, caller);
    const { run, log: first, isKept } = await begin({ body, assistantId, conversation, caller });
    const log = logFor(caller, service, run, first());
    waiting.follow(run, log, { caller, isKept });
    const head = headOf(run.id, run.created_at, body.model);
    if (!body.stream) return c.json(await untilAborted(wholeAnswer(head, log), c.env.closing));
    return eventStream(chunks(head, log, body.stream_options?.include_usage === true), signal);
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
  }

  async function begin({
    body,
    assistantId,
    conversation,
    caller,
  }: Request): Promise<Started & { isKept: boolean }> {
    const { messages } = body;
    const outputs = outputsOf(messages);
    const run = outputs && (await waiting.find(outputs[0]!.tool_call_id, caller));
    if (run) {
      const { threadId, runId, isKept } = run;
      return { ...(await submitToolOutputs(service, threadId, runId, { tool_outputs: outputs })), isKept };
    }
    const last = messages.findLast(({ role }) => role === 'tool')?.tool_call_id;
    if (last) await waiting.giveUp(last, caller);
    const settings = runBody(body, assistantId);
    const options = { caller };
    if (conversation === undefined) {
      const thread = { messages: messagesOf(messages) };
      return { ...(await createThreadAndRun(service, { ...settings, thread }, options)), isKept: false };
    }
    const threadId = threadIdOf(caller?.id ?? '', assistantId, conversation);
    const isNew = await makeThread(threadId, caller);
    if (!isNew) await freeThread(threadId);
    const additional_messages = messagesOf(messages, isNew ? 0 : firstNew(messages));
    const started = await createRun(service, threadId, { ...settings, additional_messages }, options);
    return { ...started, isKept: true };
  }

  /** @returns whether it was not there before */
  function makeThread(id: string, caller: Caller | undefined): Promise<boolean> {
    return atomically(db, async (trx) => {
      if (await findThread(trx, id)) return false;
      await insertThread(trx, { ...newThread({}, service.now(), caller?.id), id });
      return true;
    });
  }

  /** A run whose calls the program did not answer makes room for what it says instead. */
  async function freeThread(threadId: string): Promise<void> {
    const active = await activeRunId(db, threadId);
    const run = active ? await runById(db, active) : undefined;
    if (run?.status !== 'requires_action') return;
    if (await transition(db, run.id, 'cancel', service.now())) {
      const ending = { name: 'cancelled', now: service.now(), supersedes: true } as const;
      await endRun(db, run.id, ending, undefined, service.outbox.tellNext);
    }
  }

  return routes;
}
