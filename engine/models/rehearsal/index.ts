/** The built-in rehearsal model: deterministic, without network or key, and not a language model. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Model, ModelEvent, ModelOptions, Turn } from '../model.ts';

/** A model for demos and tests; `options.pace` is the time between two words in milliseconds. */
export function rehearsalModel(options: ModelOptions): Model {
  return { run: (turn) => rehearse(turn, options.pace ?? 15), list: async () => ['rehearsal'] };
}

async function* rehearse(turn: Turn, pace: number): AsyncGenerator<ModelEvent> {
  const last = turn.items.findLast((item) => item.type === 'message' && item.role === 'user');
  const said =
    last?.type === 'message'
      ? last.content.map((part) => (part.type === 'text' ? part.text : '')).join(' ')
      : '';
  const text = `This is the rehearsal model, not a language model. You said: ${said}`;
  for (const [delta] of text.matchAll(/\S+\s*/g)) {
    await sleep(pace, undefined, { signal: turn.signal });
    yield { type: 'text', delta };
  }
  yield { type: 'end', reason: 'stop' };
}
