/** Questions of a server before it calls its own tools, in a run's calls and in the chat; on both releases. */
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { type ApprovingServer, startApproving } from '../support/approving-server.ts';
import { openBrowser } from '../support/browser.ts';
import { ChatPage } from '../support/chat.ts';
import { Editor } from '../support/editor.ts';
import { type NodeRed, RELEASES, type Release, startNodeRed } from '../support/node-red.ts';
import { openPanel, rowsOf } from '../support/panel.ts';

const REMOTE = 'e0000000000000e1';

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`approvals in the tab Runs on Node-RED ${release}`, function () {
    this.timeout(60_000);
    let server: ApprovingServer;
    let red: NodeRed;
    let browser: Browser;
    let editor: Editor;
    let chat: ChatPage;

    before(async () => {
      server = await startApproving();
      const flows = [
        { id: 'e0000000000000e0', type: 'tab', label: 'Files' },
        {
          id: REMOTE,
          type: 'openai-runs-service',
          name: 'Azure',
          backend: 'server',
          url: `${server.url}/v1`,
        },
      ];
      [red, browser] = await Promise.all([startNodeRed({ release, flows }), openBrowser()]);
      editor = await Editor.open(browser, red.address);
      // An answer of that name which was remembered for a function says nothing about a server's tool.
      await editor.page.evaluate(
        (place) =>
          localStorage.setItem('openai-runs-mocks', JSON.stringify([[place, 'delete_file', 'true']])),
        `${REMOTE}/asst_1`,
      );
      chat = new ChatPage(await openPanel(editor));
    });
    beforeEach(() => {
      server.received.length = 0;
    });
    afterEach(async function () {
      if (this.currentTest?.state === 'failed') await editor?.picture(`failed-approvals-${release}`);
    });
    after(async () => {
      await editor?.close();
      await browser?.close();
      await red?.stop();
      await server?.close();
    });

    const answers = [
      { tool_call_id: 'call_a', approve: true },
      { tool_call_id: 'call_b', approve: false },
    ];
    const card = (name: string) => chat.panel.locator('.runs-call:visible', { hasText: name });
    const answer = async (name: string, word: 'Approve' | 'Decline') =>
      card(name).getByRole('button', { name: word, exact: true }).click();

    it('are asked in the chat with what would be done, and sent together', async () => {
      await chat.open();
      await chat.begin('Caretaker');
      await chat.say('Tidy up');
      await card('delete_file').waitFor();
      const words = (await card('delete_file').textContent()) ?? '';
      assert.match(
        words,
        /delete_file.*files.*"path": "\/tmp\/a".*The server files asks whether it may do this/s,
      );
      assert.equal(await chat.panel.locator('.runs-talk textarea').count(), 0);
      assert.equal(await chat.panel.locator('.runs-talk .runs-mark').count(), 0);
      await answer('delete_file', 'Approve');
      assert.deepEqual(server.submitted(), []);
      await answer('list_files', 'Decline');
      await chat.answer('Done.').waitFor();
      assert.deepEqual(server.submitted(), [{ tool_approvals: answers, stream: true }]);
      assert.match((await card('delete_file').textContent()) ?? '', /Approved/);
      assert.match((await card('list_files').textContent()) ?? '', /Declined/);
    });

    it('are asked in the calls of the run, and the run is followed to its end', async () => {
      await chat.button('New thread').click();
      await chat.say('Tidy up again');
      await card('delete_file').waitFor();
      await chat.panel.getByRole('tab', { name: 'Runs', exact: true }).click();
      await rowsOf(chat.panel).first().click();
      await chat.panel.locator('.runs-head', { hasText: 'waiting for an answer' }).waitFor();
      const words = (await card('delete_file').textContent()) ?? '';
      assert.match(
        words,
        /delete_file.*files.*"path": "\/tmp\/a".*The server files asks whether it may do this/s,
      );
      await answer('delete_file', 'Approve');
      assert.match((await card('delete_file').textContent()) ?? '', /Approved/);
      await answer('list_files', 'Decline');
      await chat.panel.locator('.runs-head', { hasText: 'completed' }).waitFor();
      assert.deepEqual(server.submitted(), [{ tool_approvals: answers }]);
    });

    it('are answered in the calls for the chat, too, which hears how the run went on', async () => {
      const runs = chat.panel.getByRole('tab', { name: 'Runs', exact: true });
      server.longest = 4;
      // Its run has the ids of the one before.
      await runs.click();
      await chat.open();
      await chat.button('New thread').click();
      await chat.say('Tidy up once more');
      await card('delete_file').waitFor();
      await runs.click();
      await rowsOf(chat.panel).first().click();
      await chat.panel.locator('.runs-head', { hasText: 'waiting for an answer' }).waitFor();
      await answer('delete_file', 'Approve');
      await answer('list_files', 'Decline');
      await chat.open();
      await chat.answer('Done.').waitFor();
      assert.equal(await chat.panel.locator('.runs-talk .runs-answer').count(), 0);
      await chat.button('Send').waitFor();
      assert.deepEqual(server.submitted(), [{ tool_approvals: answers }]);
    });

    it('are shown to their end where the run is cancelled and the server takes its time', async () => {
      await chat.button('New thread').click();
      await chat.panel.getByRole('tab', { name: 'Runs', exact: true }).click();
      await chat.button('Back to the list').click();
      // More looks than news bring, and few enough for the page's patience: there are three seconds between two.
      server.longest = 3;
      // Asked for beside this page, whose chat would look after it.
      const asked = await fetch(`${red.address}/openai-runs-panel/${REMOTE}/chat`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ assistant_id: 'asst_1', text: 'Tidy up' }),
      });
      assert.match(await asked.text(), /requires_action/);
      await rowsOf(chat.panel).first().click();
      await card('delete_file').waitFor();
      await chat.button('Cancel the run').click();
      await chat.panel.locator('.runs-head', { hasText: 'being cancelled' }).waitFor();
      await chat.panel.locator('.runs-head b', { hasText: /^cancelled$/ }).waitFor();
      assert.deepEqual(editor.errors, []);
    });
  });
}
