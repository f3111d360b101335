/** The config node: where runs execute, and the key. One connection a service, made on first use. */

import type { NodeAPI } from 'node-red';
import { backoff, callAfter } from '../../engine/domain/waits.ts';
import { RunsError } from '../shared/errors.ts';
import type { ServiceTranslate } from '../shared/texts.ts';
import { RunActivity } from './activity.ts';
import { addAdminRoutes } from './admin.ts';
import type { Deployed, ServiceNode } from './connection.ts';
import { isServer, placeName } from './database-address.ts';
import { Limiter } from './limiter.ts';
import { databaseFile, openService } from './open.ts';
import { type Opened, openForMessages } from './per-message.ts';
import type { ServedCalls } from './run-notices.ts';
import { KeyUses } from './serve/key-uses.ts';
import { readKeys } from './serve/keys.ts';
import { mount } from './serve/mount.ts';
import { isPerMessage, readKey, readServiceSettings, type ServiceDef } from './settings.ts';
import { ThreadQueue } from './thread-queue.ts';
import { inContainer } from './word-fault.ts';

/** Milliseconds between two tries to reach a database server. */
const OPEN_AGAIN = { first: 2_000, longest: 60_000 };

interface Credentials {
  apiKey?: string;
  databasePassword?: string;
  databaseUrl?: string;
  /** JSON text of the keys that other programs have. */
  serveKeys?: string;
}

export default function register(RED: NodeAPI): void {
  const translate: ServiceTranslate = (key, values) => RED._(`openai-runs-service.${key}`, values as never);

  function OpenAIRunsService(this: ServiceNode & { credentials: Credentials }, def: ServiceDef) {
    RED.nodes.createNode(this, def);
    const expand = (text: string) =>
      /\$\{[^}\s]+\}/.test(text) ? String(RED.util.evaluateNodeProperty(text, 'env', this, {})) : text;
    const settings = readServiceSettings(def, expand);
    const apiKey = readKey(def, this.credentials?.apiKey ?? '', expand);
    const secrets = {
      databasePassword: expand(this.credentials?.databasePassword ?? ''),
      databaseUrl: expand(this.credentials?.databaseUrl ?? '').trim(),
    };
    const limiter = new Limiter(settings.concurrency);
    let opening: Promise<Opened> | undefined;
    let closed = false;
    const held: Promise<unknown>[] = [];
    const toolServers = new Set<(calls: ServedCalls) => void>();
    const onCalls = (calls: ServedCalls) => toolServers.values().next().value?.(calls);
    const answersCalls = () => toolServers.size > 0;
    this.serveTools = (answer) => {
      toolServers.add(answer);
      return () => toolServers.delete(answer);
    };

    // Whoever may not read runs hears no more than that there are some.
    const activity = new RunActivity((version) =>
      RED.comms.publish('openai-runs/live', { service: this.id, version }, false),
    );

    const open = async (): Promise<Opened> => {
      const parts = { RED, node: this, settings, apiKey, secrets, translate };
      const options = { ...parts, activity, onCalls, answersCalls };
      if (isPerMessage(settings)) return openForMessages(options);
      const connection = await openService(options);
      connection.together?.onSupersede((threadId) => this.threads.supersede(threadId));
      return { connect: async () => connection, close: connection.close };
    };
    this.connect = async (asker) => {
      if (closed) throw new RunsError(translate('error.closed'), { code: 'stopped' });
      opening ??= open().catch((error: unknown) => {
        // The next message tries again: the database may be writable by then.
        opening = undefined;
        throw error;
      });
      return (await opening).connect(asker);
    };
    const file = databaseFile(RED, this.id, settings.database);
    const deployed: Deployed = {
      ...settings,
      savedUrl: String(def.url ?? ''),
      urlType: String(def.urlType ?? 'str'),
      database: String(def.database ?? ''),
      databaseFile: settings.backend === 'server' || file === ':memory:' || isServer(file) ? undefined : file,
      databasePlace: settings.backend === 'embedded' && isServer(file) ? placeName(file) : undefined,
    };
    const uses = new KeyUses(this);
    Object.assign(this, { threads: new ThreadQueue(), activity, deployed, keyUses: () => uses.all() });
    this.enter = async (signal, onWait) => {
      const leave = await limiter.enter(signal, onWait);
      if (settings.concurrency <= 0 || deployed.databasePlace === undefined) return leave;
      try {
        const { together } = await this.connect();
        if (!together?.hasOthers) return leave;
        // Those of this Node-RED stand in its own line; only who is in there counts with those of the others.
        const scope = `runs.${encodeURIComponent(this.id)}`;
        const give = await together.line.enter(scope, settings.concurrency, { signal, onWait });
        return () => {
          give();
          leave();
        };
      } catch (error) {
        leave();
        throw error;
      }
    };
    this.hold = (work) => held.push(work);

    // Deployed assistants are there, and runs that an earlier process left are taken up, before any message.
    let cancelRetry = () => {};
    const openEarly = (attempt: number) => {
      this.connect().catch((error: unknown) => {
        if (closed) return;
        if (attempt === 0) this.error(String(error));
        // A server may come back at any time, and runs wait in it.
        if (deployed.databasePlace === undefined) return;
        cancelRetry = callAfter(backoff(attempt, OPEN_AGAIN), () => openEarly(attempt + 1));
      });
    };
    if (settings.backend === 'embedded') openEarly(0);

    let unmount: (() => void) | undefined;
    try {
      if (settings.serve && settings.backend === 'embedded') {
        const keys = readKeys(this.credentials?.serveKeys);
        const { connect } = this;
        unmount = mount({
          RED,
          node: this,
          settings,
          keys,
          connect,
          onUse: (id) => uses.note(id),
          servesTools: answersCalls,
          translate,
        });
      }
    } catch (error) {
      this.error(error instanceof Error ? error.message : String(error));
    }

    this.on('close', (_removed: boolean, done: () => void) => {
      closed = true;
      cancelRetry();
      unmount?.();
      activity.close();
      // Nodes close before the services they use, so all that is to be waited for is known by now.
      Promise.allSettled(held)
        .then(() => opening)
        .then((opened) => opened?.close())
        .catch((error: unknown) => this.warn(String(error)))
        .finally(done);
    });
  }

  RED.nodes.registerType('openai-runs-service', OpenAIRunsService as never, {
    credentials: {
      apiKey: { type: 'password' },
      databasePassword: { type: 'password' },
      databaseUrl: { type: 'password' },
      serveKeys: { type: 'text' },
    },
    // For the dialog: where 127.0.0.1 can't be right.
    settings: { openaiRunsServiceInContainer: { value: inContainer(), exportable: true } },
  });
  addAdminRoutes(RED, translate);
}
