/** What a Service Host of the old package says: where its server is, and how it wants the key. */
import { type FlowNode, textOf } from './flow.ts';

/** The settings of a service on the host's own server. */
export interface ServerSettings {
  settings: Record<string, string>;
  /** The environment variable that the key is taken from. */
  variable?: string;
  /** Where there is none: why the key is to be entered, which no flow has. */
  note?: { key: 'enterKey' } | { key: 'keyFrom'; source: string };
}

const OPENAI = 'https://api.openai.com/v1';

/** A value that is known before a message comes: as text, or as `${NAME}`; undefined where only a message has it. */
function known(host: FlowNode, property: string): string | undefined {
  const value = textOf(host[property]);
  const type = textOf(host[`${property}Type`]) || 'str';
  if (type === 'str' || value === '') return value;
  return type === 'env' ? environment(value) : undefined;
}

/** `NAME` and `${NAME}` both name a variable. */
const environment = (name: string) => (name.includes('${') ? name : `\${${name}}`);

/** Where a value that can't be known is read, as a person writes it. */
export function sourceOf(host: FlowNode, property: string): string {
  return `${textOf(host[`${property}Type`])}.${textOf(host[property])}`;
}

/** The address of a host's server; undefined where each message brings it. */
export function addressOf(host: FlowNode): string | undefined {
  const address = known(host, 'apiBase');
  return address === '' ? OPENAI : address;
}

/** Whether an address is that of OpenAI's own service. */
export function isOpenAI(address: string | undefined): boolean {
  return URL.canParse(address ?? '') && /(^|\.)api\.openai\.com$/.test(new URL(address ?? '').hostname);
}

/**
 * A service on the host's own server; what each message brings, it goes on to bring.
 * @returns undefined where the key's place is brought by each message: a service has it fixed
 */
export function serverSettings(host: FlowNode): ServerSettings | undefined {
  const name = known(host, 'secureApiKeyHeaderOrQueryName') || undefined;
  if (name === undefined && textOf(host.secureApiKeyHeaderOrQueryName)) return undefined;
  const settings: ServerSettings['settings'] = {
    backend: 'server',
    ...typed(host, 'apiBase', 'url'),
    ...typed(host, 'organizationId', 'organization'),
    ...authOf(host, name),
  };
  if (settings.url === '') settings.url = OPENAI;
  const type = textOf(host.secureApiKeyValueType) || 'cred';
  const reference = textOf(host.secureApiKeyValueRef);
  const variable = type === 'env' ? /^(?:\$\{)?([^${}\s]+)\}?$/.exec(reference)?.[1] : undefined;
  if (variable) return { settings: { ...settings, apiKeyType: 'env', apiKeyEnv: variable }, variable };
  const isBrought = ['msg', 'flow', 'global'].includes(type);
  return {
    settings,
    note: isBrought ? { key: 'keyFrom', source: `${type}.${reference}` } : { key: 'enterKey' },
  };
}

/** A setting that may come with each message, under the name that a service has for it. */
function typed(host: FlowNode, property: string, name: string): Record<string, string> {
  const value = known(host, property);
  if (value !== undefined) return { [name]: value, [`${name}Type`]: 'str' };
  const type = textOf(host[`${property}Type`]);
  // A type that there is not means nothing.
  if (!['msg', 'flow', 'global'].includes(type)) return { [name]: '', [`${name}Type`]: 'str' };
  return { [name]: textOf(host[property]), [`${name}Type`]: type };
}

/** How the key travels. */
function authOf(host: FlowNode, name = 'Authorization'): { auth: string; authName: string } {
  const inQuery = String(host.secureApiKeyIsQuery) === 'true';
  if (!inQuery && name.toLowerCase() === 'authorization') return { auth: 'bearer', authName: '' };
  return { auth: inQuery ? 'query' : 'header', authName: name };
}
