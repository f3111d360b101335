/** Puts the parts together. `createEngine` is the public way in; tests bring a model of their own. */

import { ApiError, EngineStartError, serverError, serviceClosed } from './domain/errors.ts';
import { KnownModels } from './models/known-models.ts';
import type { Model } from './models/model.ts';
import type { AssistantDeclaration, Engine, EngineLog, EngineOptions } from './options.ts';
import type { Service } from './service.ts';
import { declareAssistant } from './store/assistants.ts';
import { countAll } from './store/retention.ts';
import { openStore } from './store/sqlite/database.ts';
import { storeFault } from './store/sqlite/faults.ts';
import { newWorkerId } from './store/workers.ts';
import { Supervisor } from './supervisor.ts';
import { createApp, errorResponse } from './wire/app.ts';
import { declaredAssistant } from './wire/schemas/bodies.ts';
import { parse } from './wire/schemas/translate.ts';
import type { AskOptions } from './worker/ask-model.ts';
import { EventHub } from './worker/event-log.ts';
import { Executor } from './worker/executor.ts';

const DEFAULT_EXPIRY_SECONDS = 600;
/** Tokens; what the service's own models read. */
const DEFAULT_CONTEXT_WINDOW = 128_000;

const silent: EngineLog = { debug() {}, info() {}, warn() {}, error() {} };

/** For tests. */
export interface EngineInternals {
  sleep?: AskOptions['sleep'];
}

export interface StartedEngine extends Engine {
  /** For tests. */
  service: Service;
  /** Looks for what time has brought, as the engine does every second. For tests with a clock of their own. */
  sweep(): Promise<void>;
}

async function declareAll(service: Service, declarations: AssistantDeclaration[]): Promise<void> {
  for (const declaration of declarations) {
    try {
      const { id, model, ...body } = parse(declaredAssistant, declaration);
      await declareAssistant(
        service.db,
        id,
        { ...body, model: model || service.defaultModel },
        service.now(),
      );
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      throw new EngineStartError(
        'badAssistant',
        { assistant: declaration.id, reason: error.message },
        { cause: error },
      );
    }
  }
}

/** As createEngine, on a given model. @throws EngineStartError */
export async function startEngine(
  options: EngineOptions,
  model: Model,
  internals: EngineInternals = {},
): Promise<StartedEngine> {
  const { database, log = silent, clock = Date.now, onNotice = () => {} } = options;
  // 0 comes from an empty field of a form.
  const contextWindow = options.contextWindow || DEFAULT_CONTEXT_WINDOW;
  const store = await openStore(database);
  const hub = new EventHub();
  const workerId = newWorkerId();
  const { db } = store;
  const defaultModel =
    options.model.model || (options.model.provider === 'rehearsal' ? 'rehearsal' : 'default');
  const service: Service = {
    db,
    hub,
    log,
    clock,
    now: () => Math.floor(clock() / 1000),
    expirySeconds: options.expirySeconds || DEFAULT_EXPIRY_SECONDS,
    defaultModel,
    models: new KnownModels(model, defaultModel),
    keepsFiles: model.keepsFiles ?? false,
    workerId,
    retentionDays: options.retentionDays ?? 0,
    executor: new Executor({ db, hub, model, log, clock, contextWindow, workerId, onNotice, ...internals }),
  };
  const supervisor = new Supervisor(service);
  const release = async () => {
    await service.executor.stopAll();
    // A worker that has not signed out is found dead by the next start.
    await supervisor.signOut().catch((error: unknown) => log.warn(`Signing out: ${String(error)}`));
    await store.close();
  };
  try {
    await declareAll(service, options.assistants ?? []);
    await supervisor.start();
  } catch (error) {
    await release();
    if (error instanceof EngineStartError) throw error;
    const reason = storeFault(error)?.message ?? (error instanceof Error ? error.message : String(error));
    throw new EngineStartError('other', { reason: reason.replace(/\.$/, '') }, { cause: error });
  }
  const app = createApp(service);
  let closing: Promise<void> | undefined;
  const pending = new Set<Promise<Response>>();

  const close = async () => {
    await supervisor.stop();
    await Promise.allSettled(pending);
    await release();
  };

  const answer = async (
    request: Request,
    body: string,
    signal: AbortSignal | null | undefined,
  ): Promise<Response> => {
    if (closing) return errorResponse(serviceClosed(), request.method);
    try {
      return await app.fetch(request, { body, signal });
    } catch (error) {
      log.error(`${request.method} ${request.url}: ${String(error)}`);
      return errorResponse(serverError(), request.method);
    }
  };

  return {
    service,
    sweep: () => supervisor.sweep(),
    counts: () => countAll(db),
    async fetch(input, init) {
      const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
      signal?.throwIfAborted();
      const { signal: _, ...rest } = init ?? {};
      const request = new Request(input, rest);
      // A request counts once all of it is here: the close need not wait for one that is still being sent.
      const answering = request.text().then((body) => {
        signal?.throwIfAborted();
        const answered = answer(request, body, signal);
        pending.add(answered);
        return answered.finally(() => pending.delete(answered));
      });
      return signal ? untilAborted(answering, signal) : answering;
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** Rejects as the platform's fetch does when the signal is aborted first. */
async function untilAborted(answering: Promise<Response>, signal: AbortSignal): Promise<Response> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([answering, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
