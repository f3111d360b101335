/** One run in full. */
import { isActive } from '../../../engine/domain/run-states.ts';
import type { Answer } from './answer-form.ts';
import { type Fault, get, post } from './api.ts';
import { calls, countWaiting, Drafts } from './calls.ts';
import { conversation, question } from './conversation.ts';
import { h, iconButton, released, set } from './dom.ts';
import { text } from './i18n.ts';
import { LOOKS, type Names, statusName } from './names.ts';
import { isSure, notify } from './notify.ts';
import { statusIcon, tookWords } from './row.ts';
import { makeInject, raw, save } from './take-away.ts';
import { timeline } from './timeline.ts';
import type { Message, Row, RunDetail } from './types.ts';

const VIEWS = ['timeline', 'conversation', 'calls', 'raw'] as const;
type View = (typeof VIEWS)[number];
/** What can be cancelled. */
const ACTIVE = ['queued', 'in_progress', 'requires_action'];
/** Milliseconds until a run is read again that could not be read, or of which nobody brings news. */
const AGAIN = 3000;
/** Failures that another look at the service's settings mends. */
const MENDED_BY_SERVICE = /^provider_(?!rate|failed|silent)|^context_length/;

export interface DetailActions {
  names: Names;
  /** @param gone the thread that is deleted, if one is */
  back(gone?: string): void;
  /** Goes on in the chat, on a copy of the thread, with these words ready to be changed. */
  again(detail: RunDetail, message: Message): void;
}

export class Detail {
  readonly element = h('div', { class: 'runs-page' });
  private readonly actions: DetailActions;
  private row: Row | undefined;
  private view: View = 'timeline';
  /** Whether a person has chosen the view; until then a run that waits leads to its calls. */
  private isChosen = false;
  private shown = '';
  private readonly fault = h('div', { role: 'status' });
  private drafts = new Drafts();
  private timer = 0;
  private reading: Promise<void> = Promise.resolve();
  /** Ends what is being read of the run that is shown, once it is left. */
  private stay = new AbortController();

  constructor(actions: DetailActions) {
    this.actions = actions;
  }

  /** Shows a run; one that waits for an answer shows its calls. */
  async open(row: Row): Promise<void> {
    this.close();
    this.row = row;
    this.stay = new AbortController();
    this.shown = '';
    this.view = 'timeline';
    this.isChosen = false;
    this.drafts = new Drafts();
    set(this.fault);
    set(this.element, this.bar(), this.fault);
    await this.read();
    this.element.querySelector<HTMLElement>('.runs-back')?.focus();
  }

  /** Shows no run any more. */
  close(): void {
    this.row = undefined;
    clearTimeout(this.timer);
    this.stay.abort();
  }

  /** Reads the run again while it can change; an answer that is being typed stays. */
  async refresh(): Promise<void> {
    if (!this.row || this.isTyping) return;
    await this.read();
  }

  private get isTyping(): boolean {
    return Boolean(document.activeElement?.closest('.runs-answer'));
  }

  /** One reading after the other, so that what is shown last is what was read last. */
  private read(): Promise<void> {
    this.reading = this.reading.then(() => this.readOnce());
    return this.reading;
  }

  private async readOnce(): Promise<void> {
    const { row } = this;
    const { signal } = this.stay;
    if (!row) return;
    clearTimeout(this.timer);
    try {
      const detail = await get<RunDetail>(`${this.path(row)}/${encodeURIComponent(row.id)}`, {}, signal);
      await released();
      if (signal.aborted || row !== this.row) return;
      set(this.fault);
      if (this.isUnheard(detail)) this.readLater();
      const now = JSON.stringify(detail);
      if (now === this.shown) return;
      this.show(detail);
      this.shown = now;
    } catch (error) {
      if (signal.aborted || row !== this.row) return;
      const { message, status } = error as Fault;
      // What was read before stays below it.
      set(this.fault, h('div', { class: 'runs-reason' }, text('fault', { reason: message })));
      if (status === 0 || status >= 500) this.readLater();
    }
  }

  /** Whether the run goes on without anybody telling of it: of a server's, only its node's own are told. */
  private isUnheard({ run, service, byNode }: RunDetail): boolean {
    const { backend } = this.actions.names.services.find(({ id }) => id === service) ?? {};
    return backend === 'server' && !byNode && isActive(run.status);
  }

