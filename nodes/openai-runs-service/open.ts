/** Opens a service: the network it goes through, the embedded engine where that is chosen, the client. */

import path from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { redactor } from '../../engine/domain/redact.ts';
import type { Engine, EngineStartError } from '../../engine/index.ts';
import { isRunsError, RunsError } from '../shared/errors.ts';
import { excerpt } from '../shared/excerpt.ts';
import type { ServiceTranslate } from '../shared/texts.ts';
import type { RunActivity } from './activity.ts';
import { declarations } from './assistants.ts';
import type { Connection } from './connection.ts';
import { addressWith, type DatabaseSecrets, isServer } from './database-address.ts';
import type { Network, NetworkOptions } from './network.ts';
import { RunNotices, type ServedCalls } from './run-notices.ts';
import { RunRing } from './run-ring.ts';
import type { ServiceSettings } from './settings.ts';
import { faultWords } from './word-fault.ts';

export interface OpenOptions {
  RED: NodeAPI;
  node: Node;
  settings: ServiceSettings;
  apiKey: string;
  /** Of the database on PostgreSQL. */
  secrets: DatabaseSecrets;
  translate: ServiceTranslate;
  /** Hears of runs; a connection that is only tried out tells nobody. */
  activity?: RunActivity;
  /** Told when a run of another program waits for flows. */
  onCalls?(calls: ServedCalls): void;
  /** Whether flows answer such calls now. */
  answersCalls?(): boolean;
}

/** Node-RED's own config nodes, as far as they are used here. */
interface TlsNode extends Node {
  valid?: boolean;
  addTLSOptions(options: Record<string, unknown>): Record<string, unknown>;
}
interface ProxyNode extends Node<{ username?: string; password?: string }> {
  url?: string;
  noproxy?: string[];
}

/** Characters of an address in a sentence: a message could bring any. */
const LONGEST_ADDRESS = 200;

/** Variables that name a proxy for every program on the machine. */
const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'];

/**
 * Makes the connection of a service.
 * @throws RunsError: no address, an assistant that is no JSON, a database that can't be opened
 */
export async function openService(options: OpenOptions): Promise<Connection> {
  const { settings, apiKey, translate } = options;
  checkKey(options);
  const network = await openNetwork(options);
  const closeNetwork = async () => network?.close();
  try {
    if (settings.backend === 'server') {
      checkServer(settings, translate);
      const { openConnection } = await import('./client.ts');
      const ring = options.activity && openRing(options);
      if (options.activity) options.activity.ring = ring;
      const close = async () => {
        await ring?.close();
        await closeNetwork();
      };
      return openConnection({ settings, apiKey, translate, network, overview: ring, close });
    }
    const notices = new RunNotices(faultWords(translate), options.onCalls ?? (() => {}));
    const engine = await startEngine(options, network, notices);
    const { overview } = engine;
    if (options.activity) options.activity.keep = (id, origin) => overview.keep(id, origin);
    const { openConnection } = await import('./client.ts');
    const close = async () => {
      await engine.close();
      await closeNetwork();
    };
    return openConnection({ settings, apiKey, translate, engine, notices, overview, close });
  } catch (error) {
    await closeNetwork();
    throw isRunsError(error) ? error : startFault(error, translate);
  }
}

/** What kept the engine from starting, in the user's language; known by its form, as the engine is bundled apart. */
export function startFault(error: unknown, translate: ServiceTranslate): RunsError {
  const { fault, values } = error as Partial<EngineStartError>;
  const reason = error instanceof Error ? error.message : String(error);
  return new RunsError(translate(`engine.${fault ?? 'other'}`, values ?? { reason }), {
    code: 'engine_not_started',
  });
}

/** A variable that is to hold the key and does not is a mistake; its name is not told, as it could be the key. */
export function checkKey({ settings, apiKey, translate }: OpenOptions): void {
  const isUsed = settings.backend === 'server' || settings.provider !== 'rehearsal';
  if (isUsed && settings.apiKeyType === 'env' && apiKey === '')
    throw new RunsError(translate('error.noKey'), { code: 'no_key' });
}

/**
 * Whether a server of the Runs API can be reached at the settings' address.
 * @param where the address was looked for, if it is no text of the dialog
 */
export function checkServer(
  { url, urlFrom }: ServiceSettings,
  translate: ServiceTranslate,
  where = urlFrom,
): void {
  inPlace(where, translate, () => {
    checkAddress(url, translate);
    checkNoLogin(url, translate);
  });
}

/** Whether the address of the engine's provider can be used; where none is set, OpenAI's own is known. */
export function checkProvider(
  { provider, url, urlFrom }: ServiceSettings,
  translate: ServiceTranslate,
): void {
  if (provider === 'rehearsal' || (url === '' && provider !== 'chat' && urlFrom === '')) return;
  inPlace(urlFrom, translate, () => checkAddress(url, translate));
}

