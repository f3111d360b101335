/** What one turn of a model may say: an answer without end would fill the memory. */
import { EVENT_BYTES } from '../domain/guarded-fetch.ts';
import { ModelError, type ModelEvent } from '../models/model.ts';

/** Characters of one turn: the event that completes its message must fit into what clients read. */
const MOST = EVENT_BYTES;
/** Characters that an event counts for beside its text: all of them are kept until the turn's end. */
const EACH = 100;

/**
 * Lets a turn through until it is too large.
 * @throws ModelError when it is
 */
export async function* limitTurn(events: AsyncIterable<ModelEvent>): AsyncGenerator<ModelEvent> {
  let size = 0;
  for await (const event of events) {
    size += EACH + lengthOf(event);
    if (size > MOST) throw new ModelError('longTurn', { megabytes: MOST / 2 ** 20 });
    yield event;
  }
}

function lengthOf(event: ModelEvent): number {
  switch (event.type) {
    case 'text':
    case 'refusal':
    case 'call_arguments':
      return event.delta.length;
    case 'annotation':
    case 'hosted_call':
    case 'carry':
      return jsonLength(event);
    default:
      return 0;
  }
}

function jsonLength(event: ModelEvent): number {
  try {
    return JSON.stringify(event).length;
  } catch (error) {
    throw new ModelError('unreadable', { reason: String(error), address: 'model' }, { cause: error });
  }
}
