/** What the list is filtered by. */
import { h, select, setOptions } from './dom.ts';
import { text } from './i18n.ts';
import { type Names, statusName } from './names.ts';
import type { Row } from './types.ts';

const STATUSES = [
  'completed',
  'failed',
  'cancelled',
  'expired',
  'incomplete',
  'requires_action',
  'in_progress',
  'queued',
];
/** Seconds of each span of time. */
const SPANS = { lastHour: 3600, lastDay: 86_400, lastWeek: 604_800, lastMonth: 2_592_000 } as const;
/** Milliseconds after the last key until the words are looked for. */
const TYPING = 350;

export class Filters {
  readonly element: HTMLElement;
  private readonly names: Names;
  private readonly choices: Record<'service' | 'node' | 'assistant' | 'status' | 'span', HTMLSelectElement>;
  private readonly words: HTMLInputElement;

  constructor(names: Names, change: () => void) {
    this.names = names;
    const changed = () => {
      this.offer();
      change();
    };
    const any = (name: string) => select(name, [['', name]], changed);
    this.choices = {
      service: any(text('allServices')),
      node: any(text('allNodes')),
      assistant: any(text('allAssistants')),
      status: select(
        text('allStatuses'),
        [['', text('allStatuses')], ...STATUSES.map((status) => [status, statusName(status)] as const)],
        changed,
      ),
      span: select(
        text('anyTime'),
        [
          ['', text('anyTime')],
          ...Object.keys(SPANS).map((span) => [span, text(span as 'lastDay')] as const),
        ],
        changed,
      ),
    };
    let typing = 0;
    this.words = h('input', {
      type: 'search',
      placeholder: text('search'),
      'aria-label': text('search'),
      input: () => {
        clearTimeout(typing);
        typing = window.setTimeout(change, TYPING);
      },
    });
    this.element = h('div', { class: 'runs-filters' }, this.words, ...Object.values(this.choices));
  }

  /** Offers what there is: services, the nodes of the chosen one, assistants. */
  offer(): void {
    const { names, choices } = this;
    const { services, nodes } = names;
    setOptions(choices.service, [
      ['', text('allServices')],
      ...services.map(({ id }) => [id, names.service(id)] as const),
    ]);
    const own = nodes.filter(({ service }) => !choices.service.value || service === choices.service.value);
    setOptions(choices.node, [
      ['', text('allNodes')],
      ...own.map(({ id }) => [id, names.node(id)] as const),
      ['panel', text('fromPanel')],
    ]);
    setOptions(choices.assistant, [
      ['', text('allAssistants')],
      ...names.assistantsIn(choices.service.value),
    ]);
  }

  /** As the routes take them. */
  get query(): Record<string, string> {
    const { service, node, assistant, status, span } = this.choices;
    const seconds = SPANS[span.value as keyof typeof SPANS];
    return {
      service: service.value,
      node: node.value,
      assistant: assistant.value,
      status: status.value,
      text: this.words.value.trim(),
      from: seconds ? String(Math.floor(Date.now() / 1000) - seconds) : '',
    };
  }

  get isOn(): boolean {
    return Object.values(this.query).some(Boolean);
  }

  /** Whether a row that has come just now fits; words are held against what the row shows. */
  fits(row: Row): boolean {
    const { service, node, assistant, status, text: words } = this.query;
    const shown = [row.question, row.answer, row.origin?.key, row.id].join('\n').toLowerCase();
    return (
      (!service || row.service === service) &&
      (!node || row.origin?.node === node) &&
      (!assistant || row.assistantId === assistant) &&
      (!status || row.status === status) &&
      (!words || shown.includes(words.toLowerCase()))
    );
  }
}
