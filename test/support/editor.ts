/** Node-RED's editor as a person uses it: what the browser tests do, in words. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { ROOT } from '../../examples/user-directory.ts';

/** How many times slower than this machine the pages are to be, as on a small one: `OPENAI_RUNS_TEST_SLOWED=6`. */
const SLOWED = Number(process.env.OPENAI_RUNS_TEST_SLOWED ?? 1);

export interface EditorOptions {
  language?: string;
  dark?: boolean;
}

/** An editor page; everything the console calls an error is kept in `errors`. */
export class Editor {
  readonly page: Page;
  readonly errors: string[] = [];
  readonly #context: BrowserContext;

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    page.setDefaultTimeout(15_000);
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(`${message.text()} ${message.location().url}`);
    });
    page.on('pageerror', (error) => this.errors.push(String(error)));
  }

  static async open(browser: Browser, address: string, options: EditorOptions = {}): Promise<Editor> {
    const context = await browser.newContext({
      viewport: { width: 1400, height: 950 },
      colorScheme: options.dark ? 'dark' : 'light',
    });
    await context.addInitScript(
      ({ language, dark }) => {
        localStorage.setItem('editor-language', language ?? 'en-US');
        localStorage.setItem('view-dark-theme', dark ? 'true' : 'false');
      },
      { language: options.language, dark: options.dark },
    );
    const editor = new Editor(context, await context.newPage());
    if (SLOWED > 1) {
      const devTools = await context.newCDPSession(editor.page);
      await devTools.send('Emulation.setCPUThrottlingRate', { rate: SLOWED });
    }
    await editor.page.goto(address);
    await editor.page.locator('#red-ui-workspace-chart').waitFor();
    await editor.page.waitForFunction(() => document.querySelectorAll('.red-ui-palette-node').length > 20);
    await editor.quiet();
    return editor;
  }

  /** Hides the notifications that lie over what is to be clicked; they would go by themselves after seconds. */
  async quiet(): Promise<void> {
    await this.page.evaluate(() => {
      for (const shown of document.querySelectorAll<HTMLElement>('.red-ui-notification')) {
        shown.style.visibility = 'hidden';
        shown.style.pointerEvents = 'none';
      }
    });
  }

  /** Import dialog, tab Examples, this package, the example of that name. */
  async importExample(name: string): Promise<void> {
    const { page } = this;
    await page.locator('#red-ui-header-button-sidemenu').click();
    await page.locator('#menu-item-import').click();
    await page.locator('#red-ui-clipboard-dialog-import-tab-examples').waitFor({ state: 'attached' });
    await page.locator('.red-ui-tab', { hasText: 'Examples' }).first().click();
    const tree = page.locator('#red-ui-clipboard-dialog-import-tab-examples');
    await tree.getByText('@flowruns/node-red-openai-runs').click();
    await tree.getByText(name).click();
    await page.locator('#red-ui-clipboard-dialog-ok').click();
    await page.locator('#red-ui-clipboard-dialog-ok').waitFor({ state: 'hidden' });
    await page.locator('.red-ui-notification:visible').first().waitFor();
    await this.quiet();
    await page.locator('#red-ui-workspace-tabs .red-ui-tab').last().click();
  }

  /** The box of a node in the workspace. */
  node(id: string): Locator {
    return this.page.locator(`[id="${id}"]`);
  }

  /** The id that an imported node has got. */
  async idOf(type: string): Promise<string> {
    const id = await this.page.evaluate(
      // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
      (wanted) => (window as any).RED.nodes.filterNodes({ type: wanted })[0]?.id as string | undefined,
      type,
    );
    assert(id, `no node of type ${type} in the editor`);
    return id;
  }

  /** A saved property as the editor holds it now. */
  async saved(id: string): Promise<Record<string, unknown>> {
    return this.page.evaluate((wanted) => {
      // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
      const { RED } = window as any;
      return RED.nodes.convertNode(RED.nodes.node(wanted), true);
    }, id);
  }

  /** Everything that the deployed flows hold, as the runtime gives it out. */
  async exported(): Promise<unknown> {
    return (await this.page.request.get(new URL('flows', this.page.url()).href)).json();
  }

  /** Selects a node and presses Enter: two clicks may be too far apart to be a double one on a busy machine. */
  async openDialog(id: string): Promise<Locator> {
    await this.select(id);
    await this.page.keyboard.press('Enter');
    return this.#opened();
  }

  /** From the dialog of a node to the dialog of the config node chosen there. */
  async openConfig(property: string): Promise<Locator> {
    await this.page.locator(`#node-input-edit-${property}, #node-input-btn-${property}-edit`).first().click();
    return this.openedConfig();
  }

  /** The dialog of a config node that something else has opened. */
  async openedConfig(): Promise<Locator> {
    await this.page.locator('#node-config-dialog-ok:visible').waitFor();
    return this.#opened();
  }

  /** Done in a node's dialog, Update in that of a config node. */
  async closeDialog(): Promise<void> {
    await this.#leave('ok');
  }

  /** Cancels whatever dialogs are still open, one above the other. */
  async closeAll(): Promise<void> {
    while ((await this.page.locator('.red-ui-tray').count()) > 0) await this.#leave('cancel');
  }

  async select(id: string): Promise<void> {
    await this.node(id).click({ position: { x: 60, y: 12 } });
  }

  /** Draws a wire, as by hand: an output to the input of another node. */
  async wire(from: string, output: number, to: string): Promise<void> {
    await this.node(from).locator('.red-ui-flow-port-output .red-ui-flow-port').nth(output).hover();
    await this.page.mouse.down();
    await this.node(to).locator('.red-ui-flow-port-input .red-ui-flow-port').hover();
    await this.page.mouse.up();
  }

  /** Why the editor holds a node for not ready, as its tooltip says. */
  async faults(id: string): Promise<string> {
    return this.page.evaluate((wanted) => {
      // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
      const { validationErrors } = (window as any).RED.nodes.node(wanted);
      return (validationErrors ?? []).join('\n');
    }, id);
  }

  /** Replaces what is in the editor that an expand button opened. */
  async typeInTextEditor(text: string): Promise<void> {
    const textEditor = this.page.locator('.red-ui-tray .monaco-editor').last();
    await textEditor.waitFor();
    await this.page.waitForFunction(dialogStands);
    await textEditor.click();
    await this.page.keyboard.press('ControlOrMeta+a');
    await this.page.keyboard.insertText(text);
    await this.#leave('ok');
  }

  /**
   * Presses Tab until a control of one of these names has the focus.
   * @returns the names of the dialog's controls on the way, '' for one without
   */
  async tabTo(...names: string[]): Promise<string[]> {
    const way: string[] = [];
    for (let presses = 0; presses < 60; presses++) {
      await this.page.keyboard.press('Tab');
      const name = await this.page.evaluate(focusedName);
      if (name === undefined) continue;
      way.push(name);
      if (names.some((wanted) => name.startsWith(wanted))) return way;
    }
    return assert.fail(`Tab never reached ${names.join(', ')}; it came by ${way.join(' | ')}`);
  }

  async deploy(): Promise<void> {
    await this.page.locator('#red-ui-header-button-deploy').click();
    await this.page.locator('.red-ui-notification-success:visible').first().waitFor();
    await this.quiet();
  }

  async showDebug(): Promise<void> {
    // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
    await this.page.evaluate(() => (window as any).RED.sidebar.show('debug'));
    await this.page.locator('.red-ui-debug-content-list').waitFor();
  }

  /** Presses the button at an inject node. */
  async press(id: string): Promise<void> {
    await this.node(id).locator('.red-ui-flow-node-button-button').click();
  }

  /** The first message in the debug sidebar of the debug node of that name. */
  async debugMessage(name: string): Promise<string> {
    const message = this.page.locator('.red-ui-debug-msg', { hasText: `node: ${name}` }).first();
    await message.waitFor();
    return (await message.locator('.red-ui-debug-msg-payload').textContent()) ?? '';
  }

  /** Keeps a picture in artefacts/ for people to look at. */
  async picture(name: string): Promise<void> {
    const folder = path.join(ROOT, 'artefacts');
    await mkdir(folder, { recursive: true });
    await this.page.screenshot({ path: path.join(folder, `${name}.png`) });
  }

  async close(): Promise<void> {
    await this.#context.close();
  }

  /** Opens the menu behind a button of a typedInput. @returns once it has slid open, and its choices stand still */
  async openMenu(button: Locator): Promise<Locator> {
    await button.click();
    await this.page.waitForFunction(menuStands);
    return this.page.locator('.red-ui-typedInput-options:visible');
  }

  /** Chooses from the menu behind a button of a typedInput. */
  async choose(button: Locator, name: string): Promise<void> {
    const menu = await this.openMenu(button);
    await menu.getByText(name, { exact: true }).click();
  }

  /** Chooses an assistant of the service by name. */
  async chooseAssistant(dialog: Locator, name: string): Promise<void> {
    await this.choose(dialog.getByRole('button', { name: 'Choose Assistant' }), name);
  }

  async #leave(by: 'ok' | 'cancel'): Promise<void> {
    const tray = await this.page.locator('.red-ui-tray').last().elementHandle();
    await this.page.locator(`#node-dialog-${by}:visible, #node-config-dialog-${by}:visible`).click();
    await tray?.waitForElementState('hidden');
    await this.page.waitForFunction(dialogStands);
  }

  /** The dialog that slides in, once it stands and the editor has put the focus into it. */
  async #opened(): Promise<Locator> {
    const tray = this.page.locator('.red-ui-tray').last();
    await tray.locator('.runs-dialog').waitFor();
    await this.page.waitForFunction(dialogStands);
    await this.page.waitForFunction(() =>
      [...document.querySelectorAll('.red-ui-tray')].at(-1)?.contains(document.activeElement),
    );
    return tray;
  }
}

