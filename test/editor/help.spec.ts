/** The help as it is read in the sidebar: every method with its fields, only the node's own method open. */
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { methodHelp } from '../../locales/compose-help.ts';
import { methods } from '../../nodes/openai-runs/methods/index.ts';
import { openBrowser } from '../support/browser.ts';
import { Editor } from '../support/editor.ts';
import { type NodeRed, RELEASES, type Release, startNodeRed } from '../support/node-red.ts';

const TAB = 'f000000000000030';
const RUNS = 'f000000000000031';

const flows = [
  { id: TAB, type: 'tab', label: 'help' },
  { id: RUNS, type: 'openai-runs', z: TAB, method: 'modifyThread', x: 300, y: 100, wires: [[]] },
];

/** Names and explanations of the fields, in their order, and which are optional. */
const FIELDS = /<dt( class="optional")?>(\w+) <span.*?<\/dt><dd>(.*?)<\/dd>/g;

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`help on Node-RED ${release}`, function () {
    this.timeout(60_000);
    let nodeRed: NodeRed;
    let browser: Browser;

    before(async () => {
      [nodeRed, browser] = await Promise.all([startNodeRed({ release, flows }), openBrowser()]);
    });
    after(async () => {
      await browser?.close();
      await nodeRed?.stop();
    });

    it('has the fields of every method, and only the own method open', async () => {
      const editor = await Editor.open(browser, nodeRed.address, { language: 'de' });
      await editor.select(RUNS);
      // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
      await editor.page.evaluate(() => (window as any).RED.sidebar.help.show('openai-runs'));
      await editor.page.locator('#runs-help-modifyThread').waitFor();
      const shown = await editor.page.evaluate(() => {
        const byMethod: Record<string, { fields: string[][]; open: boolean }> = {};
        for (const heading of document.querySelectorAll('h3[id^="runs-help-"]')) {
          const fields: string[][] = [];
          let open = false;
          let next = heading.nextElementSibling as HTMLElement | null;
          for (; next && next.tagName !== 'H3'; next = next.nextElementSibling as HTMLElement | null) {
            open ||= next.offsetParent !== null;
            if (!next.classList.contains('message-properties')) continue;
            const texts = [...next.querySelectorAll('dd')];
            [...next.querySelectorAll('dt')].forEach((name, index) => {
              fields.push([
                name.classList.contains('optional') ? 'optional' : 'required',
                name.firstChild?.textContent?.trim() ?? '',
                texts[index]?.innerHTML ?? '',
              ]);
            });
          }
          byMethod[heading.id.replace('runs-help-', '')] = { fields, open };
        }
        return byMethod;
      });
      for (const method of methods) {
        const expected = Array.from(methodHelp(method, 'de').matchAll(FIELDS), ([, optional, name, text]) => [
          optional ? 'optional' : 'required',
          name,
          text,
        ]);
        assert.deepEqual(shown[method.id]?.fields, expected, method.id);
        assert.equal(shown[method.id]?.open, method.id === 'modifyThread', method.id);
      }
      assert.deepEqual(editor.errors, []);
    });
  });
}
