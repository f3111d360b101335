/** What the dialogs ask the runtime for: assistants of a server, the place of a database, a test of settings. */

import { stat } from 'node:fs/promises';
import type { Node, NodeAPI } from 'node-red';
import type { Fault } from '../../engine/index.ts';
import { isRunsError } from '../shared/errors.ts';
import type { ServiceTranslate } from '../shared/texts.ts';
import { onlyJson, sameSite } from './admin-guards.ts';
import type { ServiceNode } from './connection.ts';
import { addressWith, type DatabaseSecrets, isServer } from './database-address.ts';
import { isAway, type Secret, STORED, type TestForm } from './deployed-address.ts';
import {
  checkKey,
  checkProvider,
  databaseFile,
  openNetwork,
  openService,
  startFault,
  tlsOptions,
} from './open.ts';
import { makeKey } from './serve/keys.ts';
import {
  isPerMessage,
  readKey,
  readServiceSettings,
  type ServiceSettings,
  type TestResult,
  whereOf,
} from './settings.ts';
import { faultWords } from './word-fault.ts';

const TEST_LIMIT = 15_000;
/** Names that a dialog offers at most. */
const MOST_MODELS = 500;

/** Adds the routes below `/openai-runs-service/:id/`; each asks for a permission of its own. */
export function addAdminRoutes(RED: NodeAPI, translate: ServiceTranslate): void {
  const may = (right: 'read' | 'write') => RED.auth.needsPermission(`openai-runs-service.${right}`);
  const serviceOf = (id: string) => RED.nodes.getNode(id) as ServiceNode | null;

  RED.httpAdmin.get(
    '/openai-runs-service/:id/assistants',
    sameSite,
    may('read'),
    async (request, response) => {
      const service = serviceOf(String(request.params.id));
      try {
        response.json(canList(service) ? await listAssistants(service) : []);
      } catch {
        // The field stays a free text; what is wrong with the server is the test button's to say.
        response.json([]);
      }
    },
  );

  RED.httpAdmin.get('/openai-runs-service/:id/models', sameSite, may('read'), async (request, response) => {
    const service = serviceOf(String(request.params.id));
    response.json(canList(service) ? await listModelsOf(service).catch(() => []) : []);
  });

  RED.httpAdmin.get('/openai-runs-service/:id/keys', sameSite, may('read'), async (request, response) => {
    response.json((await serviceOf(String(request.params.id))?.keyUses?.()) ?? {});
  });

  // Made here: a page that was not sent over TLS has no means to hash. Nothing is stored.
  RED.httpAdmin.post(
    '/openai-runs-service/:id/key',
    sameSite,
    onlyJson,
    may('write'),
    (_request, response) => {
      response.set('cache-control', 'no-store').json(makeKey());
    },
  );

  RED.httpAdmin.post(
    '/openai-runs-service/:id/database',
    sameSite,
    onlyJson,
    may('write'),
    async (request, response) => {
      const id = String(request.params.id);
      const asked = String(request.body?.database ?? '');
      const deployed = serviceOf(id)?.deployed;
      const file = databaseFile(RED, id, asked);
      // Only of its own database: a path from a request could be any file's.
      const own = deployed?.databaseFile && deployed.database === asked ? deployed.databaseFile : undefined;
      const server = deployed?.database === asked ? deployed.databasePlace : undefined;
      if (own) response.json({ file: own, bytes: await sizeOf(own), ...(await countsOf(serviceOf(id))) });
      else if (server) response.json({ server, ...(await countsOf(serviceOf(id))) });
      else if (isServer(asked)) response.json({});
      else response.json(file === ':memory:' ? {} : { file });
    },
  );

  RED.httpAdmin.post(
    '/openai-runs-service/:id/test',
    sameSite,
    onlyJson,
    may('write'),
    async (request, response) => {
      const id = String(request.params.id);
      const service = serviceOf(id);
      const node = (service ?? standIn(id)) as Node;
      const form = (request.body ?? {}) as TestForm;
      const stored = (RED.nodes.getCredentials(id) ?? {}) as Partial<Record<Secret, string>>;
      const { apiKey: _key, databasePassword: _password, databaseUrl: _url, ...def } = form;
      const [brought] = Object.values(readServiceSettings(def, (text) => text).perMessage);
      if (brought) {
        response.json({ ok: true, key: 'perMessage', values: { where: whereOf(brought) } });
        return;
      }
      if (isAway(form, service?.deployed, stored)) {
        response.json({ ok: false, key: 'notDeployed', values: {} });
        return;
      }
      const expand = (text: string) =>
        text.includes('${') ? String(RED.util.evaluateNodeProperty(text, 'env', node, {})) : text;
      const secret = (name: Secret) => {
        const { [name]: typed = '' } = form;
        return typed === STORED ? (stored[name] ?? '') : typed;
      };
      try {
        const settings = readServiceSettings(def, expand);
        const secrets = {
          databasePassword: expand(secret('databasePassword')),
          databaseUrl: expand(secret('databaseUrl')).trim(),
        };
        const apiKey = readKey(def, secret('apiKey'), expand);
        response.json(await test({ RED, node, settings, apiKey, secrets, translate }));
      } catch (error) {
        response.json(failed(error, translate));
      }
    },
  );
}

