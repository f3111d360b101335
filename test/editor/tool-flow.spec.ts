/** "Make a flow of the functions", and a run's response format: from the dialog to a run that uses them. */
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { Editor } from '../support/editor.ts';
import { type NodeRed, RELEASES, type Release, startNodeRed } from '../support/node-red.ts';

const TAB = 'f000000000000020';
const INJECT = 'f000000000000021';
const RUNS = 'f000000000000022';
const DEBUG = 'f000000000000023';
const SERVICE = 'f000000000000024';

const functionTool = (name: string, ...properties: string[]) => ({
  type: 'function',
  function: {
    name,
    parameters: {
      type: 'object',
      properties: Object.fromEntries(properties.map((property) => [property, { type: 'string' }])),
    },
  },
});

const flows = [
  { id: TAB, type: 'tab', label: 'tools' },
  {
    id: INJECT,
    type: 'inject',
    z: TAB,
    props: [{ p: 'payload' }],
    repeat: '',
    crontab: '',
    once: false,
    onceDelay: 0.1,
    topic: '',
    payload: 'Please call set_lamp and read_sensor.',
    payloadType: 'str',
    x: 140,
    y: 80,
    wires: [[RUNS]],
  },
  {
    id: RUNS,
    type: 'openai-runs',
    z: TAB,
    service: SERVICE,
    method: 'createThreadAndRun',
    fields: { assistant_id: { value: 'asst_house', type: 'str' } },
    result: 'text',
    outputs: 1,
    x: 360,
    y: 80,
    wires: [[DEBUG]],
  },
  {
    id: DEBUG,
    type: 'debug',
    name: 'reply',
    z: TAB,
    active: true,
    tosidebar: true,
    complete: 'payload',
    x: 640,
    y: 80,
    wires: [],
  },
  {
    id: SERVICE,
    type: 'openai-runs-service',
    name: 'House',
    backend: 'embedded',
    provider: 'rehearsal',
    database: ':memory:',
    assistants: [
      {
        id: 'asst_house',
        name: 'House',
        tools: [functionTool('set_lamp', 'room', 'state'), functionTool('read_sensor', 'room')],
      },
    ],
  },
];

/** The nodes of the tab as the editor would save them. */
type Saved = {
  id: string;
  type: string;
  name?: string;
  func?: string;
  rules?: { v: string }[];
  wires?: string[][];
};

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`functions and formats on Node-RED ${release}`, function () {
    this.timeout(60_000);
    let nodeRed: NodeRed;
    let browser: Browser;
    let editor: Editor;

    beforeEach(async () => {
      [nodeRed, browser] = await Promise.all([startNodeRed({ release, flows }), openBrowser()]);
      editor = await Editor.open(browser, nodeRed.address);
    });

    afterEach(async function () {
      if (this.currentTest?.state === 'failed') await editor?.picture(`failed-tool-flow-${release}`);
      await browser?.close();
      await nodeRed?.stop();
    });

    const nodes = async (): Promise<Saved[]> =>
      editor.page.evaluate(() => {
        // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
        return (window as any).RED.nodes.createCompleteNodeSet();
      });

    it('puts a switch and a stub for each onto the canvas, wired there and back', async () => {
      const before = await nodes();
      const dialog = await editor.openDialog(RUNS);
      await dialog.locator('#runs-make-flow button').click();
      await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
      const all = await nodes();
      const made = all.filter(({ type }) => type === 'function');
      const choice = all.find(({ type }) => type === 'switch');
      assert.deepEqual(
        made.map(({ name }) => name),
        ['set_lamp', 'read_sensor'],
      );
      assert.match(made[0]?.func ?? '', /room, state/);
      assert.deepEqual(
        choice?.rules?.map(({ v }) => v),
        ['set_lamp', 'read_sensor'],
      );
      assert.deepEqual(
        choice?.wires,
        made.map(({ id }) => [id]),
      );
      assert.deepEqual(all.find(({ id }) => id === RUNS)?.wires, [[DEBUG], [choice?.id]]);
      assert(made.every(({ wires }) => wires?.[0]?.[0] === RUNS));

      await editor.deploy();
      await editor.showDebug();
      await editor.press(INJECT);
      assert.match(await editor.debugMessage('reply'), /ok/);

      // The flow goes in one step, the tick in the next.
      await editor.page.locator('#red-ui-workspace-chart').click({ position: { x: 600, y: 400 } });
      await editor.page.keyboard.press('Control+z');
      assert.deepEqual(
        (await nodes()).map(({ id }) => id),
        before.map(({ id }) => id),
      );
      // Now that something is wired there is nothing to make.
      await editor.page.keyboard.press('Control+y');
      const again = await editor.openDialog(RUNS);
      assert.equal(await again.locator('#runs-make-flow').isVisible(), false);
    });

    it('keeps a run\u2019s response format through the form: by name, and as a schema', async () => {
      const openFormat = async () => {
        const dialog = await editor.openDialog(RUNS);
        const fold = dialog.locator('.runs-method[data-method="createThreadAndRun"] details');
        if ((await fold.getAttribute('open')) === null) await fold.locator('summary').click();
        return dialog.locator(
          '.runs-method[data-method="createThreadAndRun"] [data-field="response_format"]',
        );
      };
      const format = async () =>
        ((await editor.saved(RUNS)).fields as Record<string, { value: string; type: string }>)
          .response_format;

      let row = await openFormat();
      await editor.choose(row.locator('.red-ui-typedInput-option-trigger'), 'any JSON object');
      await editor.closeDialog();
      assert.deepEqual(await format(), { value: '{"type":"json_object"}', type: 'json' });

      row = await openFormat();
      await editor.choose(row.locator('.red-ui-typedInput-type-select'), 'JSON with a schema');
      await row.locator('input.red-ui-typedInput-input').fill('{"type":"object","properties":{}}');
      await editor.closeDialog();
      const schema = { type: 'object', properties: {} };
      const saved = { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } };
      assert.deepEqual(JSON.parse((await format())?.value ?? ''), saved);

      // Opened and left as it is, nothing changes.
      row = await openFormat();
      assert.equal(await row.locator('input.red-ui-typedInput-input').inputValue(), JSON.stringify(schema));
      await editor.closeDialog();
      assert.deepEqual(JSON.parse((await format())?.value ?? ''), saved);
    });
  });
}
