/** One turn of a chat as it comes: words, pictures, figures, faults. */
import type { Line } from '../api.ts';
import { bubble, contentOf } from '../conversation.ts';
import { h, set } from '../dom.ts';
import { count } from '../format.ts';
import { text } from '../i18n.ts';
import { statusName } from '../names.ts';

const FAILED = ['failed', 'expired', 'cancelled', 'incomplete'];
/** What providers say of pictures that a model does not take. */
const ABOUT_PICTURES = /\b(image|picture|vision|multimodal|mmproj)/i;

/** Answers are drawn at most once a frame, however fast they come. */
export class Turn {
  private readonly place: HTMLElement;
  private readonly hasPictures: boolean;
  private readonly since = Date.now();
  private readonly figures = h('span', { class: 'runs-dim' });
  private row: HTMLElement | undefined;
  private words: Text | undefined;
  private held = '';
  private drawing = false;

  /**
   * @param place where what is said is shown
   * @param hasPictures whether the model is given any, which it may not take
   */
  constructor(place: HTMLElement, hasPictures: boolean) {
    this.place = place;
    this.hasPictures = hasPictures;
    this.scroll();
  }

  take({ event, data, error }: Line): void {
    if (event === 'error' || (event === 'end' && error)) this.fail(error ?? data?.message ?? '');
    if (event === 'thread.message.created') this.open();
    if (event === 'thread.message.delta') {
      for (const part of data.delta.content ?? []) this.hold(part.text?.value ?? part.refusal ?? '');
    }
    if (event === 'thread.message.completed') this.complete(data);
    if (!/^thread\.run\.(?!step)/.test(event)) return;
    const { status, last_error } = data;
    if (FAILED.includes(status)) this.fail(last_error?.message ?? statusName(status), last_error?.code);
    if (status === 'completed' || FAILED.includes(status)) this.sumUp(data.usage?.total_tokens ?? 0);
  }

  /** @param code the API's code of a run's failure */
  fail(reason: string, code?: string): void {
    this.draw();
    // A node's failure comes twice: as its run's, and as its message's.
    if ([...this.place.querySelectorAll('.runs-reason')].at(-1)?.firstChild?.textContent === reason) return;
    const isSight = this.hasPictures && (code === 'invalid_prompt' || ABOUT_PICTURES.test(reason));
    this.place.append(
      h(
        'div',
        { class: 'runs-reason', role: 'alert' },
        h('div', {}, reason),
        isSight && h('div', {}, text('picture.refused')),
      ),
    );
    this.scroll();
  }

  end(): void {
    this.draw();
  }

  /** Tokens and time of the whole turn, beside its last message. */
  private sumUp(total: number): void {
    const seconds = ((Date.now() - this.since) / 1000).toFixed(1);
    set(this.figures, text('talk.figures', { tokens: count(total), seconds }));
    if (!this.figures.isConnected) this.place.append(h('p', { class: 'runs-sum' }, this.figures));
    this.scroll();
  }

  private open(): void {
    this.draw();
    this.words = document.createTextNode('');
    this.row = bubble('assistant', h('span', {}, this.words));
    this.row.firstElementChild?.append(this.figures);
    this.place.append(this.row);
    this.scroll();
  }

  /** The message as it is kept may hold more than its words. */
  private complete(message: Parameters<typeof contentOf>[0]): void {
    if (message.content.every(({ type }) => type === 'text' || type === 'refusal')) return;
    this.draw();
    this.row?.querySelector('.runs-said')?.replaceChildren(contentOf(message));
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
    const { held } = this;
    this.held = '';
    if (!this.words) this.open();
    this.words?.appendData(held);
    this.scroll();
  }

  /** Stays at the end for those who are there. */
  private scroll(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.place;
    if (scrollHeight - scrollTop - clientHeight < 200) this.place.scrollTop = scrollHeight;
  }
}
