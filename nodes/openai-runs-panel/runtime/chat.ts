/** The chat: a message to an assistant, or into a deployed node, and what comes of it as lines of JSON. */
import type OpenAI from 'openai';
import { isActive } from '../../../engine/domain/run-states.ts';
import type { Origin } from '../../../engine/index.ts';
import type { Connection, ServiceNode } from '../../openai-runs-service/connection.ts';
import { outputsOf } from './actions.ts';
import { asked, type Panel, PanelFault, type Request, type Response } from './panel.ts';

type RunEvent = OpenAI.Beta.AssistantStreamEvent;
type Run = OpenAI.Beta.Threads.Run;
type Body = Record<string, unknown>;

/** Named as the node of runs that were asked for in the panel. */
const PANEL: Origin = { node: 'panel', flow: '', msgId: '' };

export function addChat(panel: Panel): void {
  panel.post('/:service/chat', async (request, response) => {
    const { service, connection } = await panel.open(request);
    if (!service.deployed.showContents) throw new PanelFault(403, 'This service does not show contents.');
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
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const options = { maxRetries: 0, signal: gone.signal };
  const events = await asked(connection, () => ask(connection, body, options));
  begin(response);
  const marks: [number, string][] = [[since, 'asked']];
  let answer: string | undefined;
  try {
    for await (const event of events) {
      write(response, event);
      if (event.event === 'thread.message.completed') answer = wordsIn(event.data.content);
      if (!/^thread\.run\.(?!step)/.test(event.event)) continue;
      const run = event.data as Run;
      marks.push([Date.now(), run.status]);
      const took = isActive(run.status) ? undefined : Date.now() - since;
      // Outputs go on with a run that is known already.
      const origin = body.outputs ? undefined : { ...PANEL, took, marks };
      service.activity.saw(run, origin, { question: String(body.text ?? ''), answer });
    }
  } catch (error) {
    if (!gone.signal.aborted) write(response, { event: 'error', error: connection.explain(error).message });
  }
  response.end();
}

function ask(connection: Connection, body: Body, options: object): PromiseLike<AsyncIterable<RunEvent>> {
  const { threads } = connection.client.beta;
  const thread_id = typeof body.thread_id === 'string' ? body.thread_id : '';
  if (body.outputs) {
    const tool_outputs = outputsOf(body.outputs).map(([tool_call_id, output]) => ({ tool_call_id, output }));
    const run_id = String(body.run_id);
    return threads.runs.submitToolOutputs(run_id, { thread_id, tool_outputs, stream: true }, options);
  }
  const given = ['instructions', 'model', 'temperature'].filter(
    (name) => body[name] != null && body[name] !== '',
  );
  const run = {
    assistant_id: String(body.assistant_id ?? ''),
    ...Object.fromEntries(given.map((name) => [name, body[name]])),
    stream: true as const,
  };
  const content = Array.isArray(body.content) ? body.content : String(body.text ?? '');
  const messages = content.length > 0 ? [{ role: 'user' as const, content: content as string }] : [];
  return thread_id
    ? threads.runs.create(thread_id, { ...run, additional_messages: messages }, options)
    : threads.createAndRun({ ...run, thread: { messages } }, options);
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
  const msg: Record<string, unknown> = {
    _msgid: panel.RED.util.generateId(),
    payload: String(body.text ?? ''),
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

/** A new thread with what was said on another, up to a message. @returns its id */
async function copyThread({ client }: Connection, { body }: Request): Promise<string> {
  const { thread_id, before } = (body ?? {}) as Record<string, unknown>;
  const { threads } = client.beta;
  const messages: { role: 'user' | 'assistant'; content: string }[] = [];
  for await (const message of threads.messages.list(String(thread_id), { order: 'asc', limit: 100 })) {
    if (message.id === before) break;
    const text = wordsIn(message.content);
    if (text) messages.push({ role: message.role, content: text });
  }
  return (await threads.create({ messages })).id;
}
