/** Whom one talks with: an assistant of a service, or a deployed node. */
import { h, select, set, setOptions } from '../dom.ts';
import { text } from '../i18n.ts';
import type { Names } from '../names.ts';

const CREATES_RUNS = /^create(Run|ThreadAndRun)$/;

export class Partner {
  readonly services: HTMLSelectElement;
  readonly choices: HTMLSelectElement;
  private readonly names: Names;

  /** @param change another one is chosen */
  constructor(names: Names, change: () => void) {
    this.names = names;
    this.services = select(text('talk.service'), [], () => void this.offer().then(change));
    this.choices = select(text('talk.with'), [], change);
  }

  /** Id of the service; empty where there is none that shows contents. */
  get service(): string {
    return this.services.value;
  }

  get assistant(): string | undefined {
    return this.chosen('a:');
  }

  get node(): string | undefined {
    return this.chosen('n:');
  }

  /** Offers what is deployed now; what was chosen stays chosen where it is still there. */
  async offer(): Promise<void> {
    const { names, services, choices } = this;
    const open = names.services.filter(({ contents }) => contents);
    setOptions(
      services,
      open.map(({ id }) => [id, names.service(id)] as const),
    );
    // Where there is one there is nothing to choose.
    services.hidden = open.length < 2;
    const { value: service } = services;
    const assistants = service ? await names.assistantsOf(service) : [];
    if (service !== services.value) return;
    const nodes = names.nodes.filter((node) => node.service === service && CREATES_RUNS.test(node.method));
    const before = choices.value;
    set(
      choices,
      group(
        text('talk.assistants'),
        assistants.map(({ id, name }) => [`a:${id}`, name || id] as const),
      ),
      group(
        text('talk.nodes'),
        nodes.map(({ id }) => [`n:${id}`, names.node(id)] as const),
      ),
    );
    if ([...choices.options].some(({ value }) => value === before)) choices.value = before;
  }

  async choose(service: string, assistant: string): Promise<void> {
    this.services.value = service;
    await this.offer();
    this.choices.value = `a:${assistant}`;
  }

  private chosen(kind: string): string | undefined {
    const { value } = this.choices;
    return value.startsWith(kind) ? value.slice(kind.length) : undefined;
  }
}

const group = (label: string, options: (readonly [string, string])[]) =>
  options.length > 0 &&
  h('optgroup', { label }, ...options.map(([value, name]) => h('option', { value }, name)));
