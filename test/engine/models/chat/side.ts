/** A chat server that sends what a test wants, and what the model makes of it. */
import assert from 'node:assert/strict';
import { createModel } from '../../../../engine/models/index.ts';
import { ModelError, type ModelEvent, type Turn } from '../../../../engine/models/model.ts';
import { collect, type Far, failure, far, KEY, LAMP, SENSOR, stream, turn } from '../support.ts';

export const DONE = 'data: [DONE]\n\n';
export const delta = (said: unknown, finish_reason: string | null = null) => ({
  id: 'c1',
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta: said, finish_reason }],
});
export const piece = (call: unknown) => delta({ tool_calls: [call] });
export const finish = (reason: string) => delta({}, reason);
export const TOOLS = { tools: [LAMP, SENSOR] };

/** Call it inside `describe`: the server of each test is closed after it. */
export function chatSide() {
  const side = {
    server: undefined as Far | undefined,

    /** Runs one turn against a server that sends these events. */
    async hear(values: unknown[], fields: Partial<Turn> = {}): Promise<ModelEvent[]> {
      side.server = await far((response) => stream(response, values));
      const model = createModel({ provider: 'chat', url: side.server.url, apiKey: KEY });
      return collect(model, turn('hello', fields));
    },

    async hearFailure(values: unknown[], fields: Partial<Turn> = {}): Promise<ModelError> {
      side.server = await far((response) => stream(response, values));
      const model = createModel({ provider: 'chat', url: side.server.url, apiKey: KEY });
      const error = await failure(() => model.run(turn('hello', fields)));
      assert.ok(error instanceof ModelError, String(error));
      return error;
    },
  };
  afterEach(async () => {
    await side.server?.close();
    side.server = undefined;
  });
  return side;
}
