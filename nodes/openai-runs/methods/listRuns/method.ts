/** GET /threads/{thread_id}/runs */
import type { RunListParams } from 'openai/resources/beta/threads/runs/runs';
import { paging, pathId } from '../common.ts';
import { listMethod, type Parameters } from '../method.ts';

type Params = RunListParams & { thread_id: string };

export const listRuns = listMethod<Params>({
  id: 'listRuns',
  reference: 'runs/listRuns',
  group: 'runs',
  answers: 'list',
  delivers: false,
  repeatable: true,
  parameters: { thread_id: pathId, ...paging } satisfies Parameters<Params>,
  send: (client, { thread_id, ...query }, options) =>
    client.beta.threads.runs.list(thread_id, query, options),
});
