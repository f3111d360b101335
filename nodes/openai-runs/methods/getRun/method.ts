/** GET /threads/{thread_id}/runs/{run_id} */
import type { RunRetrieveParams } from 'openai/resources/beta/threads/runs/runs';
import { pathId } from '../common.ts';
import { type Parameters, runMethod } from '../method.ts';

type Params = RunRetrieveParams & { run_id: string };

export const getRun = runMethod<Params>({
  id: 'getRun',
  reference: 'runs/getRun',
  group: 'runs',
  answers: 'run',
  delivers: true,
  repeatable: true,
  parameters: { thread_id: pathId, run_id: pathId } satisfies Parameters<Params>,
  send: (client, { thread_id, run_id }, options) =>
    client.beta.threads.runs.retrieve(run_id, { thread_id }, options),
  rejoin: (client, { thread_id, run_id }, options) => {
    const path = `/threads/${encodeURIComponent(thread_id)}/runs/${encodeURIComponent(run_id)}`;
    return client.get(path, { ...options, query: { ...options.query, stream: true }, stream: true });
  },
});
