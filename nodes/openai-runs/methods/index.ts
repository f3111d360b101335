/** Every method of the API, in the order of the dialog. A new method is one folder and one line here. */
import { cancelRun } from './cancelRun/method.ts';
import { createAssistant } from './createAssistant/method.ts';
import { createMessage } from './createMessage/method.ts';
import { createRun } from './createRun/method.ts';
import { createThread } from './createThread/method.ts';
import { createThreadAndRun } from './createThreadAndRun/method.ts';
import { deleteAssistant } from './deleteAssistant/method.ts';
import { deleteMessage } from './deleteMessage/method.ts';
import { deleteThread } from './deleteThread/method.ts';
import { getAssistant } from './getAssistant/method.ts';
import { getMessage } from './getMessage/method.ts';
import { getRun } from './getRun/method.ts';
import { getRunStep } from './getRunStep/method.ts';
import { getThread } from './getThread/method.ts';
import { listAssistants } from './listAssistants/method.ts';
import { listMessages } from './listMessages/method.ts';
import { listModels } from './listModels/method.ts';
import { listRunSteps } from './listRunSteps/method.ts';
import { listRuns } from './listRuns/method.ts';
import type { ApiMethod, Method } from './method.ts';
import { modifyAssistant } from './modifyAssistant/method.ts';
import { modifyMessage } from './modifyMessage/method.ts';
import { modifyRun } from './modifyRun/method.ts';
import { modifyThread } from './modifyThread/method.ts';
import { serveTools } from './serveTools/method.ts';
import { submitToolOutputsToRun } from './submitToolOutputsToRun/method.ts';
import { watchRuns } from './watchRuns/method.ts';

export const methods: readonly ApiMethod[] = [
  createThreadAndRun,
  createRun,
  submitToolOutputsToRun,
  getRun,
  listRuns,
  modifyRun,
  cancelRun,
  listRunSteps,
  getRunStep,
  createThread,
  getThread,
  modifyThread,
  deleteThread,
  createMessage,
  listMessages,
  getMessage,
  modifyMessage,
  deleteMessage,
  createAssistant,
  listAssistants,
  getAssistant,
  modifyAssistant,
  deleteAssistant,
  listModels,
];

/** All that the dialog offers: the API's methods, and what this package adds. */
export const everyMethod: readonly Method[] = [...methods, serveTools, watchRuns];

/** Whether a node waits for runs of other programs. */
export function serves(id: string): boolean {
  const method = findMethod(id);
  return method?.answers === 'run' && method.serves === true;
}

/**
 * The method of a saved node.
 * @returns undefined for an id that no method has
 */
export function findMethod(id: string): Method | undefined {
  return everyMethod.find((method) => method.id === id);
}
