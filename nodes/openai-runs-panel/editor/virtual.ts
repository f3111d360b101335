/** A long list of which only what is seen is drawn, and read. */
import { h, set } from './dom.ts';
import { ROW_HEIGHT } from './row.ts';

/** Rows drawn beyond what is seen, so that scrolling meets no gap. */
const BEYOND = 6;

export class VirtualList<Item> {
  readonly element: HTMLElement;
  private readonly space: HTMLElement;
  private items: readonly Item[] = [];
  private drawn = new Map<Item, HTMLElement>();
  private current = -1;
  private waiting = false;
  private readonly draw: (item: Item) => HTMLElement;
  private readonly needMore: () => void;

  /**
   * @param draw makes an item's row
   * @param needMore called when the end comes near
   * @param label what the list is called
   */
  constructor(draw: (item: Item) => HTMLElement, needMore: () => void, label: string) {
    this.draw = draw;
    this.needMore = needMore;
    this.space = h('div', { class: 'runs-space', role: 'listbox', 'aria-label': label });
    this.element = h(
      'div',
      {
        class: 'runs-scroll',
        tabindex: 0,
        scroll: () => this.later(),
        keydown: (event: KeyboardEvent) => this.key(event),
      },
      this.space,
    );
    new ResizeObserver(() => this.later()).observe(this.element);
  }

  /** Shows these items; rows of items that are still the same objects stay as they are. */
  show(items: readonly Item[]): void {
    this.items = items;
    this.later();
  }

  /** Draws all rows anew. */
  redraw(): void {
    this.drawn.clear();
    set(this.space);
    this.later();
  }

  private later(): void {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.paint();
    });
  }

  private paint(): void {
    const { scrollTop, clientHeight } = this.element;
    if (clientHeight === 0) return;
    const { length } = this.items;
    this.space.style.height = `${length * ROW_HEIGHT}px`;
    const from = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - BEYOND);
    const to = Math.min(length, Math.ceil((scrollTop + clientHeight) / ROW_HEIGHT) + BEYOND);
    const drawn = new Map<Item, HTMLElement>();
    for (let index = from; index < to; index++) {
      const item = this.items[index]!;
      const row = this.drawn.get(item) ?? this.draw(item);
      row.style.transform = `translateY(${index * ROW_HEIGHT}px)`;
      row.setAttribute('aria-posinset', String(index + 1));
      row.setAttribute('aria-setsize', String(length));
      drawn.set(item, row);
    }
    for (const [item, row] of this.drawn) if (drawn.get(item) !== row) row.remove();
    // In the order in which they are seen, for those who hear them.
    let place = this.space.firstElementChild;
    for (const row of drawn.values()) {
      if (row === place) place = place.nextElementSibling;
      else this.space.insertBefore(row, place);
    }
    this.drawn = drawn;
    if (to > length - 2 * BEYOND) this.needMore();
  }

  /** Arrows move from row to row. */
  private key(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (event.key !== 'Home' && step === undefined) return;
    event.preventDefault();
    const wanted = step === undefined ? 0 : this.current + step;
    this.current = Math.max(0, Math.min(wanted, this.items.length - 1));
    const top = this.current * ROW_HEIGHT;
    const { element } = this;
    if (top < element.scrollTop) element.scrollTop = top;
    if (top + ROW_HEIGHT > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + ROW_HEIGHT - element.clientHeight;
    }
    this.paint();
    this.drawn.get(this.items[this.current]!)?.focus();
  }
}

/** A few rows that are always seen: those beyond `most` are only counted. */
export function showFew(
  box: HTMLElement,
  rows: HTMLElement[],
  most: number,
  more: (left: number) => string,
): void {
  const left = rows.length - most;
  set(box, ...rows.slice(0, most), left > 0 && h('div', { class: 'runs-dim runs-note' }, more(left)));
}
