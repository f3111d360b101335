/** Answers requests in the same process, as the platform's fetch does those to a server. */

import type { Caller } from '../domain/caller.ts';
import { serverError, serviceClosed } from '../domain/errors.ts';
import { untilAborted } from '../domain/waits.ts';
import type { Service } from '../service.ts';
import { createApp, errorResponse } from './app.ts';
import type { RouteEnv } from './routes/http.ts';

export interface Door {
  fetch(input: string | URL | Request, init?: RequestInit, caller?: Caller): Promise<Response>;
  /** Lets nobody in any more; resolves when those inside have their answers. */
  close(): Promise<void>;
}

export function openDoor(service: Service): Door {
  const app = createApp(service);
  const pending = new Set<Promise<Response>>();
  const closing = new AbortController();

  async function answer(request: Request, env: RouteEnv['Bindings']): Promise<Response> {
    if (closing.signal.aborted) return errorResponse(serviceClosed(), request.method);
    try {
      return await app.fetch(request, env);
    } catch (error) {
      service.log.error(`${request.method} ${request.url}: ${String(error)}`);
      return errorResponse(serverError(), request.method);
    }
  }

  return {
    async fetch(input, init, caller) {
      const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
      signal?.throwIfAborted();
      const { signal: _, ...rest } = init ?? {};
      const request = new Request(input, rest);
      // A request counts once all of it is here: the close need not wait for one that is still being sent.
      const answering = request.text().then((body) => {
        signal?.throwIfAborted();
        const answered = answer(request, { body, signal, caller, closing: closing.signal });
        pending.add(answered);
        return answered.finally(() => pending.delete(answered));
      });
      return signal ? untilAborted(answering, signal) : answering;
    },
    async close() {
      closing.abort(serviceClosed());
      await Promise.allSettled(pending);
    },
  };
}
