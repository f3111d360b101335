/** Talking with an assistant of a service, or with a deployed node. */
import { get, post } from '../api.ts';
import { bubble, contentOf, forkButton, picturesOf, question, shown, wordsOf } from '../conversation.ts';
import { h, iconButton, set } from '../dom.ts';
import { text } from '../i18n.ts';
import type { Names } from '../names.ts';
import { notify } from '../notify.ts';
import { thumbnail } from '../thumbnail.ts';
import type { AssistantInfo, Message, Run, RunDetail } from '../types.ts';
import { Changes } from './changes.ts';
import { Composer, type Said } from './composer.ts';
import { Exchange, runPath } from './exchange.ts';
import { makeFlow } from './flow.ts';
import { Mocks } from './mocks.ts';
import { Partner } from './partner.ts';
import { wholePicture } from './pictures.ts';

export class Chat {
  readonly element: HTMLElement;
  private readonly partner: Partner;
  private readonly names: Names;
  private readonly changes: Changes;
  private readonly composer: Composer;
  private readonly flowButton: HTMLButtonElement;
  private said: HTMLElement = log();
  private assistant: AssistantInfo | undefined;
  private mocks: Mocks | undefined;
  private thread = '';
  private key = '';
  private question = '';
  private hasPictures = false;
  private exchange: Exchange | undefined;

  constructor(names: Names) {
    this.names = names;
    this.partner = new Partner(names, () => {
      this.begin();
      void this.look();
    });
    this.changes = new Changes(() => void this.lookAtSight());
    this.composer = new Composer({
      send: (said) => void this.ask(said),
      stop: () => void this.exchange?.stop(),
    });
    this.flowButton = iconButton('sitemap', text('talk.flow'), () => this.makeFlow());
    const fresh = iconButton('plus', text('talk.new'), () => {
      this.begin();
      this.composer.focus();
    });
    const { services, choices } = this.partner;
    this.element = h(
      'div',
      { class: 'runs-page' },
      h('div', { class: 'runs-bar' }, services, choices, this.flowButton, fresh),
      this.said,
      this.changes.element,
      this.composer.element,
    );
    this.composer.takeDrops(this.element);
    this.begin();
  }

  /** Offers the services and whom one can talk with there. */
  async offer(): Promise<void> {
    this.changes.tell('');
    await this.partner.offer();
    await this.look();
    this.hint();
  }

  /** Takes in what has happened to the run that waits here. */
  async refresh(): Promise<void> {
    await this.exchange?.refresh();
  }

  /** Goes on with another run's question, on a copy of what was said before it. */
  async takeUp({ service, run, messages }: RunDetail, message: Message): Promise<void> {
    await this.partner.choose(service, run.assistant_id ?? '');
    this.begin();
    const { said } = this;
    await this.look();
    let pictures: string[] = [];
    try {
      pictures = await Promise.all(picturesOf(message).map(wholePicture));
      const copy = await post<{ thread_id: string }>(`${encodeURIComponent(service)}/copy`, {
        thread_id: run.thread_id,
        before: message.id,
      });
      if (said !== this.said) return;
      this.thread = copy.thread_id;
    } catch (error) {
      said.append(h('p', { class: 'runs-reason', role: 'alert' }, (error as Error).message));
    }
    const earlier = messages.slice(0, messages.indexOf(message));
    if (earlier.length > 0) set(said, ...earlier.map((one) => bubble(one.role, contentOf(one))));
    this.hasPictures = earlier.some((one) => one.content.some(({ type }) => type.startsWith('image_')));
    this.composer.put({ text: wordsOf(message), pictures });
    this.changes.take(run);
    void this.lookAtSight();
    said.scrollTop = said.scrollHeight;
    this.composer.focus();
  }

  /** An empty thread. What is under way on the one before ends there. */
  private begin(): void {
    void this.exchange?.stop();
    this.exchange = undefined;
    this.composer.setGoing(false);
    Object.assign(this, { thread: '', question: '', hasPictures: false });
    this.key = `panel-${Date.now().toString(36)}`;
    const fresh = log();
    this.said.replaceWith(fresh);
    this.said = fresh;
    this.hint();
  }

