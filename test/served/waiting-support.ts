/** What the tests of waiting calls share: a flow whose calls are answered by HTTP, and a model that calls as it is told. */
import { type Received, startServer, type TestServer } from '../support/http-server.ts';
import { until } from '../support/until.ts';
import { ask } from './support.ts';

export interface Tool {
  name: string;
  call_id: string;
  run_id: string;
  thread_id: string;
  index: number;
  count: number;
  again?: boolean;
}

/** Lasts over a kill; what the flow itself remembers does not. */
export const LASTING_CONTEXT = {
  contextStorage: {
    default: { module: 'localfilesystem', config: { cache: false } },
    memory: { module: 'memory' },
  },
};

const at = (id: string, type: string, more: object) => ({ id, type, z: 'tab', x: 0, y: 0, ...more });
const code = (id: string, func: string, outputs: number, wires: string[][]) =>
  at(id, 'function', { func, outputs, wires });
const entry = (id: string, method: string, url: string, to: string) =>
  at(id, 'http in', { method, url, upload: false, wires: [[to]] });

/**
 * A node that answers other programs' calls. They are kept for `GET /calls`; `POST /answer` brings their answers, and
 * `GET /ended` tells the statuses of runs that have ended; `POST /forget` begins anew. @param store where that is kept
 */
export const answeringByHttp = (store = 'default', toolTimeout = 60) => [
  at('runs', 'openai-runs', {
    service: 'svc',
    method: 'serveTools',
    toolTimeout,
    maxToolRounds: 10,
    outputs: 2,
    wires: [['ended'], ['called']],
  }),
  code(
    'called',
    `global.set('calls', [...(global.get('calls', '${store}') ?? []), msg.tool], '${store}'); return null;`,
    0,
    [],
  ),
  code(
    'ended',
    `global.set('ended', [...(global.get('ended', '${store}') ?? []), msg.run.status], '${store}'); return null;`,
    0,
    [],
  ),
  entry('look', 'get', '/calls', 'looked'),
  code('looked', `msg.payload = global.get('calls', '${store}') ?? []; return msg;`, 1, [['reply']]),
  entry('lookEnded', 'get', '/ended', 'lookedEnded'),
  code('lookedEnded', `msg.payload = global.get('ended', '${store}') ?? []; return msg;`, 1, [['reply']]),
  entry('forget', 'post', '/forget', 'forgotten'),
  code('forgotten', `for (const key of ['calls', 'ended']) global.set(key, [], '${store}'); return msg;`, 1, [
    ['reply'],
  ]),
  entry('answer', 'post', '/answer', 'answered'),
  code('answered', "return [{ ...msg.payload }, { ...msg, payload: 'taken' }];", 2, [['runs'], ['reply']]),
  at('reply', 'http response', { wires: [] }),
];

/** What has come out of the flow at one Node-RED, and a way to answer. */
export const flowAt = ({ address }: { address: string }) => ({
  calls: async (): Promise<Tool[]> => (await ask('GET', `${address}/calls`)).body,
  forget: () => ask('POST', `${address}/forget`),
  ended: async (): Promise<string[]> => (await ask('GET', `${address}/ended`)).body,
  /** Waits until so many calls have come out. */
  called: (count: number): Promise<Tool[]> =>
    until(async () => {
      const calls: Tool[] = (await ask('GET', `${address}/calls`)).body;
      return calls.length >= count && calls;
    }),
  /** @returns whether the flow was there to take it */
  answer: (tool: Partial<Tool>, payload: unknown): Promise<boolean> =>
    ask('POST', `${address}/answer`, { body: { tool, payload } }).then(
      ({ text }) => text === 'taken',
      () => false,
    ),
});

/** Outputs that a model was shown, in their order; one list a request. */
export const outputsShown = ({ received }: TestServer): string[][] =>
  received.flatMap(({ path, body }) =>
    path.endsWith('/chat/completions')
      ? [
          body.messages
            .filter(({ role }: { role: string }) => role === 'tool')
            .map(({ content }: { content: string }) => content),
        ]
      : [],
  );

/** A model that reads "2 calls, 3 rounds": so many calls of `switch_lamp`, so many times; then it repeats the outputs. */
export const startCallingModel = (): Promise<TestServer> =>
  startServer(({ path, body }: Received, response) => {
    if (!path.endsWith('/chat/completions')) return void response.writeHead(404).end();
    const { messages } = body;
    const text = messages.findLast(({ role }: { role: string }) => role === 'user').content;
    const [, calls = '1', rounds = '1'] = /(\d+) calls?, (\d+) rounds?/.exec(JSON.stringify(text)) ?? [];
    const asked = messages.filter(({ tool_calls }: { tool_calls?: object }) => tool_calls).length;
    const outputs = messages
      .filter(({ role }: { role: string }) => role === 'tool')
      .map(({ content }: { content: string }) => content);
    const tool_calls = Array.from({ length: Number(calls) }, (_, index) => ({
      id: `c${asked}${index}`,
      type: 'function',
      function: { name: 'switch_lamp', arguments: JSON.stringify({ lamp: `${asked}-${index}` }) },
    }));
    const goesOn = asked < Number(rounds);
    const message = goesOn
      ? { role: 'assistant', content: null, tool_calls }
      : { role: 'assistant', content: `heard ${outputs.join(' and ')}` };
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        id: 'chatcmpl-1',
        object: 'chat.completion',
        created: 1,
        model: 'm',
        choices: [{ index: 0, message, finish_reason: goesOn ? 'tool_calls' : 'stop' }],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      }),
    );
  });
