/** Lists and single steps, from the request to the outgoing messages. */
import type { NodeMessage } from 'node-red';
import type { Connection } from '../../openai-runs-service/connection.ts';
import { expectPage, expectStep } from '../delivery/answer.ts';
import { asPage, readAll } from '../delivery/list.ts';
import type { Desk } from '../desk.ts';
import type { Request } from '../input.ts';
import type { Job } from '../job.ts';
import type { ListMethod, StepMethod } from '../methods/method.ts';
import { place } from '../outputs.ts';

/** Sends a list or a step as the node's `paging` says. */
export async function performRead(
  desk: Desk,
  job: Job,
  connection: Connection,
  method: ListMethod | StepMethod,
  { params }: Request,
): Promise<void> {
  const options = { signal: job.signal };
  if (method.answers === 'list') {
    await sendList(desk, job, expectPage(await method.send(connection.client, params, options), desk.t));
  } else {
    const payload = expectStep(await method.send(connection.client, params, options), desk.t);
    sendOn(desk, job, Object.assign(job.msg, { payload }));
  }
}

async function sendList(desk: Desk, job: Job, page: Parameters<typeof asPage>[0]): Promise<void> {
  const { settings, status, RED, t } = desk;
  if (settings.paging === 'page') return sendOn(desk, job, Object.assign(job.msg, { payload: asPage(page) }));
  const { items, capped } = await readAll(page, settings.maxItems, t);
  if (capped) status.note(t('status.capped', { count: items.length }));
  if (settings.paging === 'all') return sendOn(desk, job, Object.assign(job.msg, { payload: items }));
  const id = RED.util.generateId();
  // A message that is itself a part keeps its place within those, as core Split does it.
  const outer = 'parts' in job.msg ? { parts: job.msg.parts } : {};
  items.forEach((item, index) => {
    const parts = { id, type: 'array', count: items.length, len: 1, index, ...outer };
    sendOn(desk, job, { ...job.msg, payload: item, parts } as NodeMessage);
  });
}

function sendOn({ settings }: Desk, job: Job, msg: NodeMessage): void {
  job.send(place('result', msg, settings));
}
