/** Calls in the panel's chat, and a thread's way: mocks, stop, new thread, asking again; on both releases. */
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { ChatPage } from '../support/chat.ts';
import { Editor } from '../support/editor.ts';
import { json, startServer, type TestServer } from '../support/http-server.ts';
import { type NodeRed, RELEASES, type Release, startNodeRed } from '../support/node-red.ts';
import { FLOWS, OPEN, openPanel } from '../support/panel.ts';
import { until } from '../support/until.ts';

const FIX = 'Answer this function so from now on (mock)';
const LOOPER = 'e0000000000000aa';

/** A model that calls a function, whatever it is answered. */
const startLooper = () =>
  startServer((_request, response) => {
    const call = {
      id: `call_${Math.random()}`,
      type: 'function',
      function: { name: 'look', arguments: '{}' },
    };
    const message = { role: 'assistant', content: null, tool_calls: [call] };
    json(response, { choices: [{ index: 0, message, finish_reason: 'tool_calls' }] });
  });
const looper = (url: string) => ({
  id: LOOPER,
  type: 'openai-runs-service',
  name: 'Looper service',
  backend: 'embedded',
  provider: 'chat',
  url: `${url}/v1`,
  model: 'loop',
  database: ':memory:',
  assistants: [
    {
      id: 'asst_loop',
      name: 'Looper',
      tools: [{ type: 'function', function: { name: 'look', parameters: {} } }],
    },
  ],
});
const EVIL = '<img src=x onerror="window.hit=1">';

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`the chat on Node-RED ${release}`, function () {
    this.timeout(60_000);
    let model: TestServer;
    let red: NodeRed;
    let browser: Browser;
    let editor: Editor;
    let chat: ChatPage;

    const open = async () => {
      chat = new ChatPage(await openPanel(editor));
      await chat.open();
      await chat.panel.getByRole('combobox', { name: 'Service' }).selectOption(OPEN);
      await chat.begin('Gardener');
    };
    before(async () => {
      model = await startLooper();
      const flows = [...FLOWS, looper(model.url)];
      [red, browser] = await Promise.all([startNodeRed({ release, flows }), openBrowser()]);
      editor = await Editor.open(browser, red.address);
      await open();
    });
    afterEach(async function () {
      if (this.currentTest?.state === 'failed') await editor?.picture(`failed-chat-${release}`);
    });
    after(async () => {
      await editor?.close();
      await browser?.close();
      await red?.stop();
      await model?.close();
    });

    const cards = () => chat.panel.locator('.runs-talk .runs-call');
    const form = () => chat.panel.locator('.runs-talk .runs-answer');
    const fold = () => chat.panel.locator('.runs-options');
    const statusOf = async (words: string) => {
      const response = await fetch(`${red.address}/openai-runs-panel/runs?text=${encodeURIComponent(words)}`);
      return ((await response.json()) as { rows: { status: string; threadId: string }[] }).rows[0];
    };

    it('remembers an answer for a function, and gives it by itself from then on', async () => {
      await chat.say('Please set_valve with 20 percent.');
      await form().getByRole('textbox').fill(`Opened ${EVIL}`);
      await form().getByLabel(FIX).check();
      await chat.button('Send the answer').click();
      await chat.answer(`set_valve answered: Opened ${EVIL}`).waitFor();
      assert.match((await fold().locator('summary').textContent()) ?? '', /changed: mock set_valve/);
      await chat.say('Please set_valve with 30 percent.');
      await until(async () => (await cards().count()) === 2);
      await chat.answer('set_valve answered: Opened').waitFor();
      const card = cards().last();
      assert.match((await card.textContent()) ?? '', /set_valve.*mock.*"percent": 30.*Opened <img/s);
      assert.equal(await form().count(), 0);
      assert.equal(await editor.page.evaluate(() => 'hit' in window), false);
    });

    it('sums up each turn as a whole: one line of tokens and seconds beside its last words', async () => {
      await chat.button('Send').waitFor();
      const figures = chat.panel.locator('.runs-talk').getByText(/^\d+ tokens · [\d.]+ s$/);
      assert.equal(await figures.count(), 2);
    });

    it('keeps the mock in this browser', async () => {
      await editor.page.reload();
      await editor.page.locator('#red-ui-workspace-chart').waitFor();
      await editor.page.waitForFunction(() => document.querySelectorAll('.red-ui-palette-node').length > 20);
      await open();
      await fold().locator('summary').click();
      await fold().getByText('Opened', { exact: false }).waitFor();
      await chat.say('Please set_valve with 40 percent.');
      await chat.answer('set_valve answered: Opened').waitFor();
    });

    it('switches it off at the card, and then asks a person', async () => {
      await cards().last().locator('summary').click();
      await cards().last().getByRole('button', { name: 'Switch the mock of set_valve off' }).click();
      assert.doesNotMatch((await fold().locator('summary').textContent()) ?? '', /mock/);
      await chat.say('Please set_valve with 50 percent.');
      await form().waitFor();
    });

    it('stops while a call waits: the run is cancelled, and nobody can answer any more', async () => {
      assert.equal((await statusOf('50 percent'))?.status, 'requires_action');
      await chat.message.focus();
      await editor.page.keyboard.press('Escape');
      await chat.panel.locator('.runs-talk .runs-reason', { hasText: 'cancelled' }).waitFor();
      assert.equal(await form().count(), 0);
      await chat.button('Send').waitFor();
      await until(async () => (await statusOf('50 percent'))?.status === 'cancelled');
      await chat.button('New thread').click();
      await chat.say('Are you still there?');
      await chat.answer('Are you still there?').waitFor();
    });

    it('hears of a call that was answered in the list, and of a run that was cancelled there', async () => {
      const tab = (name: string) => chat.panel.getByRole('tab', { name, exact: true });
      const inList = async (words: string) => {
        await chat.say(words);
        await form().waitFor();
        await tab('Runs').click();
        await chat.panel.locator('.runs-pinned .runs-row', { hasText: words }).click();
      };
      await inList('Please set_valve with 61 percent.');
      // Longer than the whole seconds of the API, so that the bar has a length.
      await editor.page.waitForTimeout(2100);
      await chat.panel.locator('.runs-body').getByRole('textbox').fill('Opened from the list.');
      await chat.panel.locator('.runs-body').getByRole('button', { name: 'Send the answer' }).click();
      await chat.panel.locator('.runs-head', { hasText: 'completed' }).waitFor();
      await tab('Timeline').click();
      const told = await chat.panel.locator('.runs-timeline').getAttribute('aria-label');
      assert.match(told ?? '', /set_valve: [1-9][\d.]* s/);
      await chat.button('Back to the list').click();
      await tab('Chat').click();
      await chat.answer('Opened from the list.').waitFor();
      assert.equal(await form().count(), 0);
      await inList('Please set_valve with 62 percent.');
      await chat.button('Cancel the run').click();
      await chat.panel.locator('.runs-head', { hasText: 'cancelled' }).waitFor();
      await chat.button('Back to the list').click();
      await tab('Chat').click();
      await chat.panel.locator('.runs-talk .runs-reason', { hasText: 'cancelled' }).last().waitFor();
      await chat.button('Send').waitFor();
      assert.equal(await form().count(), 0);
    });

    it('begins a new thread while an answer is still coming, and nothing of the old one comes into it', async () => {
      await chat.button('Send').waitFor();
      await chat.say('rehearse slow');
      await chat.answer(/rehearsal/).waitFor();
      await chat.button('New thread').click();
      assert.equal(await chat.panel.locator('.runs-bubble').count(), 0);
      await chat.say('A fresh start');
      await chat.answer('A fresh start').waitFor();
      await until(async () => (await statusOf('rehearse slow'))?.status === 'cancelled');
      await editor.page.waitForTimeout(500);
      assert.equal(await chat.panel.locator('.runs-bubble').count(), 2);
      assert.equal(await chat.panel.locator('.runs-reason').count(), 0);
      const [old, fresh] = [await statusOf('rehearse slow'), await statusOf('A fresh start')];
      assert.notEqual(old?.threadId, fresh?.threadId);
    });

    it('asks again from a message of this chat, on a copy of what was before it', async () => {
      await chat.say('The second question');
      await chat.answer('The second question').waitFor();
      await chat.say('The third question');
      await chat.answer('The third question').waitFor();
      await chat.button('Send').waitFor();
      await chat
        .asked('The second question')
        .getByRole('button', { name: 'Ask again from here' })
        .press('Enter');
      await until(async () => (await chat.message.inputValue()) === 'The second question');
      assert.equal(await chat.panel.locator('.runs-bubble').count(), 2);
      await chat.say('Another second question');
      await chat.answer('Another second question').waitFor();
      assert.notEqual(
        (await statusOf('Another second question'))?.threadId,
        (await statusOf('The third question'))?.threadId,
      );
    });

    it('asks a person after ten rounds of mocks: a model could go on for ever', async () => {
      await chat.panel.getByRole('combobox', { name: 'Service' }).selectOption(LOOPER);
      await chat.begin('Looper');
      await chat.say('Look around');
      await form().getByRole('textbox').fill('nothing');
      await form().getByLabel(FIX).check();
      await chat.button('Send the answer').click();
      await form().getByText('The mock has answered 10 times in a row').waitFor();
      assert.equal(await cards().locator('.runs-mark').count(), 10);
      assert.equal(await form().getByRole('textbox').inputValue(), 'nothing');
      await chat.button('Stop').click();
      await chat.button('Send').waitFor();
      await chat.panel.getByRole('combobox', { name: 'Service' }).selectOption(OPEN);
      await chat.begin('Gardener');
      await chat.say('Back again');
      await chat.answer('Back again').waitFor();
    });

    it('goes by keyboard from the thread to the button that sends', async () => {
      await chat.button('Send').waitFor();
      const names: string[] = [];
      await chat.panel.locator('.runs-talk').focus();
      for (let presses = 0; presses < 20 && names.at(-1) !== 'Send'; presses++) {
        await editor.page.keyboard.press('Tab');
        names.push(
          await editor.page.evaluate(() => {
            const one = document.activeElement as HTMLInputElement;
            const label = one.labels?.[0]?.textContent;
            return (
              one.getAttribute('aria-label') ?? label ?? one.textContent?.trim().split(/\s{2,}/)[0] ?? ''
            );
          }),
        );
      }
      const wanted = ['Ask again from here', 'For this chat', 'Message', 'Attach pictures', 'Send'];
      assert.deepEqual(
        wanted.filter((name) => !names.some((one) => one.startsWith(name))),
        [],
        names.join(' | '),
      );
      assert(names.every((name) => name !== ''));
      assert.deepEqual(editor.errors, []);
    });
  });
}
