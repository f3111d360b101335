/** Fields of the service's dialog that are a text or come from elsewhere: address, organization, project, the key. */
import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import type { Editor } from '../support/editor.ts';
import { inEditor } from '../support/in-editor.ts';
import { type NodeRed, RELEASES, type Release } from '../support/node-red.ts';

const RUNS = 'f000000000000021';
const SERVICE = 'f000000000000022';

const flows = [
  { id: 'f000000000000020', type: 'tab', label: 'typed' },
  { id: RUNS, type: 'openai-runs', z: 'f000000000000020', service: SERVICE, x: 200, y: 100, wires: [[]] },
  // As it was saved before there were types.
  { id: SERVICE, type: 'openai-runs-service', backend: 'server', url: 'http://127.0.0.1:9/v1', project: 'p' },
];

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`typed fields of the service on Node-RED ${release}`, function () {
    this.timeout(60_000);
    let nodeRed: NodeRed;
    let editor: Editor;
    let dialog: Locator;

    inEditor({ release, flows }, (opened) => {
      ({ nodeRed, editor } = opened);
    });

    const open = async () => {
      await editor.openDialog(RUNS);
      dialog = await editor.openConfig('service');
    };
    const save = async (): Promise<Record<string, unknown>> => {
      await editor.closeDialog();
      await editor.closeDialog();
      return editor.saved(SERVICE);
    };
    const field = (name: string) => dialog.getByRole('textbox', { name, exact: true });
    const key = () => dialog.locator('#runs-service-key');
    const type = (name: string) => dialog.getByRole('button', { name: `Type of ${name}`, exact: true });

    it('stay texts in a service that was saved without types', async () => {
      await open();
      assert.equal(await field('Address').inputValue(), 'http://127.0.0.1:9/v1');
      const { url, urlType, project, projectType, apiKeyType } = await save();
      assert.deepEqual(
        { url, urlType, project, projectType, apiKeyType },
        {
          url: 'http://127.0.0.1:9/v1',
          urlType: 'str',
          project: 'p',
          projectType: 'str',
          apiKeyType: 'cred',
        },
      );
    });

    it('keep where each message brings a value, warn of strangers, and have nothing to test', async () => {
      await open();
      await dialog.getByText('More about the server').click();
      await editor.choose(type('Address'), 'msg.');
      await field('Address').fill('server.');
      await editor.choose(type('Project'), 'global.');
      await field('Project').fill('project');
      await dialog.getByText('let no stranger set it').waitFor();
      await dialog.getByRole('button', { name: 'Test', exact: true }).click();
      await dialog.getByRole('status').filter({ hasText: 'brings what is in msg.server.' }).waitFor();
      await editor.picture(`${release}-service-typed`);
      await save();
      assert.notEqual(await editor.faults(SERVICE), '');
      await open();
      await field('Address').fill('server');
      const { url, urlType, project, projectType } = await save();
      assert.deepEqual(
        { url, urlType, project, projectType },
        { url: 'server', urlType: 'msg', project: 'project', projectType: 'global' },
      );
      assert.equal(await editor.faults(SERVICE), '');
      await editor.openDialog(RUNS);
      const chosen = editor.page.locator('#node-input-service option:checked');
      assert.equal(await chosen.textContent(), 'msg.server');
    });

    it('take the key from a variable by its name, and show no typed key as a text', async () => {
      await open();
      await key().fill('sk-secret');
      assert.equal(await key().getAttribute('type'), 'password');
      await editor.choose(type('API key'), 'env variable');
      assert.equal(await key().inputValue(), '');
      assert.equal(await key().getAttribute('type'), 'text');
      await key().fill('sk-pasted');
      await save();
      assert.match(await editor.faults(SERVICE), /name of an environment variable/);
      await open();
      const variable = `$\{RUNS_KEY}`;
      await key().fill(variable);
      const saved = await save();
      assert.deepEqual([saved.apiKeyType, saved.apiKeyEnv], ['env', 'RUNS_KEY']);
      assert.equal(await editor.faults(SERVICE), '');
      await editor.deploy();
      assert.doesNotMatch(JSON.stringify(await editor.exported()), /sk-/);
      const stored = await fetch(`${nodeRed.address}/credentials/openai-runs-service/${SERVICE}`);
      assert.doesNotMatch(await stored.text(), /"has_apiKey":true/);
    });

    it('are a text or a variable for the embedded engine, and a text once a preset is chosen', async () => {
      await open();
      await dialog.getByLabel('Runs execute').selectOption('embedded');
      await dialog.getByLabel('Provider').selectOption('chat');
      const offered = await editor.openMenu(type('Address'));
      assert.doesNotMatch(await offered.innerText(), /msg\.|flow\.|global\./);
      await editor.page.keyboard.press('Escape');
      await editor.choose(type('Address'), 'env variable');
      await field('Address').fill('LLM_URL');
      assert.equal(await dialog.getByLabel('Start from').inputValue(), '');
      await dialog.getByLabel('Start from').selectOption('ollama');
      assert.equal(await field('Address').inputValue(), 'http://127.0.0.1:11434/v1');
      const { url, urlType } = await save();
      assert.deepEqual({ url, urlType }, { url: 'http://127.0.0.1:11434/v1', urlType: 'str' });
    });

    it('have nothing to complain about in the console', () => {
      assert.deepEqual(editor.errors, []);
    });
  });
}
