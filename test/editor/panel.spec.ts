/** The tab "Runs" as a person uses it, with real runs, on both releases. */
import assert from 'node:assert/strict';
import type { Browser, Locator } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { Editor } from '../support/editor.ts';
import { type NodeRed, RELEASES, type Release, startNodeRed } from '../support/node-red.ts';
import { ASKER, ask, BREAKER, BROKEN, FLOWS, OPEN, openPanel, rowsOf, WAITER } from '../support/panel.ts';
import { until } from '../support/until.ts';

/** Would leave a trace if anything of it became HTML. */
const EVIL = `<img src=x onerror="(window.hits??=[]).push(1)"><b>evil</b> $t(x) __status__`;

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`the tab Runs on Node-RED ${release}`, function () {
    this.timeout(60_000);
    let red: NodeRed;
    let browser: Browser;
    let editor: Editor;
    let panel: Locator;
    const row = (words: string) => rowsOf(panel).filter({ hasText: words }).first();
    const tab = (name: string) => panel.getByRole('tab', { name, exact: true });
    const button = (name: string) => panel.getByRole('button', { name }).first();

    before(async () => {
      [red, browser] = await Promise.all([startNodeRed({ release, flows: FLOWS }), openBrowser()]);
      editor = await Editor.open(browser, red.address);
    });
    after(async () => {
      await editor?.close();
      await browser?.close();
      await red?.stop();
    });

    it('is loaded when it is first opened, and says how to begin', async () => {
      const loaded = () =>
        editor.page.evaluate(() =>
          performance.getEntriesByType('resource').some(({ name }) => name.includes('panel.js')),
        );
      assert.equal(await loaded(), false);
      panel = await openPanel(editor);
      await panel.locator('.runs-empty', { hasText: 'No runs yet' }).waitFor();
      assert.equal(await loaded(), true);
    });

    it('shows runs as they come, without a reload, and asks for nothing while nothing happens', async () => {
      const requests: string[] = [];
      editor.page.on('request', (request) => requests.push(request.url()));
      await ask(red.address, OPEN, ASKER, 'How warm is it?', 'bed 4');
      await row('How warm is it?').waitFor();
      await ask(red.address, OPEN, ASKER, EVIL, EVIL);
      await row('evil').waitFor();
      assert.match((await row('How warm').textContent()) ?? '', /Ask.*Gardener · bed 4.*tokens/s);
      await until(async () =>
        /2 runs · 0 failed/.test((await panel.locator('.runs-sums').textContent()) ?? ''),
      );
      // The sums are taken again some seconds after the last change.
      await editor.page.waitForTimeout(4500);
      requests.length = 0;
      await editor.page.waitForTimeout(2500);
      assert.deepEqual(
        requests.filter((url) => url.includes('openai-runs-panel')),
        [],
      );
    });

    it('leads to the node on the canvas', async () => {
      await row('How warm').getByRole('button', { name: 'Show the node Ask' }).click();
      await editor.page.waitForFunction(
        // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
        (id) => (window as any).RED.nodes.node(id).highlighted,
        ASKER,
      );
      // The row itself was not opened.
      assert.equal(await panel.locator('.runs-head').count(), 0);
    });

    it('pins what waits on top, and answers it as a wire would', async () => {
      await ask(red.address, OPEN, WAITER, 'set_valve to 40 percent', 'bed 7');
      const waiting = panel.locator('.runs-pinned .runs-row', { hasText: 'set_valve to 40' });
      await waiting.waitFor();
      await waiting.click();
      assert.match((await panel.locator('.runs-call').textContent()) ?? '', /set_valve.*"percent": 40/s);
      await panel.getByRole('textbox', { name: /set_valve/ }).fill('It is open.');
      await button('Send the answer').click();
      await panel.locator('.runs-head', { hasText: 'completed' }).waitFor();
    });

    it('opens what is pressed, whatever comes between press and release', async () => {
      const news = ask(red.address, OPEN, WAITER, 'set_valve to 41 percent', 'bed 7');
      const waiting = panel.locator('.runs-pinned .runs-row', { hasText: 'set_valve to 41' });
      await news;
      await button('Back to the list').click();
      await waiting.hover();
      await editor.page.mouse.down();
      await ask(red.address, OPEN, ASKER, 'Said in between', 'bed 8');
      // Longer than the panel waits with news.
      await editor.page.waitForTimeout(800);
      await editor.page.mouse.up();
      await panel.locator('.runs-head').waitFor();
      await button('Back to the list').click();
      await row('Said in between').waitFor();
    });

    it('goes on with news where a menu of the browser takes the release', async () => {
      await panel.locator('.runs-sums').hover();
      await editor.page.mouse.down({ button: 'right' });
      await ask(red.address, OPEN, ASKER, 'Said beside a menu', 'bed 8');
      await row('Said beside a menu').waitFor();
      await editor.page.mouse.up({ button: 'right' });
    });

    it('leads to the calls of a run that waits, even where the list does not know that yet', async () => {
      const live = '**/openai-runs-panel/live*';
      await editor.page.route(live, async (route) => {
        const response = await route.fetch();
        const body = (await response.text()).replaceAll('"requires_action"', '"in_progress"');
        await route.fulfill({ response, body });
      });
      // News, so that the list is drawn with what it is told.
      await ask(red.address, OPEN, ASKER, 'Said after that', 'bed 8');
      await row('Said after that').waitFor();
      await panel.locator('.runs-pinned .runs-row', { hasText: 'set_valve to 41' }).click();
      await panel.getByRole('textbox', { name: /set_valve/ }).fill('It is open.');
      await editor.page.unroute(live);
      await button('Send the answer').click();
      await panel.locator('.runs-head', { hasText: 'completed' }).waitFor();
      await button('Back to the list').click();
      await row('set_valve to 40 percent').click();
    });

    it('tells how a run went: timeline, conversation, calls, raw', async () => {
      await tab('Timeline').click();
      const told = await panel.locator('.runs-timeline').getAttribute('aria-label');
      assert.match(told ?? '', /queued: .*set_valve: .*writes: /);
      await tab('Conversation').click();
      assert.match(
        (await panel.locator('.runs-body').textContent()) ?? '',
        /set_valve to 40 percent.*It is open\./s,
      );
      await tab('Calls').click();
      assert.match((await panel.locator('.runs-body').textContent()) ?? '', /Output\s*It is open\./);
      await tab('Raw').click();
      const raw = JSON.parse((await panel.locator('.runs-raw').textContent()) ?? '');
      assert.equal(raw.run.status, 'completed');
      assert.deepEqual(raw.run.metadata, {});
      await button('Back to the list').click();
    });

    it('shows a place in line, and cancels what holds it up', async () => {
      await ask(red.address, OPEN, WAITER, 'set_valve to 60 percent', 'bed 9');
      const second = ask(red.address, OPEN, WAITER, 'set_valve to 70 percent', 'bed 9');
      await panel.locator('.runs-pinned .runs-row', { hasText: '1 ahead' }).waitFor();
      for (const percent of [60, 70]) {
        const waiting = panel.locator('.runs-pinned .runs-row', { hasText: `${percent} percent` });
        await waiting.click();
        await button('Cancel the run').click();
        await panel.locator('.runs-head', { hasText: 'cancelled' }).waitFor();
        await button('Back to the list').click();
        await until(async () => (await waiting.count()) === 0);
      }
      await second;
    });

    it('leads a failed run with the reason, and to the service that mends it', async () => {
      await ask(red.address, BROKEN, BREAKER, 'Which screws?');
      await row('Which screws?').click();
      await panel.locator('.runs-reason').waitFor();
      assert.match((await panel.locator('.runs-reason').textContent()) ?? '', /connection/i);
      await button('Open the service').click();
      const dialog = await editor.openedConfig();
      assert.equal(await dialog.locator('#node-config-input-name').inputValue(), 'Workshop service');
      assert.equal(await dialog.locator('#node-config-input-showContents').isChecked(), true);
      await editor.closeAll();
      await button('Back to the list').click();
    });

    it('filters by status, service and words', async () => {
      await button('Filters').click();
      await panel.getByRole('combobox', { name: 'Any status' }).selectOption('failed');
      await until(async () => (await rowsOf(panel).count()) === 1);
      await panel.locator('.runs-sums', { hasText: '1 runs · 1 failed' }).waitFor();
      await panel.getByRole('combobox', { name: 'All services' }).selectOption(OPEN);
      await panel.locator('.runs-empty', { hasText: 'No run fits' }).waitFor();
      await panel.getByRole('combobox', { name: 'Any status' }).selectOption('');
      await panel.getByRole('searchbox').fill('how warm');
      await until(async () => (await rowsOf(panel).count()) === 1);
      await panel.getByRole('searchbox').fill('');
      await panel.getByRole('combobox', { name: 'All services' }).selectOption('');
      await until(async () => (await rowsOf(panel).count()) >= 4);
    });

    it('is used by keyboard: to the list, along the rows, into a run and back', async () => {
      await panel.locator('.runs-page:not([hidden]) > .runs-scroll').focus();
      await editor.page.keyboard.press('ArrowDown');
      await editor.page.keyboard.press('ArrowDown');
      await editor.page.keyboard.press('Enter');
      await panel.locator('.runs-head').waitFor();
      await editor.page.keyboard.press('Enter');
      await panel.locator('.runs-space .runs-row').first().waitFor();
    });

    it('names every control', async () => {
      const nameless = await panel.evaluate((root) =>
        [...root.querySelectorAll<HTMLElement>('button, select, input, textarea, [role="listbox"]')]
          .filter(
            (one) =>
              !one.getAttribute('aria-label') &&
              !one.textContent?.trim() &&
              !(one as HTMLInputElement).labels?.length,
          )
          .map((one) => one.outerHTML),
      );
      assert.deepEqual(nameless, []);
    });

    it('chats with an assistant: streams, takes an answer by hand, runs again on a copy', async () => {
      await tab('Chat').click();
      const message = panel.getByRole('textbox', { name: 'Message', exact: true });
      await message.fill(EVIL);
      await editor.page.keyboard.press('Enter');
      await panel.locator('.runs-bubble.runs-assistant', { hasText: 'evil' }).waitFor();
      await panel.locator('.runs-bubble.runs-assistant', { hasText: /tokens · [\d.]+ s/ }).waitFor();
      await message.fill('Please set_valve with 20 percent.');
      await button('Send').click();
      await panel.locator('.runs-talk .runs-answer').waitFor();
      await panel.locator('.runs-talk').getByRole('button', { name: 'Approve' }).click();
      await panel.locator('.runs-bubble', { hasText: 'set_valve answered: true' }).waitFor();
      await tab('Runs').click();
      await row('Please set_valve').click();
      await button('Run again').click();
      await until(async () => (await message.inputValue()) === 'Please set_valve with 20 percent.');
      assert.equal(await panel.locator('.runs-bubble').count(), 2);
    });

    it('stops an answer that comes slowly', async () => {
      await button('New thread').click();
      const message = panel.getByRole('textbox', { name: 'Message', exact: true });
      await message.fill('rehearse slow');
      await editor.page.keyboard.press('Enter');
      await button('Stop').click();
      await button('Send').waitFor();
      await tab('Runs').click();
      await button('Back to the list').click();
      await row('rehearse slow').waitFor();
      await until(
        async () => (await row('rehearse slow').getAttribute('aria-label'))?.startsWith('cancelled') ?? false,
      );
    });

    it('talks with a deployed node through its own flow', async () => {
      await tab('Chat').click();
      await panel.getByRole('combobox', { name: 'Talk with' }).selectOption(`n:${ASKER}`);
      await panel.getByRole('textbox', { name: 'Message', exact: true }).fill('Hello node');
      await editor.page.keyboard.press('Enter');
      await panel.locator('.runs-bubble.runs-assistant', { hasText: 'Hello node' }).waitFor();
      await tab('Runs').click();
      await row('Hello node').waitFor();
      assert.match((await row('Hello node').textContent()) ?? '', /Ask/);
    });

    it('deletes a thread once that is said twice', async () => {
      await row('Hello node').click();
      // The answer comes late; news of the deletion come before it.
      await editor.page.route('**/delete', async (route) => {
        const response = await route.fetch();
        await new Promise((resolve) => setTimeout(resolve, 1000));
        await route.fulfill({ response });
      });
      await button('Delete the thread').click();
      await editor.page.locator('.red-ui-notification').getByRole('button', { name: 'Delete' }).click();
      await panel.locator('.runs-space').waitFor();
      await until(async () => (await rowsOf(panel).filter({ hasText: 'Hello node' }).count()) === 0);
      await editor.page.unroute('**/delete');
      assert.deepEqual(editor.errors, []);
    });

    it('keeps the rows in the order in which they are seen, for those who hear them', async () => {
      await ask(red.address, OPEN, ASKER, 'The newest question');
      await row('The newest question').waitFor();
      const places = await panel
        .locator('.runs-space .runs-row')
        .evaluateAll((rows) => rows.map((one) => Number(one.getAttribute('aria-posinset'))));
      assert.deepEqual(
        places,
        places.map((_, index) => index + 1),
      );
    });

    it('has run nothing of what was said, and left no error', async () => {
      await row('evil').click();
      for (const view of ['Timeline', 'Conversation', 'Calls', 'Raw']) await tab(view).click();
      const found = await editor.page.evaluate(() => ({
        // biome-ignore lint/suspicious/noExplicitAny: set by what must not run
        hits: (window as any).hits ?? [],
        made: document.querySelectorAll('img[src="x"]').length,
      }));
      assert.deepEqual(found, { hits: [], made: 0 });
      assert.deepEqual(editor.errors, []);
    });

    it('says which service can\u2019t be opened, and what runs of nodes that this editor does not have', async () => {
      await button('Back to the list').click();
      const unwritable = {
        id: 'e0000000000000c1',
        type: 'openai-runs-service',
        name: 'Nowhere service',
        backend: 'embedded',
        provider: 'rehearsal',
        database: '/dev/null/runs.sqlite',
      };
      const elsewhere = {
        id: 'e0000000000000c2',
        type: 'openai-runs',
        name: 'Of another editor',
        z: 'e000000000000000',
      };
      const asking = { service: OPEN, method: 'createThreadAndRun', wires: [[]] };
      const fields = { assistant_id: { type: 'str', value: 'asst_greenhouse' } };
      const flows = `${red.address}/flows`;
      const headers = { 'content-type': 'application/json', 'node-red-deployment-type': 'nodes' };
      const before = (await (await fetch(flows)).json()) as unknown[];
      await fetch(flows, {
        method: 'POST',
        headers,
        body: JSON.stringify([...before, unwritable, { ...elsewhere, ...asking, fields }]),
      });
      const fault = panel.locator('.runs-page > [role=status] .runs-reason');
      await fault.filter({ hasText: /^Nowhere service: The database .* can't be opened/ }).waitFor();
      await ask(red.address, OPEN, elsewhere.id, 'From elsewhere');
      await row('From elsewhere').filter({ hasText: elsewhere.name }).waitFor();
      await fetch(flows, { method: 'POST', headers, body: JSON.stringify(before) });
      await until(async () => (await fault.count()) === 0);
    });
  });
}
