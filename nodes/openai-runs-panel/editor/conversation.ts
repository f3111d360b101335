/** A thread as a chat, and the calls of tools in it. */
import { h } from './dom.ts';
import { moment, pretty } from './format.ts';
import { text } from './i18n.ts';
import { canShow, thumbnail } from './thumbnail.ts';
import { type Call, callsOf } from './timeline.ts';
import type { Message, RunDetail } from './types.ts';

/** The words of a message. */
export const wordsOf = ({ content }: Pick<Message, 'content'>): string =>
  content
    .flatMap((part) =>
      part.type === 'text' ? [part.text.value] : part.type === 'refusal' ? [part.refusal] : [],
    )
    .join('\n');

/** The pictures that a message holds itself: data URLs, or where the panel serves them. */
export const picturesOf = ({ content }: Pick<Message, 'content'>): string[] =>
  content.flatMap((part) =>
    part.type === 'image_url' && canShow(part.image_url.url) ? [part.image_url.url] : [],
  );

/** What a message says and shows; pictures and files that are elsewhere by name. */
export function contentOf(message: Pick<Message, 'content'> & Partial<Message>): HTMLElement {
  const pictures = message.content.flatMap((part) => {
    if (part.type === 'image_file') return [thumbnail('', part.image_file.file_id)];
    if (part.type !== 'image_url') return [];
    const { url } = part.image_url;
    return [thumbnail(url, canShow(url) ? text('talk.picture') : url.slice(0, 60))];
  });
  const files = (message.attachments ?? []).map(({ file_id }) => `[${text('talk.file')}: ${file_id ?? ''}]`);
  return h('span', {}, wordsOf(message), pictures.length > 0 && shown(pictures), files.join('\n'));
}

/** Pictures below each other's words. */
export const shown = (pictures: HTMLElement[]): HTMLElement => h('div', { class: 'runs-strip' }, ...pictures);

/** A button that asks a message again. */
export function forkButton(click: () => void): HTMLElement {
  const label = text('detail.fork');
  return h(
    'button',
    { type: 'button', class: 'runs-link', title: label, 'aria-label': label, click },
    h('i', { class: 'fa fa-code-fork', 'aria-hidden': 'true' }),
  );
}

/** One message. @param figures shown below it */
export function bubble(
  role: string,
  said: string | HTMLElement,
  figures = '',
  more?: HTMLElement,
): HTMLElement {
  const who = text(role === 'user' ? 'talk.you' : 'talk.assistant');
  return h(
    'div',
    { class: `runs-bubble runs-${role === 'user' ? 'user' : 'assistant'}` },
    h('div', { class: 'runs-dim runs-who' }, h('span', { class: 'runs-fill' }, who), figures, more),
    h('div', { class: 'runs-said' }, said),
  );
}

/** One call, folded: arguments, output, how long it took. */
export function callCard(call: Call, took = '', isOpen = false): HTMLDetailsElement {
  const { name = call.type, arguments: given, output } = call.function ?? {};
  return h(
    'details',
    { class: 'runs-call', open: isOpen },
    h(
      'summary',
      {},
      h('i', { class: 'fa fa-wrench', 'aria-hidden': 'true' }),
      ` ${name} `,
      h('span', { class: 'runs-dim' }, [call.server_label, took].filter(Boolean).join(' · ')),
    ),
    given !== undefined && h('div', { class: 'runs-dim' }, text('call.arguments')),
    given !== undefined && h('pre', {}, pretty(given)),
    h(
      'div',
      { class: 'runs-output' },
      h('div', { class: 'runs-dim' }, text('call.output')),
      h('pre', {}, output == null ? text('call.open') : pretty(output)),
    ),
  );
}

/** The whole thread as far as it is known; the calls of this run stand before what it says of them. */
export function conversation(detail: RunDetail, fork: (message: Message) => void): HTMLElement {
  const body = h('div', { class: 'runs-body' });
  let shown = false;
  const showCalls = () => {
    if (shown) return;
    shown = true;
    for (const { call } of callsOf(detail.steps)) body.append(callCard(call));
  };
  for (const message of detail.messages) {
    if (message.run_id === detail.run.id) showCalls();
    const again = message.role === 'user' ? forkButton(() => fork(message)) : undefined;
    const row = bubble(message.role, contentOf(message), moment(message.created_at * 1000), again);
    if (message.run_id === detail.run.id || message === question(detail)) row.classList.add('runs-own');
    body.append(row);
  }
  showCalls();
  if (!detail.contents) body.append(h('p', { class: 'runs-dim' }, text('hidden')));
  return body;
}

/** What the user said that the run answers. */
export function question({ messages, run }: RunDetail): Message | undefined {
  const first = messages.findIndex(({ run_id }) => run_id === run.id);
  const before =
    first < 0 ? messages.filter(({ created_at }) => created_at <= run.created_at) : messages.slice(0, first);
  return before.findLast(({ role }) => role === 'user');
}
