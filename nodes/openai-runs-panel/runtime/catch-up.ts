/** Runs of a server that no node follows, begun only or left by an earlier process: asked for when somebody looks. */
import type { Connection, ServiceNode } from '../../openai-runs-service/connection.ts';

/** Milliseconds in which a service's runs are asked for once, and how many of them. */
const PAUSE = 10_000;
const MOST = 20;
const looked = new WeakMap<ServiceNode, number>();

/** What has changed is told as any other change; nothing waits for it. */
export async function catchUp(service: ServiceNode, { client }: Connection): Promise<void> {
  const { activity } = service;
  const { ring } = activity;
  if (!ring || Date.now() - (looked.get(service) ?? 0) < PAUSE) return;
  looked.set(service, Date.now());
  const followed = new Set([...activity.flights].map(({ ids }) => ids.run_id));
  for (const { id, threadId } of await ring.active(MOST)) {
    if (followed.has(id)) continue;
    try {
      const run = await client.beta.threads.runs.retrieve(id, { thread_id: threadId }, { maxRetries: 0 });
      activity.saw(run, undefined, {});
    } catch (error) {
      if ((error as { status?: number }).status === 404) ring.forget(threadId);
    }
  }
}
