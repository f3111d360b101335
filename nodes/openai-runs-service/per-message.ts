/** Services whose address, organization or project come with each message: one network, and a client for each. */
import { redactor } from '../../engine/domain/redact.ts';
import { isRunsError, RunsError } from '../shared/errors.ts';
import type { Asker, Connection } from './connection.ts';
import { checkKey, checkServer, type OpenOptions, openNetwork } from './open.ts';
import { type ServiceSettings, type Source, TYPED, whereOf } from './settings.ts';

/** A service that has been opened. */
export interface Opened {
  connect(asker?: Asker): Promise<Connection>;
  close(): Promise<void>;
}

/** Opens the way out that all messages share. What they bring is looked at when they come. */
export async function openForMessages(options: OpenOptions): Promise<Opened> {
  const { apiKey, translate } = options;
  checkKey(options);
  const network = await openNetwork(options);
  const { openConnection } = await import('./client.ts');
  const redact = redactor([apiKey]);
  return {
    async connect(asker) {
      const settings = await settingsFor(options, asker).catch((error: unknown) => {
        // What a message brings in the address's place may hold the key.
        throw isRunsError(error) ? new RunsError(redact(error.message), error.cause) : error;
      });
      // Made anew: it costs less than to keep those that nobody may ask for again.
      return openConnection({ settings, apiKey, translate, network, close: async () => {} });
    },
    close: async () => network?.close(),
  };
}

/**
 * The settings with what one message brings.
 * @throws RunsError that names where a value was looked for
 */
async function settingsFor(options: OpenOptions, asker: Asker | undefined): Promise<ServiceSettings> {
  const { settings, translate } = options;
  const own = { ...settings };
  for (const name of TYPED) {
    const source = settings.perMessage[name];
    if (source) own[name] = await textFrom(source, options, asker);
  }
  const { url } = settings.perMessage;
  if (url) own.url = own.url.replace(/\/+$/, '');
  checkServer(own, translate, url && whereOf(url));
  return own;
}

/** What stands in a place; empty where there is nothing. `${NAME}` in it stays as it is: messages read no variable. */
async function textFrom(source: Source, options: OpenOptions, asker: Asker | undefined): Promise<string> {
  const where = whereOf(source);
  const refuse = (key: 'error.unreadable' | 'error.noText', values: object = {}) =>
    new RunsError(options.translate(key, { where, ...values }), { code: 'bad_value' });
  const found = await lookUp(source, options, asker).catch((error: unknown) => {
    throw refuse('error.unreadable', { reason: error instanceof Error ? error.message : typeof error });
  });
  if (found === undefined || found === null) return '';
  if (typeof found !== 'string') throw refuse('error.noText');
  return found.trim();
}

/** The flow of a config node is nobody's: a flow's context is that of the node that the message reached. */
function lookUp({ type, value }: Source, { RED }: OpenOptions, asker: Asker | undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const take = (error: unknown, found?: unknown) => {
      if (!error) resolve(found);
      // A path that leads nowhere is a value that is not there.
      else if (error instanceof TypeError) resolve(undefined);
      else reject(error);
    };
    if (!asker) return take(undefined);
    try {
      RED.util.evaluateNodeProperty(value, type, asker.node, asker.msg, take);
    } catch (error) {
      take(error);
    }
  });
}
