/** A flow that asks what was asked in a chat: an Inject node, a Runs node with what answers its tools, a Debug node. */
import { toolNodes } from '../../../openai-runs/editor/tool-flow.ts';
import { VERSION } from '../../../openai-runs/migrations/index.ts';
import type { AssistantInfo } from '../types.ts';
import type { ChangedValues } from './save-changes.ts';

/** Pixels between nodes in a row: an Inject node shows its question. */
const ACROSS = 270;

export interface Asked {
  service: string;
  assistant: Pick<AssistantInfo, 'id' | 'name' | 'functions'>;
  question: string;
  values: ChangedValues;
  /** What each function gives, by its name, as far as that is known. */
  outputs: Map<string, string>;
}

/** Hangs the flow at the pointer, to be put down; one step of undo takes all of it away. */
export function makeFlow(asked: Asked): void {
  const z = RED.workspaces.active();
  const { functions } = asked.assistant;
  const runs = runsNode(asked, z);
  const inject = { ...node('inject', z, runs.x - ACROSS, runs.y, [[runs.id]]), ...question(asked.question) };
  const debug = {
    ...node('debug', z, runs.x + ACROSS, runs.y, []),
    active: true,
    tosidebar: true,
    complete: 'payload',
    targetType: 'msg',
  };
  const [choice, ...stubs] = functions.length > 0 ? toolNodes(runs, functions, asked.outputs) : [];
  runs.wires = [[debug.id], ...(choice ? [[choice.id]] : [])];
  for (const stub of stubs) stub.wires = [[runs.id]];
  const nodes = [inject, runs, debug, ...(choice ? [choice, ...stubs] : [])];
  RED.view.importNodes(nodes, { generateIds: true, addFlow: false, notify: false });
  // For Escape, which puts nothing down.
  RED.view.focus();
}

const node = (type: string, z: string, x: number, y: number, wires: string[][]): EditorNode => ({
  id: RED.nodes.id(),
  type,
  z,
  name: '',
  x,
  y,
  wires,
});

const question = (payload: string) => ({
  props: [{ p: 'payload' }],
  repeat: '',
  crontab: '',
  once: false,
  onceDelay: 0.1,
  topic: '',
  payload,
  payloadType: 'str',
});

function runsNode({ service, assistant, values }: Asked, z: string): EditorNode {
  const { defaults } = RED.nodes.getType('openai-runs');
  const saved = Object.entries(defaults).map(([name, { value }]) => [name, structuredClone(value)]);
  const fields = Object.entries({ assistant_id: assistant.id, ...values }).map(([name, value]) => [
    name,
    { value: String(value), type: typeof value === 'number' ? 'num' : 'str' },
  ]);
  return {
    ...Object.fromEntries(saved),
    ...node('openai-runs', z, 0, 0, []),
    name: assistant.name ?? '',
    version: VERSION,
    service,
    method: 'createThreadAndRun',
    fields: Object.fromEntries(fields),
    tools: assistant.functions.length > 0,
    outputs: assistant.functions.length > 0 ? 2 : 1,
  };
}
