/**
 * A stand-in for open-assistant-api. The facts are from its source (MLT-OSS/open-assistant-api: app/api/v1,
 * app/services, app/models, app/core/runner, app/libs/paginate.py, app/providers): paths begin with `/api/v1`; times
 * are ISO texts without a zone, and numbers in streams; every key is there, `file_ids`, `extra_body` and `updated_at`
 * too; submitted outputs leave `required_action: {}`; lists filter by no run; messages to a run carry its id. A stream
 * sends usage as a message of no thread, ends with `thread.run.completed` even where the run waits for tools, has no
 * `done`, and is cut off where a run fails. A thread and run made in one request is never worked on. Only runs in
 * progress can be cancelled, messages can't be deleted, and there are no models.
 */
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { json, type Received, startServer, type TestServer } from './http-server.ts';

// biome-ignore lint/suspicious/noExplicitAny: objects of the wire
type Fields = Record<string, any>;
type Tell = (event: string, data: Fields) => void;

const PAUSE_MS = 20;
const iso = () => new Date().toISOString().slice(0, 19);

class Refused extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const RUN = {
  status: 'queued',
  last_error: null,
  required_action: null,
  file_ids: [],
  started_at: null,
  completed_at: null,
  cancelled_at: null,
  expires_at: null,
  failed_at: null,
  additional_instructions: null,
  extra_body: {},
  incomplete_details: null,
  usage: null,
};
const MESSAGE = { file_ids: null, attachments: null, metadata: null, assistant_id: null, run_id: null };
const STEP = {
  status: 'in_progress',
  last_error: null,
  completed_at: null,
  expires_at: null,
  metadata: null,
};

