/** The section "Serve to other programs": path, address, and the keys that programs are given. */
import type { ServedKey } from '../serve/keys.ts';
import { pathOf, SERVE_PATH } from '../settings.ts';
import { ask } from './ask.ts';
import { text } from './i18n.ts';

const input = (name: string) => $(`#node-config-input-${name}`);
const part = (name: string) => $(`#runs-service-serve-${name}`);

/** What the runtime answers when it has made a key. */
type NewKey = Pick<ServedKey, 'id' | 'salt' | 'hash'> & { key: string };

export function prepareServe(node: EditorNode): void {
  if (!node.servePath) input('servePath').val(SERVE_PATH);
  input('servePath').on('input change', showAddress);
  part('copy').on('click', () => copy(part('address')));
  const list = part('keys');
  list.editableList({
    addItem: (container: JQuery, _index: number, item: Partial<ServedKey>) =>
      buildKey(container, item, node.id),
    removeItem: showServe,
    removable: true,
  });
  for (const key of savedKeys()) list.editableList('addItem', key);
  $('#node-config-input-serve, #node-config-input-serveAccess').on('change', showServe);
  showAddress();
  showServe();
  void showUses(node.id);
}

/** Puts the keys into their credential, to be saved with the node. */
export function saveServe(): void {
  input('serveKeys').val(JSON.stringify(collectKeys()));
  input('servePath').val(pathOf(String(input('servePath').val()) || SERVE_PATH));
}

/** Shows what the choices need, and says what nobody should miss. */
function showServe(): void {
  const on = input('serve').is(':checked');
  const local = input('serveAccess').val() === 'local';
  part('part').toggle(on);
  part('with-keys').toggle(!local);
  const isEmpty = part('keys').editableList('items').length === 0;
  const path = pathOf(String(input('servePath').val()));
  part('warning').text(local ? text('serve.localWarning') : isEmpty ? text('serve.noKeys', { path }) : '');
}

function showAddress(): void {
  const root = String(RED.settings.httpNodeRoot || '/');
  const path = `${root}${pathOf(String(input('servePath').val()) || SERVE_PATH)}/v1`.replace(/\/+/g, '/');
  part('address').val(location.origin + path);
}

const copy = (from: JQuery) => RED.clipboard.copyText(String(from.val()), from);

function savedKeys(): ServedKey[] {
  try {
    return JSON.parse(String(input('serveKeys').val() || '[]'));
  } catch {
    return [];
  }
}

/** Keys made so far, for the ids of their controls. */
let made = 0;

function buildKey(container: JQuery, item: Partial<ServedKey>, nodeId: string): void {
  const id = `runs-key-${++made}`;
  const field = (name: string, label: string, value: string) =>
    $('<input>', { type: 'text', class: `runs-key-${name}`, placeholder: label, 'aria-label': label }).val(
      value,
    );
  const own = $('<input>', { type: 'checkbox', id, class: 'runs-key-own' }).prop('checked', item.ownThreads);
  container.data('key', item).addClass('runs-functions');
  container.append(
    $('<div>', { class: 'runs-pair' }).append(field('name', text('serve.keyName'), item.name ?? '')),
    $('<div>', { class: 'runs-pair' }).append(
      field('only', text('serve.only'), (item.assistants ?? []).join(', ')),
    ),
    $('<label>', { class: 'runs-needed', for: id }).append(own, $('<span>').text(text('serve.ownThreads'))),
    $('<span>', { class: 'runs-key-state', role: 'status' }),
  );
  if (!item.id) void make(container, nodeId);
}

/** Asks the runtime for a key, and shows it: this once, as nobody keeps it. */
async function make(container: JQuery, nodeId: string): Promise<void> {
  const answer = await ask<NewKey>(nodeId, 'key', {});
  const state = container.find('.runs-key-state');
  if (!answer) return void state.addClass('runs-bad').text(text('test.noRuntime'));
  const { key, ...kept } = answer;
  container.data('key', kept);
  const shown = $('<input>', { type: 'text', class: 'runs-key-shown', readonly: true }).val(key);
  shown.attr('aria-label', text('serve.keyList'));
  const button = $('<button>', { type: 'button', class: 'red-ui-button' }).text(text('serve.copy'));
  button.on('click', () => copy(shown));
  $('<div>', { class: 'runs-pair' }).append(shown, button).insertBefore(state);
  state.text(text('serve.once'));
  showServe();
}

function collectKeys(): ServedKey[] {
  return part('keys')
    .editableList('items')
    .toArray()
    .flatMap((element) => {
      const item = $(element);
      const key = item.data('key') as ServedKey;
      const value = (name: string) => String(item.find(`.runs-key-${name}`).val() ?? '').trim();
      const assistants = value('only')
        .split(/[\s,]+/)
        .filter(Boolean);
      const ownThreads = item.find('.runs-key-own').is(':checked');
      return key.id ? [{ ...key, name: value('name'), assistants, ownThreads }] : [];
    });
}

/** Says of each key when it was last used. */
async function showUses(nodeId: string): Promise<void> {
  const uses = await ask<Record<string, number>>(nodeId, 'keys');
  for (const element of part('keys').editableList('items').toArray()) {
    const item = $(element);
    const at = uses?.[(item.data('key') as ServedKey).id];
    const state = item.find('.runs-key-state');
    if (state.text() !== '' || !uses) continue;
    state.text(at ? text('serve.lastUsed', { when: new Date(at).toLocaleString() }) : text('serve.unused'));
  }
}
