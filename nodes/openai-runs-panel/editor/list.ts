/** The list of runs: what goes on above, what is past below, and the sums of what is filtered. */
import { get } from './api.ts';
import { h, iconButton, released, set } from './dom.ts';
import { Filters } from './filters.ts';
import { count, duration } from './format.ts';
import { text } from './i18n.ts';
import type { Names } from './names.ts';
import { flightRow, type RowView, runRow } from './row.ts';
import type { FlightInfo, Live, Row, RunSums } from './types.ts';
import { showFew, VirtualList } from './virtual.ts';

/** Rows of what goes on that are drawn; more are counted. */
const MOST_PINNED = 12;
/** Sums are taken again after so many times what taking them took; milliseconds at least. */
const SUM_REST = { times: 10, least: 3000 };
const ACTIVE = ['queued', 'in_progress', 'requires_action', 'cancelling'];

interface Page {
  rows: Row[];
  next: Record<string, number | null>;
  more: boolean;
  /** Services that can't be opened, each with the reason. */
  faults: { service: string; reason: string }[];
}

export class RunList {
  readonly element: HTMLElement;
  private readonly view: RowView;
  private readonly filters: Filters;
  private readonly list: VirtualList<Row>;
  private readonly pinned = h('div', {
    class: 'runs-pinned',
    role: 'listbox',
    'aria-label': text('goingOn'),
  });
  private readonly sumLine = h('div', { class: 'runs-sums', role: 'status' });
  private readonly empty = h('div', { class: 'runs-empty' });
  private readonly faults = h('div', { role: 'status' });
  private rows: Row[] = [];
  private active: Row[] = [];
  private next: Record<string, number | null> | undefined;
  private reading = false;
  /** Counts what was asked for, so that an answer to an earlier question is known for one. */
  private question = 0;
  private versions: Record<string, number> = {};
  private sumTimer = 0;

  constructor(names: Names, open: (row: Row) => void) {
    this.view = { names, open };
    this.filters = new Filters(names, () => this.restart());
    this.list = new VirtualList(
      (row) => runRow(this.view, row),
      () => void this.readMore(),
      text('past'),
    );
    const toggle = iconButton(
      'filter',
      text('filter'),
      () => {
        const isOpen = this.filters.element.classList.toggle('runs-open');
        toggle.setAttribute('aria-expanded', String(isOpen));
      },
      { 'aria-expanded': 'false' },
    );
    const again = iconButton('refresh', text('refresh'), () => void this.start());
    const bar = h('div', { class: 'runs-bar' }, this.sumLine, toggle, again);
    this.element = h(
      'div',
      { class: 'runs-page' },
      bar,
      this.filters.element,
      this.faults,
      this.pinned,
      this.empty,
      this.list.element,
    );
  }

  /** Reads names and the newest runs. */
  async start(): Promise<void> {
    await this.view.names.read();
    this.filters.offer();
    this.restart();
    this.list.redraw();
  }

  /** Takes in what is new; asked for when the runtime says that something is. */
  async refresh(): Promise<void> {
    const { service } = this.filters.query;
    const since = JSON.stringify(this.versions);
    const live = await get<Live[]>('live', { since, service });
    await released();
    if (live.some(({ reload }) => reload)) return this.restart();
    for (const { service: id, version } of live) this.versions[id] = version;
    this.take(live.flatMap(({ changed }) => changed));
    this.pin(live);
    if (live.some(({ changed }) => changed.length > 0)) this.sumSoon();
  }

  /** Leaves the runs of a thread that is deleted out. */
  forget(threadId: string): void {
    this.rows = this.rows.filter((row) => row.threadId !== threadId);
    this.show();
    this.sumSoon();
  }

  private restart(): void {
    this.question += 1;
    this.rows = [];
    this.next = {};
    this.reading = false;
    this.list.element.scrollTop = 0;
    clearTimeout(this.sumTimer);
    this.sumTimer = 0;
    // The sums take longest; nothing waits for them.
    void Promise.all([this.readMore(), this.readFirstLive()]).then(() => this.sum());
  }

  private async readFirstLive(): Promise<void> {
    const live = await get<Live[]>('live', { service: this.filters.query.service }).catch(() => []);
    for (const { service, version } of live) this.versions[service] = version;
    this.pin(live);
  }

