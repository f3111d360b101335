/** The service (config node) in the editor. */
import { cancelService, prepareService, saveService } from './editor/dialog.ts';
import { text } from './editor/i18n.ts';
import {
  checkAssistants,
  checkAuthName,
  checkDatabase,
  checkKey,
  checkKeyVariable,
  checkPath,
  checkPlace,
  checkUrl,
  within,
} from './editor/validate.ts';
import { VERSION } from './migrations/index.ts';
import { CHOICES, NUMBERS, SERVE_PATH, whereOf } from './settings.ts';

const number = (name: keyof typeof NUMBERS) => ({
  value: NUMBERS[name].value,
  validate: within(NUMBERS[name]),
});

RED.nodes.registerType('openai-runs-service', {
  category: 'config',
  // Everything that a flow saves; written inline, as tools that read flows without running this look for it here.
  defaults: {
    name: { value: '' },
    version: { value: VERSION },
    backend: { value: CHOICES.backend[0] },
    provider: { value: CHOICES.provider[0] },
    url: { value: '', validate: checkUrl },
    urlType: { value: CHOICES.urlType[0] },
    model: { value: '' },
    assistants: { value: [], validate: checkAssistants },
    database: { value: '', validate: checkDatabase },
    databaseTls: { value: '', type: 'tls-config', required: false },
    expiry: number('expiry'),
    retention: number('retention'),
    contextWindow: number('contextWindow'),
    noStreamWithTools: { value: false },
    auth: { value: CHOICES.auth[0], validate: checkKey },
    authName: { value: '', validate: checkAuthName },
    apiKeyType: { value: CHOICES.apiKeyType[0] },
    apiKeyEnv: { value: '', validate: checkKeyVariable },
    organization: { value: '', validate: checkPlace('organization') },
    organizationType: { value: CHOICES.organizationType[0] },
    project: { value: '', validate: checkPlace('project') },
    projectType: { value: CHOICES.projectType[0] },
    headers: { value: [] },
    query: { value: [] },
    retries: number('retries'),
    tls: { value: '', type: 'tls-config', required: false },
    proxy: { value: '', type: 'http proxy', required: false },
    showContents: { value: true },
    timeout: number('timeout'),
    concurrency: number('concurrency'),
    serve: { value: false },
    servePath: { value: SERVE_PATH, validate: checkPath },
    serveAccess: { value: CHOICES.serveAccess[0] },
    serveOrigins: { value: '' },
    serveRequests: number('serveRequests'),
    serveAtOnce: number('serveAtOnce'),
    serveRuns: number('serveRuns'),
  },
  credentials: {
    apiKey: { type: 'password' },
    databasePassword: { type: 'password' },
    databaseUrl: { type: 'password' },
    serveKeys: { type: 'text' },
  },
  paletteLabel: () => text('palette'),
  label() {
    if (this.name) return this.name;
    if (this.backend === 'server') return this.url ? host(this) : text('palette');
    const rehearsal = (this.provider ?? 'rehearsal') === 'rehearsal';
    return text(`label.${rehearsal ? 'rehearsal' : 'embedded'}`, {
      model: this.model || '–',
    });
  },
  oneditprepare() {
    prepareService(this);
  },
  oneditsave() {
    saveService(this);
  },
  oneditcancel: cancelService,
});

/** The part of an address that tells servers apart. */
function host({ url, urlType: type = 'str' }: EditorNode): string {
  if (type !== 'str') return type === 'env' ? url : whereOf({ type, value: url });
  return url.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}