/** Says of a bad address where it was looked for. */
function inPlace(where: string, translate: ServiceTranslate, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (where === '' || !isRunsError(error)) throw error;
    const reason = error.message;
    const key = error.code === 'no_url' ? 'error.noUrlIn' : 'error.badUrlIn';
    throw new RunsError(translate(key, { where, reason }), { code: error.code });
  }
}

function checkAddress(address: string, translate: ServiceTranslate): void {
  const url = excerpt(address, LONGEST_ADDRESS);
  if (address === '') throw new RunsError(translate('error.noUrl'), { code: 'no_url' });
  const parsed = URL.parse(address);
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new RunsError(translate('error.badUrl', { url }), { code: 'bad_url' });
  }
  if (/%(?![0-9a-f]{2})/i.test(address))
    throw new RunsError(translate('error.badPercent', { url }), { code: 'bad_url' });
}

/** The platform's fetch refuses such addresses; the embedded engine's provider may have one. */
function checkNoLogin(url: string, translate: ServiceTranslate): void {
  const { username, password } = new URL(url);
  if (username || password) throw new RunsError(translate('error.urlLogin'), { code: 'bad_url' });
}

/** What Node-RED's own settings for certificates say; undefined for none. @throws RunsError */
export function tlsOptions(
  RED: NodeAPI,
  id: string,
  translate: ServiceTranslate,
): Record<string, unknown> | undefined {
  if (!id) return undefined;
  const tls = RED.nodes.getNode(id) as TlsNode | null;
  if (!tls?.addTLSOptions || tls.valid === false)
    throw new RunsError(translate('error.tlsNode'), { code: 'bad_tls' });
  const options = {};
  tls.addTLSOptions(options);
  return options;
}

/** The way out: plain, with certificates, or through a proxy of the service's or the machine's; none for rehearsal. */
export async function openNetwork({ RED, settings, translate }: OpenOptions): Promise<Network | undefined> {
  if (settings.backend === 'embedded' && settings.provider === 'rehearsal') return undefined;
  const options: NetworkOptions = {};
  options.tls = tlsOptions(RED, settings.tls, translate);
  if (settings.proxy) {
    const proxy = RED.nodes.getNode(settings.proxy) as ProxyNode | null;
    if (!proxy?.url || !URL.canParse(proxy.url))
      throw new RunsError(translate('error.proxyNode'), { code: 'bad_proxy' });
    options.proxy = { url: proxy.url, except: proxy.noproxy ?? [], ...proxy.credentials };
  }
  const fromEnvironment = PROXY_VARIABLES.some((name) => process.env[name]);
  const { createNetwork } = await import('./network.ts');
  return createNetwork({ ...options, fromEnvironment });
}

async function startEngine(
  options: OpenOptions,
  network: Network | undefined,
  notices: RunNotices,
): Promise<Engine> {
  const { RED, node, settings, apiKey, secrets, translate } = options;
  const { provider, url, model, timeout, noStreamWithTools } = settings;
  checkProvider(settings, translate);
  const assistants = declarations(settings.assistants, translate);
  const { createEngine } = await import('../../engine/index.ts');
  const redact = redactor([apiKey, ...Object.values(secrets)]);
  const log = (level: 'debug' | 'log' | 'warn' | 'error') => (text: string) => node[level](redact(text));
  return createEngine({
    database: addressWith(databaseFile(RED, node.id, settings.database), secrets),
    databaseTls: isServer(settings.database) ? tlsOptions(RED, settings.databaseTls, translate) : undefined,
    model: {
      provider,
      url: url || undefined,
      apiKey: apiKey || undefined,
      model: model || undefined,
      timeout: timeout * 1000,
      noStreamWithTools,
      fetch: network?.fetch,
    },
    assistants,
    expirySeconds: settings.expiry,
    retentionDays: settings.retention,
    contextWindow: settings.contextWindow || undefined,
    onNotice: (notice) =>
      notice.kind === 'run' ? options.activity?.changed(notice.run) : notices.take(notice),
    answersCalls: () => options.answersCalls?.() ?? false,
    log: { debug: log('debug'), info: log('log'), warn: log('warn'), error: log('error') },
  });
}

/** Where a service's runs live: a file or PostgreSQL as configured, else a file in the user directory under the node's id. */
export function databaseFile(RED: NodeAPI, id: string, database: string): string {
  const userDir = RED.settings.userDir ?? '.';
  if (database === ':memory:' || isServer(database)) return database;
  if (database === '') return path.join(userDir, 'openai-runs', `${fileNameOf(id)}.sqlite`);
  return path.resolve(userDir, database);
}

/** The last runs on a server are kept beside the databases of embedded services. */
function openRing({ RED, node, settings }: OpenOptions): RunRing {
  const file = path.join(RED.settings.userDir ?? '.', 'openai-runs', `${fileNameOf(node.id)}.runs.json`);
  return new RunRing(file, settings.showContents);
}

/** Ids come with flows: one that could lead out of the folder is written in hexadecimal. */
function fileNameOf(id: string): string {
  return /^[\w-]+(?:\.[\w-]+)*$/.test(id) ? id : Buffer.from(id).toString('hex');
}
