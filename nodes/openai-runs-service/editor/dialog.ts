/** The dialog of a service: shows what the chosen backend and provider need. */
import { isLoopback } from '../../shared/loopback.ts';
import { VERSION } from '../migrations/index.ts';
import { CHOICES, NUMBERS, type ServiceSettings, type TestResult } from '../settings.ts';
import { ask } from './ask.ts';
import { collectAssistants, prepareAssistants } from './assistants.ts';
import { database, databaseParts, prepareDatabase, showDatabase } from './database.ts';
import { entered, input, list } from './fields.ts';
import { text } from './i18n.ts';
import { prepareModels, setModels } from './models.ts';
import { collectPairs, type Pair, preparePairs } from './pairs.ts';
import { presetOf, presets } from './presets.ts';
import { prepareServe, saveServe } from './serve.ts';
import {
  keySettings,
  offerTypes,
  prepareTyped,
  saveTyped,
  setUrl,
  textOf,
  typeOf,
  visible,
} from './typed-fields.ts';
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
  'urlType',
  'model',
  'auth',
  'authName',
  'organization',
  'organizationType',
  'project',
  'projectType',
  'tls',
  'proxy',
  'databaseTls',
  'timeout',
];

/** Credentials, of which the runtime knows those that were not typed anew. */
const DATABASE_SECRETS = ['databasePassword', 'databaseUrl'];

type Provider = ServiceSettings['provider'];

export function prepareService(node: EditorNode): void {
  for (const [name, value] of Object.entries(DEFAULTS)) if (node[name] === undefined) input(name).val(value);
  prepareTyped();
  // Services saved by earlier versions say nothing of it.
  if (node.showContents === undefined) input('showContents').prop('checked', true);
  fillPresets();
  prepareAssistants(list('assistants'), node.assistants ?? []);
  if ($(document.body).data('runs-new-assistant')) list('assistants').editableList('addItem', {});
  preparePairs(list('headers'), 'headers', node.headers ?? []);
  preparePairs(list('query'), 'query', node.query ?? []);
  prepareDatabase(node.database ?? '');
  prepareServe(node);
  $('#node-config-input-backend, #node-config-input-provider, #node-config-input-auth').on(
    'change',
    showParts,
  );
  list('database-place').on('change', () => {
    showParts();
    showDatabase(node.id);
  });
  $('#node-config-input-database, .runs-database').on('change', () => showDatabase(node.id));
  list('test').on('click', () => testService(node.id));
  prepareModels({
    canAsk: () => entered('backend') !== 'server' && entered('provider') !== 'rehearsal',
    ask: () => ask<TestResult>(node.id, 'test', tested()),
    test: () => testService(node.id),
  });
  $('#node-config-input-url, #runs-service-url').on('change input', showUrlHint);
  showParts();
  showUrlHint();
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
  saveTyped();
  node.headers = collectPairs(list('headers'));
  node.query = collectPairs(list('query'));
  saveServe();
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
    const { id: _id, query, url = '', ...settings } = preset;
    for (const [name, value] of Object.entries(settings)) input(name).val(value);
    setUrl(url);
    addPairs(query ?? []);
    input('backend').trigger('change');
  });
  const show = () => {
    const [backend, provider, url] = [entered('backend'), entered('provider'), entered('url')];
    const preset = typeOf('url') === 'str' ? presetOf({ backend, provider, url }) : undefined;
    select.val(preset?.id ?? '');
  };
  $('#node-config-input-backend, #node-config-input-provider, #node-config-input-url').on('change', show);
  show();
}

/**
 * Says what to know about the address: a program on this machine is not at 127.0.0.1 for a Node-RED that runs in a
 * container, and a message may lead the key anywhere.
 */
function showUrlHint(): void {
  const type = typeOf('url');
  const wrong =
    type === 'str' && isLoopback(textOf('url')) && RED.settings.openaiRunsServiceInContainer === true;
  const isFixed = type === 'str' || type === 'env';
  list('url-hint').text(isFixed ? (wrong ? text('hint.container') : '') : text('hint.perMessage'));
}

/** Tries the settings as they stand in the dialog, and says what came of it; nothing is stored. @returns the models */
async function testService(id: string): Promise<string[]> {
  const result = list('test-result').removeClass('runs-bad').text(text('test.asking'));
  list('test').prop('disabled', true);
  const answer = await ask<TestResult>(id, 'test', tested());
  list('test').prop('disabled', false);
  setModels(answer?.models);
  const { ok, key, values }: TestResult = answer ?? { ok: false, key: 'noRuntime', values: {} };
  result.toggleClass('runs-bad', !ok).text(text(`test.${key}`, { ...values }));
  return answer?.models ?? [];
}

/** The settings that decide who is asked, as they stand in the dialog. */
function tested(): Record<string, unknown> {
  const settings: Record<string, unknown> = { ...keySettings(), database: database() };
  for (const name of DATABASE_SECRETS) settings[name] = input(name).val();
  for (const name of TESTED) settings[name] = entered(name);
  settings.headers = collectPairs(list('headers'));
  settings.query = collectPairs(list('query'));
  return settings;
}

/** Adds what is not there yet; what a person typed stays. */
function addPairs(query: Pair[]): void {
  const present = new Set(collectPairs(list('query')).map(({ name }) => name));
  for (const pair of query.filter(({ name }) => !present.has(name)))
    list('query').editableList('addItem', pair);
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
    ...databaseParts(embedded),
  };
  for (const [part, shown] of Object.entries(parts)) $(`[data-part="${part}"]`).toggle(shown);
  $('#runs-service-url-required').toggle(needsUrl(service));
  $('#runs-service-backend-hint').text(text(`hint.backend.${embedded ? 'embedded' : 'server'}`));
  $('#runs-service-provider-hint').text(text(`hint.provider.${service.provider}`));
  offerTypes(embedded);
  visible('url').attr(
    'placeholder',
    embedded ? text(`placeholder.url.${service.provider}`) : text('placeholder.url.server'),
  );
  RED.tray.resize();
}
