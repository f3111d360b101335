/** What the tests of serving share: a Node-RED that serves its engine, keys, requests without a client. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { makeKey, type ServedKey } from '../../nodes/openai-runs-service/serve/keys.ts';
import { type NodeRed, type Release, startNodeRed } from '../support/node-red.ts';
import { until } from '../support/until.ts';

export const ASSISTANT = 'asst_home';
const LAMP = {
  type: 'function',
  function: {
    name: 'switch_lamp',
    description: 'Switches a lamp',
    parameters: { type: 'object', properties: { lamp: { type: 'string' }, on: { type: 'boolean' } } },
  },
};

/** A key with what is kept of it. */
export function newKey(name: string, more: Partial<ServedKey> = {}): { key: string; kept: ServedKey } {
  const { key, ...kept } = makeKey();
  return { key, kept: { assistants: [], ownThreads: false, ...kept, name, ...more } };
}

/** A service that is served, as it is deployed. */
export const service = (keys: { kept: ServedKey }[], more: object = {}) => ({
  id: 'svc',
  type: 'openai-runs-service',
  name: 'mine',
  backend: 'embedded',
  provider: 'rehearsal',
  database: ':memory:',
  serve: true,
  assistants: [
    { id: ASSISTANT, name: 'Home', instructions: 'You look after a house.', tools: [LAMP] },
    { id: 'asst_other', name: 'Other', instructions: 'You are another.' },
  ],
  credentials: { serveKeys: JSON.stringify(keys.map(({ kept }) => kept)) },
  ...more,
});

export interface ServingNodeRed extends NodeRed {
  /** The address of the API, with `/v1`. */
  base: string;
  deploy(flows: object[], type?: 'full' | 'flows' | 'nodes'): Promise<void>;
}

/** Starts a Node-RED and deploys flows into it. */
export async function startServing(
  flows: object[],
  options: { release?: Release; settings?: object; code?: string; env?: Record<string, string> } = {},
): Promise<ServingNodeRed> {
  const nodeRed = await startNodeRed(options);
  const starts = () => nodeRed.log().split('Started ').length;
  const deploy: ServingNodeRed['deploy'] = async (next, type = 'full') => {
    const before = starts();
    const response = await fetch(`${nodeRed.address}/flows`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'node-red-deployment-type': type },
      body: JSON.stringify([{ id: 'tab', type: 'tab', label: 'served' }, ...next]),
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    await until(() => starts() > before);
  };
  await deploy(flows);
  return { ...nodeRed, base: `${nodeRed.address}/openai-runs/v1`, deploy };
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it freely
  body: any;
}

/** Sends one request and reads its answer to the end. */
export function ask(
  method: string,
  url: string,
  options: { key?: string; headers?: Record<string, string>; body?: unknown; signal?: AbortSignal } = {},
): Promise<Answer> {
  const { key, body } = options;
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const headers: Record<string, string> = {
    ...(text !== undefined && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text as string)),
    }),
    ...(key && { authorization: `Bearer ${key}` }),
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, signal: options.signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const answer = Buffer.concat(chunks).toString();
        let parsed: unknown;
        try {
          parsed = JSON.parse(answer);
        } catch {}
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: answer, body: parsed });
      });
    });
    request.on('error', reject);
    request.end(text);
  });
}
