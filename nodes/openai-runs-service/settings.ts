/** The service's saved properties, their defaults and limits. */
import type { NodeDef } from 'node-red';
import { migrated } from '../shared/migrate.ts';
import type { Below, ServiceText } from '../shared/texts.ts';
import { migrations } from './migrations/index.ts';

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
  /** Whether the editor's panel shows what people and models say; else only numbers. */
  showContents: boolean;
  /** Tokens; 0 = the engine's default. */
  contextWindow: number;
}

/** What the test button's request answers: a sentence of the editor's own locale, and whether it is good news. */
export interface TestResult {
  ok: boolean;
  /** Below `test` in the locale. */
  key: Below<ServiceText, 'test'>;
  values: Record<string, unknown>;
  /** The provider's models, where it lists them. */
  models?: string[];
}

/** As a flow has it: nothing of it is certain. */
export type ServiceDef = NodeDef & Record<string, unknown>;

/** The numbers: what stands there at first, and their limits. Units: see ServiceSettings. */
export const NUMBERS = {
  timeout: { value: 600, min: 0, max: Number.POSITIVE_INFINITY },
  concurrency: { value: 0, min: 0, max: Number.POSITIVE_INFINITY },
  retries: { value: 2, min: 0, max: Number.POSITIVE_INFINITY },
  expiry: { value: 600, min: 1, max: LONGEST_EXPIRY },
  retention: { value: 0, min: 0, max: Number.POSITIVE_INFINITY },
  contextWindow: { value: 0, min: 0, max: Number.POSITIVE_INFINITY },
} as const;

/** The choices; what stands there at first comes first. */
export const CHOICES = {
  backend: ['embedded', 'server'],
  provider: ['rehearsal', 'chat', 'responses'],
  auth: ['bearer', 'header', 'query'],
} as const;

/**
 * Brings a saved service up to date, fills in what it leaves out, and puts `${ENV}` in.
 * @param saved the node's configuration as saved
 * @param expand replaces every `${NAME}` of a text by that environment variable
 */
export function readServiceSettings(saved: ServiceDef, expand: (text: string) => string): ServiceSettings {
  const def = migrated(saved, migrations);
  const text = (value: unknown) => (typeof value === 'string' ? expand(value).trim() : '');
  const number = (name: keyof typeof NUMBERS) => {
    const { value, min, max } = NUMBERS[name];
    const given = typeof def[name] === 'string' ? expand(def[name]).trim() : def[name];
    const number = given === '' || given === null || given === undefined ? Number.NaN : Number(given);
    return Number.isFinite(number) && number >= min ? Math.min(number, max) : value;
  };
  const choice = <Name extends keyof typeof CHOICES>(name: Name): (typeof CHOICES)[Name][number] => {
    const all: readonly (typeof CHOICES)[Name][number][] = CHOICES[name];
    return all.find((one) => one === def[name]) ?? all[0]!;
  };
  const pairs = (value: unknown): NameValue[] =>
    (Array.isArray(value) ? value : [])
      .map((pair) => ({ name: text(pair?.name), value: text(pair?.value) }))
      .filter(({ name }) => name !== '');
  return {
    backend: choice('backend'),
    timeout: number('timeout'),
    concurrency: number('concurrency'),
    url: text(def.url).replace(/\/+$/, ''),
    auth: choice('auth'),
    authName: text(def.authName),
    organization: text(def.organization),
    project: text(def.project),
    headers: pairs(def.headers),
    query: pairs(def.query),
    retries: number('retries'),
    tls: text(def.tls),
    proxy: text(def.proxy),
    provider: choice('provider'),
    model: text(def.model),
    noStreamWithTools: def.noStreamWithTools === true,
    assistants: Array.isArray(def.assistants) ? def.assistants : [],
    database: text(def.database),
    expiry: number('expiry'),
    retention: number('retention'),
    contextWindow: number('contextWindow'),
    showContents: def.showContents !== false,
  };
}
