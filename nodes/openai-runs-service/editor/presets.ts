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
  { id: 'litellm', backend: 'embedded', provider: 'chat', url: 'http://127.0.0.1:4000/v1' },
  { id: 'anthropic', backend: 'embedded', provider: 'chat', url: 'https://api.anthropic.com/v1' },
  {
    id: 'gemini',
    backend: 'embedded',
    provider: 'chat',
    url: 'https://generativelanguage.googleapis.com/v1beta/openai',
  },
  { id: 'mistral', backend: 'embedded', provider: 'chat', url: 'https://api.mistral.ai/v1' },
  { id: 'groq', backend: 'embedded', provider: 'chat', url: 'https://api.groq.com/openai/v1' },
  { id: 'openrouter', backend: 'embedded', provider: 'chat', url: 'https://openrouter.ai/api/v1' },
  {
    id: 'azureChat',
    backend: 'embedded',
    provider: 'chat',
    url: 'https://RESOURCE.openai.azure.com/openai/v1',
  },
  { id: 'chat', backend: 'embedded', provider: 'chat', url: 'https://' },
  {
    id: 'foundry',
    backend: 'server',
    url: 'https://RESOURCE.services.ai.azure.com/api/projects/PROJECT',
    auth: 'bearer',
    query: [{ name: 'api-version', value: 'v1' }],
  },
  { id: 'server', backend: 'server', url: 'https://', auth: 'bearer' },
];

/** The preset that settings began with, as far as they show it; undefined where none fits. */
export function presetOf(settings: { backend: string; provider: string; url: string }): Preset | undefined {
  const fits = ({ backend, provider, url = '' }: Preset) => {
    if (backend !== settings.backend || (provider && provider !== settings.provider)) return false;
    if (provider === 'rehearsal') return true;
    // Words in capitals stand for names of one's own.
    const pattern = url.split(/[A-Z]{4,}/).map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
    return new RegExp(`^${pattern.join('[^/]+')}$`).test(settings.url.replace(/\/$/, ''));
  };
  return presets.find(fits);
}
