/** The panel's chat as a place to try things out: other values, saved or not, and the flow that comes of it. */
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { ChatPage } from '../support/chat.ts';
import { Editor } from '../support/editor.ts';
import { type NodeRed, RELEASES, type Release, startNodeRed } from '../support/node-red.ts';
import { ASKER, FLOWS, OPEN, openPanel } from '../support/panel.ts';
import { until } from '../support/until.ts';

// biome-ignore lint/suspicious/noExplicitAny: the editor's own things are looked into freely
type Any = any;

const MAKE = 'e0000000000000b1';
/** Makes an assistant that no dialog declares. */
const MAKER = [
  {
    id: MAKE,
    type: 'inject',
    z: 'e000000000000000',
    props: [],
    repeat: '',
    crontab: '',
    once: false,
    x: 200,
    y: 360,
    wires: [['e0000000000000b2']],
  },
  {
    id: 'e0000000000000b2',
    type: 'openai-runs',
    z: 'e000000000000000',
    service: OPEN,
    method: 'createAssistant',
    fields: {
      name: { value: 'Made by a flow', type: 'str' },
      model: { value: 'rehearsal', type: 'str' },
    },
    outputs: 1,
    x: 420,
    y: 360,
    wires: [[]],
  },
];

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`trying out in the chat on Node-RED ${release}`, function () {
    this.timeout(60_000);
    let red: NodeRed;
    let browser: Browser;
    let editor: Editor;
    let chat: ChatPage;

    before(async () => {
      [red, browser] = await Promise.all([
        startNodeRed({ release, flows: [...FLOWS, ...MAKER] }),
        openBrowser(),
      ]);
      assert.equal((await fetch(`${red.address}/inject/${MAKE}`, { method: 'POST' })).status, 200);
      await until(async () => {
        const all = await fetch(`${red.address}/openai-runs-panel/${OPEN}/assistants`);
        return ((await all.json()) as Any[]).length === 2;
      });
      editor = await Editor.open(browser, red.address);
      chat = new ChatPage(await openPanel(editor));
      await chat.open();
      await chat.panel.getByRole('combobox', { name: 'Service' }).selectOption(OPEN);
      await chat.begin('Gardener');
      await fold().locator('summary').click();
    });
    afterEach(async function () {
      if (this.currentTest?.state === 'failed') await editor?.picture(`failed-changes-${release}`);
    });
    after(async () => {
      await editor?.close();
      await browser?.close();
      await red?.stop();
    });

    const fold = () => chat.panel.locator('.runs-options');
    const summary = async () => (await fold().locator('summary').textContent()) ?? '';
    const field = (name: string) => fold().getByLabel(name, { exact: true });
    const runOf = async (words: string): Promise<Any> => {
      const base = `${red.address}/openai-runs-panel`;
      const { rows } = (await (await fetch(`${base}/runs?text=${encodeURIComponent(words)}`)).json()) as Any;
      const [{ threadId, id }] = rows;
      return ((await (await fetch(`${base}/${OPEN}/runs/${threadId}/${id}`)).json()) as Any).run;
    };
    const inEditor = () =>
      editor.page.evaluate((id) => {
        const { RED } = window as Any;
        const { assistants, changed } = RED.nodes.node(id);
        return { assistant: assistants[0], changed: changed ?? false, dirty: RED.nodes.dirty() };
      }, OPEN);
    const nodes = async (): Promise<Any[]> =>
      editor.page.evaluate(() => (window as Any).RED.nodes.createCompleteNodeSet());

    it('shows what the assistant is set to, and marks nothing', async () => {
      await until(
        async () => (await field('Instructions').getAttribute('placeholder')) === 'You tend a greenhouse.',
      );
      assert.equal(await field('Model').getAttribute('placeholder'), 'rehearsal');
      assert.equal(await field('Temperature').getAttribute('placeholder'), '1');
      assert.doesNotMatch(await summary(), /changed/);
      assert.equal(await chat.button('Save to the assistant').count(), 0);
      assert.equal(
        await chat.panel.locator('#runs-chat-models option').first().getAttribute('value'),
        'rehearsal',
      );
    });

    it('saves to an assistant that was made over the API at once', async () => {
      await chat.panel.getByRole('combobox', { name: 'Talk with' }).selectOption({ label: 'Made by a flow' });
      await until(async () => (await field('Instructions').getAttribute('placeholder')) === '');
      await field('Instructions').fill('You tend cacti.');
      await chat.button('Save to the assistant').click();
      await fold().getByText('Saved to the assistant.').waitFor();
      assert.doesNotMatch(await summary(), /changed: Instructions/);
      assert.equal(await field('Instructions').getAttribute('placeholder'), 'You tend cacti.');
      const base = `${red.address}/openai-runs-panel/${OPEN}/assistants`;
      const all = (await (await fetch(base)).json()) as Any[];
      const { id } = all.find(({ name }) => name === 'Made by a flow');
      const assistant = (await (await fetch(`${base}/${id}`)).json()) as Any;
      assert.equal(assistant.instructions, 'You tend cacti.');
      await chat.begin('Gardener');
    });

    it('asks with other values, marks them, and goes back', async () => {
      await until(
        async () => (await field('Instructions').getAttribute('placeholder')) === 'You tend a greenhouse.',
      );
      await chat.button("Begin with the assistant's own").click();
      assert.doesNotMatch(await summary(), /changed/);
      await field('Instructions').fill('You tend <b>bees</b>.');
      await field('Temperature').fill('0.3');
      assert.match(await summary(), /changed: Instructions, Temperature/);
      await chat.say('Other values');
      await chat.answer('Other values').waitFor();
      const run = await runOf('Other values');
      assert.deepEqual([run.instructions, run.temperature], ['You tend <b>bees</b>.', 0.3]);
      await chat.button("Back to the assistant's own").click();
      assert.doesNotMatch(await summary(), /changed/);
      await chat.say('Own values');
      await chat.answer('Own values').waitFor();
      const after = await runOf('Own values');
      assert.deepEqual([after.instructions, after.temperature], ['You tend a greenhouse.', 1]);
    });

    it('takes over what a run was asked with, as far as that is other', async () => {
      await chat.button('Send').waitFor();
      await chat.asked('Other values').getByRole('button', { name: 'Ask again from here' }).click();
      await until(async () => (await chat.message.inputValue()) === 'Other values');
      assert.match(await summary(), /changed: Instructions, Temperature/);
      assert.equal(await field('Model').inputValue(), '');
      await chat.message.fill('');
    });

    it('says what a value that can\u2019t be does', async () => {
      await field('Model').fill('no-such-model');
      await chat.say('Which model?');
      await chat.panel.locator('.runs-reason', { hasText: 'no-such-model' }).waitFor();
      await chat.button('Send').waitFor();
      await field('Model').fill('');
    });

    it('saves them in the service\u2019s dialog, as an edit that undo takes back', async () => {
      const before = await inEditor();
      assert.deepEqual([before.changed, before.dirty], [false, false]);
      await chat.button('Save to the assistant').click();
      await fold().getByText('Saved in the service.', { exact: false }).waitFor();
      const saved = await inEditor();
      assert.deepEqual(saved, {
        assistant: { ...before.assistant, instructions: 'You tend <b>bees</b>.', temperature: 0.3 },
        changed: true,
        dirty: true,
      });
      await editor.page.locator('#red-ui-workspace-chart').click({ position: { x: 600, y: 400 } });
      await editor.page.keyboard.press('Control+z');
      assert.deepEqual(await inEditor(), before);
      await editor.page.keyboard.press('Control+y');
      assert.deepEqual((await inEditor()).assistant, saved.assistant);
    });

    it('is the assistant\u2019s own after a deploy, and so no change any more', async () => {
      await editor.deploy();
      await until(async () => !(await summary()).includes('changed'));
      assert.equal(await fold().getByText('Saved in the service.', { exact: false }).count(), 0);
      assert.equal(await field('Instructions').getAttribute('placeholder'), 'You tend <b>bees</b>.');
      await chat.begin('Gardener');
      await chat.say('After the deploy');
      await chat.answer('After the deploy').waitFor();
      assert.equal((await runOf('After the deploy')).instructions, 'You tend <b>bees</b>.');
      await chat.button('Send').waitFor();
    });

    it('is not offered where a node is asked, which has settings of its own', async () => {
      await chat.panel.getByRole('combobox', { name: 'Talk with' }).selectOption(`n:${ASKER}`);
      await fold().waitFor({ state: 'hidden' });
      await chat.button('Make a flow of this').waitFor({ state: 'hidden' });
      await chat.panel.getByRole('combobox', { name: 'Talk with' }).selectOption({ label: 'Gardener' });
      await fold().waitFor();
    });

    it('makes a flow: question, assistant, values, and what answers its functions', async () => {
      const before = await nodes();
      await field('Temperature').fill('0.7');
      await chat.say('Please set_valve with 30 percent.');
      await chat.panel.getByLabel('Answer this function so from now on (mock)').check();
      await chat.panel.getByRole('textbox', { name: /set_valve/ }).fill('It is open.');
      await chat.button('Send the answer').click();
      await chat.answer('set_valve answered: It is open.').waitFor();
      await chat.button('Send').waitFor();
      await chat.button('Make a flow of this').click();
      const place = editor.page.locator('#red-ui-workspace-chart');
      await place.hover({ position: { x: 300, y: 500 } });
      await place.click({ position: { x: 320, y: 520 } });
      const known = new Set(before.map(({ id }) => id));
      const made = (await nodes()).filter(({ id }) => !known.has(id));
      const one = (type: string) => made.find((node) => node.type === type);
      const [inject, runs, debug, choice, stub] = [
        'inject',
        'openai-runs',
        'debug',
        'switch',
        'function',
      ].map(one);
      assert.equal(made.length, 5);
      assert.equal(inject.payload, 'Please set_valve with 30 percent.');
      assert.deepEqual(runs.fields, {
        assistant_id: { value: 'asst_greenhouse', type: 'str' },
        temperature: { value: '0.7', type: 'num' },
      });
      assert.deepEqual([runs.method, runs.service, runs.result], ['createThreadAndRun', OPEN, 'text']);
      assert.deepEqual(
        [inject.wires, runs.wires, choice.wires, stub.wires],
        [[[runs.id]], [[debug.id], [choice.id]], [[stub.id]], [[runs.id]]],
      );
      await editor.deploy();
      await editor.showDebug();
      await editor.press(inject.id);
      await editor.page
        .locator('.red-ui-debug-msg-payload', { hasText: 'set_valve answered: It is open.' })
        .waitFor();
      await place.click({ position: { x: 600, y: 60 } });
      await editor.page.keyboard.press('Control+z');
      assert.deepEqual(
        (await nodes()).map(({ id }) => id),
        before.map(({ id }) => id),
      );
      assert.deepEqual(
        editor.errors.filter((error) => !/Failed to load/.test(error)),
        [],
      );
    });

    it('puts nothing down after Escape', async () => {
      await openPanel(editor);
      const before = (await nodes()).length;
      await chat.button('Make a flow of this').click();
      await editor.page.locator('#red-ui-workspace-chart').hover({ position: { x: 300, y: 500 } });
      await editor.page.keyboard.press('Escape');
      await until(async () => (await nodes()).length === before);
    });
  });
}
