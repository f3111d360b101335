/** Every method of the node, in the order of the dialog. A new method is one folder and one line here. */
import { cancelRun } from './cancelRun/method.ts';
import { createRun } from './createRun/method.ts';
import { createThreadAndRun } from './createThreadAndRun/method.ts';
import { getRun } from './getRun/method.ts';
import { getRunStep } from './getRunStep/method.ts';
import { listRunSteps } from './listRunSteps/method.ts';
import { listRuns } from './listRuns/method.ts';
import type { Method } from './method.ts';
import { modifyRun } from './modifyRun/method.ts';
import { submitToolOutputsToRun } from './submitToolOutputsToRun/method.ts';

export const methods: readonly Method[] = [
  createThreadAndRun,
  createRun,
  submitToolOutputsToRun,
  getRun,
  listRuns,
  modifyRun,
  cancelRun,
  listRunSteps,
  getRunStep,
];

/**
 * The method of a saved node.
 * @returns undefined for an id that no method has
 */
export function findMethod(id: string): Method | undefined {
  return methods.find((method) => method.id === id);
}
