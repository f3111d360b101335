/** What a provider says is only believed as far as its types go: the readers take fields as they come. */
import { ModelError, type ModelEvent } from '../model.ts';

/** Whether an event has the types that the engine and its clients rely on. */
function isSound(event: ModelEvent): boolean {
  switch (event.type) {
    case 'text':
    case 'refusal':
    case 'call_arguments':
      return typeof event.delta === 'string';
    case 'call':
      return typeof event.name === 'string' && typeof event.id === 'string';
    case 'annotation':
      return Number.isInteger(event.annotation.start_index) && Number.isInteger(event.annotation.end_index);
    case 'hosted_call': {
      const code = event.call.code_interpreter as { input?: unknown } | undefined;
      return code?.input === undefined || typeof code.input === 'string';
    }
    case 'usage':
      return Object.values(event.usage).every((count) => Number.isFinite(count) && count >= 0);
    default:
      return true;
  }
}

/**
 * Lets sound events through.
 * @throws ModelError at the first that is not, and where a reader has met a type that it could not read at all.
 */
export async function* validateEvents(
  events: AsyncIterable<ModelEvent>,
  address: string,
): AsyncGenerator<ModelEvent> {
  try {
    for await (const event of events) {
      if (!isSound(event)) throw new TypeError(`a ${event.type} of a wrong type`);
      yield event;
    }
  } catch (error) {
    // A RangeError: nested so deeply that the stack does not suffice.
    if (!(error instanceof TypeError) && !(error instanceof RangeError)) throw error;
    throw new ModelError('unreadable', { reason: error.message, address }, { cause: error });
  }
}
