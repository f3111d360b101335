/** Merges tiny pieces of long texts: an event for each of a million pieces would take a hundred times their text. */
import type { ModelEvent } from '../models/model.ts';

/** A piece is sent on once it is this part of what has come before: some thousands of events, however long the text. */
const SHARE = 1 / 1000;

type Delta = Extract<ModelEvent, { type: 'text' | 'refusal' | 'call_arguments' }>;

const isDelta = (event: ModelEvent): event is Delta =>
  event.type === 'text' || event.type === 'refusal' || event.type === 'call_arguments';

const indexOf = (event: Delta) => (event.type === 'call_arguments' ? event.index : -1);

/**
 * The same events with the same texts; short ones come piece by piece as they went in. Nothing is held back when
 * another part begins or the turn ends or fails.
 * @param events of one turn
 */
export async function* mergeDeltas(events: AsyncIterable<ModelEvent>): AsyncGenerator<ModelEvent> {
  let last: Delta | undefined;
  let held: string[] = [];
  let heldLength = 0;
  let sent = 0;
  const merged = (delta: Delta): Delta => {
    const whole = { ...delta, delta: held.join('') };
    sent += heldLength;
    held = [];
    heldLength = 0;
    return whole;
  };
  try {
    for await (const event of events) {
      const goesOn =
        isDelta(event) && last !== undefined && event.type === last.type && indexOf(event) === indexOf(last);
      if (!goesOn) {
        if (last && held.length > 0) yield merged(last);
        last = undefined;
        sent = 0;
      }
      if (!isDelta(event)) {
        yield event;
        continue;
      }
      last = event;
      held.push(event.delta);
      heldLength += event.delta.length;
      if (heldLength >= sent * SHARE) yield merged(event);
    }
  } catch (error) {
    if (last && held.length > 0) yield merged(last);
    throw error;
  }
}
