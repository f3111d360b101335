/** Loaded on first use: the SDK, and the one client of a service. */
import OpenAI from 'openai';
import type { Engine } from '../../engine/index.ts';
import type { Connection, Translate } from './connection.ts';
import { explainer } from './explain.ts';
import type { ServiceSettings } from './settings.ts';

export interface ClientOptions {
  settings: ServiceSettings;
  apiKey: string;
  /** The embedded engine, which then answers instead of a server. */
  engine?: Engine;
  /** The way to the server, where it is not the platform's fetch. */
  fetch?: typeof fetch;
  /** The proxy on that way. */
  proxy?: URL;
  /** Ended with the connection. */
  close: () => Promise<void>;
  translate: Translate;
}

/** Never looked up: the engine answers for it inside the process. */
const ENGINE_URL = 'http://engine.local/v1';

/** The SDK insists on a credential; this one is never sent. */
const NO_KEY = 'none';

/**
 * Makes the client of one service. Nothing is taken from the SDK's own environment variables: a key meant for
 * one server must not reach another.
 */
export function openConnection(options: ClientOptions): Connection {
  const { settings, apiKey, engine, fetch, proxy, close, translate } = options;
  const { organization, project, timeout, retries } = settings;
  const url = engine ? '' : settings.url;
  const reach = engine?.fetch ?? fetch;
  const client = new OpenAI({
    baseURL: url || ENGINE_URL,
    apiKey: (!engine && apiKey) || NO_KEY,
    adminAPIKey: null,
    webhookSecret: null,
    organization: organization || null,
    project: project || null,
    timeout: timeout * 1000,
    maxRetries: retries,
    defaultHeaders: {
      ...notFromEnvironment(),
      ...(engine ? { authorization: null } : headersOf(settings, apiKey)),
    },
    defaultQuery: engine ? {} : queryOf(settings, apiKey),
    logLevel: 'off',
    ...(reach && { fetch: reach as typeof fetch }),
  });
  return {
    client,
    embedded: engine !== undefined,
    explain: explainer({ url, proxy, apiKey, timeout, translate }),
    close,
  };
}

/** Every header that `OPENAI_CUSTOM_HEADERS` names is taken back; the SDK reads that variable for every client. */
function notFromEnvironment(): Record<string, null> {
  const lines = (process.env.OPENAI_CUSTOM_HEADERS ?? '').split('\n');
  const names = lines.map((line) => line.split(':')[0]?.trim() ?? '').filter((name) => name !== '');
  return Object.fromEntries(names.map((name) => [name.toLowerCase(), null]));
}

/** Under lower-case names, so that a later one replaces an earlier. */
function headersOf(settings: ServiceSettings, apiKey: string): Record<string, string | null> {
  const { auth, authName, headers, organization, project } = settings;
  const all: Record<string, string | null> = {
    authorization: auth === 'bearer' && apiKey ? `Bearer ${apiKey}` : null,
    'openai-organization': organization || null,
    'openai-project': project || null,
  };
  for (const { name, value } of headers) all[name.toLowerCase()] = value;
  if (auth === 'header' && apiKey) all[(authName || 'api-key').toLowerCase()] = apiKey;
  return all;
}

function queryOf({ auth, authName, query }: ServiceSettings, apiKey: string) {
  const own = Object.fromEntries(query.map(({ name, value }) => [name, value]));
  return auth === 'query' && apiKey ? { ...own, [authName || 'api-key']: apiKey } : own;
}
