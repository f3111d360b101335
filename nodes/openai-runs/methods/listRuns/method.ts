import type { RunListParams } from 'openai/resources/beta/threads/runs/runs';
import { paging, pathId } from '../common.ts';
import type { ListMethod, Parameters } from '../method.ts';

/** GET /threads/{thread_id}/runs */
export const listRuns: ListMethod = {
  id: 'listRuns',
  group: 'runs',
  answers: 'list',
  delivers: false,
  repeatable: true,
  parameters: { thread_id: pathId, ...paging } satisfies Parameters<RunListParams & { thread_id: string }>,
  send: (client, { thread_id, ...query }, options) =>
    client.beta.threads.runs.list(thread_id, query, options),
};
