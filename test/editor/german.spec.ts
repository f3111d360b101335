/** The dialogs in another language than English: German, the longest words of the ten, in the dark theme. */
import assert from 'node:assert/strict';
import type { Browser, Locator } from 'playwright-core';
import catalogue from '../../locales/de/openai-runs.json' with { type: 'json' };
import serviceCatalogue from '../../locales/de/openai-runs-service.json' with { type: 'json' };
import { openBrowser } from '../support/browser.ts';
import { Editor } from '../support/editor.ts';
import { type NodeRed, startNodeRed } from '../support/node-red.ts';

const texts = catalogue['openai-runs'];
const serviceTexts = serviceCatalogue['openai-runs-service'];

describe('dialogs in German', function () {
  this.timeout(60_000);
  let nodeRed: NodeRed;
  let browser: Browser;
  let editor: Editor;

  before(async () => {
    const service = { id: 'f0000000000000a2', type: 'openai-runs-service', backend: 'embedded' };
    const flows = [
      { id: 'f0000000000000a0', type: 'tab', label: 'deutsch' },
      {
        id: 'f0000000000000a1',
        type: 'openai-runs',
        z: 'f0000000000000a0',
        service: service.id,
        method: 'createRun',
        x: 250,
        y: 100,
        wires: [[]],
      },
      service,
    ];
    [nodeRed, browser] = await Promise.all([startNodeRed({ flows }), openBrowser()]);
    editor = await Editor.open(browser, nodeRed.address, { language: 'de', dark: true });
  });

  after(async () => {
    await browser?.close();
    await nodeRed?.stop();
  });

  /** No label is cut off: each is as wide as what it says. */
  const assertNothingCut = async (dialog: Locator) => {
    const cut = await dialog
      .locator('label:visible, option:visible, .runs-hint:visible')
      .evaluateAll((elements) =>
        elements
          .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1)
          .map((e) => e.textContent),
      );
    assert.deepEqual(cut, []);
  };

  it('says everything of the runs node in German', async () => {
    const dialog = await editor.openDialog('f0000000000000a1');
    for (const summary of await dialog.locator('summary:visible').all()) await summary.click();
    await dialog.getByText(texts.method.createRun.hint).waitFor();
    for (const label of [texts.label.method, texts.label.delivery, texts.field.additional_instructions]) {
      assert.equal(await dialog.getByText(label, { exact: true }).first().isVisible(), true, label);
    }
    await assertNothingCut(dialog);
    await editor.picture('de-runs-dialog');
  });

  it('says everything of the service in German', async () => {
    const dialog = await editor.openConfig('service');
    for (const summary of await dialog.locator('summary:visible').all()) await summary.click();
    await dialog.getByRole('button', { name: serviceTexts.label.test, exact: true }).click();
    await dialog.getByText(serviceTexts.test.rehearsal).waitFor();
    await assertNothingCut(dialog);
    await editor.picture('de-service-dialog');
  });

  it('has nothing to complain about in the console', () => {
    assert.deepEqual(editor.errors, []);
  });
});
