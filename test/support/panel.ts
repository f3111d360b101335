/** Flows whose runs fill the tab "Runs", and the tab as a person uses it. */
import type { Locator } from 'playwright-core';
import type { Editor } from './editor.ts';

const TAB = 'e000000000000000';
export const OPEN = 'e000000000000001';
export const ASKER = 'e000000000000002';
export const WAITER = 'e000000000000003';
export const BROKEN = 'e000000000000004';
export const BREAKER = 'e000000000000005';

const TOOL = {
  type: 'function',
  function: {
    name: 'set_valve',
    description: 'Opens or shuts a valve.',
    parameters: { type: 'object', properties: { percent: { type: 'number' } }, required: ['percent'] },
  },
};

const node = (id: string, name: string, service: string, y: number, more: object = {}) => ({
  id,
  type: 'openai-runs',
  z: TAB,
  name,
  service,
  method: 'createRun',
  conversation: 'topic',
  conversationType: 'msg',
  result: 'text',
  outputs: 1,
  fields: { assistant_id: { type: 'str', value: 'asst_greenhouse' } },
  x: 420,
  y,
  wires: [[]],
  ...more,
});

/** A service on the rehearsal model with two nodes, and one whose model can't be reached. */
export const FLOWS = [
  { id: TAB, type: 'tab', label: 'Greenhouse' },
  {
    id: OPEN,
    type: 'openai-runs-service',
    name: 'Greenhouse service',
    backend: 'embedded',
    provider: 'rehearsal',
    database: ':memory:',
    assistants: [
      { id: 'asst_greenhouse', name: 'Gardener', instructions: 'You tend a greenhouse.', tools: [TOOL] },
    ],
  },
  node(ASKER, 'Ask', OPEN, 120),
  node(WAITER, 'Ask before acting', OPEN, 200, {
    tools: true,
    toolTimeout: 0,
    outputs: 2,
    wires: [[], ['e000000000000006']],
  }),
  { id: 'e000000000000006', type: 'junction', z: TAB, x: 620, y: 200, wires: [[]] },
  {
    id: BROKEN,
    type: 'openai-runs-service',
    name: 'Workshop service',
    backend: 'embedded',
    provider: 'chat',
    url: 'http://127.0.0.1:9/v1',
    model: 'small',
    database: ':memory:',
    assistants: [{ id: 'asst_greenhouse', name: 'Fitter' }],
  },
  node(BREAKER, 'Ask the workshop', BROKEN, 280),
];

/** Sends a message into a node, as a wire would. @returns once its run has ended or waits for tools */
export async function ask(
  address: string,
  service: string,
  nodeId: string,
  text: string,
  key = 'bed 4',
): Promise<void> {
  const response = await fetch(`${address}/openai-runs-panel/${service}/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ node: nodeId, text, key }),
  });
  let heard = '';
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    heard += piece;
    if (/"event":"end"|thread\.run\.requires_action/.test(heard)) break;
  }
}

/** Opens the tab. */
export async function openPanel(editor: Editor): Promise<Locator> {
  // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
  await editor.page.evaluate(() => (window as any).RED.sidebar.show('openai-runs-panel'));
  const panel = editor.page.locator('.runs-panel');
  await panel.locator('.runs-modes').waitFor();
  return panel;
}

/** Rows of the list, those above included. */
export const rowsOf = (panel: Locator) => panel.locator('.runs-row');
