/** What is loaded when the tab is first opened: the list, one run, the chat. */
import { Chat } from './chat/chat.ts';
import { Detail } from './detail.ts';
import { h, set } from './dom.ts';
import { text } from './i18n.ts';
import { RunList } from './list.ts';
import { Names } from './names.ts';
import { STYLE } from './style.ts';

/** Milliseconds in which several words from the runtime make one look. */
const PACE = 300;

class Panel {
  private readonly names = new Names();
  private readonly content: HTMLElement;
  private readonly detail: Detail;
  private readonly list: RunList;
  private readonly chat: Chat;
  private readonly modes: Record<'runs' | 'chat', HTMLButtonElement>;
  private timer = 0;
  /** Whether one run is shown in place of the list. */
  private isOpen = false;
  /** Whether something has happened that the tab does not show yet. */
  private isBehind = false;

  constructor(content: HTMLElement) {
    this.content = content;
    this.list = new RunList(this.names, (row) => {
      this.isOpen = true;
      this.show('runs');
      void this.detail.open(row);
    });
    this.detail = new Detail({
      names: this.names,
      back: (gone) => {
        if (gone) this.list.forget(gone);
        this.back();
      },
      again: (detail, message) => {
        this.show('chat');
        void this.chat.takeUp(detail, message);
      },
    });
    this.chat = new Chat(this.names);
    const mode = (name: 'runs' | 'chat') =>
      h(
        'button',
        { type: 'button', role: 'tab', 'data-mode': name, click: () => this.choose(name) },
        text(name),
      );
    this.modes = { runs: mode('runs'), chat: mode('chat') };
    const modes = h('div', { class: 'runs-modes', role: 'tablist' }, ...Object.values(this.modes));
    this.detail.element.hidden = true;
    const pages = [this.list.element, this.detail.element, this.chat.element];
    set(content, h('style', {}, STYLE), h('div', { class: 'runs-main' }, modes, ...pages));
    this.show('runs');
    RED.comms.subscribe('openai-runs/live', () => this.look());
    // Told when the nodes are there; the editor's own event comes while they are being made.
    RED.comms.subscribe('notification/runtime-deploy', () => void this.start());
    void this.start();
  }

  /** The tab is seen: what has happened meanwhile is read. */
  shown(): void {
    if (this.isBehind) this.look();
  }

  private async start(): Promise<void> {
    await this.list.start().catch(() => {});
    await this.chat.offer();
  }

  /** From the chat to what was shown of the runs; pressed again, from one run to all. */
  private choose(mode: 'runs' | 'chat'): void {
    if (mode === 'runs' && this.isOpen && this.chat.element.hidden) this.back();
    else {
      this.show(mode);
      // A run is not read while the chat is shown.
      if (mode === 'runs') this.look();
    }
  }

  private show(mode: 'runs' | 'chat'): void {
    for (const [name, button] of Object.entries(this.modes))
      button.setAttribute('aria-selected', String(name === mode));
    this.chat.element.hidden = mode !== 'chat';
    this.list.element.hidden = mode === 'chat' || this.isOpen;
    this.detail.element.hidden = mode === 'chat' || !this.isOpen;
  }

  private back(): void {
    this.isOpen = false;
    this.detail.close();
    this.show('runs');
    this.look();
  }

  /** Reads what is new, once for all that comes within a while, and not while nobody looks. */
  private look(): void {
    this.isBehind = true;
    if (this.timer) return;
    this.timer = window.setTimeout(async () => {
      if (this.content.offsetParent !== null && !document.hidden) {
        this.isBehind = false;
        await this.list.refresh().catch(() => {});
        if (!this.detail.element.hidden) await this.detail.refresh();
        await this.chat.refresh();
      }
      this.timer = 0;
    }, PACE);
  }
}

let panel: Panel | undefined;

Object.assign(window, {
  openaiRunsPanel: {
    open(content: HTMLElement) {
      if (panel) panel.shown();
      else panel = new Panel(content);
    },
  },
});
