/** One run in the tab "Runs": the way back, whom it came from, pictures, faults, typed answers; on both releases. */
import assert from 'node:assert/strict';
import type { Browser, Locator, Route } from 'playwright-core';
import { newKey, ask as request, type ServingNodeRed, startServing } from '../served/support.ts';
import { openBrowser } from '../support/browser.ts';
import { DOT } from '../support/chat.ts';
import { Editor } from '../support/editor.ts';
import { RELEASES, type Release } from '../support/node-red.ts';
import { ASKER, ask, FLOWS, OPEN, openPanel, rowsOf, WAITER } from '../support/panel.ts';
import { until } from '../support/until.ts';

const PASSING = {
  id: 'e0000000000000d1',
  type: 'openai-runs',
  z: 'e000000000000000',
  name: 'Passing by',
  service: OPEN,
  method: 'createThreadAndRun',
  fields: { assistant_id: { type: 'str', value: 'asst_greenhouse' } },
  wires: [[]],
};
/** Readers of PNG stop at its end. */
const PICTURE = Buffer.concat([DOT, Buffer.alloc(400_000)]);

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`one run in the tab Runs on Node-RED ${release}`, function () {
    this.timeout(60_000);
    const alice = newKey('Alice');
    let red: ServingNodeRed;
    let browser: Browser;
    let editor: Editor;
    let panel: Locator;
    const flows = (keys: (typeof alice)[], ...more: object[]) => [
      ...FLOWS.map((one) =>
        one.id === OPEN
          ? {
              ...one,
              database: 'greenhouse.sqlite',
              serve: keys.length > 0,
              credentials: { serveKeys: JSON.stringify(keys.map(({ kept }) => kept)) },
            }
          : one,
      ),
      ...more,
    ];
    const row = (words: string) => rowsOf(panel).filter({ hasText: words }).first();
    const tab = (name: string) => panel.getByRole('tab', { name, exact: true });
    const head = () => panel.locator('.runs-head');
    const news = async (words: string) => {
      await ask(red.address, OPEN, ASKER, words, words);
    };

    before(async () => {
      [red, browser] = await Promise.all([startServing(flows([alice]), { release }), openBrowser()]);
      editor = await Editor.open(browser, red.address);
      panel = await openPanel(editor);
    });
    afterEach(async function () {
      if (this.currentTest?.state === 'failed') await editor?.picture(`failed-detail-${release}`);
    });
    after(async () => {
      await editor?.close();
      await browser?.close();
      await red?.stop();
    });

    it('leads from a run to the list by the tab that one is in, and from the chat to the run', async () => {
      await news('How warm is it?');
      await row('How warm').click();
      await head().waitFor();
      await tab('Chat').click();
      await tab('Runs').click();
      await head().waitFor();
      assert.equal(await tab('Runs').getAttribute('aria-selected'), 'true');
      await tab('Runs').click();
      await row('How warm').waitFor();
      assert.equal(await head().isVisible(), false);
    });

    it('names a node as it is called now, and one that is deleted as it was called then', async () => {
      await red.deploy(flows([alice], PASSING), 'nodes');
      await ask(red.address, OPEN, PASSING.id, 'Who asked this?');
      await row('Who asked this?').filter({ hasText: 'Passing by' }).waitFor();
      await red.deploy(flows([alice], { ...PASSING, name: 'Settled' }), 'nodes');
      await row('Who asked this?').filter({ hasText: 'Settled' }).waitFor();
      await red.deploy(flows([alice]), 'nodes');
      await row('Who asked this?').filter({ hasText: 'Passing by' }).waitFor();
      await row('Who asked this?').click();
      await head().filter({ hasText: 'Passing by' }).waitFor();
      await tab('Runs').click();
    });

    it('names the key by which another program has made a run, also after it is revoked', async () => {
      const body = {
        assistant_id: 'asst_greenhouse',
        thread: { messages: [{ role: 'user', content: 'From Python' }] },
      };
      const { status } = await request('POST', `${red.base}/threads/runs`, { key: alice.key, body });
      assert.equal(status, 200);
      await row('From Python').filter({ hasText: 'via key Alice' }).waitFor();
      await red.deploy(flows([]));
      await editor.page.reload();
      await editor.page.waitForFunction(() => document.querySelectorAll('.red-ui-palette-node').length > 20);
      panel = await openPanel(editor);
      await row('From Python').filter({ hasText: 'via key Alice' }).waitFor();
      assert.match((await row('From Python').getAttribute('aria-label')) ?? '', /via key Alice/);
      // Nobody here followed it: its times are whole seconds.
      await row('From Python').filter({ hasText: /\d s/ }).click();
      const told = await panel.locator('.runs-timeline').getAttribute('aria-label');
      assert.match(told ?? '', /writes: (< 1|\d+\.\d) s/);
      await tab('Runs').click();
    });

    it('reads pictures when they are seen, once, and not with the run', async () => {
      const picture = `data:image/png;base64,${PICTURE.toString('base64')}`;
      const say = async (body: object) => {
        const response = await fetch(`${red.address}/openai-runs-panel/${OPEN}/chat`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ assistant_id: 'asst_greenhouse', ...body }),
        });
        return /"thread_id":"(thread_\w+)"/.exec(await response.text())![1];
      };
      const thread_id = await say({ text: 'A line.\n'.repeat(150) });
      const sizes: number[] = [];
      editor.page.on('response', async (response) => {
        if (/\/runs\/thread_/.test(response.url())) sizes.push((await response.body()).length);
      });
      /** Of each load of a picture, whether the browser had it. */
      const loads: boolean[] = [];
      const devTools = await editor.page.context().newCDPSession(editor.page);
      await devTools.send('Network.enable');
      devTools.on('Network.responseReceived', ({ response }) => {
        if (response.url.includes('/pictures/')) loads.push(response.fromDiskCache ?? false);
      });
      await say({ text: 'What is on it?', pictures: [picture], thread_id });
      await row('What is on it?').click();
      await tab('Conversation').click();
      const image = panel.locator('.runs-thumbnail img');
      await image.waitFor({ state: 'attached' });
      await editor.page.waitForTimeout(500);
      assert.deepEqual(loads, []);
      await image.scrollIntoViewIfNeeded();
      const isDrawn = () => image.evaluate((one: HTMLImageElement) => one.naturalWidth === 1);
      await until(isDrawn);
      assert.ok(sizes.length > 0 && sizes.every((size) => size < 60_000), sizes.join());
      // Drawn anew, it comes from the browser.
      await tab('Raw').click();
      await tab('Conversation').click();
      await image.scrollIntoViewIfNeeded();
      await until(isDrawn);
      await until(() => loads.length === 2);
      assert.deepEqual(loads, [false, true]);
      await devTools.detach();
    });

    it('saves pictures with the run, and asks with them again', async () => {
      const whole = PICTURE.toString('base64');
      const [saved] = await Promise.all([
        editor.page.waitForEvent('download'),
        panel.getByRole('button', { name: 'Save as JSON' }).click(),
      ]);
      const chunks: Buffer[] = [];
      for await (const chunk of await saved.createReadStream()) chunks.push(chunk as Buffer);
      assert.ok(Buffer.concat(chunks).toString().includes(whole));
      await panel.getByRole('button', { name: 'Run again' }).click();
      const image = panel.locator('.runs-composer .runs-thumbnail img');
      await image.waitFor({ state: 'attached' });
      assert.equal(await image.getAttribute('src'), `data:image/png;base64,${whole}`);
      await tab('Runs').click();
      await tab('Runs').click();
    });

    it('keeps a run in sight that can\u2019t be read once, with the fault above it, and reads it again', async () => {
      await row('How warm').click();
      await head().waitFor();
      const detail = '**/runs/thread_*/run_*';
      await editor.page.route(detail, (route) => route.abort());
      await news('Something new');
      const fault = panel.locator('.runs-reason', { hasText: 'Node-RED does not answer.' });
      await fault.waitFor();
      assert.equal(await head().isVisible(), true);
      assert.equal(await panel.locator('.runs-timeline').isVisible(), true);
      const [above, below] = await Promise.all([fault.boundingBox(), head().boundingBox()]);
      assert.ok(above!.y < below!.y);
      await editor.page.unroute(detail);
      await fault.waitFor({ state: 'detached' });
      await tab('Runs').click();
      editor.errors.length = 0;
    });

    it('waits neither with another run nor with news for one that is left and never answers', async () => {
      const held: Route[] = [];
      await editor.page.route('**/runs/thread_*/run_*', (route) => void held.push(route), { times: 1 });
      await row('How warm').click();
      await until(() => held.length === 1);
      await tab('Runs').click();
      await row('Something new').click();
      await head().waitFor();
      await tab('Runs').click();
      await news('Newer than that');
      await row('Newer than that').waitFor();
    });

    it('keeps an answer that is typed, whatever is drawn anew', async () => {
      await ask(red.address, OPEN, WAITER, 'set_valve to 40 percent', 'bed 7');
      await panel.locator('.runs-pinned .runs-row', { hasText: 'set_valve to 40' }).click();
      const answer = panel.getByRole('textbox', { name: /set_valve/ });
      await answer.fill('Half typed');
      await head().click();
      const detail = '**/runs/thread_*/run_*';
      let reads = 0;
      await editor.page.route(detail, async (route) => {
        const response = await route.fetch();
        const body = await response.json();
        body.row.origin.key = `bed ${++reads}`;
        await route.fulfill({ response, json: body });
      });
      await answer.evaluate((one) => one.setAttribute('data-old', ''));
      await answer.blur();
      await news('Something newer');
      await until(async () => (await answer.getAttribute('data-old')) === null);
      assert.equal(await answer.inputValue(), 'Half typed');
      await tab('Timeline').click();
      await tab('Calls').click();
      assert.equal(await answer.inputValue(), 'Half typed');
      await editor.page.unroute(detail);
      await panel.getByRole('button', { name: 'Send the answer' }).click();
      await head().filter({ hasText: 'completed' }).waitFor();
      assert.match((await panel.locator('.runs-body').textContent()) ?? '', /Output\s*Half typed/);
      assert.deepEqual(editor.errors, []);
    });
  });
}
