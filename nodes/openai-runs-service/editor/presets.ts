/** Settings that work with well-known programs and services, to start from. */

import type { Below, ServiceText } from '../../shared/texts.ts';

export interface Preset {
  id: Exclude<Below<ServiceText, 'preset'>, 'choose'>;
  backend: 'embedded' | 'server';
  provider?: 'rehearsal' | 'chat' | 'responses';
  url?: string;
  auth?: 'bearer' | 'header' | 'query';
  authName?: string;
  query?: { name: string; value: string }[];
}

/** Each has a name in the locale under `preset.<id>`. */
export const presets: readonly Preset[] = [
  { id: 'rehearsal', backend: 'embedded', provider: 'rehearsal', url: '' },
  { id: 'responses', backend: 'embedded', provider: 'responses', url: 'https://api.openai.com/v1' },
  { id: 'ollama', backend: 'embedded', provider: 'chat', url: 'http://127.0.0.1:11434/v1' },
  { id: 'llamacpp', backend: 'embedded', provider: 'chat', url: 'http://127.0.0.1:8080/v1' },
  { id: 'lmstudio', backend: 'embedded', provider: 'chat', url: 'http://127.0.0.1:1234/v1' },
  { id: 'vllm', backend: 'embedded', provider: 'chat', url: 'http://127.0.0.1:8000/v1' },
  { id: 'chat', backend: 'embedded', provider: 'chat', url: 'https://' },
  {
    id: 'foundry',
    backend: 'server',
    url: 'https://RESOURCE.services.ai.azure.com/api/projects/PROJECT',
    auth: 'bearer',
    query: [{ name: 'api-version', value: 'v1' }],
  },
  {
    id: 'azure',
    backend: 'server',
    url: 'https://RESOURCE.openai.azure.com/openai',
    auth: 'header',
    authName: 'api-key',
    query: [{ name: 'api-version', value: '2024-05-01-preview' }],
  },
  { id: 'server', backend: 'server', url: 'https://', auth: 'bearer' },
];
