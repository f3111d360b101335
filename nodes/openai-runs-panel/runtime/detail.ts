/** One run in full, and the pictures of its thread. */
import { excerpt } from '../../shared/excerpt.ts';
import { heldPicture, servedPicture } from '../../shared/held-picture.ts';
import { type RunDetail, withoutContents } from './contents.ts';
import { asked, checkContents, type Panel, PanelFault } from './panel.ts';

/** Characters of a picture's data URL that is not served. */
const LONGEST_ADDRESS = 60;

export function addDetail(panel: Panel): void {
  panel.get('/:service/runs/:thread/:run', 'read', async (request, response) => {
    const { service, connection } = await panel.open(request);
    const { thread, run: id } = request.params as Record<'thread' | 'run', string>;
    const detail = await asked(connection, async (): Promise<RunDetail> => {
      const { runs, messages } = connection.client.beta.threads;
      const [run, steps, said, rows] = await Promise.all([
        runs.retrieve(id, { thread_id: thread }),
        runs.steps.list(id, { thread_id: thread, order: 'asc', limit: 100 }),
        messages.list(thread, { order: 'desc', limit: 100 }),
        connection.overview?.rows([id]),
      ]);
      // What a server says now may be news here.
      if (!connection.embedded) service.activity.saw(run, undefined, {});
      return {
        service: service.id,
        contents: service.deployed.showContents,
        run,
        steps: steps.data,
        messages: said.data.toReversed(),
        row: rows?.[0],
        failure: connection.notices?.failureOf(id),
        byNode: panel.toolNode(rows?.[0]?.origin?.node) !== undefined,
      };
    });
    if (!service.deployed.showContents) response.json(withoutContents(detail));
    else response.json(request.query.whole ? detail : withAddresses(detail));
  });

  panel.get('/:service/pictures/:thread/:message/:index', 'read', async (request, response) => {
    const { service, connection } = await panel.open(request);
    checkContents(service);
    const { thread, message, index } = request.params as Record<'thread' | 'message' | 'index', string>;
    const { content } = await asked(connection, () =>
      connection.client.beta.threads.messages.retrieve(message, { thread_id: thread }),
    );
    const part = content[Number(index)];
    const picture = part?.type === 'image_url' ? heldPicture(part.image_url.url) : undefined;
    if (!picture) throw new PanelFault(404, 'There is no such picture.');
    response.set({
      'content-type': picture.type,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      // A message never gets other pictures; who else uses this browser is asked for rights anew.
      'cache-control': 'private, max-age=86400, immutable',
      vary: 'authorization',
    });
    response.end(Buffer.from(picture.base64, 'base64'));
  });
}

/** The run with addresses in place of the pictures themselves: some megabytes less, each time that it is read. */
function withAddresses({ messages, ...detail }: RunDetail): RunDetail {
  const { service, run } = detail;
  return {
    ...detail,
    messages: messages.map((message) => ({
      ...message,
      content: message.content.map((part, index) => {
        if (part.type !== 'image_url' || !part.image_url.url.startsWith('data:')) return part;
        const { url } = part.image_url;
        const served = servedPicture(service, run.thread_id, message.id, index);
        return {
          ...part,
          image_url: { ...part.image_url, url: heldPicture(url) ? served : excerpt(url, LONGEST_ADDRESS) },
        };
      }),
    })),
  };
}
