/** The service (config node) in the editor. */
import { prepareService, saveService } from './editor/dialog.ts';
import { text } from './editor/i18n.ts';
import { atLeast, between, checkAssistants, checkAuthName, checkUrl } from './editor/validate.ts';
import { LONGEST_EXPIRY } from './settings.ts';

RED.nodes.registerType('openai-runs-service', {
  category: 'config',
  // Everything that a flow saves; written inline, as tools that read flows without running this look for it here.
  defaults: {
    name: { value: '' },
    backend: { value: 'embedded' },
    provider: { value: 'rehearsal' },
    url: { value: '', validate: checkUrl },
    model: { value: '' },
    assistants: { value: [], validate: checkAssistants },
    database: { value: '' },
    expiry: { value: 600, validate: between(1, LONGEST_EXPIRY) },
    retention: { value: 0, validate: atLeast(0) },
    contextWindow: { value: 0, validate: atLeast(0) },
    noStreamWithTools: { value: false },
    auth: { value: 'bearer' },
    authName: { value: '', validate: checkAuthName },
    organization: { value: '' },
    project: { value: '' },
    headers: { value: [] },
    query: { value: [] },
    retries: { value: 2, validate: atLeast(0) },
    tls: { value: '', type: 'tls-config', required: false },
    proxy: { value: '', type: 'http proxy', required: false },
    timeout: { value: 600, validate: atLeast(0) },
    concurrency: { value: 0, validate: atLeast(0) },
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
});

/** The part of an address that tells servers apart. */
function host(url: string): string {
  return url.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}
