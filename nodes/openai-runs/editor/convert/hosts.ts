/** What a Service Host of the old package says: where its server is, and how it wants the key. */
import { type FlowNode, textOf } from './flow.ts';

/** What the person who converts has to know about a service on the same server. */
export type HostNote = { key: 'enterKey' } | { key: 'keyFrom' | 'organizationLeft'; source: string };

/** The settings of a service on the host's own server. */
export interface ServerSettings {
  settings: Record<string, string>;
  credentials?: { apiKey: string };
  notes: HostNote[];
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
 * A service on the host's own server.
 * @returns undefined where address or the key's place are brought by each message: a service has them fixed
 */
export function serverSettings(host: FlowNode): ServerSettings | undefined {
  const url = addressOf(host);
  const name = known(host, 'secureApiKeyHeaderOrQueryName') || undefined;
  if (url === undefined || (name === undefined && textOf(host.secureApiKeyHeaderOrQueryName)))
    return undefined;
  const notes: HostNote[] = [];
  const organization = known(host, 'organizationId');
  if (organization === undefined) {
    notes.push({ key: 'organizationLeft', source: sourceOf(host, 'organizationId') });
  }
  const settings = { backend: 'server', url, organization: organization ?? '', ...authOf(host, name) };
  const type = textOf(host.secureApiKeyValueType) || 'cred';
  const reference = textOf(host.secureApiKeyValueRef);
  if (type === 'env' && reference)
    return { settings, credentials: { apiKey: environment(reference) }, notes };
  if (['msg', 'flow', 'global'].includes(type))
    notes.push({ key: 'keyFrom', source: `${type}.${reference}` });
  else notes.push({ key: 'enterKey' });
  return { settings, notes };
}

/** How the key travels. */
function authOf(host: FlowNode, name = 'Authorization'): { auth: string; authName: string } {
  const inQuery = String(host.secureApiKeyIsQuery) === 'true';
  if (!inQuery && name.toLowerCase() === 'authorization') return { auth: 'bearer', authName: '' };
  return { auth: inQuery ? 'query' : 'header', authName: name };
}
