/** The dialog of a service: shows what the chosen backend and provider need. */
import { collectAssistants, prepareAssistants } from './assistants.ts';
import { text } from './i18n.ts';
import { collectPairs, type Pair, preparePairs } from './pairs.ts';
import { presets } from './presets.ts';
import { needsUrl, usesUrl } from './validate.ts';

/** Saved as numbers, though inputs hold texts; `${NAME}` stays as it is. */
const NUMBERS = ['timeout', 'concurrency', 'retries', 'expiry', 'contextWindow'];

const input = (name: string) => $(`#node-config-input-${name}`);
const entered = (name: string) => String(input(name).val() ?? '');
const list = (name: string) => $(`#runs-service-${name}`);

export function prepareService(node: EditorNode): void {
  fillPresets();
  prepareAssistants(list('assistants'), node.assistants ?? []);
  preparePairs(list('headers'), 'headers', node.headers ?? []);
  preparePairs(list('query'), 'query', node.query ?? []);
  prepareDatabase(node.database ?? '');
  $('#node-config-input-backend, #node-config-input-provider, #node-config-input-auth').on(
    'change',
    showParts,
  );
  list('database-place').on('change', showParts);
  showParts();
}

export function saveService(node: EditorNode): void {
  node.assistants = collectAssistants(list('assistants'));
  node.headers = collectPairs(list('headers'));
  node.query = collectPairs(list('query'));
  const place = String(list('database-place').val());
  if (place !== 'file') input('database').val(place === 'memory' ? ':memory:' : '');
  for (const name of NUMBERS) {
    if (!Number.isNaN(Number(entered(name)))) node[name] = Number(entered(name));
  }
}

function fillPresets(): void {
  const select = list('preset');
  for (const { id } of presets)
    $('<option>', { value: id })
      .text(text(`preset.${id}`))
      .appendTo(select);
  select.on('change', () => {
    const preset = presets.find(({ id }) => id === select.val());
    if (!preset) return;
    const { id: _id, query, ...settings } = preset;
    for (const [name, value] of Object.entries(settings)) input(name).val(value);
    addPairs(query ?? []);
    input('backend').trigger('change');
    select.val('');
  });
}

/** Adds what is not there yet; what a person typed stays. */
function addPairs(query: Pair[]): void {
  const present = new Set(collectPairs(list('query')).map(({ name }) => name));
  for (const pair of query.filter(({ name }) => !present.has(name)))
    list('query').editableList('addItem', pair);
}

function prepareDatabase(database: string): void {
  const place = database === '' ? 'default' : database === ':memory:' ? 'memory' : 'file';
  list('database-place').val(place);
  if (place === 'memory') input('database').val('');
}

function showParts(): void {
  const service = { backend: entered('backend'), provider: entered('provider') };
  const embedded = service.backend !== 'server';
  const parts: Record<string, boolean> = {
    embedded,
    server: !embedded,
    url: usesUrl(service),
    model: embedded && service.provider !== 'rehearsal',
    key: usesUrl(service),
    chat: embedded && service.provider === 'chat',
    authName: !embedded && entered('auth') !== 'bearer',
    databaseFile: embedded && list('database-place').val() === 'file',
  };
  for (const [part, shown] of Object.entries(parts)) $(`[data-part="${part}"]`).toggle(shown);
  $('#runs-service-url-required').toggle(needsUrl(service));
  $('#runs-service-backend-hint').text(text(`hint.backend.${embedded ? 'embedded' : 'server'}`));
  $('#runs-service-provider-hint').text(text(`hint.provider.${service.provider || 'rehearsal'}`));
  input('url').attr(
    'placeholder',
    embedded ? text(`placeholder.url.${service.provider}`) : text('placeholder.url.server'),
  );
  RED.tray.resize();
}
