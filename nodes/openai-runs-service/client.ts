/** Loaded on first use: the SDK, and the one client of a service. */
import OpenAI from 'openai';
import type { Connection, Translate } from './connection.ts';
import { explainer } from './explain.ts';
import type { ServiceSettings } from './settings.ts';

export interface ClientOptions {
  settings: ServiceSettings;
  apiKey: string;
  /** How the SDK reaches the service: the embedded engine's fetch, or absent for the network. */
  fetch?: typeof fetch;
  /** Ended with the connection. */
  close?: () => Promise<void>;
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
export function openConnection({ settings, apiKey, fetch, close, translate }: ClientOptions): Connection {
  const { url, organization, project, timeout, retries } = settings;
  const client = new OpenAI({
    baseURL: fetch ? ENGINE_URL : url,
    apiKey: apiKey || NO_KEY,
    adminAPIKey: null,
    webhookSecret: null,
    organization: organization || null,
    project: project || null,
    timeout: timeout * 1000,
    maxRetries: retries,
    defaultHeaders: headersOf(settings, apiKey),
    defaultQuery: queryOf(settings, apiKey),
    logLevel: 'off',
    ...(fetch && { fetch }),
  });
  return {
    client,
    explain: explainer({ url: fetch ? '' : url, apiKey, timeout, translate }),
    close: async () => close?.(),
  };
}

function headersOf({ auth, authName, headers, backend }: ServiceSettings, apiKey: string) {
  const own = Object.fromEntries(headers.map(({ name, value }) => [name, value]));
  const bearer = backend === 'server' && auth === 'bearer' && apiKey !== '';
  const withoutBearer = bearer ? {} : { Authorization: null };
  const keyHeader = auth === 'header' && apiKey ? { [authName || 'api-key']: apiKey } : {};
  return { ...withoutBearer, ...own, ...keyHeader };
}

function queryOf({ auth, authName, query }: ServiceSettings, apiKey: string) {
  const own = Object.fromEntries(query.map(({ name, value }) => [name, value]));
  return auth === 'query' && apiKey ? { ...own, [authName || 'api-key']: apiKey } : own;
}