/** In the page: whether no dialog is on its way in or out; one that is about to go has been sent to its place outside. */
function dialogStands(): boolean {
  const tray = [...document.querySelectorAll<HTMLElement>('.red-ui-tray')].at(-1);
  return !tray || (tray.style.right === '0px' && getComputedStyle(tray).right === '0px');
}

/** In the page: whether a menu of a typedInput is wholly open, and has the focus. */
function menuStands(): boolean {
  // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
  const moves = (window as any).$(':animated').length > 0;
  return !moves && Boolean(document.activeElement?.closest('.red-ui-typedInput-options'));
}

/** In the page: the name a screen reader gives the focused control; undefined outside of our own rows. */
function focusedName(): string | undefined {
  const focused = document.activeElement as HTMLInputElement | null;
  if (!focused?.closest('.runs-dialog') || /^node-input-(btn|edit|lookup)/.test(focused.id)) return undefined;
  const textOf = (element: Element | null | undefined) => element?.textContent?.trim() ?? '';
  const labelledBy = focused.getAttribute('aria-labelledby');
  return (
    focused.getAttribute('aria-label') ||
    (labelledBy && textOf(document.getElementById(labelledBy))) ||
    textOf(focused.labels?.[0]) ||
    (focused.tagName === 'INPUT' ? '' : textOf(focused))
  );
}
