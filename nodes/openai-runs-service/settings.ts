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

/** The settings that a message can bring; what each is saved as stands beside it, as `urlType` and so on. */
export const TYPED = ['url', 'organization', 'project'] as const;

/** Where each message brings a value: a property of its own, or a key of the context of the node that it reached. */
export interface Source {
  type: 'msg' | 'flow' | 'global';
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
  /** The environment variable that the address is taken from, as a person writes it; empty where it is a text. */
  urlFrom: string;
  /** What is looked up for each message; the setting itself is empty then. */
  perMessage: Partial<Record<(typeof TYPED)[number], Source>>;
  apiKeyType: 'cred' | 'env';
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
  /** File name, `:memory:`, or where PostgreSQL is (see database-address.ts); empty for the default place. */
  database: string;
  /** Id of a `tls-config` node for the way to PostgreSQL; empty for none. */
  databaseTls: string;
  /** Seconds until a run expires; at most LONGEST_EXPIRY. */
  expiry: number;
  /** Days that a thread is kept after its last use; 0 = for ever. */
  retention: number;
  /** Whether the editor's panel shows what people and models say; else only numbers. */
  showContents: boolean;
  /** Tokens; 0 = the engine's default. */
  contextWindow: number;
  /** Answer other programs over HTTP, at this path below that of all flows. */
  serve: boolean;
  servePath: string;
  /** Who may ask: whoever has a key, or every program on this machine. */
  serveAccess: 'keys' | 'local';
  /** Web pages that may ask from a browser. */
  serveOrigins: string[];
  /** Requests a minute, requests at once and runs at once, of each key; 0 = no limit. */
  serveRequests: number;
  serveAtOnce: number;
  serveRuns: number;
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

/** Where other programs are served. */
export const SERVE_PATH = '/openai-runs';

/** What such a path looks like. */
export const SERVED_PATH = /^(?:\/[\w.~-]+)+$/;

/** With a slash before it and none behind it. */
export const pathOf = (text: string): string => `/${text.trim().replace(/^\/+|\/+$/g, '')}`;

/** The numbers: what stands there at first, and their limits. Units: see ServiceSettings. */
export const NUMBERS = {
  timeout: { value: 600, min: 0, max: Number.POSITIVE_INFINITY },
  concurrency: { value: 0, min: 0, max: Number.POSITIVE_INFINITY },
  retries: { value: 2, min: 0, max: Number.POSITIVE_INFINITY },
  expiry: { value: 600, min: 1, max: LONGEST_EXPIRY },
  retention: { value: 0, min: 0, max: Number.POSITIVE_INFINITY },
  contextWindow: { value: 0, min: 0, max: Number.POSITIVE_INFINITY },
  serveRequests: { value: 3000, min: 0, max: Number.POSITIVE_INFINITY },
  serveAtOnce: { value: 0, min: 0, max: Number.POSITIVE_INFINITY },
  serveRuns: { value: 50, min: 0, max: Number.POSITIVE_INFINITY },
} as const;

const TYPES = ['str', 'env', 'msg', 'flow', 'global'] as const;

/** The choices; what stands there at first comes first. */
export const CHOICES = {
  backend: ['embedded', 'server'],
  provider: ['rehearsal', 'chat', 'responses'],
  auth: ['bearer', 'header', 'query'],
  urlType: TYPES,
  organizationType: TYPES,
  projectType: TYPES,
  apiKeyType: ['cred', 'env'],
  serveAccess: ['keys', 'local'],
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
  const backend = choice('backend');
  const perMessage: ServiceSettings['perMessage'] = {};
  const typed = (name: (typeof TYPED)[number]): string => {
    const type = choice(`${name}Type`);
    const value = typeof def[name] === 'string' ? def[name].trim() : '';
    if (type === 'env') return text(variable(value));
    if (type === 'str' || backend !== 'server') return text(value);
    if (value !== '' || name === 'url') perMessage[name] = { type, value };
    return '';
  };
  const pairs = (value: unknown): NameValue[] =>
    (Array.isArray(value) ? value : [])
      .map((pair) => ({ name: text(pair?.name), value: text(pair?.value) }))
      .filter(({ name }) => name !== '');
  return {
    backend,
    timeout: number('timeout'),
    concurrency: number('concurrency'),
    url: typed('url').replace(/\/+$/, ''),
    urlFrom: choice('urlType') === 'env' ? `env.${def.url}` : '',
    apiKeyType: choice('apiKeyType'),
    auth: choice('auth'),
    authName: text(def.authName),
    organization: typed('organization'),
    project: typed('project'),
    perMessage,
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
    databaseTls: text(def.databaseTls),
    expiry: number('expiry'),
    retention: number('retention'),
    contextWindow: number('contextWindow'),
    serve: def.serve === true,
    servePath: pathOf(text(def.servePath) || SERVE_PATH),
    serveAccess: choice('serveAccess'),
    serveOrigins: text(def.serveOrigins)
      .split(/[\s,]+/)
      .filter((origin) => origin !== ''),
    serveRequests: number('serveRequests'),
    serveAtOnce: number('serveAtOnce'),
    serveRuns: number('serveRuns'),
    showContents: def.showContents !== false,
  };
}

/**
 * The key of a service: the stored one, or an environment variable's. Never a text of the flow: a name is all that
 * can stand there.
 * @param stored what Node-RED's credentials have
 */
export function readKey(saved: ServiceDef, stored: string, expand: (text: string) => string): string {
  const { apiKeyType, apiKeyEnv } = migrated(saved, migrations);
  if (apiKeyType !== 'env') return expand(stored).trim();
  const name = typeof apiKeyEnv === 'string' ? apiKeyEnv.trim().replace(/^\$\{(.*)\}$/, '$1') : '';
  return /^[^${}\s]+$/.test(name) ? expand(variable(name)).trim() : '';
}

/** An environment variable by its name, as texts have it; several of them, or parts, may stand in one already. */
function variable(name: string): string {
  return name === '' || name.includes('${') ? name : `\${${name}}`;
}

/** Where a value is looked for, as a person writes it: without the name of a context store. */
export function whereOf({ type, value }: Source): string {
  return `${type}.${value.replace(/^#:\(\S+?\)::/, '')}`;
}

/** Whether there is no telling where a service leads before a message comes. */
export function isPerMessage({ perMessage }: Pick<ServiceSettings, 'perMessage'>): boolean {
  return Object.keys(perMessage).length > 0;
}
