/** The embedded Runs service. Imports nothing from Node-RED; spoken to through `fetch`, as a server would be. */
import { createModel } from './models/index.ts';
import type { ModelOptions } from './models/model.ts';
import type { Engine, EngineOptions } from './options.ts';
import { startEngine } from './start.ts';

export type { Caller } from './domain/caller.ts';
export { EngineStartError } from './domain/errors.ts';
export type { EngineLog } from './domain/log.ts';
export type { RunStatus } from './domain/types.ts';
export type { Fault } from './models/faults.ts';
export type { FailureReason } from './models/model.ts';
export { MoveError, type MoveOptions, type Moving, moveDatabase } from './move/move.ts';
export type { RunNotice } from './notices.ts';
export type { AssistantDeclaration, Engine, EngineOptions } from './options.ts';
export type { Mark, Origin, RowFilter, RunRow, RunSums, RunsOverview } from './overview.ts';
export { isAddress } from './store/postgres/address.ts';
export { probeDatabase } from './store/postgres/database.ts';
export type { Together } from './together/together.ts';

/**
 * Opens the database, applies migrations, brings up the declared assistants, and takes up what an earlier
 * process left behind: queued runs run, runs in progress fail, runs waiting for tools wait on.
 * @throws EngineStartError with one clear sentence: no `node:sqlite`, database not writable, corrupt or newer,
 *   or a declared assistant that is not valid. TypeError for a provider that does not exist.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  return startEngine(options, createModel(options.model));
}

/**
 * The models that a provider lists, without opening an engine.
 * @returns their names, in alphabetical order; none for a provider that has no list
 * @throws ModelError with a sentence that names the address and what went wrong
 */
export async function listModels(options: ModelOptions, signal: AbortSignal): Promise<string[]> {
  return (await createModel(options).list?.(signal)) ?? [];
}
