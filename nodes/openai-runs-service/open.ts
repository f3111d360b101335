/** Opens a service: the network it goes through, the embedded engine where that is chosen, the client. */

import path from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { redactor } from '../../engine/domain/redact.ts';
import type { Engine, EngineStartError } from '../../engine/index.ts';
import { isRunsError, RunsError } from '../shared/errors.ts';
import type { ServiceTranslate } from '../shared/texts.ts';
import { declarations } from './assistants.ts';
import type { Connection } from './connection.ts';
import type { Network, NetworkOptions } from './network.ts';
import { RunNotices, type ServedCalls } from './run-notices.ts';
import type { ServiceSettings } from './settings.ts';
import { faultWords } from './word-fault.ts';

export interface OpenOptions {
  RED: NodeAPI;
  node: Node;
  settings: ServiceSettings;
  apiKey: string;
  translate: ServiceTranslate;
  /** Told when a run of another program waits for flows. */
  onCalls?(calls: ServedCalls): void;
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

/** Variables that name a proxy for every program on the machine. */
const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'];

/**
 * Makes the connection of a service.
 * @throws RunsError: no address, an assistant that is no JSON, a database that can't be opened
 */
export async function openService(options: OpenOptions): Promise<Connection> {
  const { settings, apiKey, translate } = options;
  const network = await openNetwork(options);
  const closeNetwork = async () => network?.close();
  try {
    if (settings.backend === 'server') {
      checkAddress(settings.url, translate);
      checkNoLogin(settings.url, translate);
      const { openConnection } = await import('./client.ts');
      return openConnection({ settings, apiKey, translate, network, close: closeNetwork });
    }
    const notices = new RunNotices(faultWords(translate), options.onCalls ?? (() => {}));
    const engine = await startEngine(options, network, notices);
    const { openConnection } = await import('./client.ts');
    const close = async () => {
      await engine.close();
      await closeNetwork();
    };
    return openConnection({ settings, apiKey, translate, engine, notices, close });
  } catch (error) {
    await closeNetwork();
    throw isRunsError(error) ? error : startFault(error, translate);
  }
}

/** What kept the engine from starting, in the user's language; known by its form, as the engine is bundled apart. */
function startFault(error: unknown, translate: ServiceTranslate): RunsError {
  const { fault, values } = error as Partial<EngineStartError>;
  const reason = error instanceof Error ? error.message : String(error);
  return new RunsError(translate(`engine.${fault ?? 'other'}`, values ?? { reason }), {
    code: 'engine_not_started',
  });
}

function checkAddress(url: string, translate: ServiceTranslate): void {
  if (url === '') throw new RunsError(translate('error.noUrl'), { code: 'no_url' });
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new RunsError(translate('error.badUrl', { url }), { code: 'bad_url' });
  }
  if (/%(?![0-9a-f]{2})/i.test(url))
    throw new RunsError(translate('error.badPercent', { url }), { code: 'bad_url' });
}

/** The platform's fetch refuses such addresses; the embedded engine's provider may have one. */
function checkNoLogin(url: string, translate: ServiceTranslate): void {
  const { username, password } = new URL(url);
  if (username || password) throw new RunsError(translate('error.urlLogin'), { code: 'bad_url' });
}

/** The way out: plain, with certificates, or through a proxy of the service's or the machine's; none for rehearsal. */
export async function openNetwork({ RED, settings, translate }: OpenOptions): Promise<Network | undefined> {
  if (settings.backend === 'embedded' && settings.provider === 'rehearsal') return undefined;
  const options: NetworkOptions = {};
  if (settings.tls) {
    const tls = RED.nodes.getNode(settings.tls) as TlsNode | null;
    if (!tls?.addTLSOptions || tls.valid === false)
      throw new RunsError(translate('error.tlsNode'), { code: 'bad_tls' });
    options.tls = {};
    tls.addTLSOptions(options.tls);
  }
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
  const { node, settings, apiKey, translate } = options;
  const { provider, url, model, timeout, noStreamWithTools } = settings;
  if (provider !== 'rehearsal' && (url !== '' || provider === 'chat')) checkAddress(url, translate);
  const assistants = declarations(settings.assistants, translate);
  const { createEngine } = await import('../../engine/index.ts');
  const redact = redactor([apiKey]);
  const log = (level: 'debug' | 'log' | 'warn' | 'error') => (text: string) => node[level](redact(text));
  return createEngine({
    database: databaseFile(options.RED, node.id, settings.database),
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
    onNotice: (notice) => notices.take(notice),
    log: { debug: log('debug'), info: log('log'), warn: log('warn'), error: log('error') },
  });
}

/** The file a service's runs live in: as configured, else in the user directory under the node's id. */
export function databaseFile(RED: NodeAPI, id: string, database: string): string {
  const userDir = RED.settings.userDir ?? '.';
  if (database === ':memory:') return database;
  if (database === '') return path.join(userDir, 'openai-runs', `${fileNameOf(id)}.sqlite`);
  return path.resolve(userDir, database);
}

/** Ids come with flows: one that could lead out of the folder is written in hexadecimal. */
function fileNameOf(id: string): string {
  return /^[\w-]+(?:\.[\w-]+)*$/.test(id) ? id : Buffer.from(id).toString('hex');
}
