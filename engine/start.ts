/** Puts the parts together. `createEngine` is the public way in; tests bring a model of their own. */
import { ApiError, EngineStartError } from './domain/errors.ts';
import type { EngineLog } from './domain/log.ts';
import type { Run } from './domain/types.ts';
import { ContextWindows } from './models/context-windows.ts';
import { KnownModels } from './models/known-models.ts';
import { type Model, UNNAMED_MODEL } from './models/model.ts';
import { assistantFields } from './objects/new-records.ts';
import type { AssistantDeclaration, Engine, EngineOptions } from './options.ts';
import { createOverview } from './overview.ts';
import { handOver } from './runs/follow.ts';
import { declaredAssistant } from './schemas/bodies.ts';
import { parse } from './schemas/translate.ts';
import type { Service } from './service.ts';
import { declareAssistant } from './store/assistants.ts';
import { openStore } from './store/open.ts';
import { countAll } from './store/retention.ts';
import type { Store } from './store/store.ts';
import { newWorkerId } from './store/workers.ts';
import { Supervisor } from './supervisor.ts';
import { makeTogether } from './together/together.ts';
import { openDoor } from './wire/fetch.ts';
import type { AskOptions } from './worker/ask-model.ts';
import { EventHub } from './worker/event-log.ts';
import { Executor } from './worker/executor.ts';
import { Followers } from './worker/followers.ts';
import { Outbox } from './worker/outbox.ts';
import { RunQueue } from './worker/run-queue.ts';

const DEFAULT_EXPIRY_SECONDS = 600;
const DEFAULT_CAPACITY = 1000;
/** Milliseconds that a person waits to be told what a model can. */
const SIGHT_PATIENCE_MS = 5000;

const silent: EngineLog = { debug() {}, info() {}, warn() {}, error() {} };

/** For tests. */
export interface EngineInternals {
  sleep?: AskOptions['sleep'];
  /** Milliseconds without a sign of life after which a process counts as dead. */
  leaseMs?: number;
}

export interface StartedEngine extends Engine {
  /** For tests. */
  service: Service;
  /** Looks once, as the engine does every second. For tests with a clock of their own. */
  sweep(): Promise<void>;
}

/** As createEngine, on a given model. @throws EngineStartError */
export async function startEngine(
  options: EngineOptions,
  model: Model,
  internals: EngineInternals = {},
): Promise<StartedEngine> {
  const store = await openStore(options.database, { tls: options.databaseTls, log: options.log ?? silent });
  const service = makeService(options, model, store, internals);
  service.executor.onLost((runId, log) => void handOver(service, runId, log));
  const supervisor = new Supervisor(service, internals.leaseMs);
  const release = async () => {
    service.queue.close();
    service.together?.close();
    await service.executor.stopAll();
    // A worker that has not signed out is found dead by the next start.
    await supervisor.signOut().catch((error: unknown) => service.log.warn(`Signing out: ${String(error)}`));
    service.outbox.close();
    await store.close();
  };
  try {
    await declareAll(service, options.assistants ?? []);
    await supervisor.start();
  } catch (error) {
    await release();
    throw startFault(store, error);
  }
  const door = openDoor(service);
  const close = async () => {
    store.hurry?.();
    const answered = door.close();
    await supervisor.stop();
    await answered;
    await release();
  };
  let closing: Promise<void> | undefined;
  return {
    service,
    sweep: () => supervisor.sweep(),
    overview: createOverview(store.db),
    takeCalls: (runId) => supervisor.calls.take(runId),
    counts: () => countAll(store.db),
    seesPictures: async (name = service.defaultModel) =>
      model.seesPictures?.(name, AbortSignal.timeout(SIGHT_PATIENCE_MS)).catch(() => undefined),
    together: service.together,
    fetch: door.fetch,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

function makeService(
  options: EngineOptions,
  model: Model,
  store: Store,
  { sleep }: EngineInternals,
): Service {
  const { log = silent, onNotice = () => {}, answersCalls = () => false, retentionDays = 0 } = options;
  const clock = options.clock ?? store.shared?.clock ?? Date.now;
  const { provider, model: named } = options.model;
  const defaultModel = named || (provider === 'rehearsal' ? 'rehearsal' : UNNAMED_MODEL);
  const hub = new EventHub((events) => {
    for (const { event, data } of events) {
      if (/^thread\.run\.(?!step)/.test(event)) onNotice({ kind: 'run', run: data as Run });
    }
  });
  const workerId = newWorkerId();
  const outbox = new Outbox({ store, hub, log });
  const windows = new ContextWindows(model, options.contextWindow ?? 0);
  const executor = new Executor({
    store,
    hub,
    outbox,
    model,
    log,
    clock,
    windows,
    workerId,
    onNotice,
    answersCalls,
    ...(sleep && { sleep }),
  });
  const now = () => Math.floor(clock() / 1000);
  const capacity = store.shared ? (options.capacity ?? DEFAULT_CAPACITY) : Number.POSITIVE_INFINITY;
  return {
    store,
    hub,
    outbox,
    followers: new Followers(),
    queue: new RunQueue({ store, hub, executor, workerId, capacity, log }),
    log,
    onNotice,
    answersCalls,
    clock,
    now,
    together: makeTogether({ store, workerId, outbox, log, now }),
    expirySeconds: options.expirySeconds || DEFAULT_EXPIRY_SECONDS,
    defaultModel,
    models: new KnownModels(model, defaultModel),
    keepsFiles: model.keepsFiles ?? false,
    workerId,
    retentionDays,
    executor,
  };
}

async function declareAll(service: Service, declarations: AssistantDeclaration[]): Promise<void> {
  const { store, defaultModel, now } = service;
  for (const declaration of declarations) {
    try {
      const { id, model, ...body } = parse(declaredAssistant, declaration);
      const fields = assistantFields({ ...body, model: model || defaultModel });
      await declareAssistant(store.db, id, fields, now());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const facts = { assistant: declaration.id, reason: error.message };
      throw new EngineStartError('badAssistant', facts, { cause: error });
    }
  }
}

function startFault(store: Store, error: unknown): EngineStartError {
  if (error instanceof EngineStartError) return error;
  const reason = store.fault(error)?.message ?? (error instanceof Error ? error.message : String(error));
  return new EngineStartError('other', { reason: reason.replace(/\.$/, '') }, { cause: error });
}
