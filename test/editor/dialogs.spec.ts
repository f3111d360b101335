/** Every method's dialog: opened, filled by hand, saved, opened again with the same values. */
import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import catalogue from '../../locales/en-US/openai-runs.json' with { type: 'json' };
import { methods } from '../../nodes/openai-runs/methods/index.ts';
import type { Method, Parameter } from '../../nodes/openai-runs/methods/method.ts';
import type { Editor } from '../support/editor.ts';
import { inEditor } from '../support/in-editor.ts';
import { RELEASES, type Release } from '../support/node-red.ts';

const texts = catalogue['openai-runs'];
const TAB = 'f000000000000001';
const SERVICE = 'f000000000000002';

/** One node of each method, as an older flow may have it: only what it needs. */
const flows = [
  { id: TAB, type: 'tab', label: 'methods' },
  {
    id: SERVICE,
    type: 'openai-runs-service',
    name: 'rehearsal',
    backend: 'embedded',
    provider: 'rehearsal',
    database: ':memory:',
    assistants: [{ id: 'asst_one', name: 'One' }],
  },
  ...methods.map(({ id }, index) => ({
    id: `node-${id}`,
    type: 'openai-runs',
    z: TAB,
    service: SERVICE,
    method: id,
    x: 200 + 300 * (index % 3),
    y: 80 + 80 * Math.floor(index / 3),
    wires: [[]],
  })),
  {
    id: 'node-plain',
    type: 'openai-runs',
    z: TAB,
    service: SERVICE,
    method: 'createThreadAndRun',
    x: 500,
    y: 800,
    wires: [[]],
  },
  {
    id: 'inject-text',
    type: 'inject',
    z: TAB,
    props: [{ p: 'payload' }],
    payload: 'hello',
    payloadType: 'str',
    x: 200,
    y: 800,
    wires: [[]],
  },
];

interface Filled {
  value: string;
  type: string;
}

/** Something that fits a parameter, other than its default. */
function sample(name: string, parameter: Parameter): Filled {
  const types = [parameter.type].flat();
  if (name === 'include') {
    return { value: '["step_details.tool_calls[*].file_search.results[*].content"]', type: 'json' };
  }
  if (name === 'assistant_id') return { value: 'asst_one', type: 'str' };
  if (name === 'content') return { value: 'What is said', type: 'str' };
  if (parameter.enum) return { value: parameter.enum.at(-1) ?? '', type: 'str' };
  if (types.includes('boolean')) return { value: 'false', type: 'bool' };
  if (name === 'temperature' || name === 'top_p') return { value: '0.5', type: 'num' };
  if (types.includes('integer')) return { value: name === 'limit' ? '5' : '300', type: 'num' };
  if (types.includes('array')) return { value: '[{"a":1}]', type: 'json' };
  if (types.includes('object')) return { value: '{"a":"b"}', type: 'json' };
  return { value: `${name}_1`, type: 'str' };
}

const labelOf = (name: string) => texts.field[name as keyof typeof texts.field];

/** Fields whose value is chosen, not typed, and what the choice is called. */
function choiceOf(name: string, parameter: Parameter, { value }: Filled): string | undefined {
  if (name === 'include') return texts.value.fileSearchContent;
  if (name === 'assistant_id') return 'One';
  return parameter.enum || [parameter.type].flat().includes('boolean') ? value : undefined;
}

async function unfold(dialog: Locator): Promise<void> {
  const folded = dialog.locator('details:not([open]) > summary:visible');
  while ((await folded.count()) > 0) await folded.first().click();
}

async function fill(editor: Editor, dialog: Locator, name: string, parameter: Parameter): Promise<Filled> {
  const filled = sample(name, parameter);
  const choice = choiceOf(name, parameter, filled);
  if (choice === undefined) {
    await dialog.getByRole('textbox', { name: labelOf(name), exact: true }).fill(filled.value);
  } else {
    await editor.choose(dialog.getByRole('button', { name: `Choose ${labelOf(name)}` }), choice);
  }
  return filled;
}

