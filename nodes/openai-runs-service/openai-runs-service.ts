/** The config node: where runs execute, and the key. One client a service, made on first use. */
import path from 'node:path';
import type { NodeAPI } from 'node-red';
import type { Engine } from '../../engine/index.ts';
import { isRunsError, RunsError } from '../openai-runs/errors.ts';
import { declarations } from './assistants.ts';
import type { Connection, ServiceNode, Translate } from './connection.ts';
import { Limiter } from './limiter.ts';
import { readServiceSettings, type ServiceDef, type ServiceSettings } from './settings.ts';

interface Credentials {
  apiKey?: string;
}

export default function register(RED: NodeAPI): void {
  const translate: Translate = (key, values) => RED._(`openai-runs-service.${key}`, values as never);

  function OpenAIRunsService(this: ServiceNode & { credentials: Credentials }, def: ServiceDef) {
    RED.nodes.createNode(this, def);
    const expand = (text: string) =>
      text.includes('${') ? String(RED.util.evaluateNodeProperty(text, 'env', this, {})) : text;
    const settings = readServiceSettings(def, expand);
    const apiKey = expand(this.credentials?.apiKey ?? '').trim();
    const limiter = new Limiter(settings.concurrency);
    let opening: Promise<Connection> | undefined;
    let closed = false;

    const open = async (): Promise<Connection> => {
      if (settings.backend === 'server') {
        checkAddress(settings.url, translate);
        const { openConnection } = await import('./client.ts');
        return openConnection({ settings, apiKey, translate });
      }
      const engine = await startEngine(this, settings, apiKey, RED, translate).catch((error: Error) => {
        throw isRunsError(error) ? error : new RunsError(error.message, { code: 'engine_not_started' });
      });
      const { openConnection } = await import('./client.ts');
      return openConnection({
        settings,
        apiKey: '',
        translate,
        fetch: engine.fetch,
        close: () => engine.close(),
      });
    };

    this.connect = () => {
      if (closed) return Promise.reject(new RunsError(translate('error.closed'), { code: 'stopped' }));
      opening ??= open().catch((error: unknown) => {
        // The next message tries again: the database may be writable by then.
        opening = undefined;
        throw error;
      });
      return opening;
    };
    this.enter = (signal, onWait) => limiter.enter(signal, onWait);

    // Deployed assistants are there, and runs that an earlier process left are taken up, before any message.
    if (settings.backend === 'embedded') {
      this.connect().catch((error: unknown) => this.error(String(error)));
    }

    this.on('close', (_removed: boolean, done: () => void) => {
      closed = true;
      Promise.resolve(opening)
        .then((connection) => connection?.close())
        .catch((error: unknown) => this.warn(String(error)))
        .finally(done);
    });
  }

  RED.nodes.registerType('openai-runs-service', OpenAIRunsService as never, {
    credentials: { apiKey: { type: 'password' } },
  });
}

function checkAddress(url: string, translate: Translate): void {
  if (url === '') throw new RunsError(translate('error.noUrl'), { code: 'no_url' });
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new RunsError(translate('error.badUrl', { url }), { code: 'bad_url' });
  }
}

async function startEngine(
  node: ServiceNode,
  settings: ServiceSettings,
  apiKey: string,
  RED: NodeAPI,
  translate: Translate,
): Promise<Engine> {
  const { provider, url, model, timeout, noStreamWithTools } = settings;
  if (provider !== 'rehearsal' && (url !== '' || provider === 'chat')) checkAddress(url, translate);
  const { createEngine } = await import('../../engine/index.ts');
  const log = (level: 'debug' | 'log' | 'warn' | 'error') => (text: string) => node[level](text);
  return createEngine({
    database: databaseOf(node, settings, RED),
    model: {
      provider,
      url: url || undefined,
      apiKey: apiKey || undefined,
      model: model || undefined,
      timeout: timeout * 1000,
      noStreamWithTools,
    },
    assistants: declarations(settings.assistants, translate),
    expirySeconds: settings.expiry,
    contextWindow: settings.contextWindow || undefined,
    log: { debug: log('debug'), info: log('log'), warn: log('warn'), error: log('error') },
  });
}

/** The file a service's runs live in: as configured, else in the user directory under the node's id. */
function databaseOf(node: ServiceNode, { database }: ServiceSettings, RED: NodeAPI): string {
  const userDir = RED.settings.userDir ?? '.';
  if (database === ':memory:') return database;
  if (database === '') return path.join(userDir, 'openai-runs', `${node.id}.sqlite`);
  return path.resolve(userDir, database);
}
