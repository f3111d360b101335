/** The service (config node) in the editor. */
import { cancelService, prepareService, saveService } from './editor/dialog.ts';
import { text } from './editor/i18n.ts';
import { checkAssistants, checkAuthName, checkKey, checkUrl, within } from './editor/validate.ts';
import { VERSION } from './migrations/index.ts';
import { CHOICES, NUMBERS } from './settings.ts';

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
    model: { value: '' },
    assistants: { value: [], validate: checkAssistants },
    database: { value: '' },
    expiry: number('expiry'),
    retention: number('retention'),
    contextWindow: number('contextWindow'),
    noStreamWithTools: { value: false },
    auth: { value: CHOICES.auth[0], validate: checkKey },
    authName: { value: '', validate: checkAuthName },
    organization: { value: '' },
    project: { value: '' },
    headers: { value: [] },
    query: { value: [] },
    retries: number('retries'),
    tls: { value: '', type: 'tls-config', required: false },
    proxy: { value: '', type: 'http proxy', required: false },
    showContents: { value: true },
    timeout: number('timeout'),
    concurrency: number('concurrency'),
  },
  credentials: {
    apiKey: { type: 'password' },
  },
  paletteLabel: () => text('palette'),
  label() {
    if (this.name) return this.name;
    if (this.backend === 'server') return this.url ? host(this.url) : text('palette');
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
function host(url: string): string {
  return url.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}
