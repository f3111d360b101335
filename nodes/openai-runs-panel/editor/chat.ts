/** Talking with an assistant of a service, or with a deployed node. */
import { converse, type Line, post } from './api.ts';
import { answerForm } from './calls.ts';
import { bubble, callCard, messageText } from './conversation.ts';
import { h, iconButton, select, set, setOptions } from './dom.ts';
import { text } from './i18n.ts';
import type { Names } from './names.ts';
import { Turn } from './turn.ts';
import type { Message, RunDetail } from './types.ts';

/** Answers are drawn at most once a frame, however fast they come. */
export class Chat {
  readonly element: HTMLElement;
  private readonly names: Names;
  private readonly service: HTMLSelectElement;
  private readonly partner: HTMLSelectElement;
  private readonly said = h('div', { class: 'runs-scroll runs-talk', role: 'log', 'aria-live': 'polite' });
  private readonly words: HTMLTextAreaElement;
  private readonly send: HTMLButtonElement;
  private readonly options: Record<
    'instructions' | 'model' | 'temperature',
    HTMLInputElement | HTMLTextAreaElement
  >;
  private thread = '';
  private key = '';
  private going: { stop: AbortController; run?: { id: string; thread_id: string } } | undefined;

  constructor(names: Names) {
    this.names = names;
    this.service = select(text('talk.service'), [], () => void this.offer());
    this.partner = select(text('talk.with'), [], () => this.begin());
    this.words = h('textarea', {
      rows: 3,
      placeholder: text('talk.message'),
      'aria-label': text('talk.message'),
      keydown: (event: KeyboardEvent) => {
        if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        void this.ask();
      },
    });
    this.send = iconButton('paper-plane', text('talk.send'), () =>
      this.going ? void this.stop() : void this.ask(),
    );
    this.send.classList.add('runs-send');
    this.options = {
      instructions: h('textarea', {
        rows: 2,
        placeholder: text('talk.instructions'),
        'aria-label': text('talk.instructions'),
      }),
      model: h('input', { type: 'text', placeholder: text('talk.model'), 'aria-label': text('talk.model') }),
      temperature: h('input', {
        type: 'number',
        min: 0,
        max: 2,
        step: 0.1,
        placeholder: text('talk.temperature'),
        'aria-label': text('talk.temperature'),
      }),
    };
    const more = h(
      'details',
      { class: 'runs-options' },
      h('summary', {}, text('talk.options')),
      ...Object.values(this.options),
    );
    const fresh = iconButton('plus', text('talk.new'), () => this.begin());
    this.element = h(
      'div',
      { class: 'runs-page' },
      h('div', { class: 'runs-bar' }, this.service, this.partner, fresh),
      this.said,
      more,
      h('div', { class: 'runs-ask' }, this.words, this.send),
    );
    this.begin();
  }

  /** Offers the services and whom one can talk with there. */
  async offer(): Promise<void> {
    const { names, service, partner } = this;
    const open = names.services.filter(({ contents }) => contents);
    setOptions(
      service,
      open.map(({ id }) => [id, names.service(id)] as const),
    );
    const chosen = partner.value;
    const assistants = service.value ? await names.assistantsOf(service.value) : [];
    const nodes = names.nodes.filter(
      (node) => node.service === service.value && /^create(Run|ThreadAndRun)$/.test(node.method),
    );
    const group = (label: string, options: (readonly [string, string])[]) =>
      options.length > 0 &&
      h('optgroup', { label }, ...options.map(([value, name]) => h('option', { value }, name)));
    set(
      partner,
      group(
        text('talk.assistants'),
        assistants.map(({ id, name }) => [`a:${id}`, name || id] as const),
      ),
      group(
        text('talk.nodes'),
        nodes.map(({ id }) => [`n:${id}`, names.node(id)] as const),
      ),
    );
    if (chosen && partner.querySelector(`option[value="${CSS.escape(chosen)}"]`)) partner.value = chosen;
    this.hint();
  }

  /** Goes on with another run's question, on a copy of what was said before it. */
  async takeUp({ service, run, messages }: RunDetail, message: Message): Promise<void> {
    this.service.value = service;
    await this.offer();
    this.partner.value = `a:${run.assistant_id}`;
    this.begin();
    try {
      const copy = await post<{ thread_id: string }>(`${encodeURIComponent(service)}/copy`, {
        thread_id: run.thread_id,
        before: message.id,
      });
      this.thread = copy.thread_id;
    } catch (error) {
      this.said.append(h('p', { class: 'runs-reason', role: 'alert' }, (error as Error).message));
    }
    for (const earlier of messages.slice(0, messages.indexOf(message)))
      this.said.append(bubble(earlier.role, messageText(earlier)));
    this.words.value = messageText(message);
    this.options.instructions.value = run.instructions ?? '';
    this.words.focus();
  }

