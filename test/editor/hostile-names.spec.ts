/** Names from an imported flow or from a server that are HTML: the editor shows them and runs nothing of them. */
import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { Editor } from '../support/editor.ts';
import { json, startServer, type TestServer } from '../support/http-server.ts';
import { type NodeRed, RELEASES, type Release, startNodeRed } from '../support/node-red.ts';

const RUNS = 'f000000000000041';
const EMBEDDED = 'f000000000000042';
const SERVER = 'f000000000000043';

/** One for each place, so that a hit names it. */
const evil = (place: string) => `<img src=x onerror="(window.hits??=[]).push('${place}')"><b>${place}</b>`;

const flowsWith = (url: string) => [
  { id: 'f000000000000040', type: 'tab', label: 'hostile' },
  {
    id: RUNS,
    type: 'openai-runs',
    z: 'f000000000000040',
    name: '',
    service: EMBEDDED,
    method: 'createRun',
    property: evil('property'),
    fields: {
      assistant_id: { type: 'str', value: evil('assistant_id') },
      thread_id: { type: 'str', value: evil('thread_id') },
      additional_messages: { type: 'json', value: evil('messages') },
      metadata: { type: 'json', value: `{"a":${evil('metadata')}` },
      temperature: { type: 'num', value: evil('temperature') },
      [evil('field')]: { type: 'str', value: 'x' },
    },
    conversation: evil('conversation'),
    toolTimeout: evil('toolTimeout'),
    deadline: evil('deadline'),
    coalesce: evil('coalesce'),
    x: 700,
    y: 100,
    wires: [[]],
  },
  { ...runsNode('f000000000000044'), method: evil('method') },
  {
    ...runsNode('f000000000000045'),
    fields: { assistant_id: { type: 'str', value: 'asst_named' } },
  },
  {
    id: EMBEDDED,
    type: 'openai-runs-service',
    name: evil('service name'),
    backend: 'embedded',
    provider: 'chat',
    url: evil('url'),
    model: evil('model'),
    database: evil('database'),
    timeout: evil('timeout'),
    expiry: evil('expiry'),
    headers: [{ name: evil('header name'), value: evil('header value') }],
    query: [{ name: evil('query name'), value: 'x' }],
    organization: evil('organization'),
    assistants: [
      { id: 'asst_named', name: evil('assistant name'), model: evil('assistant model') },
      { id: evil('assistant id'), name: 'twice' },
      { id: evil('assistant id'), name: 'twice' },
      { id: '', name: evil('assistant without id') },
      { id: 'asst_tools', tools: [{ type: evil('tool type'), function: { name: evil('tool name') } }] },
    ],
  },
  {
    id: SERVER,
    type: 'openai-runs-service',
    name: 'server',
    backend: 'server',
    url,
  },
];

function runsNode(id: string) {
  return {
    id,
    type: 'openai-runs',
    z: 'f000000000000040',
    service: EMBEDDED,
    method: 'createRun',
    fields: {},
    x: 700,
    y: Number(id.at(-1)) * 60,
    wires: [[]],
  };
}

/** Moves over everything that shows a text when pointed at. */
async function pointAtErrors(page: Page, selector: string): Promise<number> {
  const badges = await page.locator(selector).all();
  for (const badge of badges) {
    await badge.dispatchEvent('mouseenter');
    await page.waitForTimeout(700);
    await badge.dispatchEvent('mouseleave');
  }
  return badges.length;
}

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`hostile names on Node-RED ${release}`, function () {
    this.timeout(90_000);
    let server: TestServer;
    let nodeRed: NodeRed;
    let browser: Browser;
    let editor: Editor;

    before(async () => {
      server = await startServer((_, response) =>
        json(response, { error: { message: evil('server error') } }, 400),
      );
      const flows = flowsWith(`${server.url}/v1`);
      [nodeRed, browser] = await Promise.all([startNodeRed({ release, flows }), openBrowser()]);
      editor = await Editor.open(browser, nodeRed.address);
    });
    after(async () => {
      await editor?.close();
      await browser?.close();
      await nodeRed?.stop();
      await server?.close();
    });

    /** Nothing ran, nothing was even made, and what is shown can be read. */
    async function harmless(where: string): Promise<void> {
      const found = await editor.page.evaluate(() => ({
        // biome-ignore lint/suspicious/noExplicitAny: set by what must not run
        hits: (window as any).hits ?? [],
        made: document.querySelectorAll('img[src="x"]').length,
      }));
      assert.deepEqual(found, { hits: [], made: 0 }, where);
    }

    it('in the workspace and what is wrong with the nodes', async () => {
      await harmless('workspace');
      for (const id of [RUNS, 'f000000000000044', EMBEDDED]) {
        const faults = await editor.faults(id);
        assert.match(faults, /‹img src=x/, faults);
        assert.doesNotMatch(faults, /</);
      }
      assert.ok((await pointAtErrors(editor.page, '.red-ui-flow-node-error')) > 0);
      await harmless('badges');
    });

    it('in the sidebars: configuration nodes, information, help', async () => {
      for (const tab of ['config', 'info', 'help']) {
        // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
        await editor.page.evaluate((name) => (window as any).RED.sidebar.show(name), tab);
        await editor.select('f000000000000045');
        await pointAtErrors(editor.page, '.red-ui-palette-node-annotations');
        await harmless(tab);
      }
    });

    it('in the dialog of the node: fields, hints, the list of assistants', async () => {
      for (const id of [RUNS, 'f000000000000044', 'f000000000000045']) {
        const dialog = await editor.openDialog(id);
        for (const field of await dialog.locator('[data-field="assistant_id"] input:visible').all())
          await field.click();
        for (const bad of await dialog.locator('.input-error').all()) {
          await bad.dispatchEvent('mouseenter');
          await editor.page.waitForTimeout(200);
        }
        await editor.page.waitForTimeout(500);
        await harmless(`dialog of ${id}`);
        await editor.closeAll();
      }
    });

    it('in the dialog of the service: assistants, pairs, the test of a server', async () => {
      for (const id of [EMBEDDED, SERVER]) {
        await editor.page.evaluate(
          // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
          (wanted) => (window as any).RED.editor.editConfig('', 'openai-runs-service', wanted),
          id,
        );
        const dialog = await editor.openedConfig();
        for (const summary of await dialog.locator('summary:visible').all()) await summary.click();
        await harmless(`service ${id}`);
        await editor.page.locator('#runs-service-test').click();
        await editor.page.waitForFunction(
          () => !document.querySelector<HTMLButtonElement>('#runs-service-test')?.disabled,
        );
        await harmless(`test of ${id}`);
        if (id === SERVER) {
          const told = await editor.page.locator('#runs-service-test-result').textContent();
          assert.match(told ?? '', /‹b›server error‹\/b›/);
        }
        await editor.closeAll();
      }
    });
  });
}
