/** Which outputs a node has, from its settings; kept in step with the wires when the settings change. */
import { findMethod, serves } from '../methods/index.ts';

export type OutputKind = 'result' | 'tools' | 'events';

export interface OutputSettings {
  method: string;
  delivery: string;
  tools: boolean;
}

/** The delivery that really applies: methods that look once have none. */
export function effectiveDelivery({ method, delivery }: OutputSettings): string {
  if (serves(method)) return 'wait';
  return findMethod(method)?.delivers ? delivery : 'none';
}

/** The outputs in their order: 1 result, 2 tool calls (if asked for), last events (if streaming). */
export function outputKinds(settings: OutputSettings): OutputKind[] {
  const delivery = effectiveDelivery(settings);
  const kinds: OutputKind[] = ['result'];
  if ((settings.tools || serves(settings.method)) && (delivery === 'wait' || delivery === 'stream'))
    kinds.push('tools');
  if (delivery === 'stream') kinds.push('events');
  return kinds;
}

/**
 * How the outputs move, in the form that the editor reads from `#node-input-outputs`: old index → new index,
 * -1 for one that is gone, a key that is no number for a new one. So wires stay on the output they meant.
 */
export function outputMap(before: OutputKind[], after: OutputKind[]): Record<string, number> {
  const map: Record<string, number> = {};
  before.forEach((kind, index) => {
    map[index] = after.indexOf(kind);
  });
  after.forEach((kind, index) => {
    if (!before.includes(kind)) map[`new-${kind}`] = index;
  });
  return map;
}