  /** An empty thread. */
  private begin(): void {
    void this.stop();
    this.thread = '';
    this.key = `panel-${Date.now().toString(36)}`;
    set(this.said);
    this.hint();
  }

  private get node(): string | undefined {
    return this.partner.value.startsWith('n:') ? this.partner.value.slice(2) : undefined;
  }

  private hint(): void {
    this.options.instructions.closest('details')?.toggleAttribute('hidden', this.node !== undefined);
    if (this.said.childElementCount > 0 && !this.said.querySelector('.runs-empty')) return;
    const words = this.service.value ? (this.node ? text('talk.hint') : '') : text('noService');
    set(this.said, words !== '' && h('p', { class: 'runs-empty' }, words));
  }

  private async ask(): Promise<void> {
    const said = this.words.value.trim();
    if (!said || this.going || !this.partner.value) return;
    this.words.value = '';
    this.said.querySelector('.runs-empty')?.remove();
    this.said.append(bubble('user', said));
    const { instructions, model, temperature } = this.options;
    const { node, key } = this;
    await this.talk(
      node
        ? { node, key, text: said }
        : {
            assistant_id: this.partner.value.slice(2),
            thread_id: this.thread || undefined,
            text: said,
            instructions: instructions.value,
            model: model.value,
            temperature: temperature.value ? Number(temperature.value) : undefined,
          },
    );
  }

  /** One request, and what comes of it. */
  private async talk(body: object): Promise<void> {
    const going = { stop: new AbortController() } as NonNullable<Chat['going']>;
    this.going = going;
    this.setGoing(true);
    const turn = new Turn(this.said);
    const hear = (line: Line) => {
      if (line.event.startsWith('thread.run.') && !line.event.startsWith('thread.run.step.')) {
        going.run = line.data;
        this.thread = line.data.thread_id;
        if (line.data.status === 'requires_action') this.offerAnswers(line.data);
      }
      turn.take(line);
    };
    try {
      await converse(`${encodeURIComponent(this.service.value)}/chat`, body, hear, going.stop.signal);
    } catch (error) {
      if (!going.stop.signal.aborted) turn.fail((error as Error).message);
    }
    turn.end();
    if (this.going === going) {
      this.going = undefined;
      this.setGoing(false);
    }
  }

  /** Cards for the calls of a run. A node's flow answers by itself; a person may be faster. */
  // biome-ignore lint/suspicious/noExplicitAny: a run
  private offerAnswers(run: any): void {
    const calls: { id: string; type: string; function: { name: string; arguments: string } }[] =
      run.required_action?.submit_tool_outputs?.tool_calls ?? [];
    const outputs: Record<string, string> = {};
    const node = this.node;
    for (const call of calls) {
      const card = callCard({ ...call, function: { ...call.function, output: null } }, undefined, true);
      const form = answerForm(call.function.name, (output) => {
        outputs[call.id] = output;
        card.querySelector('pre:last-of-type')?.replaceChildren(output);
        form.remove();
        const path = `${encodeURIComponent(this.service.value)}/runs/${encodeURIComponent(run.thread_id)}`;
        if (node)
          void post(`${path}/${encodeURIComponent(run.id)}/answer`, { outputs: { [call.id]: output } });
        else if (Object.keys(outputs).length === calls.length)
          void this.talk({ thread_id: run.thread_id, run_id: run.id, outputs });
      });
      card.append(form);
      this.said.append(card);
    }
    this.said.scrollTop = this.said.scrollHeight;
  }

  /** Ends the run, where one is known. */
  private async stop(): Promise<void> {
    const { going } = this;
    if (!going) return;
    this.going = undefined;
    this.setGoing(false);
    if (going.run) {
      const { id, thread_id } = going.run;
      const path = `${encodeURIComponent(this.service.value)}/runs/${encodeURIComponent(thread_id)}/${encodeURIComponent(id)}`;
      // One that has ended by itself can't be cancelled any more.
      await post(`${path}/cancel`, {}).catch(() => {});
    }
    going.stop.abort();
  }

  private setGoing(isGoing: boolean): void {
    const name = text(isGoing ? 'talk.stop' : 'talk.send');
    this.send.title = name;
    this.send.setAttribute('aria-label', name);
    this.send.firstElementChild!.className = `fa fa-${isGoing ? 'stop' : 'paper-plane'}`;
  }
}
