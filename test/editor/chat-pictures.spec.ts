/** Pictures in the panel's chat: from a person's hand to the model, on both releases. */
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { ChatPage, DOT } from '../support/chat.ts';
import { Editor } from '../support/editor.ts';
import { json, startServer, type TestServer } from '../support/http-server.ts';
import { type NodeRed, RELEASES, type Release, startNodeRed } from '../support/node-red.ts';
import { ASKER, FLOWS, OPEN, openPanel } from '../support/panel.ts';
import { until } from '../support/until.ts';

const DOT_URL = `data:image/png;base64,${DOT.toString('base64')}`;
const picture = { name: 'dot.png', type: 'image/png', bytes: DOT };

/** Models of which one is told to be blind, and the other only turns out to be. */
const startModels = () =>
  startServer(({ path }, response) => {
    if (path !== '/v1/chat/completions')
      return json(response, {
        data: [{ id: 'blind', capabilities: { vision: false } }, { id: 'unknown' }],
      });
    json(response, { error: { message: 'This model does not support image input.' } }, 400);
  });

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`pictures in the chat on Node-RED ${release}`, function () {
    this.timeout(60_000);
    let models: TestServer;
    let red: NodeRed;
    let browser: Browser;
    let editor: Editor;
    let chat: ChatPage;

    before(async () => {
      models = await startModels();
      const service = {
        id: 'e0000000000000aa',
        type: 'openai-runs-service',
        name: 'Picture service',
        backend: 'embedded',
        provider: 'chat',
        url: `${models.url}/v1`,
        model: 'unknown',
        database: ':memory:',
        assistants: [
          { id: 'asst_blind', name: 'Blind', model: 'blind' },
          { id: 'asst_unknown', name: 'Nobody knows' },
        ],
      };
      [red, browser] = await Promise.all([
        startNodeRed({ release, flows: [...FLOWS, service] }),
        openBrowser(),
      ]);
      editor = await Editor.open(browser, red.address);
      chat = new ChatPage(await openPanel(editor));
      await chat.open();
      await chat.panel.getByRole('combobox', { name: 'Service' }).selectOption(OPEN);
      await chat.begin('Gardener');
    });
    afterEach(async function () {
      if (this.currentTest?.state === 'failed') await editor?.picture(`failed-pictures-${release}`);
    });
    after(async () => {
      await editor?.close();
      await browser?.close();
      await red?.stop();
      await models?.close();
    });

    const waiting = () => chat.panel.locator('.runs-composer .runs-picture');
    const note = (words: RegExp) => chat.panel.locator('.runs-composer .runs-told', { hasText: words });

    it('takes one that is pasted, shows it, sends it, and shows it with what was said', async () => {
      await chat.give('paste', picture);
      await waiting().waitFor();
      assert.equal(await waiting().locator('img').getAttribute('src'), DOT_URL);
      await chat.say('What is this?');
      await chat.answer('Pictures and files were not looked at').waitFor();
      assert.equal(await waiting().count(), 0);
      assert.equal(await chat.asked('What is this?').locator('img').getAttribute('src'), DOT_URL);
    });

    it('lets go of one before it is sent; words that come with one are pasted as words', async () => {
      await chat.give('paste', picture);
      await chat.button('Remove dot.png').click();
      assert.equal(await waiting().count(), 0);
      await chat.give('paste', picture, 'the same in words');
      await editor.page.waitForTimeout(300);
      assert.equal(await waiting().count(), 0);
    });

    it('takes some by its button and by dropping, and sends them without words', async () => {
      const [chooser] = await Promise.all([
        editor.page.waitForEvent('filechooser'),
        chat.button('Attach pictures').click(),
      ]);
      await chooser.setFiles({ name: 'one.png', mimeType: 'image/png', buffer: DOT });
      await waiting().waitFor();
      await chat.give('drop', { ...picture, name: 'two.png' });
      await until(async () => (await waiting().count()) === 2);
      await chat.button('Send').click();
      await until(async () => (await chat.panel.locator('.runs-user').last().locator('img').count()) === 2);
      await chat.button('Send').waitFor();
    });

    it('says what can\u2019t be sent, and why', async () => {
      await chat.give('paste', { name: 'words.svg', type: 'image/svg+xml', bytes: Buffer.from('<svg/>') });
      await note(/words\.svg is no picture that can be sent/).waitFor();
      await chat.give('paste', { name: '<b>broken</b>.png', type: 'image/png', bytes: Buffer.from('x') });
      await note(/<b>broken<\/b>\.png is no picture/).waitFor();
      assert.equal(await waiting().count(), 0);
    });

    it('makes a large one smaller, and has no more than a message may hold', async () => {
      await chat.pasteNoise('noise.png', 1500);
      await waiting().waitFor();
      assert.match((await waiting().locator('img').getAttribute('src')) ?? '', /^data:image\/jpeg/);
      await chat.pasteNoise('more.png', 1000);
      await chat.pasteNoise('most.png', 1500);
      await note(/most\.png is left out: .* 3 MB together/).waitFor();
      await chat.say('So much noise');
      await chat.answer('So much noise').waitFor();
    });

    it('is sent once, however often that is said while it is made smaller', async () => {
      await chat.button('Send').waitFor();
      await chat.message.fill('Once');
      await chat.pasteNoise('slow.png', 1500);
      await editor.page.keyboard.press('Enter');
      await editor.page.keyboard.press('Enter');
      await chat.answer('Once').waitFor();
      await chat.button('Send').waitFor();
      assert.equal(await chat.message.inputValue(), '');
      assert.equal(await chat.asked('Once').locator('img').count(), 1);
    });

    it('makes one large and small again by a press', async () => {
      const shown = chat.panel.locator('.runs-user .runs-thumbnail').last();
      const height = async () => (await shown.boundingBox())?.height ?? 0;
      const before = await height();
      await shown.press('Enter');
      assert.equal(await shown.getAttribute('aria-expanded'), 'true');
      await until(async () => (await height()) > before);
      await shown.click();
      await until(async () => (await height()) === before);
    });

    it('asks a message with one again from where it stands', async () => {
      await chat.button('New thread').click();
      await chat.give('paste', picture);
      await waiting().waitFor();
      await chat.say('First words');
      await chat.answer('First words').waitFor();
      await chat.say('Second words');
      await chat.answer('Second words').waitFor();
      await chat.asked('Second words').getByRole('button', { name: 'Ask again from here' }).click();
      await until(async () => (await chat.message.inputValue()) === 'Second words');
      assert.equal(await chat.panel.locator('.runs-bubble').count(), 2);
      assert.equal(await chat.asked('First words').locator('img').count(), 1);
      await chat.message.fill('Other words');
      await chat.button('Send').click();
      await chat.answer('Other words').waitFor();
      await chat.asked('Other words').getByRole('button', { name: 'Ask again from here' }).waitFor();
    });

    it('gives one to a deployed node', async () => {
      await chat.panel.getByRole('combobox', { name: 'Talk with' }).selectOption(`n:${ASKER}`);
      await chat.give('paste', picture);
      await waiting().waitFor();
      await chat.say('Look, node');
      await chat.answer('Pictures and files were not looked at').waitFor();
      await chat.panel.getByRole('tab', { name: 'Runs', exact: true }).click();
      await chat.panel.locator('.runs-row', { hasText: 'Look, node' }).first().click();
      await chat.panel.getByRole('tab', { name: 'Conversation', exact: true }).click();
      await chat.panel.locator('.runs-body .runs-thumbnail img').waitFor();
      await chat.button('Back to the list').click();
      await chat.open();
    });

    it('says of a model that it looks at none, before one is sent', async () => {
      await chat.panel.getByRole('combobox', { name: 'Service' }).selectOption('e0000000000000aa');
      await chat.begin('Blind');
      const attach = chat.button(/The model blind does not look at pictures/);
      await attach.waitFor();
      assert.equal(await attach.isDisabled(), true);
      await chat.give('paste', picture);
      await note(/The model blind does not look at pictures/).waitFor();
      assert.equal(await waiting().count(), 0);
    });

    it('says nothing of a model that was changed for another meanwhile', async () => {
      await chat.begin('Nobody knows');
      const model = chat.panel.getByRole('combobox', { name: 'Model', exact: true });
      await chat.panel.getByText('For this chat').click();
      let answered: Promise<void> | undefined;
      await editor.page.route(/\/sight\?model=blind/, (route) => {
        answered = new Promise((resolve) => setTimeout(resolve, 1000)).then(() => route.continue());
      });
      await model.fill('blind');
      await model.blur();
      await until(() => answered !== undefined);
      const other = editor.page.waitForResponse(/\/sight\?model=other/);
      await model.fill('other');
      await model.blur();
      await other;
      await editor.page.waitForResponse(/\/sight\?model=blind/);
      await editor.page.waitForTimeout(100);
      assert.equal(await chat.button('Attach pictures').isEnabled(), true);
      await model.fill('');
      await model.blur();
      await chat.panel.getByText('For this chat').click();
    });

    it('says it afterwards where nobody could know', async () => {
      await chat.begin('Nobody knows');
      await chat.button('Attach pictures').waitFor();
      await chat.give('paste', picture);
      await waiting().waitFor();
      await chat.say('And this?');
      const reason = chat.panel.locator('.runs-reason');
      await reason.waitFor();
      assert.match((await reason.textContent()) ?? '', /does not support image input.*Begin a new thread/s);
      assert.equal(await reason.count(), 1);
      assert.deepEqual(
        editor.errors.filter((error) => !/net::|Failed to load/.test(error)),
        [],
      );
    });
  });
}
