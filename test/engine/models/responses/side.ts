/** A Responses server that sends what a test wants, and what the model makes of it. */
import assert from 'node:assert/strict';
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
import { createModel } from '../../../../engine/models/index.ts';
import { ModelError, type ModelEvent, type Turn } from '../../../../engine/models/model.ts';
import { collect, type Far, failure, far, stream, turn } from '../support.ts';

export const USAGE = {
  input_tokens: 9,
  output_tokens: 4,
  total_tokens: 13,
  input_tokens_details: { cached_tokens: 5 },
  output_tokens_details: { reasoning_tokens: 2 },
};
type Loose = Record<string, unknown> & { type: ResponseStreamEvent['type'] };
export const completed: Loose = {
  type: 'response.completed',
  response: { status: 'completed', error: null, usage: USAGE, output: [] },
};
export const added = (output_index: number, item: unknown): Loose => ({
  type: 'response.output_item.added',
  output_index,
  item,
});
export const done = (output_index: number, item: unknown): Loose => ({
  type: 'response.output_item.done',
  output_index,
  item,
});
export const say = (delta: string, output_index = 0, content_index = 0): Loose => ({
  type: 'response.output_text.delta',
  output_index,
  content_index,
  delta,
});
export const cite = (annotation: unknown, output_index = 0): Loose => ({
  type: 'response.output_text.annotation.added',
  output_index,
  content_index: 0,
  annotation_index: 0,
  annotation,
});
export const functionCall = (call_id: string, args = '') => ({
  type: 'function_call',
  id: `fc_${call_id}`,
  call_id,
  name: 'set_lamp',
  arguments: args,
});

/** Call it inside `describe`: the server of each test is closed after it. */
export function responsesSide() {
  const side = {
    server: undefined as Far | undefined,

    /** Runs one turn against a server that sends these events. */
    async hear(events: unknown[], fields: Partial<Turn> = {}): Promise<ModelEvent[]> {
      side.server = await far((response) => stream(response, events));
      return collect(createModel({ provider: 'responses', url: side.server.url }), turn('hello', fields));
    },

    async hearFailure(events: unknown[]): Promise<ModelError> {
      side.server = await far((response) => stream(response, events));
      const { url } = side.server;
      const error = await failure(() => createModel({ provider: 'responses', url }).run(turn('x')));
      assert.ok(error instanceof ModelError, String(error));
      return error;
    },

    /** The body of the request for a turn. */
    async sent(fields: Partial<Turn>) {
      await side.hear([say('ok'), completed], fields);
      const { body } = side.server!.asked[0]!;
      await side.server?.close();
      return body;
    },
  };
  afterEach(async () => {
    await side.server?.close();
    side.server = undefined;
  });
  return side;
}
