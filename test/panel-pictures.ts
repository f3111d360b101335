/** The pictures of the tab "Runs": list, timeline, conversation, a call that waits, chat; side by side, light and dark. */
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { ROOT } from '../examples/user-directory.ts';
import { openBrowser } from './support/browser.ts';
import { ChatPage } from './support/chat.ts';
import { Editor } from './support/editor.ts';
import { startNodeRed } from './support/node-red.ts';
import { ASKER, ask, BREAKER, BROKEN, FLOWS, OPEN, openPanel, rowsOf, WAITER } from './support/panel.ts';

/** Real runs, one of each kind. */
async function fill(address: string): Promise<void> {
  await ask(address, OPEN, WAITER, 'set_valve to 25 percent', 'bed 2');
  await ask(address, BROKEN, BREAKER, 'Which screws hold the gutter?', 'bench');
  await ask(address, OPEN, ASKER, 'How warm should the tomatoes have it tonight?', 'bed 4');
  await ask(address, OPEN, ASKER, 'And the cucumbers?', 'bed 7');
  await ask(address, OPEN, WAITER, 'set_valve to 40 percent', 'bed 4');
}

/** The five views, as the tab stands in the sidebar. */
async function views(browser: Browser, address: string, dark: boolean): Promise<Buffer[]> {
  const editor = await Editor.open(browser, address, { dark });
  const { page } = editor;
  await page.setViewportSize({ width: 1400, height: 650 });
  const panel = await openPanel(editor);
  // The debug sidebar gives its half of the room away.
  await page.locator('button[data-tab-id="debug"]').click();
  await rowsOf(panel).nth(3).waitFor();
  const pictures: Buffer[] = [];
  const take = async () => {
    await page.mouse.move(500, 500);
    await page.waitForTimeout(400);
    const box = await panel.boundingBox();
    pictures.push(await page.screenshot({ clip: { ...box!, height: Math.min(box!.height, 560) } }));
  };
  const open = async (words: string) => {
    await rowsOf(panel).filter({ hasText: words }).first().click();
    await panel.locator('.runs-head').waitFor();
  };
  const tab = (name: string) => panel.getByRole('tab', { name, exact: true }).click();
  await take();
  await open(dark ? '25 percent' : '40 percent');
  await take();
  await panel.getByRole('button', { name: 'Approve' }).click();
  await panel.locator('.runs-head', { hasText: 'completed' }).waitFor();
  await tab('Timeline');
  await take();
  await tab('Conversation');
  await take();
  // One function answered by hand, and from then on by the same answer.
  const chat = new ChatPage(panel);
  await chat.open();
  await chat.say('Good morning! Please set_valve to 20 percent.');
  const answer = panel.locator('.runs-talk .runs-answer');
  await answer.getByRole('textbox').fill('It is open.');
  await answer.getByRole('checkbox').check();
  await chat.button('Send the answer').click();
  await chat.answer('It is open.').waitFor();
  await chat.say('And set_valve to 35 percent, please.');
  await panel.locator('.runs-talk .runs-mark').waitFor();
  await chat.button('Send').waitFor();
  await take();
  await editor.close();
  return pictures;
}

/** Puts pictures side by side into docs/. */
async function sideBySide(browser: Browser, pictures: Buffer[], file: string, dark: boolean): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1640, height: 600 } });
  const images = pictures.map((one) => `<img src="data:image/png;base64,${one.toString('base64')}">`);
  const style = `body{margin:0;padding:10px;display:inline-flex;gap:10px;background:${dark ? '#222' : '#ddd'}}`;
  await page.setContent(`<style>${style}</style>${images.join('')}`);
  await page.locator('body').screenshot({ path: path.join(ROOT, 'docs', file) });
  await page.close();
}

for (const dark of [false, true]) {
  const [red, browser] = await Promise.all([startNodeRed({ flows: FLOWS }), openBrowser()]);
  try {
    await fill(red.address);
    const pictures = await views(browser, red.address, dark);
    // Closing the editor's page has closed the browser, which is one process.
    const again = await openBrowser();
    await sideBySide(again, pictures, `runs-${dark ? 'dark' : 'light'}.png`, dark);
    await again.close();
  } finally {
    await browser.close();
    await red.stop();
  }
}