/** What the dialog shows of a field. */
async function shown(dialog: Locator, name: string, parameter: Parameter, filled: Filled): Promise<string> {
  const choice = choiceOf(name, parameter, filled);
  if (choice === undefined) {
    return dialog.getByRole('textbox', { name: labelOf(name), exact: true }).inputValue();
  }
  const button = dialog.getByRole('button', { name: `Choose ${labelOf(name)}` });
  return (await button.textContent()) === choice ? filled.value : '';
}

async function fillSettings(dialog: Locator, method: Method): Promise<Record<string, unknown>> {
  if (method.delivers) {
    await dialog.getByLabel('Result', { exact: true }).selectOption('json');
    await dialog.getByLabel('Deadline').fill('30');
    const settings = { delivery: 'wait', result: 'json', deadline: 30 };
    // Runs of other programs always leave by output 1, and their calls by output 2.
    if ('serves' in method) return { ...settings, failures: 'catch', outputs: 2 };
    await dialog.getByLabel('Failed runs').selectOption('output');
    return { ...settings, failures: 'output', outputs: 1 };
  }
  if (method.answers !== 'list') return { delivery: 'wait', result: 'run', outputs: 1 };
  await dialog.getByLabel('Lists').selectOption('all');
  await dialog.getByLabel('At most').fill('77');
  return { paging: 'all', maxItems: 77, outputs: 1 };
}

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`dialogs on Node-RED ${release}`, function () {
    this.timeout(60_000);
    let editor: Editor;

    inEditor({ release, flows }, (opened) => {
      editor = opened.editor;
    });

    // All of them on the newer release; two on the older, whose controls are the same.
    for (const method of release === '5' ? methods : methods.slice(0, 2)) {
      it(`${method.id}: keeps what is filled in`, async () => {
        const fields = Object.entries(method.parameters);
        let dialog = await editor.openDialog(`node-${method.id}`);
        assert.equal((await dialog.locator('[data-field]:visible').count()) > 0, fields.length > 0);
        await unfold(dialog);
        assert.equal(await dialog.locator('[data-field]:visible').count(), fields.length);
        const expected: Record<string, Filled> = {};
        for (const [name, parameter] of fields) expected[name] = await fill(editor, dialog, name, parameter);
        const settings = await fillSettings(dialog, method);
        await editor.picture(`${release}-${method.id}`);
        await editor.closeDialog();

        const saved = await editor.saved(`node-${method.id}`);
        assert.deepEqual(saved.fields, expected);
        for (const [name, value] of Object.entries(settings)) assert.equal(saved[name], value, name);

        dialog = await editor.openDialog(`node-${method.id}`);
        await unfold(dialog);
        for (const [name, parameter] of fields) {
          const filled = expected[name] as Filled;
          assert.equal(await shown(dialog, name, parameter, filled), filled.value, name);
        }
        await editor.closeDialog();
        // A longer label moves the middle of a node, when the editor comes to draw it.
        assert.deepEqual({ ...(await editor.saved(`node-${method.id}`)), x: saved.x }, saved);
      });
    }

    it('loses nothing typed when the method is changed and changed back', async () => {
      const dialog = await editor.openDialog('node-createRun');
      const instructions = dialog.getByRole('textbox', { name: 'Added instructions', exact: true });
      await instructions.fill('be brief');
      await dialog.getByLabel('Method', { exact: true }).selectOption('getRun');
      assert.equal(await instructions.isVisible(), false);
      assert.equal(
        await dialog.getByRole('textbox', { name: 'Thread ID', exact: true }).inputValue(),
        'thread_id_1',
      );
      await dialog.getByLabel('Method', { exact: true }).selectOption('createRun');
      assert.equal(await instructions.inputValue(), 'be brief');
      await editor.closeDialog();
    });

    it('keeps the wires on the output they meant when outputs come and go', async () => {
      await editor.wire('node-createThreadAndRun', 0, 'node-getRun');
      let dialog = await editor.openDialog('node-createThreadAndRun');
      await dialog.getByLabel('Delivery', { exact: true }).selectOption('stream');
      await editor.closeDialog();
      assert.equal((await editor.saved('node-createThreadAndRun')).outputs, 2);
      await editor.wire('node-createThreadAndRun', 1, 'node-listRuns');
      dialog = await editor.openDialog('node-createThreadAndRun');
      const warning = dialog.getByText('Nothing is wired to output 2 yet');
      assert.equal(await warning.isVisible(), false);
      await dialog.getByLabel('Tool calls leave').check();
      assert.equal(await warning.isVisible(), true);
      await editor.picture(`${release}-tools`);
      await editor.closeDialog();
      assert.deepEqual((await editor.saved('node-createThreadAndRun')).wires, [
        ['node-getRun'],
        [],
        ['node-listRuns'],
      ]);
      await editor.wire('node-createThreadAndRun', 1, 'node-listRuns');
      dialog = await editor.openDialog('node-createThreadAndRun');
      assert.equal(await dialog.getByText('Nothing is wired to output 2 yet').isVisible(), false);
      await dialog.getByLabel('Delivery', { exact: true }).selectOption('start');
      assert.equal(await dialog.getByLabel('Result', { exact: true }).isVisible(), false);
      await editor.closeDialog();
      assert.deepEqual((await editor.saved('node-createThreadAndRun')).wires, [['node-getRun']]);
    });

    it('offers the stream for every method that follows a run', async () => {
      const dialog = await editor.openDialog('node-getRun');
      await dialog.getByLabel('Delivery', { exact: true }).selectOption('stream');
      await dialog.getByText('Each event leaves by the last output').waitFor();
      await editor.closeDialog();
      assert.equal((await editor.saved('node-getRun')).outputs, 2);
    });

    it('says what is wrong with a field, and that the node is not ready', async () => {
      const dialog = await editor.openDialog('node-listRuns');
      await dialog.getByRole('textbox', { name: 'Page size', exact: true }).fill('1000');
      await editor.closeDialog();
      assert.match(await editor.faults('node-listRuns'), /limit must be between 1 and 100/);
      await editor.node('node-listRuns').locator('.red-ui-flow-node-error').waitFor();
    });

    it('knows that an inject node which sends a text brings no fields', async () => {
      assert.equal(await editor.faults('node-plain'), '');
      await editor.wire('inject-text', 0, 'node-plain');
      assert.match(await editor.faults('node-plain'), /assistant_id is missing/);
      const dialog = await editor.openDialog('node-plain');
      await editor.chooseAssistant(dialog, 'One');
      await editor.closeDialog();
      assert.equal(await editor.faults('node-plain'), '');
    });

    it('writes instructions of several lines in the text editor', async () => {
      let dialog = await editor.openDialog('node-createRun');
      await dialog.getByRole('button', { name: 'Open Added instructions in an editor' }).click();
      await editor.typeInTextEditor('first line\nsecond line');
      await editor.closeDialog();
      const { fields } = (await editor.saved('node-createRun')) as { fields: Record<string, Filled> };
      assert.equal(fields.additional_instructions?.value, 'first line\nsecond line');
      dialog = await editor.openDialog('node-createRun');
      await editor.closeDialog();
      assert.deepEqual((await editor.saved('node-createRun')).fields, fields);
    });

    it('can be used with the keyboard alone, and each control has a name', async () => {
      await editor.select('node-cancelRun');
      await editor.page.keyboard.press('Enter');
      await editor.page.locator('.runs-dialog').waitFor();
      await editor.tabTo('Method');
      await editor.page.keyboard.type('List run steps');
      await editor.tabTo('Request');
      await editor.tabTo('Run ID');
      await editor.page.keyboard.press('ControlOrMeta+a');
      await editor.page.keyboard.type('run_typed');
      const names = await editor.tabTo('Limits', 'Lists');
      assert.deepEqual(
        names.filter((name) => name === ''),
        [],
      );
      await editor.page.keyboard.press('ControlOrMeta+Enter');
      await editor.page.locator('.runs-dialog').waitFor({ state: 'detached' });
      const saved = (await editor.saved('node-cancelRun')) as {
        method: string;
        fields: Record<string, Filled>;
      };
      assert.equal(saved.method, 'listRunSteps');
      assert.equal(saved.fields.run_id?.value, 'run_typed');
    });

    it('shows no key of the catalogue instead of a text', async () => {
      const dialog = await editor.openDialog('node-createRun');
      assert.doesNotMatch(await dialog.innerHTML(), />[^<]*openai-runs\.[a-zA-Z.]+[^<]*</);
      await editor.closeDialog();
    });

    it('has nothing to complain about in the console', () => {
      assert.deepEqual(editor.errors, []);
    });
  });
}
