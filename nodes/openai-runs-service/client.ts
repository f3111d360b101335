/** Loaded on first use: the SDK, and the one client of a service. */

import OpenAI from 'openai';
import { guardedFetch } from '../../engine/domain/guarded-fetch.ts';
import { redactor, secretsIn } from '../../engine/domain/redact.ts';
import { LONGEST_TIMER_MS, retryAfter } from '../../engine/domain/waits.ts';
import type { Engine, RunsOverview } from '../../engine/index.ts';
import type { ServiceTranslate } from '../shared/texts.ts';
import type { Connection } from './connection.ts';
import { explainer } from './explain.ts';
import type { Network } from './network.ts';
import { refuseOtherProtocols } from './protocol.ts';
import type { RunNotices } from './run-notices.ts';
import type { ServiceSettings } from './settings.ts';

export interface ClientOptions {
  settings: ServiceSettings;
  apiKey: string;
  /** The embedded engine, which then answers instead of a server. */
  engine?: Engine;
  /** What the engine tells beyond the wire. */
  notices?: RunNotices;
  overview?: RunsOverview | undefined;
  /** The way to the server. */
  network?: Network | undefined;
  /** Ended with the connection. */
  close: () => Promise<void>;
  translate: ServiceTranslate;
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
  const { settings, apiKey, engine, notices, overview, network, close, translate } = options;
  const { organization, project, timeout, retries } = settings;
  const url = engine ? '' : settings.url;
  const client = new OpenAI({
    baseURL: url || ENGINE_URL,
    apiKey: (!engine && apiKey) || NO_KEY,
    adminAPIKey: null,
    webhookSecret: null,
    organization: organization || null,
    project: project || null,
    // 0 is none, as far as a timer goes.
    timeout: Math.min(timeout * 1000 || LONGEST_TIMER_MS, LONGEST_TIMER_MS),
    maxRetries: retries,
    defaultHeaders: {
      ...notFromEnvironment(),
      ...(engine ? { authorization: null } : headersOf(settings, apiKey)),
    },
    defaultQuery: engine ? {} : queryOf(settings, apiKey),
    logLevel: 'off',
    fetch: (engine?.fetch ??
      refuseOtherProtocols(calm(guardedFetch(network?.fetch ?? fetch)), url, translate)) as typeof fetch,
  });
  return {
    client,
    embedded: engine !== undefined,
    ask: engine?.fetch,
    together: engine?.together,
    takeCalls: engine && ((runId) => engine.takeCalls(runId)),
    overview,
    seesPictures: engine?.seesPictures,
    counts: engine && (() => engine.counts()),
    timeoutMs: timeout * 1000,
    notices,
    explain: explainer({
      url,
      proxy: network?.proxy,
      timeout,
      translate,
      redact: redactor([apiKey, ...secretsOf(settings), ...(network?.secrets ?? [])]),
    }),
    close,
  };
}

/** Milliseconds: a wish below the first is no pause, one beyond the second is for a person to wait. */
const MEANT = { least: 1000, most: 60_000 };

/** The SDK repeats reads as soon as a server says, even at once and for ever: wishes that make no sense are left out. */
function calm(fetch: ReturnType<typeof guardedFetch>): ReturnType<typeof guardedFetch> {
  return async (input, init) => {
    const response = await fetch(input, init);
    const asked = response.ok ? undefined : retryAfter(response.headers);
    if (asked === undefined || (asked >= MEANT.least && asked <= MEANT.most)) return response;
    const headers = new Headers(response.headers);
    if (asked > MEANT.most) headers.set('x-should-retry', 'false');
    else for (const name of ['retry-after', 'retry-after-ms']) headers.delete(name);
    return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
  };
}

/** What must not be shown of the settings, beside the key. */
function secretsOf({ url, headers, query }: ServiceSettings): string[] {
  const { password = '' } = URL.parse(url) ?? {};
  return [password, ...secretsIn([...headers, ...query].map(({ name, value }) => [name, value] as const))];
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
