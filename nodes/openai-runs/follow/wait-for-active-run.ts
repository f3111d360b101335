/** What to do when the server says that the thread has an active run: it was not one of this service's own. */
import { sleep } from '../../../engine/domain/waits.ts';
import type { Run } from '../methods/method.ts';
import type { Settings } from '../settings.ts';
import type { RunSession } from './session.ts';

/** Statuses in which a run keeps its thread locked (docs/contract.md, States). */
const LOCKING: readonly Run['status'][] = ['queued', 'in_progress', 'requires_action', 'cancelling'];

/** Milliseconds between two looks at a run that locks the thread. */
const FIRST = 250;
const LONGEST = 5_000;

/** The refusal's text, of OpenAI's service and of those that copied it. */
const ACTIVE = /already has an active run(?:\s+([\w-]+))?/i;

/**
 * Waits until the run that locks the thread has ended, cancelling it first where the node is set to.
 * @param error what creating the run was refused with
 * @returns whether creating may be tried again; it made nothing, so trying again makes no second run
 */
export async function waitForActiveRun(
  session: RunSession,
  error: unknown,
  busy: Settings['busy'],
): Promise<boolean> {
  const { status, message = '' } = error as { status?: number; message?: string };
  const refused = status === 400 ? ACTIVE.exec(message) : null;
  const thread_id: string | undefined = session.params.thread_id;
  if (!refused || !thread_id || busy === 'error') return false;
  const { runs } = session.connection.client.beta.threads;
  const { signal } = session.job;
  const run_id = refused[1] ?? (await runs.list(thread_id, { limit: 1 }, { signal })).data[0]?.id;
  if (!run_id) return false;
  session.waitFor(1);
  if (busy === 'cancel') await runs.cancel(run_id, { thread_id }, { signal, maxRetries: 0 }).catch(() => {});
  let pause = FIRST;
  for (;;) {
    const run = await runs.retrieve(run_id, { thread_id }, { signal });
    if (!LOCKING.includes(run.status)) return true;
    await sleep(pause, signal);
    pause = Math.min(pause * 1.5, LONGEST);
  }
}
