/**
 * A stand-in for a LangGraph server, as far as the node could meet it. The facts are from the server's published
 * OpenAPI document (langchain-ai/langgraph, libs/sdk-py/tests/fixtures/openapi.json): its paths begin at the root, its
 * ids are `thread_id`, `run_id` and `assistant_id`, its times texts, its lists arrays, its refusals `{detail}`; and from
 * its documentation: `GET /info` can be switched off, `GET /ok` can't.
 */
import type { ServerResponse } from 'node:http';
import { json, type Received, startServer, type TestServer } from './http-server.ts';

const TIME = '2026-11-27T08:00:00.000000+00:00';
const THREAD = {
  thread_id: '5a1f0d3c-0000-4000-8000-000000000001',
  created_at: TIME,
  updated_at: TIME,
  metadata: {},
  status: 'idle',
  config: {},
  values: null,
};
const RUN = {
  run_id: '5a1f0d3c-0000-4000-8000-000000000002',
  thread_id: THREAD.thread_id,
  assistant_id: '5a1f0d3c-0000-4000-8000-000000000003',
  created_at: TIME,
  updated_at: TIME,
  metadata: {},
  status: 'pending',
  kwargs: {},
  multitask_strategy: 'reject',
};
const ASSISTANT = {
  assistant_id: RUN.assistant_id,
  graph_id: 'agent',
  config: {},
  created_at: TIME,
  updated_at: TIME,
  metadata: {},
};
const INFO = {
  version: '0.14.1',
  langgraph_py_version: '1.2.11',
  flags: { assistants: true, crons: true, langsmith: false },
  metadata: {},
};

export interface LangGraph extends TestServer {
  /** `METHOD /path` of every request that made, changed or deleted something. */
  changes: string[];
}

/** @param options whether `/info` is there, and the path in front of all others, as behind a proxy */
export async function startLangGraph({ info = true, prefix = '' } = {}): Promise<LangGraph> {
  const changes: string[] = [];
  const server = await startServer((request, response) => answer(request, response));

  function answer({ method, path, body }: Received, response: ServerResponse) {
    if (!path.startsWith(prefix)) return json(response, { detail: 'Not Found' }, 404);
    const own = path.slice(prefix.length);
    const changed = (object: unknown) => {
      changes.push(`${method} ${own}`);
      json(response, object);
    };
    const routes: Record<string, Record<string, () => void>> = {
      '/info': info ? { GET: () => json(response, INFO) } : {},
      '/ok': { GET: () => json(response, { ok: true }) },
      '/assistants': {
        POST: () =>
          body?.graph_id ? changed(ASSISTANT) : json(response, { detail: 'graph_id is required' }, 422),
      },
      '/assistants/*': {
        GET: () => json(response, ASSISTANT),
        PATCH: () => changed(ASSISTANT),
        DELETE: () => changed({}),
      },
      '/threads': { POST: () => changed(THREAD) },
      '/threads/*': {
        GET: () => json(response, THREAD),
        PATCH: () => changed(THREAD),
        DELETE: () => changed({}),
      },
      '/threads/*/runs': { GET: () => json(response, [RUN]), POST: () => changed(RUN) },
      '/threads/*/runs/*': { GET: () => json(response, RUN), DELETE: () => changed({}) },
      '/threads/*/runs/*/cancel': { POST: () => changed({}) },
    };
    const at =
      routes[own] ?? routes[own.replace(/^(\/\w+)\/[^/]+/, '$1/*').replace(/\/runs\/[^/]+/, '/runs/*')];
    if (!at || Object.keys(at).length === 0) return json(response, { detail: 'Not Found' }, 404);
    const reply = at[method];
    if (!reply) return json(response, { detail: 'Method Not Allowed' }, 405);
    reply();
  }

  return Object.assign(server, { changes });
}
