/** The config node: where runs execute, and the key. One connection a service, made on first use. */

import type { NodeAPI } from 'node-red';
import { backoff, callAfter } from '../../engine/domain/waits.ts';
import { RunsError } from '../shared/errors.ts';
import type { ServiceTranslate } from '../shared/texts.ts';
import { addAdminRoutes } from './admin.ts';
import type { Connection, Deployed, ServiceNode } from './connection.ts';
import { isServer, placeName } from './database-address.ts';
import { Limiter } from './limiter.ts';
import { databaseFile, openService } from './open.ts';
import { readServiceSettings, type ServiceDef } from './settings.ts';
import { ThreadQueue } from './thread-queue.ts';
import { inContainer } from './word-fault.ts';

/** Milliseconds between two tries to reach a database server. */
const OPEN_AGAIN = { first: 2_000, longest: 60_000 };

interface Credentials {
  apiKey?: string;
  databasePassword?: string;
  databaseUrl?: string;
}

export default function register(RED: NodeAPI): void {
  const translate: ServiceTranslate = (key, values) => RED._(`openai-runs-service.${key}`, values as never);

  function OpenAIRunsService(this: ServiceNode & { credentials: Credentials }, def: ServiceDef) {
    RED.nodes.createNode(this, def);
    const expand = (text: string) =>
      /\$\{[^}\s]+\}/.test(text) ? String(RED.util.evaluateNodeProperty(text, 'env', this, {})) : text;
    const settings = readServiceSettings(def, expand);
    const apiKey = expand(this.credentials?.apiKey ?? '').trim();
    const secrets = {
      databasePassword: expand(this.credentials?.databasePassword ?? ''),
      databaseUrl: expand(this.credentials?.databaseUrl ?? '').trim(),
    };
    const limiter = new Limiter(settings.concurrency);
    let opening: Promise<Connection> | undefined;
    let closed = false;
    const held: Promise<unknown>[] = [];

    this.connect = () => {
      if (closed) return Promise.reject(new RunsError(translate('error.closed'), { code: 'stopped' }));
      opening ??= openService({ RED, node: this, settings, apiKey, secrets, translate }).then(
        (connection) => {
          connection.together?.onSupersede((threadId) => this.threads.supersede(threadId));
          return connection;
        },
        (error: unknown) => {
          // The next message tries again: the database may be writable by then.
          opening = undefined;
          throw error;
        },
      );
      return opening;
    };
    const file = databaseFile(RED, this.id, settings.database);
    const deployed: Deployed = {
      ...settings,
      savedUrl: String(def.url ?? ''),
      database: String(def.database ?? ''),
      databaseFile: settings.backend === 'server' || file === ':memory:' || isServer(file) ? undefined : file,
      databasePlace: settings.backend === 'embedded' && isServer(file) ? placeName(file) : undefined,
    };
    Object.assign(this, { threads: new ThreadQueue(), deployed });
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
    const open = (attempt: number) => {
      this.connect().catch((error: unknown) => {
        if (closed) return;
        if (attempt === 0) this.error(String(error));
        // A server may come back at any time, and runs wait in it.
        if (deployed.databasePlace === undefined) return;
        cancelRetry = callAfter(backoff(attempt, OPEN_AGAIN), () => open(attempt + 1));
      });
    };
    if (settings.backend === 'embedded') open(0);

    this.on('close', (_removed: boolean, done: () => void) => {
      closed = true;
      cancelRetry();
      // Nodes close before the services they use, so all that is to be waited for is known by now.
      Promise.allSettled(held)
        .then(() => opening)
        .then((connection) => connection?.close())
        .catch((error: unknown) => this.warn(String(error)))
        .finally(done);
    });
  }

  RED.nodes.registerType('openai-runs-service', OpenAIRunsService as never, {
    credentials: {
      apiKey: { type: 'password' },
      databasePassword: { type: 'password' },
      databaseUrl: { type: 'password' },
    },
    // For the dialog: where 127.0.0.1 can't be right.
    settings: { openaiRunsServiceInContainer: { value: inContainer(), exportable: true } },
  });
  addAdminRoutes(RED, translate);
}
