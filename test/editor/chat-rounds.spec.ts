/** The panel's chat where a run's calls are answered elsewhere, round after round; on both releases. */
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { ChatPage } from '../support/chat.ts';
import { Editor } from '../support/editor.ts';
import { json, startServer, type TestServer } from '../support/http-server.ts';
import { type NodeRed, RELEASES, type Release, startNodeRed } from '../support/node-red.ts';
import { openPanel } from '../support/panel.ts';
import { until } from '../support/until.ts';

const TAB = 'e000000000000000';
const LOOPER = 'e0000000000000aa';
const OTHER = 'e0000000000000ab';
const NODE = 'e0000000000000ac';
const FIX = 'Answer this function so from now on (mock)';

/** A model that calls two functions first, then one of them again and again; its models have a name of their own. */
const startModel = (name: string) =>
  startServer(({ path, body }, response) => {
    if (path.endsWith('/models'))
      return json(response, { object: 'list', data: [{ id: name, object: 'model' }] });
    const round = body.messages.filter(({ role }: { role: string }) => role === 'assistant').length;
    const names = round === 0 ? ['look', 'listen'] : ['look'];
    const tool_calls = names.map((one) => ({
      id: `call_${Math.random()}`,
      type: 'function',
      function: { name: one, arguments: JSON.stringify({ round }) },
    }));
    const message = { role: 'assistant', content: round > 0 ? `Round ${round}.` : null, tool_calls };
    json(response, { choices: [{ index: 0, message, finish_reason: 'tool_calls' }] });
  });

