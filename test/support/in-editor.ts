/** What a suite in the editor begins and ends with. */
import type { Browser } from 'playwright-core';
import { openBrowser } from './browser.ts';
import { Editor, type EditorOptions } from './editor.ts';
import { type NodeRed, startNodeRed } from './node-red.ts';

/**
 * For the suite in which this is called: Node-RED, and its editor in a browser. A test that fails leaves a picture in
 * artefacts/, and none leaves its dialog over the next one's node.
 * @param given what Node-RED starts with, and how the editor looks
 * @param take gets both before the first test
 */
export function inEditor(
  given: Parameters<typeof startNodeRed>[0] & EditorOptions,
  take: (opened: { nodeRed: NodeRed; editor: Editor }) => void,
): void {
  let nodeRed: NodeRed;
  let browser: Browser;
  let editor: Editor;

  before(async () => {
    [nodeRed, browser] = await Promise.all([startNodeRed(given), openBrowser()]);
    editor = await Editor.open(browser, nodeRed.address, given);
    take({ nodeRed, editor });
  });

  after(async () => {
    await browser?.close();
    await nodeRed?.stop();
  });

  afterEach(async function () {
    const { state, title = '' } = this.currentTest ?? {};
    if (state === 'failed') {
      await editor.picture(`failed-${given?.release ?? ''}-${title.replaceAll(/\W+/g, '-').slice(0, 40)}`);
    }
    await editor.closeAll();
  });
}
