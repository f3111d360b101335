/** Lists and single objects, from the request to the outgoing messages. */
import type { NodeMessage } from 'node-red';
import type { Connection } from '../../openai-runs-service/connection.ts';
import { expectObject, expectPage } from '../follow/assert-response.ts';
import type { Job } from '../job.ts';
import type { ListMethod, ObjectMethod } from '../methods/method.ts';
import type { NodeParts } from '../node-parts.ts';
import { toOutput } from '../output/ports.ts';
import { optionsOf, type Request } from '../request/read-request.ts';
import { asPage, readAll } from './list-pages.ts';

/** Sends one object on, or a list as the node's `paging` says. */
export async function performRead(
  parts: NodeParts,
  job: Job,
  connection: Connection,
  method: ListMethod | ObjectMethod,
  { params, idempotencyKey }: Request,
): Promise<void> {
  const options = optionsOf(method, job.signal, idempotencyKey);
  if (method.answers === 'list') {
    await sendList(parts, job, expectPage(await method.send(connection.client, params, options), parts.t));
  } else {
    const answer = await method.send(connection.client, params, options);
    const payload = expectObject(answer, method.object, parts.t);
    sendOn(parts, job, Object.assign(job.msg, { payload }));
  }
}

async function sendList(parts: NodeParts, job: Job, page: Parameters<typeof asPage>[0]): Promise<void> {
  const { settings, status, RED, t } = parts;
  if (settings.paging === 'page')
    return sendOn(parts, job, Object.assign(job.msg, { payload: asPage(page) }));
  if (settings.paging === 'items') return sendOn(parts, job, Object.assign(job.msg, { payload: page.data }));
  const { items, capped } = await readAll(page, settings.maxItems, t);
  if (capped) status.note(t('status.capped', { count: items.length }));
  if (settings.paging === 'all') return sendOn(parts, job, Object.assign(job.msg, { payload: items }));
  const id = RED.util.generateId();
  // A message that is itself a part keeps its place within those, as core Split does it.
  const outer = 'parts' in job.msg ? { parts: job.msg.parts } : {};
  items.forEach((item, index) => {
    const place = { id, type: 'array', count: items.length, len: 1, index, ...outer };
    sendOn(parts, job, { ...job.msg, payload: item, parts: place } as NodeMessage);
  });
}

function sendOn({ settings }: NodeParts, job: Job, msg: NodeMessage): void {
  job.send(toOutput('result', msg, settings));
}
