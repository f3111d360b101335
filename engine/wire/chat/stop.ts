/** A chat program's Stop: it closes its request before the answer is done, and what was asked for comes to an end. */
import { ApiError } from '../../domain/errors.ts';
import { cancelRun } from '../../runs/cancel.ts';
import type { Service } from '../../service.ts';
import type { RunRecord } from '../../store/records.ts';
import type { RouteEnv } from '../routes/http.ts';

type Connection = Pick<RouteEnv['Bindings'], 'signal' | 'closing'>;

/** @throws ApiError once the service closes, or whoever asked is gone and reads none */
export function throwIfOver({ signal, closing }: Connection): void {
  closing.throwIfAborted();
  // The status that proxies write into their logs for it.
  if (signal?.aborted) throw new ApiError(499, 'The request was closed before it was answered.');
}

/**
 * Cancels a run, on whichever machine it is, when its request is closed; a service that closes is no Stop.
 * @returns to be called when the answer is done: from then on the run is nobody's to stop here
 */
export function cancelWhenLeft(
  service: Service,
  { id, thread_id }: RunRecord,
  { signal, closing }: Connection,
): () => void {
  const stop = () => {
    if (closing.aborted) return;
    cancelRun(service, thread_id, id).catch((error: unknown) => {
      // It has ended by itself meanwhile, or is gone with its thread.
      if (!(error instanceof ApiError)) service.log.warn(`Run ${id} could not be stopped: ${String(error)}`);
    });
  };
  if (signal?.aborted) stop();
  else signal?.addEventListener('abort', stop, { once: true });
  return () => signal?.removeEventListener('abort', stop);
}
