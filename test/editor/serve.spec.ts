/** The section "Serve to other programs": a key is made, shown once, works after the deploy, and can be revoked. */
import assert from 'node:assert/strict';
import type { Editor } from '../support/editor.ts';
import { inEditor } from '../support/in-editor.ts';
import { type NodeRed, RELEASES, type Release } from '../support/node-red.ts';
import { until } from '../support/until.ts';

const flows = [
  { id: 'f000000000000010', type: 'tab', label: 'serve' },
  {
    id: 'f000000000000011',
    type: 'openai-runs',
    z: 'f000000000000010',
    service: 'f000000000000012',
    method: 'createThreadAndRun',
    x: 200,
    y: 100,
    wires: [[]],
  },
  {
    id: 'f000000000000012',
    type: 'openai-runs-service',
    name: 'mine',
    backend: 'embedded',
    provider: 'rehearsal',
    database: ':memory:',
  },
];

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`serving, in the dialog on Node-RED ${release}`, function () {
    this.timeout(60_000);
    let nodeRed: NodeRed;
    let editor: Editor;

    inEditor({ release, flows }, (opened) => {
      ({ nodeRed, editor } = opened);
    });

    const open = async () => {
      await editor.openDialog('f000000000000011');
      const dialog = await editor.openConfig('service');
      await dialog.getByText('Serve to other programs').click();
      return dialog;
    };
    const saveAndDeploy = async () => {
      await editor.closeDialog();
      await editor.closeDialog();
      const starts = nodeRed.log().split('Started ').length;
      await editor.deploy();
      await until(() => nodeRed.log().split('Started ').length > starts);
    };

    it('makes a key that is shown once, works, tells its last use, and is revoked', async () => {
      let dialog = await open();
      await dialog.getByLabel('Answer other programs over HTTP').check();
      await dialog.getByText('no key has been made').waitFor();
      const base = await dialog.getByLabel('Base URL').inputValue();
      assert.equal(base, `${nodeRed.address}/openai-runs/v1`);
      await dialog.getByRole('group', { name: 'Keys' }).locator('.red-ui-editableList-addButton').click();
      await dialog.getByLabel('Name of the program').fill('kitchen');
      const shown = dialog.locator('.runs-key-shown');
      await dialog.getByText('Copy this key now').waitFor();
      const key = await shown.inputValue();
      assert.match(key, /^sk-runs-[\w-]{43}$/);
      await dialog.getByLabel('Requests at once').fill('7');
      await editor.picture(`${release}-serve`);
      await saveAndDeploy();
      const saved = (await (await fetch(`${nodeRed.address}/flows`)).json()) as { serveAtOnce?: number }[];
      assert.equal(saved.find((node) => 'serveAtOnce' in node)?.serveAtOnce, 7);
      const status = async () =>
        (await fetch(`${base}/assistants`, { headers: { authorization: `Bearer ${key}` } })).status;
      assert.equal(await status(), 200);
      assert.ok(!JSON.stringify(await (await fetch(`${nodeRed.address}/flows`)).json()).includes('salt'));

      dialog = await open();
      assert.equal(await dialog.getByLabel('Name of the program').inputValue(), 'kitchen');
      assert.equal(await shown.count(), 0);
      await dialog.getByText(/^last used /).waitFor();
      await dialog.getByRole('group', { name: 'Keys' }).locator('.red-ui-editableList-item-remove').click();
      await dialog.getByLabel('Name of the program').waitFor({ state: 'detached' });
      await saveAndDeploy();
      assert.notEqual(await status(), 200);
    });

    it('says in red that no key is asked for', async () => {
      const dialog = await open();
      await dialog.getByLabel('Who may ask').selectOption('local');
      const warning = dialog.getByText('No key is asked for');
      assert.match((await warning.getAttribute('class')) ?? '', /runs-bad/);
      await editor.closeAll();
    });
  });
}
