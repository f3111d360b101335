/** The converter's dialog as a person uses it, and the import dialog before it. */
import type { Locator } from 'playwright-core';
import type { Editor } from './editor.ts';

/** Pastes a flow into the import dialog. @param text the flow as JSON */
export async function importFlow(editor: Editor, text: string): Promise<void> {
  const { page } = editor;
  await page.locator('#red-ui-header-button-sidemenu').click();
  await page.locator('#menu-item-import').click();
  const area = page.locator('#red-ui-clipboard-dialog-import-text');
  await area.fill(text);
  // The dialog looks at what stands there when a key comes up.
  await area.press('End');
  await page.locator('#red-ui-clipboard-dialog-ok').click();
  await page.locator('#red-ui-clipboard-dialog-ok').waitFor({ state: 'hidden' });
  await editor.quiet();
}

/** Menu, Edit, Convert OpenAI API nodes… */
export async function openConverter(editor: Editor): Promise<Locator> {
  const { page } = editor;
  await page.locator('#red-ui-header-button-sidemenu').click();
  await page.locator('#menu-item-edit-menu').hover();
  await page.locator('#openai-runs-menu-convert').click();
  const dialog = page.locator('.runs-convert');
  await dialog.waitFor();
  // The tray slides in.
  await page.waitForFunction(() => {
    const tray = document.querySelector('.red-ui-tray');
    return tray !== null && getComputedStyle(tray).right === '0px';
  });
  await editor.quiet();
  return dialog;
}

/** Convert, or Cancel. */
export async function closeConverter(editor: Editor, button: 'ok' | 'cancel'): Promise<void> {
  await editor.page.locator(`#runs-convert-${button}`).click();
  await editor.page.locator('.runs-convert').waitFor({ state: 'detached' });
  await editor.quiet();
}

/** Opens a service by its id and types a key in. */
export async function enterKey(editor: Editor, service: string): Promise<void> {
  await editor.page.evaluate(
    // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
    (id) => (window as any).RED.editor.editConfig('', 'openai-runs-service', id),
    service,
  );
  const dialog = await editor.openedConfig();
  await dialog.locator('#runs-service-key').fill('sk-new');
  await editor.closeDialog();
}
