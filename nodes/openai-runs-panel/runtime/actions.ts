/** What can be done to a run: cancel it, answer its calls, delete its thread. */
import { isActive } from '../../../engine/domain/run-states.ts';
import { answersOf, submissionOf } from './answers.ts';
import { asked, type Panel } from './panel.ts';

export function addActions(panel: Panel): void {
  panel.post('/:service/runs/:thread/:run/cancel', async (request, response) => {
    const { service, connection } = await panel.open(request);
    const { thread, run } = request.params as Record<'thread' | 'run', string>;
    const { runs } = connection.client.beta.threads;
    const cancelled = await asked(connection, async () => {
      try {
        return await runs.cancel(run, { thread_id: thread }, { maxRetries: 0 });
      } catch (error) {
        // One that has ended by itself meanwhile is what was wanted.
        const found = await runs.retrieve(run, { thread_id: thread });
        if (isActive(found.status)) throw error;
        return found;
      }
    });
    // A server tells nobody else.
    service.activity.saw(cancelled, undefined, {});
    response.json({ status: cancelled.status });
  });

  panel.post('/:service/runs/:thread/:run/answer', async (request, response) => {
    const { service, connection } = await panel.open(request);
    const { thread, run: id } = request.params as Record<'thread' | 'run', string>;
    const answers = answersOf(request.body?.outputs);
    const [row] = (await connection.overview?.rows([id])) ?? [];
    const node = panel.toolNode(row?.origin?.node);
    if (node) {
      // As if a wire had brought it: the node knows which of its calls are still open, and goes on by itself.
      for (const [call_id, payload] of answers) {
        const type = typeof payload === 'boolean' ? 'approval' : 'function';
        const tool = { type, call_id, run_id: id, thread_id: thread, node: node.id };
        node.receive({ payload, tool } as never);
      }
      response.json({ by: 'node' });
      return;
    }
    const { runs } = connection.client.beta.threads;
    const answered = await asked(connection, async () =>
      runs.submitToolOutputs(id, { thread_id: thread, ...submissionOf(answers) }, { maxRetries: 0 }),
    );
    // A server tells nobody else.
    service.activity.saw(answered, undefined, {});
    response.json({ by: 'panel' });
  });

  panel.post('/:service/threads/:thread/delete', async (request, response) => {
    const { service, connection } = await panel.open(request);
    const thread = String(request.params.thread);
    await asked(connection, async () => connection.client.beta.threads.delete(thread));
    service.activity.ring?.forget(thread);
    service.activity.touch();
    response.json({});
  });
}
