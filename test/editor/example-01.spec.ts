/** What a person does first: import the first example, look around, deploy, press the button, read the reply. */
import assert from 'node:assert/strict';
import type { Editor } from '../support/editor.ts';
import { inEditor } from '../support/in-editor.ts';
import { RELEASES, type Release } from '../support/node-red.ts';

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`example 01 in the editor of Node-RED ${release}`, function () {
    this.timeout(90_000);
    let editor: Editor;

    inEditor({ release }, (opened) => {
      editor = opened.editor;
    });

    it('is found under Examples and comes without a fault', async () => {
      await editor.importExample('01 - Ask and wait');
      const runs = await editor.idOf('openai-runs');
      await editor.node(runs).waitFor();
      assert.equal(await editor.node(runs).locator('.red-ui-flow-node-error').isVisible(), false);
      await editor.picture(`${release}-example-01`);
    });

    it('opens the dialog of the runs node, and from there that of its service', async () => {
      const dialog = await editor.openDialog(await editor.idOf('openai-runs'));
      assert.equal(await dialog.locator('#node-input-method').inputValue(), 'createThreadAndRun');
      assert.equal(await dialog.getByRole('button', { name: 'Choose Assistant' }).textContent(), 'Helper');
      await editor.picture(`${release}-runs-dialog`);
      const service = await editor.openConfig('service');
      assert.equal(await service.locator('#node-config-input-provider').inputValue(), 'rehearsal');
      assert.equal(await service.locator('.runs-assistant-id').textContent(), 'asst_ExampleHelper');
      await editor.picture(`${release}-service-dialog`);
      await editor.closeDialog();
      await editor.closeDialog();
    });

    it('deploys, and the button of the inject node brings events and the reply into the sidebar', async () => {
      await editor.deploy();
      await editor.showDebug();
      await editor.press(await editor.idOf('inject'));
      const reply = await editor.debugMessage('reply');
      assert.match(reply, /rehearsal/i);
      const events = await editor.debugMessage('events');
      assert.match(events, /thread\.created/);
      await editor.picture(`${release}-reply`);
    });

    it('has nothing to complain about in the console', () => {
      assert.deepEqual(editor.errors, []);
    });
  });
}
