/** Flows of the old package, and what the converter plans for them. */
import assert from 'node:assert/strict';
import type { FlowNode } from '../../../nodes/openai-runs/editor/convert/flow.ts';
import { type Change, planConversion, type Target } from '../../../nodes/openai-runs/editor/convert/plan.ts';
import { survey, targetsOf } from '../../../nodes/openai-runs/editor/convert/survey.ts';

export const TAB: FlowNode = { id: 'tab', type: 'tab', label: 'Home' };
export const HOST: FlowNode = {
  id: 'host',
  type: 'Service Host',
  apiBase: 'https://api.openai.com/v1',
  name: 'OpenAI',
};
export const node = (more: Record<string, unknown> = {}): FlowNode => ({
  id: 'old',
  type: 'OpenAI API',
  z: 'tab',
  name: 'ask',
  property: 'payload',
  propertyType: 'msg',
  service: 'host',
  method: 'createRun',
  x: 100,
  y: 40,
  wires: [['next']],
  ...more,
});

/** As a service names a variable of the environment. */
export const env = (name: string) => `\${${name}}`;

/** Converts a flow as the dialog proposes it, or as chosen. */
export function convert(flow: FlowNode[], chosen: Record<string, Target> = {}): Change {
  const found = survey(flow);
  const targets = found.hosts.map((host) => [host.id, chosen[host.id] ?? targetsOf(host)[0]!] as const);
  let ids = 0;
  return planConversion(found, {
    targets: new Map<string, Target>(targets),
    serviceDefaults: { backend: 'embedded', provider: 'rehearsal', url: '', assistants: [], version: 1 },
    newId: () => `new${++ids}`,
    assistantName: (number) => `Assistant ${number}`,
  });
}

/** The node that comes under an id. */
export const added = (change: Change, id: string) => {
  const found = change.add.find((one) => one.id === id);
  assert(found, `nothing is added as ${id}`);
  return found;
};
