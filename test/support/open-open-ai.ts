/**
 * A stand-in for OpenOpenAI. The facts are from its source (transitive-bullshit/OpenOpenAI: src/server, src/runner,
 * src/lib, prisma/schema.prisma, src/generated/oai-routes.ts): paths begin at the root; bodies lose the fields that
 * the first version of the API did not have, `stream` among them, so all answers are JSON; keys whose value is null are
 * left out; a run needs its own `model` and `instructions`; submitted outputs are answered with two ids; a failed run's
 * `last_error` is a text; threads can't be changed or deleted (both look in the wrong table), messages can't be deleted,
 * and there are no models. What a handler throws is answered with 500 by the framework, a path that is not there with
 * 404, both as plain text.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { json, type Received, startServer, type TestServer } from './http-server.ts';

// biome-ignore lint/suspicious/noExplicitAny: objects of the wire
type Fields = Record<string, any>;

const PAUSE_MS = 20;
const now = () => Math.floor(Date.now() / 1000);

/** Thrown by a handler there: the caller gets a 500 with no reason in it. */
class Thrown extends Error {}

export interface OpenOpenAI extends TestServer {
  objects: Map<string, Fields>;
}

export async function startOpenOpenAI(): Promise<OpenOpenAI> {
  const objects = new Map<string, Fields>();
  let count = 0;

  const make = (object: string, fields: Fields): Fields => {
    count += 1;
    const made = { id: `clq${count}cuid`, created_at: now(), ...fields, object };
    objects.set(made.id, made);
    return made;
  };
  const find = (id: string | undefined, object: string): Fields => {
    const found = objects.get(id ?? '');
    if (found?.object !== object) throw new Thrown();
    return found;
  };
  const all = (object: string, fields: Fields = {}) =>
    [...objects.values()].filter(
      (one) => one.object === object && Object.entries(fields).every(([key, value]) => one[key] === value),
    );

  function list(items: Fields[], query: string): Fields {
    const asked = new URLSearchParams(query);
    const take = Number.parseInt(asked.get('limit') ?? '10', 10);
    const ordered = asked.get('order') === 'asc' ? items : items.toReversed();
    const from = ordered.findIndex(({ id }) => id === asked.get('after')) + 1;
    const data = ordered.slice(from, from + take);
    return {
      data,
      first_id: data[0]?.id,
      last_id: data.at(-1)?.id,
      has_more: data.length >= take,
      object: 'list',
    };
  }

  const addMessage = (thread_id: string, { role, content, metadata }: Fields) =>
    make('thread.message', { role, content: textOf(content), file_ids: [], metadata, thread_id });

  function createThread({ messages, metadata }: Fields): Fields {
    const thread = make('thread', { metadata });
    if (!messages) throw new Thrown();
    for (const message of messages) addMessage(thread.id, message);
    return thread;
  }

  function createRun(thread_id: string, { assistant_id, model, instructions, tools = [], metadata }: Fields) {
    if (typeof model !== 'string' || typeof instructions !== 'string') throw new Thrown();
    const given = { assistant_id, thread_id, model, instructions, tools, metadata };
    const run = make('thread.run', { ...given, file_ids: [], status: 'queued', expires_at: now() + 600 });
    void work(run);
    return run;
  }

  /** What the queue's worker does: a call of the assistant's function where there is one, then an answer. */
  async function work(run: Fields): Promise<void> {
    const { thread_id, assistant_id } = run;
    const place = { thread_id, assistant_id, run_id: run.id };
    await sleep(PAUSE_MS);
    if (run.status !== 'queued') return;
    Object.assign(run, { status: 'in_progress', started_at: run.started_at ?? now() });
    const said = all('thread.message', { thread_id, role: 'user' }).at(-1)?.content[0].text.value ?? '';
    do await sleep(PAUSE_MS);
    while (said === 'Wait' && run.status === 'in_progress');
    if (run.status === 'cancelling') return void Object.assign(run, { status: 'cancelled' });
    if (said === 'Fail') {
      Object.assign(run, { status: 'failed', failed_at: now(), last_error: 'No model today' });
      return;
    }
    const [tool] = find(assistant_id, 'assistant').tools;
    const done = all('thread.run.step', { run_id: run.id, type: 'tool_calls' }).at(-1);
    if (tool && !done) {
      const call = { output: '{}', name: tool.function.name, arguments: '{"on":true}' };
      const tool_calls = [{ id: 'call_1', type: 'function', function: call }];
      const step_details = { type: 'tool_calls', tool_calls };
      make('thread.run.step', { type: 'tool_calls', status: 'in_progress', ...place, step_details });
      const required_action = { type: 'submit_tool_outputs', submit_tool_outputs: { tool_calls } };
      return void Object.assign(run, { status: 'requires_action', required_action });
    }
    const output = done?.step_details.tool_calls[0].function.output;
    const text = output === undefined ? `You said: ${said}` : `The lamp is ${output}`;
    const message = make('thread.message', {
      content: textOf(text),
      file_ids: [],
      role: 'assistant',
      ...place,
    });
    const step_details = { type: 'message_creation', message_creation: { message_id: message.id } };
    make('thread.run.step', { type: 'message_creation', status: 'completed', ...place, step_details });
    Object.assign(run, { status: 'completed', completed_at: now() });
  }

  function submit(run: Fields, outputs: Fields[]): Fields {
    const step = all('thread.run.step', { run_id: run.id, type: 'tool_calls' }).at(-1);
    if (run.status !== 'requires_action' || !step) throw new Thrown();
    for (const { tool_call_id, output } of outputs) {
      const call = step.step_details.tool_calls.find(({ id }: Fields) => id === tool_call_id);
      if (!call) throw new Thrown();
      call.function.output = output;
    }
    step.status = 'completed';
    run.status = 'queued';
    delete run.required_action;
    void work(run);
    return { run_id: run.id, thread_id: run.thread_id };
  }

  /** The answer; undefined for a path that is not there. */
  function route({ method, path, query, body }: Received): Fields | undefined {
    const [kind, id = '', part, partId = '', last, stepId] = path.slice(1).split('/');
    const at = `${method} ${kind}${id && '/id'}${part ? `/${part}` : ''}${partId && '/id'}${last ? `/${last}` : ''}`;
    const change = (object: string, own: string) => Object.assign(find(own, object), body);
    const asked = `${at}${stepId ? '/id' : ''}`;
    if (asked === 'GET assistants') return list(all('assistant'), query);
    if (asked === 'POST assistants') return make('assistant', { tools: [], file_ids: [], ...body });
    if (asked === 'GET assistants/id') return find(id, 'assistant');
    if (asked === 'POST assistants/id') return change('assistant', id);
    if (asked === 'DELETE assistants/id') {
      objects.delete(find(id, 'assistant').id);
      return { deleted: true, id, object: 'assistant.deleted' };
    }
    if (asked === 'POST threads') return createThread(body);
    if (asked === 'POST threads/id' && id === 'runs') {
      find(body.assistant_id, 'assistant');
      return createRun(createThread(body.thread).id, body);
    }
    if (asked === 'GET threads/id') return find(id, 'thread');
    // Both look for the thread among other things.
    if (asked === 'POST threads/id' || asked === 'DELETE threads/id') throw new Thrown();
    if (asked === 'GET threads/id/messages') return list(all('thread.message', { thread_id: id }), query);
    if (asked === 'POST threads/id/messages') {
      if (body.role !== 'user') throw new Thrown();
      return addMessage(find(id, 'thread').id, body);
    }
    if (asked === 'GET threads/id/messages/id') return find(partId, 'thread.message');
    if (asked === 'POST threads/id/messages/id') return change('thread.message', partId);
    if (asked === 'GET threads/id/runs') return list(all('thread.run', { thread_id: id }), query);
    if (asked === 'POST threads/id/runs') {
      find(body.assistant_id, 'assistant');
      return createRun(find(id, 'thread').id, body);
    }
    if (asked === 'GET threads/id/runs/id') return find(partId, 'thread.run');
    if (asked === 'POST threads/id/runs/id') return change('thread.run', partId);
    if (asked === 'POST threads/id/runs/id/submit_tool_outputs')
      return submit(find(partId, 'thread.run'), body.tool_outputs);
    if (asked === 'POST threads/id/runs/id/cancel') {
      const run = find(partId, 'thread.run');
      return Object.assign(run, {
        status: run.status === 'queued' ? 'cancelled' : 'cancelling',
        cancelled_at: now(),
      });
    }
    if (asked === 'GET threads/id/runs/id/steps')
      return list(all('thread.run.step', { run_id: partId }), query);
    if (asked === 'GET threads/id/runs/id/steps/id') return find(stepId, 'thread.run.step');
    return undefined;
  }

  const server = await startServer((request, response) => {
    try {
      const answer = route(request);
      if (answer) json(response, answer);
      else response.writeHead(404, { 'content-type': 'text/plain' }).end('404 Not Found');
    } catch {
      response.writeHead(500, { 'content-type': 'text/plain' }).end('Internal Server Error');
    }
  });
  return Object.assign(server, { objects });
}

const textOf = (value: string) => [{ type: 'text', text: { value, annotations: [] } }];
