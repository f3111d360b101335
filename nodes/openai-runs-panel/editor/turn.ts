/** One turn of a chat as it comes: words, figures, faults. */
import type { Line } from './api.ts';
import { bubble } from './conversation.ts';
import { h, set } from './dom.ts';
import { count } from './format.ts';
import { text } from './i18n.ts';
import { statusName } from './names.ts';

export class Turn {
  private readonly place: HTMLElement;
  private readonly since = Date.now();
  private readonly figures = h('span', { class: 'runs-dim' });
  private words: Text | undefined;
  private held = '';
  private drawing = false;

  /** @param place where what is said is shown */
  constructor(place: HTMLElement) {
    this.place = place;
    this.scroll();
  }

  take({ event, data, error }: Line): void {
    if (event === 'error' || (event === 'end' && error)) this.fail(error ?? data?.message ?? '');
    if (event === 'thread.message.created') this.open();
    if (event === 'thread.message.delta') {
      for (const part of data.delta.content ?? []) this.hold(part.text?.value ?? part.refusal ?? '');
    }
    if (!/^thread\.run\.(?!step)/.test(event)) return;
    const { status, usage, last_error } = data;
    const seconds = ((Date.now() - this.since) / 1000).toFixed(1);
    if (status === 'completed') {
      set(this.figures, text('talk.figures', { tokens: count(usage?.total_tokens ?? 0), seconds }));
    } else if (['failed', 'expired', 'cancelled', 'incomplete'].includes(status)) {
      this.fail(last_error?.message ?? statusName(status));
    }
  }

  fail(reason: string): void {
    // A node's failure comes twice: as its run's, and as its message's.
    if (this.place.lastElementChild?.textContent === reason) return;
    this.place.append(h('p', { class: 'runs-reason', role: 'alert' }, reason));
    this.scroll();
  }

  end(): void {
    this.draw();
  }

  private open(): void {
    this.draw();
    this.words = document.createTextNode('');
    const said = h('span', {}, this.words);
    const row = bubble('assistant', said);
    row.firstElementChild?.append(this.figures);
    this.place.append(row);
    this.scroll();
  }

  private hold(words: string): void {
    this.held += words;
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    this.drawing = false;
    if (this.held === '') return;
    if (!this.words) this.open();
    this.words?.appendData(this.held);
    this.held = '';
    this.scroll();
  }

  /** Stays at the end for those who are there. */
  private scroll(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.place;
    if (scrollHeight - scrollTop - clientHeight < 200) this.place.scrollTop = scrollHeight;
  }
}
