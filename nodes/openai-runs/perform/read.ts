/** Lists and single steps, from the request to the outgoing messages. */
import type { NodeMessage } from 'node-red';
import type { Connection } from '../../openai-runs-service/connection.ts';
import { asPage, readAll } from '../delivery/list.ts';
import { type Desk, Slot, setState } from '../desk.ts';
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
  const slot = new Slot(desk, job);
  try {
    await slot.take();
    setState(desk, job, 'requesting');
    const options = { signal: job.signal };
    if (method.answers === 'list')
      await sendList(desk, job, await method.send(connection.client, params, options));
    else
      sendOn(
        desk,
        job,
        Object.assign(job.msg, { payload: await method.send(connection.client, params, options) }),
      );
  } finally {
    slot.give();
  }
}

async function sendList(desk: Desk, job: Job, page: Parameters<typeof asPage>[0]): Promise<void> {
  const { settings, status, RED, t } = desk;
  if (settings.paging === 'page') return sendOn(desk, job, Object.assign(job.msg, { payload: asPage(page) }));
  const { items, capped } = await readAll(page, settings.maxItems);
  if (capped) status.note(t('status.capped', { count: items.length }));
  if (settings.paging === 'all') return sendOn(desk, job, Object.assign(job.msg, { payload: items }));
  const id = RED.util.generateId();
  items.forEach((item, index) => {
    const parts = { id, type: 'array', count: items.length, len: 1, index };
    sendOn(desk, job, { ...job.msg, payload: item, parts } as NodeMessage);
  });
}

function sendOn({ settings }: Desk, job: Job, msg: NodeMessage): void {
  job.send(place('result', msg, settings));
}
