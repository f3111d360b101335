/** The dialog of a service: shows what the chosen backend and provider need. */
import { VERSION } from '../migrations/index.ts';
import { CHOICES, NUMBERS, type ServiceSettings, type TestResult } from '../settings.ts';
import { collectAssistants, prepareAssistants } from './assistants.ts';
import { text } from './i18n.ts';
import { collectPairs, type Pair, preparePairs } from './pairs.ts';
import { presetOf, presets } from './presets.ts';
import { needsUrl, usesUrl } from './validate.ts';

/** What a flow written by hand may lack. */
const DEFAULTS: Record<string, string | number> = {
  ...Object.fromEntries(Object.entries(CHOICES).map(([name, [first]]) => [name, first])),
  ...Object.fromEntries(Object.entries(NUMBERS).map(([name, { value }]) => [name, value])),
};

/** What the test needs to know. */
const TESTED = [
  'backend',
  'provider',
  'url',
  'model',
  'auth',
  'authName',
  'organization',
  'project',
  'tls',
  'proxy',
  'timeout',
];

type Provider = ServiceSettings['provider'];

const input = (name: string) => $(`#node-config-input-${name}`);
/** "_ADD_" is the editor's own entry of a list of config nodes: none is chosen. */
const entered = (name: string) => String(input(name).val() ?? '').replace(/^_ADD_$/, '');
const list = (name: string) => $(`#runs-service-${name}`);

export function prepareService(node: EditorNode): void {
  for (const [name, value] of Object.entries(DEFAULTS)) if (node[name] === undefined) input(name).val(value);
  // Services saved by earlier versions say nothing of it.
  if (node.showContents === undefined) input('showContents').prop('checked', true);
  fillPresets();
  prepareAssistants(list('assistants'), node.assistants ?? []);
  if ($(document.body).data('runs-new-assistant')) list('assistants').editableList('addItem', {});
  preparePairs(list('headers'), 'headers', node.headers ?? []);
  preparePairs(list('query'), 'query', node.query ?? []);
  prepareDatabase(node.database ?? '');
  $('#node-config-input-backend, #node-config-input-provider, #node-config-input-auth').on(
    'change',
    showParts,
  );
  list('database-place').on('change', () => {
    showParts();
    showDatabase(node.id);
  });
  input('database').on('change', () => showDatabase(node.id));
  list('test').on('click', () => testService(node.id));
  offerModels(node.id);
  $('#node-config-input-url, #runs-service-preset').on('change input', showContainerHint);
  showContainerHint();
  showParts();
  showDatabase(node.id);
}

export function saveService(node: EditorNode): void {
  delete node.needsKey;
  node.assistants = collectAssistants(list('assistants'));
  // A node that asked for a new one is told which it is.
  if ($(document.body).data('runs-new-assistant')) {
    $(document.body).data('runs-made-assistant', node.assistants.at(-1)?.id);
  }
  cancelService();
  node.headers = collectPairs(list('headers'));
  node.query = collectPairs(list('query'));
  input('database').val(database());
  // Inputs hold texts; saved are numbers, but for `${NAME}`.
  for (const name of Object.keys(NUMBERS)) {
    if (entered(name) === '') input(name).val(DEFAULTS[name] ?? '');
    if (!Number.isNaN(Number(entered(name)))) node[name] = Number(entered(name));
  }
  node.version = VERSION;
}

export function cancelService(): void {
  $(document.body).removeData('runs-new-assistant');
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
  });
  const show = () => {
    const [backend, provider, url] = [entered('backend'), entered('provider'), entered('url')];
    select.val(presetOf({ backend, provider, url })?.id ?? '');
  };
  $('#node-config-input-backend, #node-config-input-provider, #node-config-input-url').on('change', show);
  show();
}

/** A program on this machine is not at 127.0.0.1 for a Node-RED that runs in a container. */
function showContainerHint(): void {
  const itself = /^(\w+:\/\/)?(localhost|127\.[\d.]+|\[::1\])(?=[:/]|$)/.test(entered('url'));
  const wrong = itself && RED.settings.openaiRunsServiceInContainer === true;
  list('url-hint').text(wrong ? text('hint.container') : '');
}

