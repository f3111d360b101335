/** Which parts of the dialog apply to the chosen method and delivery. */
import { findMethod, serves } from '../methods/index.ts';
import { effectiveDelivery, type OutputSettings } from './outputs.ts';

export type Section =
  | 'message'
  | 'delivery'
  | 'stream'
  | 'result'
  | 'failures'
  | 'tools'
  | 'toolLimits'
  | 'conversation'
  | 'busy'
  | 'limits'
  | 'cancelOnClose'
  | 'paging'
  | 'maxItems';

export interface DialogState extends OutputSettings {
  paging: string;
  /** Whether runs go on elsewhere when this Node-RED stops. */
  isRemote: boolean;
}

/** Whether each section applies; the ones that do not are hidden and saved with their defaults. */
export function sections(state: DialogState): Record<Section, boolean> {
  const method = findMethod(state.method);
  const delivery = effectiveDelivery(state);
  const followed = delivery === 'wait' || delivery === 'stream';
  const list = method?.answers === 'list';
  const onThread = method?.answers === 'run' && method.onThread === true;
  return {
    message: method?.addMessages !== undefined,
    delivery: method?.delivers === true && !serves(state.method),
    stream: delivery === 'stream',
    result: followed,
    failures: followed && !serves(state.method),
    tools: followed && !serves(state.method),
    toolLimits: followed && (state.tools || serves(state.method)),
    conversation: onThread,
    busy: onThread,
    limits: followed || onThread,
    cancelOnClose: followed && state.isRemote,
    paging: list,
    maxItems: list && (state.paging === 'all' || state.paging === 'each'),
  };
}

/** The deliveries a method offers. */
export function deliveries(methodId: string): string[] {
  return findMethod(methodId)?.delivers ? ['start', 'wait', 'stream'] : [];
}
