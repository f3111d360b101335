/** Which parts of the dialog apply to the chosen method and delivery. */
import { findMethod } from '../methods/index.ts';
import { canStream, effectiveDelivery, type OutputSettings } from './outputs.ts';

export type Section =
  | 'delivery'
  | 'stream'
  | 'result'
  | 'tools'
  | 'toolLimits'
  | 'conversation'
  | 'busy'
  | 'limits'
  | 'paging'
  | 'maxItems';

export interface DialogState extends OutputSettings {
  paging: string;
}

/** Whether each section applies; the ones that do not are hidden and saved with their defaults. */
export function sections(state: DialogState): Record<Section, boolean> {
  const method = findMethod(state.method);
  const delivery = effectiveDelivery(state);
  const followed = delivery === 'wait' || delivery === 'stream';
  const list = method?.answers === 'list';
  return {
    delivery: method?.delivers === true,
    stream: delivery === 'stream',
    result: followed,
    tools: followed,
    toolLimits: followed && state.tools,
    conversation: method?.id === 'createRun',
    busy: method?.id === 'createRun',
    limits: followed || method?.id === 'createRun',
    paging: list,
    maxItems: list && state.paging !== 'page',
  };
}

/** The deliveries a method offers. */
export function deliveries(methodId: string): string[] {
  const method = findMethod(methodId);
  if (!method?.delivers) return [];
  return canStream(method) ? ['start', 'wait', 'stream'] : ['start', 'wait'];
}
