/** Every run of the service that ends, whoever started it, as a message. */
import type { Run } from '../methods/method.ts';
import type { NodeParts } from '../node-parts.ts';

/** Begins to watch. @returns ends it */
export function watchRuns(parts: NodeParts): () => void {
  const { service, node, RED } = parts;
  return service.activity.onEnd((run) => {
    tell(parts, run).catch((error: unknown) => node.error(String(error)));
  });

  async function tell({ status }: NodeParts, run: Run): Promise<void> {
    const flight = [...service.activity.flights].find(({ ids }) => ids.run_id === run.id);
    const [row] = flight ? [] : ((await (await service.connect()).overview?.rows([run.id])) ?? []);
    const { node: from, flow, key, msgId } = flight?.origin ?? row?.origin ?? {};
    const took = flight ? Date.now() - flight.since : (row?.took ?? 0);
    node.send({
      _msgid: RED.util.generateId(),
      topic: run.status,
      payload: run,
      run,
      // Milliseconds, and what the run came from, where a node of this Node-RED asked for it.
      took,
      ...(from && { origin: { node: from, flow, conversation: key, _msgid: msgId } }),
    } as never);
    status.rest(undefined, { took, tokens: run.usage?.total_tokens });
  }
}
