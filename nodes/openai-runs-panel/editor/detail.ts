/** One run in full. */
import { get, post } from './api.ts';
import { calls, openCalls } from './calls.ts';
import { conversation, question, wordsOf } from './conversation.ts';
import { h, iconButton, released, set } from './dom.ts';
import { duration } from './format.ts';
import { text } from './i18n.ts';
import { LOOKS, type Names, statusName } from './names.ts';
import { statusIcon } from './row.ts';
import { timeline } from './timeline.ts';
import type { Message, Row, RunDetail } from './types.ts';

const VIEWS = ['timeline', 'conversation', 'calls', 'raw'] as const;
type View = (typeof VIEWS)[number];
const ACTIVE = ['queued', 'in_progress', 'requires_action'];
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
  private reading: Promise<void> = Promise.resolve();

  constructor(actions: DetailActions) {
    this.actions = actions;
  }

  /** Shows a run; one that waits for an answer shows its calls. */
  async open(row: Row): Promise<void> {
    this.row = row;
    this.shown = '';
    this.view = 'timeline';
    this.isChosen = false;
    set(this.element, this.bar());
    await this.read();
    this.element.querySelector<HTMLElement>('.runs-back')?.focus();
  }

  /** Reads the run again while it can change; an answer that is being typed stays. */
  async refresh(): Promise<void> {
    if (!this.row || document.activeElement?.closest('.runs-answer')) return;
    await this.read();
  }

  /** One reading after the other, so that what is shown last is what was read last. */
  private read(): Promise<void> {
    this.reading = this.reading.then(() => this.readOnce());
    return this.reading;
  }

  private async readOnce(): Promise<void> {
    const { row } = this;
    if (!row) return;
    try {
      const detail = await get<RunDetail>(`${this.path(row)}/${encodeURIComponent(row.id)}`);
      await released();
      const now = JSON.stringify(detail);
      if (row !== this.row || now === this.shown) return;
      this.show(detail);
      this.shown = now;
    } catch (error) {
      if (row !== this.row) return;
      set(
        this.element,
        this.bar(),
        h('p', { class: 'runs-empty' }, text('fault', { reason: (error as Error).message })),
      );
    }
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
    const isActive = ACTIVE.includes(run.status);
    const bar = this.bar(
      isActive && iconButton('ban', text('detail.cancel'), () => this.act(`${run.id}/cancel`, {})),
      !isActive &&
        asked !== undefined &&
        iconButton('repeat', text('detail.again'), () => again(detail, asked)),
      asked !== undefined && iconButton('sign-in', text('detail.inject'), () => makeInject(asked, detail)),
      iconButton('download', text('detail.export'), () => download(detail)),
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
      h('span', { class: 'runs-dim' }, row?.took === undefined ? '' : duration(row.took)),
    );
    const body = h('div', { class: 'runs-scroll' });
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
      if (name === 'calls' && openCalls(detail).length > 0)
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
      head,
      this.reason(detail),
      h('div', { class: 'runs-tabs', role: 'tablist' }, ...tabs),
      body,
    );
  }

  private body(detail: RunDetail): HTMLElement {
    if (this.view === 'timeline') return timeline(detail);
    if (this.view === 'conversation')
      return conversation(detail, (message) => this.actions.again(detail, message));
    if (this.view === 'raw') return raw(detail);
    return calls(detail, (outputs) => this.act(`${detail.run.id}/answer`, { outputs }));
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

  private async act(route: string, body: object): Promise<void> {
    if (!this.row) return;
    try {
      await post(`${this.path(this.row)}/${route}`, body);
      await this.read();
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

/** Asks, as the editor does, before something is gone for good. */
function isSure(): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (is: boolean) => () => {
      asked.close();
      resolve(is);
    };
    const asked = RED.notify(text('detail.sure'), {
      modal: true,
      fixed: true,
      buttons: [
        { text: RED._('common.label.cancel'), click: answer(false) },
        { text: RED._('common.label.delete'), class: 'primary', click: answer(true) },
      ],
    });
  });
}

/** Node-RED shows notifications as HTML: brackets become ones that look like them. */
export function notify(message: string, type: 'error' | 'warning' = 'error'): void {
  RED.notify(message.replaceAll('<', '‹').replaceAll('>', '›'), { type });
}

function raw(detail: RunDetail): HTMLElement {
  const { run, steps, messages } = detail;
  const json = JSON.stringify({ run, steps, messages }, null, 2);
  const copy = h(
    'button',
    {
      type: 'button',
      class: 'red-ui-button red-ui-button-small',
      click: () => {
        RED.clipboard.copyText(json, $(copy), text('detail.copied'));
      },
    },
    text('detail.copy'),
  );
  return h('div', { class: 'runs-body' }, copy, h('pre', { class: 'runs-raw', tabindex: 0 }, json));
}

function download(detail: RunDetail): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(detail, null, 2)], { type: 'application/json' }));
  h('a', { href: url, download: `${detail.run.id}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** An Inject node that asks the same, to be put down on the canvas. */
function makeInject(message: Message, { row }: RunDetail): void {
  const key = row?.origin?.key;
  const node = {
    id: RED.nodes.id(),
    type: 'inject',
    z: RED.workspaces.active(),
    name: '',
    props: [{ p: 'payload' }, ...(key ? [{ p: 'topic', vt: 'str' }] : [])],
    payload: wordsOf(message),
    payloadType: 'str',
    topic: key ?? '',
    x: 0,
    y: 0,
    wires: [[]],
  };
  RED.view.importNodes([node], { generateIds: true, addFlow: false, notify: false });
}
