/** Answers the tool calls of runs that other programs start; each of them is followed as getRun would. */
import { getRun } from '../getRun/method.ts';
import { runMethod } from '../method.ts';

export const serveTools = runMethod({ ...getRun, id: 'serveTools', serves: true });
