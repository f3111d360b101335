/** What can be taken from a run to elsewhere: its JSON, a file, an Inject node. */
import { wordsOf } from './conversation.ts';
import { h } from './dom.ts';
import { text } from './i18n.ts';
import type { Message, RunDetail } from './types.ts';

/** The run's objects as JSON. */
export function raw(detail: RunDetail): HTMLElement {
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

/** Saves a run as a file. */
export function save(detail: RunDetail): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(detail, null, 2)], { type: 'application/json' }));
  h('a', { href: url, download: `${detail.run.id}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** An Inject node that asks the same, to be put down on the canvas. */
export function makeInject(message: Message, { row }: RunDetail): void {
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
