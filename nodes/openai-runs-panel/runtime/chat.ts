/** The chat: a message to an assistant, or into a deployed node, and what comes of it as lines of JSON. */
import type OpenAI from 'openai';
import { isActive } from '../../../engine/domain/run-states.ts';
import type { Mark, Origin } from '../../../engine/index.ts';
import type { Connection, ServiceNode } from '../../openai-runs-service/connection.ts';
import { answersOf, submissionOf } from './answers.ts';
import { asked, checkContents, type Panel, PanelFault, type Request, type Response } from './panel.ts';

type RunEvent = OpenAI.Beta.AssistantStreamEvent;
type Run = OpenAI.Beta.Threads.Run;
type Body = Record<string, unknown>;
type Content = OpenAI.Beta.Threads.MessageContentPartParam[];

/** Named as the node of runs that were asked for in the panel. */
const PANEL: Origin = { node: 'panel', flow: '', msgId: '' };

export function addChat(panel: Panel): void {
  panel.post('/:service/chat', async (request, response) => {
    const { service, connection } = await panel.open(request);
    checkContents(service);
    const body = (request.body ?? {}) as Body;
    if (typeof body.node === 'string') await chatWithNode(panel, service, body, response);
    else await chatWithAssistant(service, connection, body, response);
  });

  panel.post('/:service/copy', async (request, response) => {
    const { connection } = await panel.open(request);
    response.json({ thread_id: await asked(connection, () => copyThread(connection, request)) });
  });
}

const write = (response: Response, line: object) => {
  if (!response.writableEnded && !response.destroyed) response.write(`${JSON.stringify(line)}\n`);
};

function begin(response: Response): void {
  // Proxies that collect answers would make one lump of it.
  response.set({
    'content-type': 'application/x-ndjson',
    'x-accel-buffering': 'no',
    'cache-control': 'no-store',
  });
  response.flushHeaders();
}

/** As an application would ask it; the run's own events are the answer. */
async function chatWithAssistant(
  service: ServiceNode,
  connection: Connection,
  body: Body,
  response: Response,
): Promise<void> {
  const since = Date.now();
  const known = await startOf(connection, body);
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const options = { maxRetries: 0, signal: gone.signal };
  const events = await asked(connection, () => ask(connection, body, options));
  begin(response);
  const marks: Mark[] = known ?? [[since, 'asked']];
  let answer: string | undefined;
  try {
    for await (const event of events) {
      write(response, event);
      if (event.event === 'thread.message.completed') answer = wordsIn(event.data.content);
      if (!/^thread\.run\.(?!step)/.test(event.event)) continue;
      const run = event.data as Run;
      marks.push([Date.now(), run.status]);
      const took = isActive(run.status) ? undefined : Date.now() - marks[0]![0];
      // Outputs go on with a run that may have begun elsewhere.
      const origin = body.outputs && !known ? undefined : { ...PANEL, took, marks };
      const question = body.text === undefined ? undefined : String(body.text);
      service.activity.saw(run, origin, { question, answer });
    }
  } catch (error) {
    if (!gone.signal.aborted) write(response, { event: 'error', error: connection.explain(error).message });
  }
  response.end();
}

/** What has happened to a run of the panel's own whose calls are answered now. */
async function startOf({ overview }: Connection, { outputs, run_id }: Body): Promise<Mark[] | undefined> {
  if (!outputs) return undefined;
  const [row] = (await overview?.rows([String(run_id)])) ?? [];
  if (row?.origin?.node !== PANEL.node || !row.origin.marks?.length) return undefined;
  const now = Date.now();
  return [...row.origin.marks, ...answersOf(outputs).map(([id]): Mark => [now, `answer:${id}`])];
}

function ask(connection: Connection, body: Body, options: object): PromiseLike<AsyncIterable<RunEvent>> {
  const { threads } = connection.client.beta;
  const thread_id = typeof body.thread_id === 'string' ? body.thread_id : '';
  if (body.outputs) {
    const submission = submissionOf(answersOf(body.outputs));
    return threads.runs.submitToolOutputs(
      String(body.run_id),
      { thread_id, ...submission, stream: true },
      options,
    );
  }
  const given = ['instructions', 'model', 'temperature'].filter(
    (name) => body[name] != null && body[name] !== '',
  );
  const run = {
    assistant_id: String(body.assistant_id ?? ''),
    ...Object.fromEntries(given.map((name) => [name, body[name]])),
    stream: true as const,
  };
  const content = contentOf(body);
  const messages = content.length > 0 ? [{ role: 'user' as const, content }] : [];
  return thread_id
    ? threads.runs.create(thread_id, { ...run, additional_messages: messages }, options)
    : threads.createAndRun({ ...run, thread: { messages } }, options);
}

/** What the user says: words, or words and pictures as data URLs. @throws PanelFault 400 */
function contentOf({ text, pictures = [] }: Body): string | Content {
  const said = String(text ?? '');
  if (!Array.isArray(pictures) || !pictures.every((one) => typeof one === 'string'))
    throw new PanelFault(400, 'pictures must be a list of addresses.');
  if (pictures.length === 0) return said;
  // Words first: what is read of a message to tell what a run was about is its beginning.
  return [
    ...(said ? [{ type: 'text' as const, text: said }] : []),
    ...pictures.map((url) => ({ type: 'image_url' as const, image_url: { url } })),
  ];
}

const wordsIn = (content: OpenAI.Beta.Threads.Message['content']) =>
  content.map((part) => (part.type === 'text' ? part.text.value : '')).join('');

/** As if a wire had brought it: the node's own settings, wiring and tools are used. */
async function chatWithNode(
  panel: Panel,
  service: ServiceNode,
  body: Body,
  response: Response,
): Promise<void> {
  const saved = panel.saved('openai-runs').find(({ id }) => id === body.node);
  const node = saved && panel.RED.nodes.getNode(saved.id);
  if (!node || saved.service !== service.id) throw new PanelFault(404, 'There is no such node.');
  const key = String(body.key ?? '');
  const content = contentOf(body);
  const msg: Record<string, unknown> = {
    _msgid: panel.RED.util.generateId(),
    payload: typeof content === 'string' ? content : [{ role: 'user', content }],
    topic: key,
  };
  const place = saved.conversation;
  if (typeof place === 'string' && place !== '' && saved.conversationType !== 'flow') {
    panel.RED.util.setMessageProperty(msg as never, place, key, true);
  }
  begin(response);
  const forget = service.activity.onEvent(String(msg._msgid), (event) => {
    write(response, event);
    if (event.event === 'end') response.end();
  });
  response.on('close', forget);
  node.receive(msg as never);
}

/** A new thread with what was said and shown on another, up to a message. @returns its id */
async function copyThread({ client }: Connection, { body }: Request): Promise<string> {
  const { thread_id, before } = (body ?? {}) as Record<string, unknown>;
  const { threads } = client.beta;
  const messages: { role: 'user' | 'assistant'; content: Content }[] = [];
  for await (const message of threads.messages.list(String(thread_id), { order: 'asc', limit: 100 })) {
    if (message.id === before) break;
    const content = message.content.map(asGiven).filter((part) => part.type !== 'text' || part.text !== '');
    if (content.length > 0) messages.push({ role: message.role, content });
  }
  return (await threads.create({ messages })).id;
}

/** A part of a message as the API takes it. */
function asGiven(part: OpenAI.Beta.Threads.MessageContent): Content[number] {
  if (part.type === 'text') return { type: 'text', text: part.text.value };
  return part.type === 'refusal' ? { type: 'text', text: part.refusal } : part;
}