/** Offers the provider's models where a model is typed: known after a test, or asked for when the list is wanted. */
function offerModels(id: string): void {
  const models = $('<datalist>', { id: 'runs-service-models' }).appendTo(list('test').parent());
  let asked = '';
  list('assistants')
    .parent()
    .add(input('model'))
    .on('focusin', async ({ target }) => {
      const wantsModel = $(target).is('#node-config-input-model, .runs-assistant-model');
      const [address, provider] = [entered('url'), entered('provider')];
      if (!wantsModel || asked === address || entered('backend') === 'server' || provider === 'rehearsal')
        return;
      asked = address;
      showModels(await ask<TestResult>(id, 'test', tested()));
    });
  input('model').attr('list', models.attr('id') ?? '');
}

function showModels(answer: TestResult | undefined): void {
  const names = answer?.models ?? [];
  list('models')
    .empty()
    .append(names.map((value) => $('<option>', { value })));
}

/** As it is saved: empty for the default place. */
function database(): string {
  const place = list('database-place').val();
  if (place === 'memory') return ':memory:';
  return place === 'file' ? entered('database') : '';
}

/** Says where the runtime keeps the database, and how large it is. */
async function showDatabase(id: string): Promise<void> {
  const hint = list('database-hint').text('');
  const found = await ask<{ file?: string; bytes?: number; threads?: number; runs?: number }>(
    id,
    'database',
    { database: database() },
  );
  if (!found?.file) return;
  const { file, bytes, threads = 0, runs = 0 } = found;
  const key = bytes === undefined ? 'hint.databaseAt' : bytes > 0 ? 'hint.databaseSize' : 'hint.databaseNew';
  hint.text(text(key, { file, size: ((bytes ?? 0) / 1024).toFixed(0), threads, runs }));
}

/** Tries the settings as they stand in the dialog; nothing is stored. */
async function testService(id: string): Promise<void> {
  const result = list('test-result').removeClass('runs-bad').text(text('test.asking'));
  list('test').prop('disabled', true);
  const answer = await ask<TestResult>(id, 'test', tested());
  list('test').prop('disabled', false);
  showModels(answer);
  const { ok, key, values }: TestResult = answer ?? { ok: false, key: 'noRuntime', values: {} };
  result.toggleClass('runs-bad', !ok).text(text(`test.${key}`, { ...values }));
}

/** The settings that decide who is asked, as they stand in the dialog. */
function tested(): Record<string, unknown> {
  const settings: Record<string, unknown> = { apiKey: input('apiKey').val() };
  for (const name of TESTED) settings[name] = entered(name);
  settings.headers = collectPairs(list('headers'));
  settings.query = collectPairs(list('query'));
  return settings;
}

/** Asks the runtime; undefined where it does not answer or may not. */
async function ask<Answer>(id: string, what: string, body: object): Promise<Answer | undefined> {
  try {
    return await $.ajax({
      url: `openai-runs-service/${encodeURIComponent(id)}/${what}`,
      type: 'POST',
      contentType: 'application/json',
      data: JSON.stringify(body),
    });
  } catch {
    return undefined;
  }
}

/** Adds what is not there yet; what a person typed stays. */
function addPairs(query: Pair[]): void {
  const present = new Set(collectPairs(list('query')).map(({ name }) => name));
  for (const pair of query.filter(({ name }) => !present.has(name)))
    list('query').editableList('addItem', pair);
}

function prepareDatabase(saved: string): void {
  const place = saved === '' ? 'default' : saved === ':memory:' ? 'memory' : 'file';
  list('database-place').val(place);
  if (place === 'memory') input('database').val('');
}

function showParts(): void {
  const service = { backend: entered('backend'), provider: (entered('provider') || 'rehearsal') as Provider };
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
  $('#runs-service-provider-hint').text(text(`hint.provider.${service.provider}`));
  input('url').attr(
    'placeholder',
    embedded ? text(`placeholder.url.${service.provider}`) : text('placeholder.url.server'),
  );
  RED.tray.resize();
}
