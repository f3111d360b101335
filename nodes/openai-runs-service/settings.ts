/** The service's saved properties and their defaults. */

import type { NodeDef } from 'node-red';
import type { Below, ServiceText } from '../shared/texts.ts';

/** Seconds. A forgotten run keeps its thread busy until it expires: nobody waits for a tool longer than a month. */
export const LONGEST_EXPIRY = 30 * 24 * 3600;

export interface NameValue {
  name: string;
  value: string;
}

export interface ServiceSettings {
  backend: 'embedded' | 'server';
  /** Seconds until the first byte of an answer must have come, and that a model may stay silent; 0 = no limit. */
  timeout: number;
  /** Runs at once; 0 = no limit. */
  concurrency: number;
  /** Address of a server that speaks the Runs API, or of the embedded engine's model. */
  url: string;
  auth: 'bearer' | 'header' | 'query';
  authName: string;
  organization: string;
  project: string;
  headers: NameValue[];
  query: NameValue[];
  /** How often a request that may be repeated is repeated. */
  retries: number;
  /** Ids of Node-RED's own `tls-config` and `http proxy` nodes; empty for none. */
  tls: string;
  proxy: string;
  provider: 'rehearsal' | 'chat' | 'responses';
  model: string;
  /** Ask the model without streaming when tools are given. */
  noStreamWithTools: boolean;
  assistants: Record<string, unknown>[];
  /** File name, or `:memory:`; empty for the default place. */
  database: string;
  /** Seconds until a run expires; at most LONGEST_EXPIRY. */
  expiry: number;
  /** Days that a thread is kept after its last use; 0 = for ever. */
  retention: number;
  /** Tokens; 0 = the engine's default. */
  contextWindow: number;
}

/** What the test button's request answers: a sentence of the editor's own locale, and whether it is good news. */
export interface TestResult {
  ok: boolean;
  /** Below `test` in the locale. */
  key: Below<ServiceText, 'test'>;
  values: Record<string, unknown>;
}

export type ServiceDef = NodeDef & Record<string, unknown>;

/**
 * Fills in what the saved node leaves out, and puts `${ENV}` in.
 * @param def the node's configuration as saved
 * @param expand replaces every `${NAME}` of a text by that environment variable
 */
export function readServiceSettings(def: ServiceDef, expand: (text: string) => string): ServiceSettings {
  const text = (value: unknown) => (typeof value === 'string' ? expand(value).trim() : '');
  const count = (value: unknown, fallback: number) => {
    const given = typeof value === 'string' ? expand(value).trim() : value;
    const number = given === '' || given === null || given === undefined ? Number.NaN : Number(given);
    return Number.isFinite(number) && number >= 0 ? number : fallback;
  };
  const choice = <T extends string>(value: unknown, all: readonly [T, ...T[]]): T =>
    all.find((one) => one === value) ?? all[0];
  const pairs = (value: unknown): NameValue[] =>
    (Array.isArray(value) ? value : [])
      .map((pair) => ({ name: text(pair?.name), value: text(pair?.value) }))
      .filter(({ name }) => name !== '');
  return {
    backend: choice(def.backend, ['embedded', 'server']),
    timeout: count(def.timeout, 600),
    concurrency: count(def.concurrency, 0),
    url: text(def.url).replace(/\/+$/, ''),
    auth: choice(def.auth, ['bearer', 'header', 'query']),
    authName: text(def.authName),
    organization: text(def.organization),
    project: text(def.project),
    headers: pairs(def.headers),
    query: pairs(def.query),
    retries: count(def.retries, 2),
    tls: text(def.tls),
    proxy: text(def.proxy),
    provider: choice(def.provider, ['rehearsal', 'chat', 'responses']),
    model: text(def.model),
    noStreamWithTools: def.noStreamWithTools === true,
    assistants: Array.isArray(def.assistants) ? def.assistants : [],
    database: text(def.database),
    expiry: Math.min(count(def.expiry, 600) || 600, LONGEST_EXPIRY),
    retention: count(def.retention, 0),
    contextWindow: count(def.contextWindow, 0),
  };
}