/** A service that was never deployed has no node yet. */
const standIn = (id: string) => ({ id, log() {}, warn() {}, error() {}, debug() {} });

/** Whether a service leads to one place, so that there is one list. */
function canList(service: ServiceNode | null): service is ServiceNode {
  return service?.connect !== undefined && !isPerMessage(service.deployed);
}

async function listAssistants(service: ServiceNode): Promise<{ id: string; name: string | null }[]> {
  const { client } = await service.connect();
  const page = await client.beta.assistants.list({ limit: 100 }, { timeout: TEST_LIMIT, maxRetries: 0 });
  return page.data.map(({ id, name }) => ({ id, name }));
}

async function listModelsOf(service: ServiceNode): Promise<string[]> {
  const { client } = await service.connect();
  const page = await client.models.list({ timeout: TEST_LIMIT, maxRetries: 0 });
  return page.data.slice(0, MOST_MODELS).map(({ id }) => id);
}

/** What the database of a service holds; nothing where it can't be opened, which the node says by itself. */
async function countsOf(service: ServiceNode | null): Promise<object> {
  try {
    return (await (await service?.connect())?.counts?.()) ?? {};
  } catch {
    return {};
  }
}

/** Bytes of a database with its write-ahead log; 0 while there is none. */
async function sizeOf(file: string): Promise<number> {
  const sizes = await Promise.all(
    [file, `${file}-wal`].map((name) =>
      stat(name).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

interface TestOptions {
  RED: NodeAPI;
  node: Node;
  settings: ServiceSettings;
  apiKey: string;
  secrets: DatabaseSecrets;
  translate: ServiceTranslate;
}

async function test(options: TestOptions): Promise<TestResult> {
  const { backend, provider, database } = options.settings;
  if (backend === 'server') return testServer(options);
  if (isServer(database)) {
    const answer = await testDatabase(options);
    if (!answer.ok || provider === 'rehearsal') return answer;
  }
  if (provider === 'rehearsal') return { ok: true, key: 'rehearsal', values: {} };
  checkKey(options);
  if (options.settings.urlFrom) checkProvider(options.settings, options.translate);
  return testModel(options);
}

/** Connects to PostgreSQL; nothing is made there. */
async function testDatabase({ RED, settings, secrets, translate }: TestOptions): Promise<TestResult> {
  const { probeDatabase } = await import('../../engine/index.ts');
  const start = performance.now();
  try {
    const tls = tlsOptions(RED, settings.databaseTls, translate);
    const { version } = await probeDatabase(addressWith(settings.database, secrets), tls);
    return { ok: true, key: 'database', values: { version, ms: since(start) } };
  } catch (error) {
    return failed(isRunsError(error) ? error : startFault(error, translate), translate);
  }
}

/** Asks a server for its assistants, as any node would. */
async function testServer(options: TestOptions): Promise<TestResult> {
  const connection = await openService(options);
  const start = performance.now();
  try {
    const page = await connection.client.beta.assistants.list(
      { limit: 1 },
      { timeout: TEST_LIMIT, maxRetries: 0 },
    );
    // The SDK makes an empty page of anything.
    const { body } = page as unknown as { body?: { data?: unknown } };
    if (!Array.isArray(body?.data))
      return { ok: false, key: 'noRuns', values: { url: options.settings.url } };
    return { ok: true, key: 'server', values: { url: options.settings.url, ms: since(start) } };
  } catch (error) {
    return failed(connection.explain(error), options.translate);
  } finally {
    await connection.close();
  }
}

/** Asks a model server which models it has. */
async function testModel(options: TestOptions): Promise<TestResult> {
  const { settings, apiKey } = options;
  const { listModels } = await import('../../engine/index.ts');
  const { provider, url, model } = settings;
  const network = await openNetwork(options);
  const start = performance.now();
  try {
    const names = await listModels(
      { provider, url: url || undefined, apiKey: apiKey || undefined, model, fetch: network?.fetch },
      AbortSignal.timeout(TEST_LIMIT),
    );
    const values = { ms: since(start), count: names.length, model, models: names.slice(0, 8).join(', ') };
    const models = names.slice(0, MOST_MODELS);
    if (!model || names.includes(model) || names.includes(`${model}:latest`)) {
      return { ok: true, key: model ? 'model' : names.length === 1 ? 'oneModel' : 'models', values, models };
    }
    return { ok: false, key: 'noModel', values, models };
  } catch (error) {
    return failed(error, options.translate, apiKey);
  } finally {
    await network?.close();
  }
}

const since = (start: number) => Math.round(performance.now() - start);

/** @param secret does not leave, even where a server echoes it */
function failed(error: unknown, translate: ServiceTranslate, secret = ''): TestResult {
  const { fault, message } = error as { fault?: Fault; message?: string };
  const text = fault ? faultWords(translate)(fault) : (message ?? String(error));
  return { ok: false, key: 'failed', values: { reason: secret ? text.replaceAll(secret, '***') : text } };
}