export async function startOpenAssistantApi(): Promise<TestServer> {
  const objects = new Map<string, Fields>();
  let count = 0;

  const make = (object: string, fields: Fields): Fields => {
    count += 1;
    const id = `66f0000000000000000${String(count).padStart(5, '0')}`;
    const made = { object, ...fields, id, created_at: iso(), updated_at: iso() };
    objects.set(id, made);
    return made;
  };
  const find = (id: string, object: string, name = object): Fields => {
    const found = objects.get(id);
    if (found?.object !== object) throw new Refused(404, 'resource_not_found', `${name} ${id} not found`);
    return found;
  };
  const all = (object: string, fields: Fields) =>
    [...objects.values()].filter(
      (one) => one.object === object && Object.entries(fields).every(([key, value]) => one[key] === value),
    );

  function list(items: Fields[], query: string): Fields {
    const asked = new URLSearchParams(query);
    const limit = Number(asked.get('limit') ?? 20);
    const ordered = asked.get('order') === 'asc' ? items : items.toReversed();
    const from = ordered.findIndex(({ id }) => id === asked.get('after')) + 1;
    const data = ordered.slice(from, from + limit);
    const has_more = from + limit < items.length;
    const ends = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
    return { object: 'list', data, ...ends, has_more, next_page: null };
  }

  const addMessage = (thread_id: string, { role, content, metadata = null }: Fields, more: Fields = {}) =>
    make('thread.message', { ...MESSAGE, role, content: textOf(content), metadata, thread_id, ...more });

  function createThread({ messages = [], metadata = null }: Fields): Fields {
    const thread = make('thread', { metadata, tool_resources: null });
    for (const message of messages ?? []) addMessage(thread.id, message);
    return thread;
  }

  function createRun(thread_id: string, body: Fields): Fields {
    const { assistant_id, additional_messages, metadata = {} } = body;
    const { model, instructions, tools } = find(assistant_id, 'assistant');
    const run = make('thread.run', { ...RUN, model, instructions, tools, assistant_id, thread_id, metadata });
    for (const message of additional_messages ?? [])
      addMessage(thread_id, message, { run_id: run.id, assistant_id });
    return run;
  }

  /** What the worker does, told as it goes. It gives false where a failure cuts the stream off. */
  async function work(run: Fields, tell: Tell): Promise<boolean> {
    const { thread_id, assistant_id } = run;
    const place = { thread_id, assistant_id, run_id: run.id };
    const said = all('thread.message', { thread_id, role: 'user' }).at(-1)?.content[0].text.value ?? '';
    await sleep(PAUSE_MS);
    Object.assign(run, { status: 'in_progress', started_at: run.started_at ?? iso(), required_action: null });
    tell('thread.run.in_progress', run);
    do await sleep(PAUSE_MS);
    while (said === 'Wait' && run.status === 'in_progress');
    if (run.status === 'cancelling') return !Object.assign(run, { status: 'cancelled' });
    if (said === 'Fail') {
      const last_error = { code: 'server_error', message: 'No model today' };
      return !Object.assign(run, { status: 'failed', failed_at: iso(), last_error });
    }
    const done = all('thread.run.step', { run_id: run.id, type: 'tool_calls' }).at(-1);
    const [tool] = run.tools ?? [];
    if (tool && !done) {
      const call = { name: tool.function.name, arguments: '{"on":true}' };
      const tool_calls = [{ id: 'call_1', type: 'function', function: call }];
      const step_details = { type: 'tool_calls', tool_calls };
      const step = make('thread.run.step', { ...STEP, type: 'tool_calls', ...place, step_details });
      for (const name of ['created', 'in_progress']) tell(`thread.run.step.${name}`, step);
      const submit_tool_outputs = { tool_calls: structuredClone(tool_calls) };
      Object.assign(run, {
        status: 'requires_action',
        required_action: { type: 'submit_tool_outputs', submit_tool_outputs },
      });
      const delta = { step_details: { type: 'tool_calls', tool_calls: [{ index: 0, ...tool_calls[0] }] } };
      tell('thread.run.step.delta', { id: step.id, object: 'thread.run.step.delta', delta });
      tell('thread.run.requires_action', run);
      tell('thread.run.completed', run);
      return true;
    }
    const output = done?.step_details.tool_calls[0].function.output;
    const words = output === undefined ? ['You said: ', said] : ['The lamp is ', output];
    const message = addMessage(
      thread_id,
      { role: 'assistant', content: '' },
      { run_id: run.id, assistant_id },
    );
    const step_details = { type: 'message_creation', message_creation: { message_id: message.id } };
    const step = make('thread.run.step', { ...STEP, type: 'message_creation', ...place, step_details });
    for (const name of ['created', 'in_progress']) tell(`thread.run.step.${name}`, step);
    for (const name of ['created', 'in_progress'])
      tell(`thread.message.${name}`, { ...message, status: 'in_progress' });
    for (const value of words) {
      const delta = { content: [{ index: 0, type: 'text', text: { value } }], role: null };
      tell('thread.message.delta', { id: message.id, object: 'thread.message.delta', delta });
    }
    const usage = { id: 'chatcmpl-1', object: 'thread.message', content: [], created_at: 0, thread_id: '' };
    tell('thread.message.in_progress', { ...usage, role: 'assistant', status: 'in_progress', metadata: {} });
    message.content = textOf(words.join(''));
    tell('thread.message.completed', { ...message, status: 'in_progress' });
    Object.assign(step, { status: 'completed', completed_at: iso() });
    Object.assign(run, { status: 'completed', completed_at: iso() });
    tell('thread.run.step.completed', step);
    tell('thread.run.completed', run);
    return true;
  }

  /** Works on a run, and answers with its events or with the run as it is. */
  async function answerRun(run: Fields, stream: boolean, first: string[], response: ServerResponse) {
    if (!stream) {
      json(response, run);
      return void work(run, () => {});
    }
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    const tell: Tell = (event, data) =>
      response.write(`event: ${event}\r\ndata: ${JSON.stringify(inStream(data))}\r\n\r\n`);
    for (const name of first) tell(`thread.run.${name}`, run);
    response.write(`: ping - ${iso()}\r\n\r\n`);
    if (await work(run, tell)) response.end();
    else response.destroy();
  }

  function submit(run: Fields, outputs: Fields[]): Fields {
    const [step] = all('thread.run.step', { run_id: run.id, type: 'tool_calls', status: 'in_progress' });
    if (!step) throw new Refused(404, 'resource_not_found', 'run_step not found or not in progress');
    for (const { tool_call_id, output } of outputs) {
      const call = step.step_details.tool_calls.find(({ id }: Fields) => id === tool_call_id);
      if (!call) throw new Refused(500, 'http_error', 'Invalid tool call');
      call.function.output = output;
    }
    step.status = 'completed';
    return Object.assign(run, { status: 'queued', required_action: {} });
  }

  function cancel(run: Fields): Fields {
    if (run.status !== 'in_progress') throw new Refused(400, 'bad_request', `run ${run.id} cannot cancel`);
    return Object.assign(run, { status: 'cancelling', cancelled_at: iso() });
  }

  function remove(one: Fields): Fields {
    objects.delete(one.id);
    return { id: one.id, object: `${one.object}.deleted`, deleted: true };
  }

  /** The object that answers; nothing where a run answers by itself. */
  function route({ method, path, query, body }: Received, response: ServerResponse): Fields | undefined {
    const [kind, id = '', part = '', own = '', last = '', stepId = ''] = path
      .slice('/api/v1/'.length)
      .split('/');
    const at = [method, kind, id && ':id', part, own && ':id', last, stepId && ':id']
      .filter(Boolean)
      .join(' ');
    const thread = () => find(id, 'thread');
    const run = () => find(own, 'thread.run', 'run');
    const routes: Record<string, () => Fields | undefined> = {
      'GET assistants': () => list(all('assistant', {}), query),
      'POST assistants': () => make('assistant', { tools: [], file_ids: null, extra_body: null, ...body }),
      'GET assistants :id': () => find(id, 'assistant'),
      'POST assistants :id': () => Object.assign(find(id, 'assistant'), body),
      'DELETE assistants :id': () => remove(find(id, 'assistant')),
      'POST threads': () => createThread(body),
      'GET threads :id': thread,
      'POST threads :id': () => {
        if (id !== 'runs') return Object.assign(thread(), body);
        const made = createRun(createThread(body.thread).id, body);
        if (!body.stream) return made;
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        setTimeout(() => response.destroy(), PAUSE_MS);
        return undefined;
      },
      'DELETE threads :id': () => remove(thread()),
      'GET threads :id messages': () => list(all('thread.message', { thread_id: id }), query),
      'POST threads :id messages': () => addMessage(thread().id, body),
      'GET threads :id messages :id': () => find(own, 'thread.message'),
      'POST threads :id messages :id': () => Object.assign(find(own, 'thread.message'), body),
      'GET threads :id runs': () => list(all('thread.run', { thread_id: thread().id }), query),
      'POST threads :id runs': () => {
        void answerRun(createRun(thread().id, body), body.stream, ['created', 'queued'], response);
        return undefined;
      },
      'GET threads :id runs :id': run,
      'POST threads :id runs :id': () => Object.assign(run(), body),
      'POST threads :id runs :id cancel': () => cancel(run()),
      'POST threads :id runs :id submit_tool_outputs': () => {
        void answerRun(submit(run(), body.tool_outputs), body.stream, [], response);
        return undefined;
      },
      'GET threads :id runs :id steps': () => list(all('thread.run.step', { run_id: own }), query),
      'GET threads :id runs :id steps :id': () => find(stepId, 'thread.run.step', 'run_step'),
    };
    const reply = routes[at];
    if (reply) return reply();
    const isPath = Object.keys(routes).some(
      (known) => known.split(' ').slice(1).join(' ') === at.slice(method.length + 1),
    );
    throw isPath
      ? new Refused(405, 'http_error', 'Method Not Allowed')
      : new Refused(404, 'http_error', 'Not Found');
  }

  return startServer((request, response) => {
    try {
      const answer = route(request, response);
      if (answer) json(response, answer);
    } catch (error) {
      const { status = 500, code = 'internal_server_error', message } = error as Refused;
      json(response, { error: { code, message, type: null, param: null } }, status);
    }
  });
}

const textOf = (value: string) => [{ type: 'text', text: { value, annotations: [] } }];

/** Times are numbers in streams. */
function inStream(data: Fields): Fields {
  const isTime = ([key, value]: [string, unknown]) => key.endsWith('_at') && typeof value === 'string';
  const asNumber = (entry: [string, unknown]) =>
    isTime(entry) ? [entry[0], Date.parse(`${entry[1]}Z`) / 1000] : entry;
  return Object.fromEntries(Object.entries(data).map(asNumber as never));
}
