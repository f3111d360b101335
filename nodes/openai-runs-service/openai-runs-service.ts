/** The config node: where runs execute, and the key. One connection a service, made on first use. */

import type { NodeAPI } from 'node-red';
import { RunsError } from '../shared/errors.ts';
import type { ServiceTranslate } from '../shared/texts.ts';
import { addAdminRoutes } from './admin.ts';
import type { Connection, Deployed, ServiceNode } from './connection.ts';
import { Limiter } from './limiter.ts';
import { databaseFile, openService } from './open.ts';
import type { ServedCalls } from './run-notices.ts';
import { KeyUses } from './serve/key-uses.ts';
import { readKeys } from './serve/keys.ts';
import { mount } from './serve/mount.ts';
import { readServiceSettings, type ServiceDef } from './settings.ts';
import { ThreadQueue } from './thread-queue.ts';
import { inContainer } from './word-fault.ts';

interface Credentials {
  apiKey?: string;
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
    const apiKey = expand(this.credentials?.apiKey ?? '').trim();
    const limiter = new Limiter(settings.concurrency);
    let opening: Promise<Connection> | undefined;
    let closed = false;
    const held: Promise<unknown>[] = [];
    const toolServers = new Set<(calls: ServedCalls) => void>();
    const onCalls = (calls: ServedCalls) => toolServers.values().next().value?.(calls);
    this.serveTools = (answer) => {
      toolServers.add(answer);
      return () => toolServers.delete(answer);
    };

    this.connect = () => {
      if (closed) return Promise.reject(new RunsError(translate('error.closed'), { code: 'stopped' }));
      opening ??= openService({ RED, node: this, settings, apiKey, translate, onCalls }).catch(
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
      databaseFile: settings.backend === 'server' || file === ':memory:' ? undefined : file,
    };
    const uses = new KeyUses(this);
    Object.assign(this, { threads: new ThreadQueue(), deployed, keyUses: () => uses.all() });
    this.enter = (signal, onWait) => limiter.enter(signal, onWait);
    this.hold = (work) => held.push(work);

    // Deployed assistants are there, and runs that an earlier process left are taken up, before any message.
    if (settings.backend === 'embedded') {
      this.connect().catch((error: unknown) => this.error(String(error)));
    }
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
          servesTools: () => toolServers.size > 0,
          translate,
        });
      }
    } catch (error) {
      this.error(error instanceof Error ? error.message : String(error));
    }

    this.on('close', (_removed: boolean, done: () => void) => {
      closed = true;
      unmount?.();
      // Nodes close before the services they use, so all that is to be waited for is known by now.
      Promise.allSettled(held)
        .then(() => opening)
        .then((connection) => connection?.close())
        .catch((error: unknown) => this.warn(String(error)))
        .finally(done);
    });
  }

  RED.nodes.registerType('openai-runs-service', OpenAIRunsService as never, {
    credentials: { apiKey: { type: 'password' }, serveKeys: { type: 'text' } },
    // For the dialog: where 127.0.0.1 can't be right.
    settings: { openaiRunsServiceInContainer: { value: inContainer(), exportable: true } },
  });
  addAdminRoutes(RED, translate);
}