const service = (id: string, name: string, url: string, model: string) => ({
  id,
  type: 'openai-runs-service',
  name,
  backend: 'embedded',
  provider: 'chat',
  url: `${url}/v1`,
  model,
  database: ':memory:',
  assistants: [
    {
      id: 'asst_loop',
      name: 'Looper',
      tools: ['look', 'listen'].map((one) => ({ type: 'function', function: { name: one, parameters: {} } })),
    },
  ],
});

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`rounds of calls in the chat on Node-RED ${release}`, function () {
    this.timeout(60_000);
    let models: TestServer[];
    let red: NodeRed;
    let browser: Browser;
    let editor: Editor;
    let chat: ChatPage;

    before(async () => {
      models = await Promise.all([startModel('loop'), startModel('other-loop')]);
      const [one, two] = models as [TestServer, TestServer];
      const waiter = {
        id: NODE,
        type: 'openai-runs',
        z: TAB,
        name: 'Loop',
        service: LOOPER,
        method: 'createThreadAndRun',
        tools: true,
        toolTimeout: 0,
        fields: { assistant_id: { type: 'str', value: 'asst_loop' } },
        outputs: 2,
        wires: [[], ['e0000000000000ad']],
        x: 300,
        y: 100,
      };
      const flows = [
        { id: TAB, type: 'tab', label: 'Loops' },
        service(LOOPER, 'First service', one.url, 'loop'),
        service(OTHER, 'Second service', two.url, 'other-loop'),
        waiter,
        { id: 'e0000000000000ad', type: 'junction', z: TAB, x: 500, y: 100, wires: [[]] },
      ];
      [red, browser] = await Promise.all([startNodeRed({ release, flows }), openBrowser()]);
      editor = await Editor.open(browser, red.address);
      chat = new ChatPage(await openPanel(editor));
      await chat.open();
      await chat.panel.getByRole('combobox', { name: 'Service' }).selectOption(LOOPER);
      await chat.begin('Looper');
    });
    afterEach(async function () {
      if (this.currentTest?.state === 'failed') await editor?.picture(`failed-rounds-${release}`);
    });
    after(async () => {
      await editor?.close();
      await browser?.close();
      await red?.stop();
      await Promise.all(models.map((model) => model.close()));
    });

    const tab = (name: string) => chat.panel.getByRole('tab', { name, exact: true });
    const forms = () => chat.panel.locator('.runs-talk .runs-answer');
    const cards = () => chat.panel.locator('.runs-talk .runs-call');
    const round = (of: number) => chat.panel.locator('.runs-call:visible', { hasText: `"round": ${of}` });
    /** Answers all of a round in the list's view of the run. @param next the round that is shown in the end */
    const answerInList = async (now: number, answers: Record<string, string>, next: number) => {
      await tab('Runs').click();
      if (!(await chat.panel.locator('.runs-head').isVisible()))
        await chat.panel.locator('.runs-pinned .runs-row[aria-label^="waiting for an answer"]').click();
      await round(now).locator('.runs-answer').first().waitFor();
      for (const [name, output] of Object.entries(answers)) {
        const card = chat.panel.locator('.runs-call:visible', { has: editor.page.locator('.runs-answer') });
        const one = card.filter({ hasText: name }).last();
        await one.getByRole('textbox').fill(output);
        await one.getByRole('button', { name: 'Send the answer' }).click();
      }
      await round(next).first().waitFor();
      await tab('Chat').click();
    };

    it('offers the models of the service that is chosen', async () => {
      const models = () =>
        chat.panel
          .locator('#runs-chat-models option')
          .evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).value));
      await chat.panel.locator('.runs-options summary').click();
      await until(async () => (await models()).includes('loop'));
      await chat.panel.getByRole('combobox', { name: 'Service' }).selectOption(OTHER);
      await until(async () => (await models()).includes('other-loop'));
      assert.equal((await models()).includes('loop'), false);
      await chat.panel.getByRole('combobox', { name: 'Service' }).selectOption(LOOPER);
      await chat.begin('Looper');
      await chat.panel.locator('.runs-options summary').click();
    });

    it('shows what the run asks now, once a round was answered in the list', async () => {
      await chat.say('Look around');
      await until(async () => (await forms().count()) === 2);
      // One answer here counts for nothing where all of the round are given there.
      await forms().first().getByRole('textbox').fill('Kept for nothing');
      await forms().first().getByRole('button', { name: 'Send the answer' }).click();
      await answerInList(0, { look: 'seen there', listen: 'heard there' }, 1);
      await until(async () => (await cards().count()) === 3 && (await forms().count()) === 1);
      assert.match((await cards().nth(1).textContent()) ?? '', /listen.*heard there/s);
      assert.match((await cards().nth(2).textContent()) ?? '', /look.*"round": 1/s);
      await chat.answer('Round 1.').waitFor();
      await forms().getByRole('textbox').fill('seen here');
      await chat.button('Send the answer').click();
      await chat.answer('Round 2.').waitFor();
      await until(async () => (await forms().count()) === 1);
      assert.equal(await chat.panel.locator('.runs-talk .runs-reason').count(), 0);
      assert.equal(await chat.panel.locator('.runs-bubble', { hasText: 'Round 1.' }).count(), 1);
    });

    it('lets mocks answer ten rounds, and ten more once a person has answered one, in the list', async () => {
      await forms().getByRole('textbox').fill('nothing');
      await forms().getByLabel(FIX).check();
      await chat.button('Send the answer').click();
      const often = forms().getByText('The mock has answered 10 times in a row');
      const marks = chat.panel.locator('.runs-talk .runs-mark');
      await often.waitFor();
      assert.equal(await marks.count(), 10);
      await answerInList(13, { look: 'a person again' }, 24);
      await often.waitFor();
      assert.equal(await marks.count(), 20);
      assert.equal(await forms().count(), 1);
      await chat.button('Stop').click();
      await chat.button('Send').waitFor();
    });

    it('shows what a node\u2019s run asks now, too', async () => {
      await tab('Runs').click();
      await chat.button('Back to the list').click();
      await tab('Chat').click();
      await chat.begin('Loop');
      await chat.say('Look around for the node');
      await until(async () => (await forms().count()) === 2);
      await answerInList(0, { look: 'seen there', listen: 'heard there' }, 1);
      await until(async () => (await cards().count()) === 3 && (await forms().count()) === 1);
      assert.match((await cards().first().textContent()) ?? '', /look.*seen there/s);
      await chat.button('Stop').click();
      await chat.button('Send').waitFor();
      assert.deepEqual(editor.errors, []);
    });
  });
}
