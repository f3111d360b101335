/** One run, or one message that has none yet, as a row of the list. */
import { h } from './dom.ts';
import { count, duration, moment, wholeSeconds } from './format.ts';
import { text } from './i18n.ts';
import { LOOKS, type Names, statusName } from './names.ts';
import type { FlightInfo, Row } from './types.ts';

/** Pixels: all rows are of one height, so that a list of any length knows where each stands. */
export const ROW_HEIGHT = 64;

export interface RowView {
  names: Names;
  open(row: Row): void;
}

/** The icon of a status, with its name for those who don't see it. */
export function statusIcon(status: string): HTMLElement {
  const [icon, colour] = LOOKS[status] ?? ['question-circle-o', 'grey'];
  const name = statusName(status);
  const spins = status === 'in_progress' ? ' fa-spin' : '';
  return h('i', {
    class: `fa fa-${icon}${spins} runs-${colour}`,
    role: 'img',
    title: name,
    'aria-label': name,
  });
}

/** The node that a run came from; pressing it shows it on the canvas. */
function origin({ names }: RowView, from: Row['origin']): HTMLElement {
  const label = names.origin(from);
  if (!from || !RED.nodes.node(from.node)) return h('span', { class: 'runs-from', title: label }, label);
  const show = (event: Event) => {
    event.stopPropagation();
    RED.view.reveal(from.node);
  };
  const name = text('reveal', { name: label });
  return h(
    'button',
    {
      type: 'button',
      class: 'runs-from runs-link',
      tabindex: -1,
      title: name,
      'aria-label': name,
      click: show,
    },
    label,
  );
}

const dot = (parts: (string | undefined | false)[]) => parts.filter(Boolean).join(' · ');

/** How long a run has taken, as exactly as is known; empty while it goes on. */
export function tookWords({ took, origin }: Pick<Row, 'took' | 'origin'>): string {
  if (took === undefined) return '';
  return origin?.marks ? duration(took) : wholeSeconds(took);
}

/** A run. @param flight what its node knows of it beyond its status */
export function runRow(view: RowView, row: Row, flight?: FlightInfo): HTMLElement {
  const tokens = row.tokensIn + row.tokensOut;
  const state = flight && row.status !== 'requires_action' ? flight.state : row.status;
  const figures = dot([
    tookWords(row),
    tokens > 0 && text('tokens', { count: count(tokens) }),
    row.calls > 0 && text('calls', { count: row.calls }),
  ]);
  const about = dot([view.names.assistant(row.service, row.assistantId), row.origin?.key]);
  const said = row.answer ?? row.error ?? (flight ? flightWords(flight) : '');
  return h(
    'div',
    {
      class: 'runs-row',
      'data-run': row.id,
      role: 'option',
      tabindex: -1,
      'aria-label': dot([
        statusName(state),
        view.names.origin(row.origin),
        about,
        row.question,
        said,
        figures,
      ]),
      click: () => view.open(row),
      keydown: (event: KeyboardEvent) => {
        if (event.key === 'Enter' && event.target === event.currentTarget) view.open(row);
      },
    },
    h(
      'div',
      {},
      statusIcon(state),
      origin(view, row.origin),
      h('span', { class: 'runs-dim runs-fill' }, about),
      h('span', { class: 'runs-dim' }, moment(row.createdAt)),
    ),
    h('div', {}, h('span', { class: 'runs-fill' }, row.question ?? row.id)),
    h(
      'div',
      { class: 'runs-dim' },
      h('span', { class: 'runs-fill' }, said || statusName(state)),
      h('span', {}, figures),
    ),
  );
}

/** A message that waits for its turn, or whose run is not known yet. */
export function flightRow(view: RowView, flight: FlightInfo): HTMLElement {
  return h(
    'div',
    { class: 'runs-row', role: 'option', 'aria-disabled': 'true' },
    h(
      'div',
      {},
      statusIcon(flight.state),
      origin(view, flight.origin),
      h('span', { class: 'runs-dim runs-fill' }, flight.origin.key ?? ''),
      h('span', { class: 'runs-dim' }, moment(flight.since)),
    ),
    h('div', {}, h('span', { class: 'runs-fill' }, flightWords(flight) || statusName(flight.state))),
    h('div', {}),
  );
}

/** What keeps a message: its place in line, or the next attempt. */
function flightWords({ ahead, retry, state }: FlightInfo): string {
  const seconds = retry ? Math.ceil((retry.at - Date.now()) / 1000) : 0;
  if (retry && seconds > 0)
    return text(retry.limited ? 'limited' : 'again', { seconds, attempt: retry.attempt });
  return state === 'waiting' && ahead > 0 ? text('ahead', { count: ahead }) : '';
}
