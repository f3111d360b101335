/** The panel's chat as a person uses it, and pictures to send in it. */
import type { Locator, Page } from 'playwright-core';

/** A red dot of one pixel. */
export const DOT = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64',
);

/** The chat's parts, each found by what it is called. */
export class ChatPage {
  readonly panel: Locator;
  readonly page: Page;

  constructor(panel: Locator) {
    this.panel = panel;
    this.page = panel.page();
  }

  get message(): Locator {
    return this.panel.getByRole('textbox', { name: 'Message', exact: true });
  }

  button(name: string | RegExp): Locator {
    return this.panel.getByRole('button', { name, exact: true }).first();
  }

  /** What an assistant has said. */
  answer(words: string | RegExp): Locator {
    return this.panel.locator('.runs-bubble.runs-assistant', { hasText: words }).last();
  }

  /** What the user has said. */
  asked(words: string | RegExp): Locator {
    return this.panel.locator('.runs-bubble.runs-user', { hasText: words }).last();
  }

  async open(): Promise<void> {
    await this.panel.getByRole('tab', { name: 'Chat', exact: true }).click();
  }

  /** A new thread with an assistant or a node. @param whom its name */
  async begin(whom: string): Promise<void> {
    await this.panel.getByRole('combobox', { name: 'Talk with' }).selectOption({ label: whom });
    await this.button('New thread').click();
  }

  /** Says something once what was said before is answered. */
  async say(words: string): Promise<void> {
    await this.button('Send').waitFor();
    await this.message.fill(words);
    await this.page.keyboard.press('Enter');
  }

  /** Pastes or drops a file. @param text what the clipboard holds beside it */
  async give(
    how: 'paste' | 'drop',
    file: { name: string; type: string; bytes: Buffer },
    text = '',
  ): Promise<void> {
    await this.message.evaluate(
      (target, { how, name, type, base64, text }) => {
        const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
        const data = new DataTransfer();
        data.items.add(new File([bytes], name, { type }));
        if (text) data.setData('text/plain', text);
        const options = { bubbles: true, cancelable: true };
        target.dispatchEvent(
          how === 'paste'
            ? new ClipboardEvent('paste', { ...options, clipboardData: data })
            : new DragEvent('drop', { ...options, dataTransfer: data }),
        );
      },
      { how, name: file.name, type: file.type, base64: file.bytes.toString('base64'), text },
    );
  }

  /** Pastes a picture full of noise, which no format makes small. @param side its pixels */
  async pasteNoise(name: string, side: number): Promise<void> {
    await this.message.evaluate(
      async (target, { name, side }) => {
        const canvas = document.createElement('canvas');
        canvas.width = side;
        canvas.height = side;
        const place = canvas.getContext('2d')!;
        const noise = place.createImageData(side, side);
        for (let at = 0; at < noise.data.length; at += 65_536)
          crypto.getRandomValues(noise.data.subarray(at, at + 65_536));
        for (let at = 3; at < noise.data.length; at += 4) noise.data[at] = 255;
        place.putImageData(noise, 0, 0);
        const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'));
        const data = new DataTransfer();
        data.items.add(new File([blob!], name, { type: 'image/png' }));
        target.dispatchEvent(
          new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData: data }),
        );
      },
      { name, side },
    );
  }
}
