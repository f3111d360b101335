/** The conversation as providers accept it: every call with its output, every output with its call. */
import type { TurnItem } from './model.ts';

/**
 * Leaves out calls that got no output (a cancelled run), outputs whose call was truncated away, and what a provider
 * wanted to see again together with a call that is gone. Keeps the order, so the list still only grows at its end.
 */
export function paired(items: TurnItem[]): TurnItem[] {
  const called = new Set(items.flatMap((item) => (item.type === 'call' ? [item.id] : [])));
  const answered = new Set(items.flatMap((item) => (item.type === 'output' ? [item.id] : [])));
  const kept = items.filter(
    (item) =>
      !((item.type === 'call' || item.type === 'output') && !(called.has(item.id) && answered.has(item.id))),
  );
  return kept.filter((item, at) => {
    if (item.type !== 'carry') return true;
    const next = kept.slice(at + 1).find(({ type }) => type !== 'carry');
    return next?.type === 'call' || (next?.type === 'message' && next.role === 'assistant');
  });
}
