/** Whom one can talk with: the assistants of a service, what they are set to, what their models can. */
import { asked, checkContents, type Panel, PanelFault } from './panel.ts';

/** What the chat may change of an assistant. */
const CHANGED = ['instructions', 'model', 'temperature'] as const;

export function addAssistants(panel: Panel): void {
  panel.get('/:service/assistants', 'read', async (request, response) => {
    const { connection } = await panel.open(request);
    const page = await asked(connection, async () =>
      connection.client.beta.assistants.list({ limit: 100 }, { maxRetries: 0 }),
    );
    response.json(page.data.map(({ id, name, model }) => ({ id, name, model })));
  });

  panel.get('/:service/assistants/:assistant', 'read', async (request, response) => {
    const { service, connection } = await panel.open(request);
    checkContents(service);
    const { assistants } = connection.client.beta;
    const id = String(request.params.assistant);
    const { name, model, instructions, temperature, tools } = await asked(connection, () =>
      assistants.retrieve(id, { maxRetries: 0 }),
    );
    const functions = tools.flatMap((tool) => (tool.type === 'function' ? [tool.function] : []));
    response.json({ id, name, model, instructions, temperature, functions });
  });

  // Of an assistant that no dialog declares: what the API has is all there is.
  panel.post('/:service/assistants/:assistant', async (request, response) => {
    const { service, connection } = await panel.open(request);
    checkContents(service);
    const body = (request.body ?? {}) as Record<string, unknown>;
    const changes = Object.fromEntries(
      CHANGED.filter((name) => body[name] !== undefined).map((name) => [name, body[name]]),
    );
    if (Object.keys(changes).length === 0)
      throw new PanelFault(400, `There is nothing to change: ${CHANGED.join(', ')}.`);
    const { assistants } = connection.client.beta;
    const id = String(request.params.assistant);
    const { model, instructions, temperature } = await asked(connection, () =>
      assistants.update(id, changes, { maxRetries: 0 }),
    );
    response.json({ id, model, instructions, temperature });
  });

  panel.get('/:service/sight', 'read', async (request, response) => {
    const { connection } = await panel.open(request);
    const { model } = request.query;
    const sees = await connection.seesPictures?.(typeof model === 'string' && model ? model : undefined);
    response.json({ sees: sees ?? null });
  });
}