  private readLater(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      const isSeen = this.element.offsetParent !== null && !document.hidden;
      if (isSeen && !this.isTyping) void this.read();
      else this.readLater();
    }, AGAIN);
  }

  private path({ service, threadId }: Row): string {
    return `${encodeURIComponent(service)}/runs/${encodeURIComponent(threadId)}`;
  }

  private bar(...buttons: (HTMLElement | false)[]): HTMLElement {
    const back = iconButton('chevron-left', text('detail.back'), () => this.actions.back());
    back.classList.add('runs-back');
    return h('div', { class: 'runs-bar' }, back, h('span', { class: 'runs-fill' }), ...buttons);
  }

  private show(detail: RunDetail): void {
    const { run, row } = detail;
    const { names, again } = this.actions;
    const asked = question(detail);
    const isOpen = ACTIVE.includes(run.status);
    const bar = this.bar(
      isOpen && iconButton('ban', text('detail.cancel'), () => this.act(`${run.id}/cancel`, {})),
      !isOpen &&
        asked !== undefined &&
        iconButton('repeat', text('detail.again'), () => again(detail, asked)),
      asked !== undefined && iconButton('sign-in', text('detail.inject'), () => makeInject(asked, detail)),
      iconButton('download', text('detail.export'), () => void this.download()),
      iconButton('trash', text('detail.delete'), () => this.remove(detail)),
    );
    const [, colour] = LOOKS[run.status] ?? ['', 'grey'];
    const head = h(
      'div',
      { class: 'runs-head' },
      statusIcon(run.status),
      h('b', { class: `runs-${colour}` }, statusName(run.status)),
      h(
        'span',
        { class: 'runs-fill' },
        [names.origin(row?.origin), names.assistant(detail.service, run.assistant_id ?? ''), row?.origin?.key]
          .filter(Boolean)
          .join(' · '),
      ),
      h('span', { class: 'runs-dim' }, row && tookWords(row)),
    );
    const body = h('div', { class: 'runs-scroll' });
    const before = this.element.querySelector('.runs-scroll')?.scrollTop ?? 0;
    const tabs = VIEWS.map((name) => {
      const tab = h(
        'button',
        {
          type: 'button',
          role: 'tab',
          click: () => {
            this.isChosen = true;
            choose(name);
          },
        },
        text(`detail.${name}`),
      );
      if (name === 'calls' && countWaiting(detail) > 0)
        tab.append(' ', h('i', { class: 'fa fa-circle runs-yellow', 'aria-hidden': 'true' }));
      return tab;
    });
    const choose = (name: View) => {
      this.view = name;
      tabs.forEach((tab, index) => {
        tab.setAttribute('aria-selected', String(VIEWS[index] === name));
      });
      set(body, this.body(detail));
    };
    choose(!this.isChosen && run.status === 'requires_action' ? 'calls' : this.view);
    set(
      this.element,
      bar,
      this.fault,
      head,
      this.reason(detail),
      h('div', { class: 'runs-tabs', role: 'tablist' }, ...tabs),
      body,
    );
    body.scrollTop = before;
  }

  private body(detail: RunDetail): HTMLElement {
    if (this.view === 'timeline') return timeline(detail);
    if (this.view === 'conversation')
      return conversation(detail, (message) => this.actions.again(detail, message));
    if (this.view === 'raw') return raw(detail);
    return calls(detail, this.drafts, (answers) => void this.answer(detail, answers));
  }

  /** Why a run failed, and the one thing that mends it. */
  private reason(detail: RunDetail): HTMLElement | undefined {
    const { run, failure, row, service } = detail;
    if (!['failed', 'expired', 'incomplete'].includes(run.status)) return undefined;
    const why = failure?.sentence ?? run.last_error?.message ?? run.incomplete_details?.reason ?? row?.error;
    const asked = question(detail);
    const button = (label: string, click: () => void) =>
      h('button', { type: 'button', class: 'red-ui-button red-ui-button-small', click }, label);
    const mend = MENDED_BY_SERVICE.test(failure?.reason ?? '')
      ? button(text('detail.service'), () => RED.editor.editConfig('', 'openai-runs-service', service))
      : asked && button(text('detail.again'), () => this.actions.again(detail, asked));
    return h(
      'div',
      { class: 'runs-reason', role: 'alert' },
      h('div', {}, why ?? text('detail.noReason')),
      mend,
    );
  }

  /** Gives answers; those that nobody took can be given again. */
  private async answer(detail: RunDetail, outputs: Record<string, Answer>): Promise<void> {
    const { drafts } = this;
    if (await this.act(`${detail.run.id}/answer`, { outputs })) return;
    for (const id of Object.keys(outputs)) drafts.given.delete(id);
    if (drafts === this.drafts && this.shown) this.show(JSON.parse(this.shown));
  }

  /** @returns whether it was done */
  private async act(route: string, body: object): Promise<boolean> {
    if (!this.row) return false;
    try {
      await post(`${this.path(this.row)}/${route}`, body);
    } catch (error) {
      notify((error as Error).message);
      return false;
    }
    await this.read();
    return true;
  }

  /** The run with all that is in its thread, the pictures too. */
  private async download(): Promise<void> {
    const { row } = this;
    if (!row) return;
    try {
      const path = `${this.path(row)}/${encodeURIComponent(row.id)}`;
      save(await get<RunDetail>(path, { whole: 'true' }));
    } catch (error) {
      notify((error as Error).message);
    }
  }

  private async remove({ run, service }: RunDetail): Promise<void> {
    if (!(await isSure())) return;
    const { row } = this;
    // What is being deleted is not read any more.
    this.row = undefined;
    await this.reading;
    try {
      await post(`${encodeURIComponent(service)}/threads/${encodeURIComponent(run.thread_id)}/delete`, {});
      this.actions.back(run.thread_id);
    } catch (error) {
      this.row ??= row;
      notify((error as Error).message);
    }
  }
}
