/** A request for each of the node's methods. */
import { methods } from '../../nodes/openai-runs/methods/index.ts';
import type { MethodId } from '../../nodes/openai-runs/methods/method.ts';

export interface Ids {
  assistant_id: string;
  thread_id: string;
  run_id: string;
  step_id: string;
  message_id: string;
  call_id: string;
}

/** What a message of each method holds, given the objects that there are. */
export function requestsOf(ids: Ids): Record<MethodId, object> {
  const { assistant_id, thread_id, run_id, step_id, message_id, call_id } = ids;
  const metadata = { note: 'one' };
  const shape = { model: 'model-x', instructions: 'Help.' };
  const question = { role: 'user', content: 'Hello' };
  return {
    createThreadAndRun: { assistant_id, thread: { messages: [question] }, ...shape },
    createRun: { thread_id, assistant_id, ...shape },
    submitToolOutputsToRun: { thread_id, run_id, tool_outputs: [{ tool_call_id: call_id, output: 'on' }] },
    getRun: { thread_id, run_id },
    listRuns: { thread_id },
    modifyRun: { thread_id, run_id, metadata },
    cancelRun: { thread_id, run_id },
    listRunSteps: { thread_id, run_id },
    getRunStep: { thread_id, run_id, step_id },
    createThread: { messages: [question] },
    getThread: { thread_id },
    modifyThread: { thread_id, metadata },
    deleteThread: { thread_id },
    createMessage: { thread_id, ...question },
    listMessages: { thread_id },
    getMessage: { thread_id, message_id },
    modifyMessage: { thread_id, message_id, metadata },
    deleteMessage: { thread_id, message_id },
    createAssistant: { ...shape, name: 'Helper' },
    listAssistants: {},
    getAssistant: { assistant_id },
    modifyAssistant: { assistant_id, name: 'Second' },
    deleteAssistant: { assistant_id },
    listModels: {},
    serveTools: {},
    watchRuns: {},
  };
}

/** Every method with every delivery that it has. */
export const EVERY_WAY = methods.flatMap(({ id, delivers }) =>
  (delivers ? (['start', 'wait', 'stream'] as const) : (['start'] as const)).map((delivery) => ({
    id,
    delivery,
  })),
);
