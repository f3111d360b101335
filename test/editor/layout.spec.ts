/** The dialogs in narrow windows, in every language: as wide as Node-RED's own, and nothing cut off. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../examples/user-directory.ts';
import { openBrowser } from '../support/browser.ts';
import { Editor } from '../support/editor.ts';
import { type NodeRed, startNodeRed } from '../support/node-red.ts';

const LANGUAGES = readdirSync(path.join(ROOT, 'locales')).filter((name) => !name.includes('.'));
/** Pixels: what Node-RED gives the dialogs of its own nodes; the buttons around them need a little more in German. */
const WIDEST = 530;

const flows = [
  { id: 'a0', type: 'tab', label: 'layout' },
  {
    id: 'a1',
    type: 'openai-runs-service',
    name: 'mine',
    backend: 'embedded',
    provider: 'chat',
    url: 'http://127.0.0.1:9/v1',
    assistants: [{ id: 'asst_one', name: 'One' }],
    serve: true,
  },
  {
    id: 'a2',
    type: 'openai-runs',
    z: 'a0',
    service: 'a1',
    method: 'createRun',
    delivery: 'stream',
    tools: true,
    fields: { assistant_id: { value: 'asst_one', type: 'str' } },
    outputs: 3,
    x: 300,
    y: 100,
    wires: [[], [], []],
  },
];

/** In the page: what of a dialog is wider than the room it has. */
function cutOff(dialog: HTMLElement | SVGElement): string[] {
  for (const fold of dialog.querySelectorAll('details')) fold.open = true;
  const right = dialog.getBoundingClientRect().right + 1;
  return [...dialog.querySelectorAll<HTMLElement>('*')]
    .filter((element) => element.offsetParent && element.getBoundingClientRect().right > right)
    .map((element) => `${element.tagName}.${element.className}#${element.id}`);
}

describe('dialogs in a narrow window', function () {
  this.timeout(60_000);
  let nodeRed: NodeRed;
  before(async () => {
    nodeRed = await startNodeRed({ flows });
  });
  after(() => nodeRed?.stop());

  for (const language of LANGUAGES) {
    it(`leave the palette free and cut nothing off, in ${language}`, async () => {
      const browser = await openBrowser();
      try {
        const editor = await Editor.open(browser, nodeRed.address, { language });
        await editor.page.setViewportSize({ width: 1024, height: 900 });
        for (const open of [() => editor.openDialog('a2'), () => editor.openConfig('service')]) {
          const tray = await open();
          const { width = 0 } = (await tray.boundingBox()) ?? {};
          assert(width <= WIDEST, `${width} pixels`);
          assert.deepEqual(await tray.locator('.runs-dialog').evaluate(cutOff), []);
        }
        await editor.picture(`layout-${language}`);
      } finally {
        await browser.close();
      }
    });
  }
});