  /** Reads what the chosen assistant is set to, and what its model can. */
  private async look(): Promise<void> {
    const { service, assistant: id } = this.partner;
    const path = `${encodeURIComponent(service)}/assistants/${encodeURIComponent(id ?? '')}`;
    const found = id ? await get<AssistantInfo>(path).catch(() => undefined) : undefined;
    if (service !== this.partner.service || id !== this.partner.assistant) return;
    this.assistant = found;
    this.mocks = found && new Mocks(service, found.id);
    this.changes.show(service, found, this.mocks);
    this.flowButton.hidden = found === undefined;
    await this.lookAtSight();
  }

  /** The model that is asked. */
  private get model(): string | undefined {
    return this.changes.values.model ?? this.assistant?.model;
  }

  private async lookAtSight(): Promise<void> {
    const { assistant, model } = this;
    const path = `${encodeURIComponent(this.partner.service)}/sight`;
    const { sees } = assistant
      ? await get<{ sees: boolean | null }>(path, { model }).catch(() => ({ sees: null }))
      : { sees: null };
    if (assistant !== this.assistant || model !== this.model) return;
    this.composer.setBlind(sees === false ? model : undefined);
    this.hint();
  }

  /** What an empty thread says. */
  private hint(): void {
    if (this.said.childElementCount > 0 && !this.said.querySelector('.runs-empty')) return;
    set(this.said, h('p', { class: 'runs-empty' }, this.hintWords()));
  }

  private hintWords(): string {
    const { service, node, assistant } = this.partner;
    if (service === '') return text(this.names.services.length > 0 ? 'hidden' : 'noService');
    if (node) return text('talk.hint');
    if (!assistant) return '';
    const begin = text('talk.begin', { name: this.names.assistant(service, assistant) });
    return this.composer.isBlind ? begin : `${begin} ${text('talk.pictures')}`;
  }

  private async ask({ text: words, pictures }: Said): Promise<void> {
    const { said, key, mocks } = this;
    const { service, node, assistant } = this.partner;
    if (this.exchange || (!node && !assistant)) return this.composer.put({ text: words, pictures });
    said.querySelector('.runs-empty')?.remove();
    const images = pictures.map((url) => thumbnail(url, text('talk.picture')));
    const asked = bubble('user', h('span', {}, words, images.length > 0 && shown(images)));
    said.append(asked);
    said.scrollTop = said.scrollHeight;
    this.question = words;
    this.hasPictures ||= pictures.length > 0;
    const exchange = new Exchange({
      service,
      byNode: node !== undefined,
      place: said,
      hasPictures: this.hasPictures,
      mocks: node ? undefined : mocks,
      mocksChanged: () => this.changes.draw(),
      begun: (run) => {
        if (said === this.said) this.thread = run.thread_id;
        asked.firstElementChild?.append(forkButton(() => void this.fork(service, run)));
      },
    });
    this.exchange = exchange;
    this.composer.setGoing(true);
    const to = node
      ? { node, key }
      : { assistant_id: assistant, thread_id: this.thread || undefined, ...this.changes.values };
    await exchange.go({ ...to, text: words, pictures });
    if (exchange !== this.exchange) return;
    this.exchange = undefined;
    this.composer.setGoing(false);
  }

  /** Asks a message of this chat again, on a copy of what was said before. */
  private async fork(service: string, run: Run): Promise<void> {
    try {
      const detail = await get<RunDetail>(runPath(service, run));
      const asked = question(detail);
      if (asked) await this.takeUp(detail, asked);
    } catch (error) {
      notify((error as Error).message);
    }
  }

  private makeFlow(): void {
    const { assistant, mocks, changes, composer } = this;
    if (!assistant) return;
    if (!RED.workspaces.active() || RED.workspaces.isLocked()) {
      notify(text('talk.noPlace'), 'warning');
      return;
    }
    makeFlow({
      service: this.partner.service,
      assistant,
      question: this.question || composer.typed,
      values: changes.values,
      outputs: mocks?.all() ?? new Map(),
    });
    if (this.hasPictures) notify(text('picture.notInFlow'), 'warning');
  }
}

const log = () =>
  h('div', { class: 'runs-scroll runs-talk', role: 'log', 'aria-live': 'polite', tabindex: 0 });