  private async readMore(): Promise<void> {
    if (this.reading || !this.next) return;
    this.reading = true;
    const { question } = this;
    try {
      const page = await get<Page>('runs', { ...this.filters.query, before: JSON.stringify(this.next) });
      if (question !== this.question) return;
      const known = new Set(this.rows.map(({ id }) => id));
      this.rows = [...this.rows, ...page.rows.filter(({ id }) => !known.has(id))];
      this.next = page.more ? page.next : undefined;
      const { names } = this.view;
      const faults = page.faults.map(({ service, reason }) => `${names.service(service)}: ${reason}`);
      set(this.faults, ...faults.map((words) => h('div', { class: 'runs-reason' }, words)));
      this.say('');
    } catch (error) {
      this.next = undefined;
      this.say(text('fault', { reason: (error as Error).message }));
    }
    this.reading = false;
    this.show();
  }

  /** Rows of runs that have changed: in their place, or on top where they are new. */
  private take(changed: Row[]): void {
    if (changed.length === 0) return;
    const news = new Map(changed.map((row) => [row.id, row]));
    const rows = this.rows.map((row) => {
      const now = news.get(row.id);
      news.delete(row.id);
      return now ?? row;
    });
    const added = [...news.values()].filter((row) => this.filters.fits(row));
    this.rows = [...added.sort((a, b) => b.createdAt - a.createdAt || b.place - a.place), ...rows];
    this.show();
  }

  private pin(live: Live[]): void {
    const flights = new Map<string, FlightInfo>();
    const waiting: FlightInfo[] = [];
    for (const flight of live.flatMap((part) => part.flights)) {
      if (flight.runId) flights.set(flight.runId, flight);
      else waiting.push(flight);
    }
    this.active = live.flatMap((part) => part.active).filter((row) => this.filters.fits(row));
    // What waits for a person comes first.
    const urgent = ({ status }: Row) => (status === 'requires_action' ? 0 : 1);
    this.active.sort((a, b) => urgent(a) - urgent(b));
    const rows = [
      ...this.active.slice(0, MOST_PINNED).map((row) => runRow(this.view, row, flights.get(row.id))),
      ...waiting.slice(0, MOST_PINNED).map((flight) => flightRow(this.view, flight)),
    ];
    const all = this.active.length + waiting.length;
    for (const row of rows) row.tabIndex = 0;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.run;
    const hadFocus = this.pinned.contains(document.activeElement);
    showFew(this.pinned, rows, MOST_PINNED, () => text('more', { count: all - MOST_PINNED }));
    if (hadFocus) rows.find((row) => row.dataset.run === focused)?.focus();
    this.show();
  }

  private show(): void {
    const above = new Set(this.active.map(({ id }) => id));
    const past = this.rows.filter(
      ({ id, status }) => !above.has(id) && !(ACTIVE.includes(status) && this.active.length > 0),
    );
    this.list.show(past);
    if (past.length > 0 || this.active.length > 0) this.say('');
    else if (!this.reading && !this.next) {
      const { services } = this.view.names;
      this.say(text(this.filters.isOn ? 'noneFound' : services.length > 0 ? 'none' : 'noService'));
    }
  }

  private say(words: string): void {
    set(this.empty, words);
  }

  private sumSoon(): void {
    this.sumTimer ||= window.setTimeout(() => {
      this.sumTimer = 0;
      void this.sum();
    }, this.sumRest);
  }

  private sumRest: number = SUM_REST.least;

  private async sum(): Promise<void> {
    const start = performance.now();
    const { question } = this;
    const parts = await get<RunSums[]>('sums', this.filters.query).catch(() => []);
    if (question !== this.question) return;
    this.sumRest = Math.max(SUM_REST.least, SUM_REST.times * (performance.now() - start));
    const all = (of: (part: RunSums) => number) => count(parts.reduce((sum, part) => sum + of(part), 0));
    // Of several services: that of the one with most runs.
    const [most] = parts.toSorted((a, b) => b.runs - a.runs);
    const words = text('sums', {
      runs: all(({ runs }) => runs),
      failures: all(({ failures }) => failures),
      tokensIn: all(({ tokensIn }) => tokensIn),
      tokensOut: all(({ tokensOut }) => tokensOut),
      median: duration(most?.medianTook),
    });
    set(this.sumLine, words);
    this.sumLine.title = words;
  }
}
