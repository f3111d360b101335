/** Makes the pictures of the README anew: real Node-RED, real flows, a real browser. `npm run pictures` */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { openBrowser } from './support/browser.ts';
import { Editor } from './support/editor.ts';
import { startNodeRed } from './support/node-red.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const FIRST = '01 - Ask and wait';
const LOOP = '04 - Tool calls as wires';

const flowsOf = async (name: string) =>
  JSON.parse(await readFile(path.join(ROOT, `examples/${name}.json`), 'utf8'));

/** Opens an example, presses its first inject button, and takes the picture once a reply stands in the sidebar. */
async function picture(name: string, file: string, width: number): Promise<void> {
  const flows = await flowsOf(name);
  const [nodeRed, browser] = await Promise.all([startNodeRed({ flows }), openBrowser()]);
  try {
    const editor = await Editor.open(browser, nodeRed.address);
    await editor.page.setViewportSize({ width, height: 560 });
    await editor.showDebug();
    await editor.press(flows.find((node: { type: string }) => node.type === 'inject').id);
    await editor.debugMessage('reply');
    await editor.quiet();
    await editor.page.screenshot({ path: path.join(ROOT, 'docs', file) });
  } finally {
    await browser.close();
    await nodeRed.stop();
  }
}

/** The dialog of an example's first runs node, as it opens. */
async function dialogPicture(name: string, file: string): Promise<void> {
  const flows = await flowsOf(name);
  const [nodeRed, browser] = await Promise.all([startNodeRed({ flows }), openBrowser()]);
  try {
    const editor = await Editor.open(browser, nodeRed.address);
    const dialog = await editor.openDialog(await editor.idOf('openai-runs'));
    await dialog.screenshot({ path: path.join(ROOT, 'docs', file) });
  } finally {
    await browser.close();
    await nodeRed.stop();
  }
}

await picture(FIRST, 'flow.png', 1400);
await picture(LOOP, 'tools.png', 1900);
await dialogPicture(LOOP, 'dialog.png');
