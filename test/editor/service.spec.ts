/** The service's dialog: what each choice asks for, the assistants, the test button, the database. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Locator } from 'playwright-core';
import type { Editor } from '../support/editor.ts';
import { inEditor } from '../support/in-editor.ts';
import { RELEASES, type Release } from '../support/node-red.ts';
import { testPostgres } from '../support/postgres-server.ts';
import { until } from '../support/until.ts';

const RUNS = 'f000000000000011';
const SERVICE = 'f000000000000012';

const flows = [
  { id: 'f000000000000010', type: 'tab', label: 'service' },
  {
    id: RUNS,
    type: 'openai-runs',
    z: 'f000000000000010',
    service: SERVICE,
    method: 'createThreadAndRun',
    x: 200,
    y: 100,
    wires: [[]],
  },
  { id: SERVICE, type: 'openai-runs-service', name: 'mine', backend: 'embedded', provider: 'rehearsal' },
];

const TOOL = { type: 'function', function: { name: 'lamp', parameters: { type: 'object' } } };

/**
 * A server on this machine that has models and assistants, for whoever brings the key.
 * @param before what it waits for before it answers
 */
async function startServer(before: () => Promise<void>): Promise<{ server: Server; url: string }> {
  const server = createServer(async ({ url = '', headers }, response) => {
    await before();
    const allowed = headers.authorization === 'Bearer sk-right';
    const answers: Record<string, object> = {
      '/v1/models': { object: 'list', data: [{ id: 'small' }, { id: 'large' }] },
      '/v1/assistants': { object: 'list', data: [{ id: 'asst_far', name: 'Far' }], has_more: false },
    };
    const body = allowed ? answers[url.replace(/\?.*/, '')] : { error: { message: 'Wrong key.' } };
    response.writeHead(allowed ? (body ? 200 : 404) : 401, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? {}));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`service dialog on Node-RED ${release}`, function () {
    this.timeout(60_000);
    let editor: Editor;
    let server: Server;
    let url: string;
    let mayAnswer = Promise.resolve();

    before(async () => {
      ({ server, url } = await startServer(() => mayAnswer));
    });
    after(() => server?.close());
    inEditor({ release, flows, dark: true }, (opened) => {
      editor = opened.editor;
    });

    const open = async (): Promise<Locator> => {
      await editor.openDialog(RUNS);
      return editor.openConfig('service');
    };
    const save = async () => {
      await editor.closeDialog();
      await editor.closeDialog();
    };
    const key = (dialog: Locator) => dialog.locator('#runs-service-key');
    const test = async (dialog: Locator, expected: RegExp) => {
      await dialog.getByRole('button', { name: 'Test', exact: true }).click();
      await dialog.getByRole('status').filter({ hasText: expected }).waitFor();
    };

    it('declares an assistant with instructions, tools and an output schema, and keeps it', async () => {
      let dialog = await open();
      await dialog.getByRole('button', { name: /assistant$/ }).click();
      const named = dialog.getByRole('group', { name: 'Assistants' }).getByLabel('Name');
      await until(() => named.evaluate((input) => input === document.activeElement));
      await named.fill('Janitor');
      await dialog.getByLabel('Instructions').fill('Switch lamps.\nSay so.');
      await dialog.getByRole('button', { name: 'as JSON' }).click();
      await dialog.getByRole('textbox', { name: 'Tools', exact: true }).fill(JSON.stringify([TOOL]));
      const schema = dialog.getByRole('textbox', { name: 'Output', exact: true });
      const output = dialog.getByRole('button', { name: 'Output' }).first();
      await editor.choose(output, 'JSON schema');
      await schema.fill('{"type":"object"}');
      await editor.picture(`${release}-service-assistant`);
      await save();

      const { assistants } = (await editor.saved(SERVICE)) as { assistants: Record<string, unknown>[] };
      assert.equal(assistants.length, 1);
      const { id, ...assistant } = assistants[0] ?? {};
      assert.match(String(id), /^asst_[A-Za-z0-9]{24}$/);
      assert.deepEqual(assistant, {
        name: 'Janitor',
        instructions: 'Switch lamps.\nSay so.',
        tools: [TOOL],
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'answer', strict: true, schema: { type: 'object' } },
        },
      });
      dialog = await open();
      await save();
      assert.deepEqual((await editor.saved(SERVICE)).assistants, assistants);
    });

    it('takes a function from the form, keeps it, and shows the same as JSON', async () => {
      let dialog = await open();
      await dialog.locator('details.runs-assistant > summary').click();
      const functions = dialog.getByRole('group', { name: 'Functions' });
      await functions.getByRole('button', { name: 'function', exact: true }).click();
      const name = functions.getByLabel('Name of the function').last();
      await name.fill('ouvrir_le_store_n°1');
      await functions.getByText('letters (a to z), digits').waitFor();
      await name.fill('set blind');
      await functions.getByText('letters (a to z), digits').waitFor({ state: 'hidden' });
      await functions.getByLabel('Description for the model').last().focus();
      assert.equal(await name.inputValue(), 'set_blind');
      await functions.getByLabel('Description for the model').last().fill('Move a blind');
      await functions.getByRole('button', { name: 'parameter', exact: true }).last().click();
      await functions.getByLabel('Parameter name').fill('position');
      await functions.getByLabel('Type').selectOption('integer');
      await functions.getByLabel('allowed values, with commas').fill('0, 50, 100');
      await functions.getByText('arguments exactly by the schema').last().click();
      await editor.picture(`${release}-service-function`);
      await save();

      const made = {
        type: 'function',
        function: {
          name: 'set_blind',
          description: 'Move a blind',
          parameters: {
            type: 'object',
            properties: { position: { type: 'integer', enum: [0, 50, 100] } },
            required: ['position'],
            additionalProperties: false,
          },
          strict: true,
        },
      };
      const saved = (await editor.saved(SERVICE)) as { assistants: { tools: object[] }[] };
      assert.deepEqual(saved.assistants[0]?.tools, [TOOL, made]);

      dialog = await open();
      await dialog.locator('details.runs-assistant > summary').click();
      await dialog.getByRole('button', { name: 'as JSON' }).click();
      const json = dialog.getByRole('textbox', { name: 'Tools', exact: true });
      assert.deepEqual(JSON.parse(await json.inputValue()), [TOOL, made]);
      await json.fill(JSON.stringify([TOOL]));
      await dialog.getByRole('button', { name: 'as a form' }).click();
      await dialog
        .getByRole('group', { name: 'Functions' })
        .getByText('set_blind')
        .waitFor({ state: 'detached' });
      await save();
      const after = (await editor.saved(SERVICE)) as { assistants: { tools: object[] }[] };
      assert.deepEqual(after.assistants[0]?.tools, [TOOL]);
    });

    it('lets the id of an assistant be changed on purpose, and checks it', async () => {
      const before = (await editor.saved(SERVICE)) as { assistants: { id: string }[] };
      const rename = async (id: string) => {
        const dialog = await open();
        await dialog.locator('details.runs-assistant > summary').click();
        const field = dialog.getByRole('textbox', { name: 'ID', exact: true });
        assert.equal(await field.isEditable(), false);
        await dialog.getByRole('button', { name: 'change' }).click();
        await field.fill(id);
        await save();
      };
      await rename('no id!');
      assert.match(await editor.faults(SERVICE), /"no id!" is no id/);
      await rename('asst_OfTheOldService');
      assert.equal(await editor.faults(SERVICE), '');
      const after = (await editor.saved(SERVICE)) as { assistants: { id: string }[] };
      assert.deepEqual(after.assistants, [{ ...before.assistants[0], id: 'asst_OfTheOldService' }]);
    });

    it('offers that assistant in the node, by name', async () => {
      const dialog = await editor.openDialog(RUNS);
      await editor.chooseAssistant(dialog, 'Janitor');
      await editor.closeDialog();
      const { fields } = (await editor.saved(RUNS)) as { fields: { assistant_id: { value: string } } };
      assert.match(fields.assistant_id.value, /^asst_/);
      await editor.node(RUNS).getByText('Create thread and run: Janitor').waitFor();
    });

    it('refuses tools that the API would refuse, with the reason', async () => {
      const dialog = await open();
      await dialog.locator('details.runs-assistant > summary').click();
      await dialog.getByRole('button', { name: 'as JSON' }).click();
      await dialog.getByRole('textbox', { name: 'Tools', exact: true }).fill('[{"type":"function"}]');
      await save();
      assert.match(await editor.faults(SERVICE), /Janitor: tool 1 needs a function name/);
      const again = await open();
      await again.locator('details.runs-assistant > summary').click();
      await again.getByRole('button', { name: 'Remove the function' }).click();
      await save();
      assert.equal(await editor.faults(SERVICE), '');
    });

    it('says in one sentence what answers there', async () => {
      const dialog = await open();
      await test(dialog, /nothing to reach/);
      await dialog.getByLabel('Start from').selectOption('ollama');
      assert.equal(
        await dialog.getByRole('textbox', { name: 'Address' }).inputValue(),
        'http://127.0.0.1:11434/v1',
      );
      await dialog.getByRole('textbox', { name: 'Address' }).fill(url);
      await key(dialog).fill('sk-wrong');
      await test(dialog, /Wrong key|401/);
      // In a container there is another sentence beside it.
      const said = dialog.locator('#runs-service-test-result');
      assert.doesNotMatch((await said.textContent()) ?? '', /sk-wrong/);
      await key(dialog).fill('sk-right');
      await test(dialog, /2 models \(large, small\)/);
      const offered = await dialog
        .locator('#runs-service-models option')
        .evaluateAll((options) => options.map((option) => (option as HTMLOptionElement).value));
      assert.deepEqual(offered, ['large', 'small']);
      // A list shows all of them, whatever is typed.
      await dialog.getByLabel('Default model').fill('huge');
      const { promise, resolve } = Promise.withResolvers<void>();
      mayAnswer = promise;
      const pick = dialog.getByRole('button', { name: 'Pick a model' }).first();
      await pick.dblclick();
      assert.equal(await pick.isDisabled(), true);
      resolve();
      const picked = editor.page.locator('.red-ui-menu:visible a');
      await picked.getByText('large').waitFor();
      await editor.picture(`${release}-service-models`);
      await picked.getByText('small').click();
      assert.equal(await dialog.getByLabel('Default model').inputValue(), 'small');
      await test(dialog, /small among them/);
      await dialog.getByLabel('Default model').fill('huge');
      await test(dialog, /huge is not among/);
      await editor.picture(`${release}-service-test`);
      await dialog.getByLabel('Runs execute').selectOption('server');
      await test(dialog, /speaks the Runs API/);
    });

    it('keeps the settings of a server, and the key among the credentials only', async () => {
      const dialog = await open();
      await dialog.getByLabel('Start from').selectOption('foundry');
      await dialog.getByText('More about the server').click();
      await dialog.getByRole('textbox', { name: 'Address' }).fill(url);
      await dialog.getByLabel('Key goes into').selectOption('bearer');
      await key(dialog).fill('sk-right');
      await editor.picture(`${release}-service-server`);
      await save();
      const saved = await editor.saved(SERVICE);
      assert.equal(saved.backend, 'server');
      assert.equal(saved.url, url);
      assert.deepEqual(saved.query, [{ name: 'api-version', value: 'v1' }]);
      assert.equal(await editor.faults(SERVICE), '');
      assert.equal(await editor.faults(RUNS), '');
      await editor.deploy();
      assert.doesNotMatch(JSON.stringify(await editor.exported()), /sk-right/);
    });

    it('tests with the stored key, and offers the assistants that the server has', async () => {
      const dialog = await open();
      await test(dialog, /speaks the Runs API/);
      await editor.closeAll();
      const runs = await editor.openDialog(RUNS);
      // The assistant of before is not one of the server's, and the dialog says so.
      await runs.getByText('The service has no assistant of this ID.').waitFor();
      await editor.choose(runs.getByRole('button', { name: 'Type of Assistant' }), 'Assistant');
      await editor.chooseAssistant(runs, 'Far');
      await editor.closeDialog();
      const { fields } = (await editor.saved(RUNS)) as { fields: { assistant_id: { value: string } } };
      assert.equal(fields.assistant_id.value, 'asst_far');
    });

    it('closes no menu under the hand, and misses no dialog, when the list of a slow server comes', async () => {
      const { promise, resolve: answer } = Promise.withResolvers<void>();
      mayAnswer = promise;
      const asks = () => editor.page.waitForRequest(/openai-runs-service\/.+\/assistants$/);
      const asked = asks();
      await editor.openDialog(RUNS);
      await asked;
      await editor.closeAll();
      const askedAgain = asks();
      const runs = await editor.openDialog(RUNS);
      await askedAgain;
      const type = runs.getByRole('button', { name: 'Type of Assistant' });
      const menu = await editor.openMenu(type);
      answer();
      // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
      await editor.page.waitForFunction(() => (window as any).$.active === 0);
      await menu.getByText('msg.', { exact: true }).click();
      assert.equal((await type.innerText()).trim(), 'msg.');
      await editor.choose(type, 'Assistant');
      await editor.chooseAssistant(runs, 'Far');
      await editor.closeDialog();
      const { fields } = (await editor.saved(RUNS)) as { fields: { assistant_id: { value: string } } };
      assert.equal(fields.assistant_id.value, 'asst_far');
    });

    it('makes a new assistant from the list of the node, and chooses it there', async () => {
      const runs = await editor.openDialog(RUNS);
      await editor.chooseAssistant(runs, 'new assistant …');
      const service = await editor.openedConfig();
      await service.getByLabel('Runs execute').selectOption('embedded');
      await service.getByRole('group', { name: 'Assistants' }).getByLabel('Name').last().fill('Gardener');
      await editor.closeDialog();
      await runs.getByRole('button', { name: 'Choose Assistant' }).filter({ hasText: 'Gardener' }).waitFor();
      await editor.closeDialog();
      await editor.node(RUNS).getByText('Create thread and run: Gardener').waitFor();
    });

    it('shows where the database lies, and once it is deployed what is in it', async () => {
      let dialog = await open();
      await dialog.getByLabel('Start from').selectOption('rehearsal');
      await dialog.getByText('Database and limits of the engine').click();
      await dialog.getByText(new RegExp(`openai-runs.${SERVICE}\\.sqlite \\(its size stands here`)).waitFor();
      await save();
      await editor.deploy();
      dialog = await open();
      await dialog.getByText('Database and limits of the engine').click();
      const held = new RegExp(`openai-runs.${SERVICE}\\.sqlite, \\d+ KB, threads: 0, runs: 0`);
      await dialog.getByText(held).waitFor();
      await dialog.getByLabel('Database', { exact: true }).selectOption('memory');
      await save();
      assert.equal((await editor.saved(SERVICE)).database, ':memory:');
    });

    it('asks for what PostgreSQL needs, tries it, and saves no password in the flow', async () => {
      const given = new URL(await testPostgres());
      let dialog = await open();
      await dialog.getByLabel('Start from').selectOption('rehearsal');
      await dialog.getByText('Database and limits of the engine').click();
      await dialog.getByLabel('Database', { exact: true }).selectOption('PostgreSQL');
      await dialog.getByLabel('Host').fill(given.hostname);
      await dialog.getByLabel('Port').fill(given.port);
      await dialog.getByLabel('Database name').fill(given.pathname.slice(1));
      await dialog.getByLabel('User', { exact: true }).fill(given.username);
      await dialog.getByLabel('Password').fill('wrong');
      await dialog.getByLabel('Schema').fill('from_dialog');
      await dialog.getByRole('button', { name: 'Test' }).click();
      await dialog.getByText(/refuses the user/).waitFor();
      await dialog.getByLabel('Password').fill(given.password);
      await dialog.getByRole('button', { name: 'Test' }).click();
      await dialog.getByText(/PostgreSQL \d+\.\d+ answered in \d+ ms/).waitFor();
      await save();
      const place = `postgres://${given.username}@${given.host}${given.pathname}?schema=from_dialog`;
      assert.equal((await editor.saved(SERVICE)).database, place);
      assert.doesNotMatch(JSON.stringify(await editor.exported()), new RegExp(`"${given.password}"`));
      dialog = await open();
      await dialog.getByText('Database and limits of the engine').click();
      assert.equal(await dialog.getByLabel('Schema').inputValue(), 'from_dialog');
      await dialog.getByLabel('Database', { exact: true }).selectOption('address');
      await dialog.locator('#node-config-input-databaseUrl').waitFor();
      assert.equal(await dialog.getByLabel('Host').isVisible(), false);
      await save();
      assert.equal((await editor.saved(SERVICE)).database, 'postgres:');
    });

    it('has nothing to complain about in the console', () => {
      assert.deepEqual(editor.errors, []);
    });
  });
}
