/** Who may ask: whoever shows a key, or programs on this machine where no key is asked for. */
import type { IncomingMessage } from 'node:http';
import { ApiError } from '../../../engine/domain/errors.ts';
import type { Caller } from '../../../engine/index.ts';
import { isAllowed } from './cors.ts';
import { findKey, type ServedKey } from './keys.ts';
import { PlaceLimit, RequestLimit } from './limits.ts';

export interface AccessOptions {
  access: 'keys' | 'local';
  keys: readonly ServedKey[];
  origins: readonly string[];
  /** For each key; 0 = no limit. */
  requestsPerMinute: number;
  requestsAtOnce: number;
  runsAtOnce: number;
  /** A key was used. */
  onUse(id: string): void;
}

/** How a request is refused that shows no key of ours. */
const refused = (message: string, code: string | null = null) =>
  new ApiError(401, message, { code }, { 'www-authenticate': 'Bearer' });

/** Headers that a proxy adds: what comes through one may come from anywhere. */
const BY_PROXY = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;
/** Names that only this machine has: a page of a host that was made to lead here names another. */
const OWN_NAME = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/i;

export class Admission {
  readonly #options: AccessOptions;
  readonly #limit: RequestLimit;
  readonly #places: PlaceLimit;

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#limit = new RequestLimit(options.requestsPerMinute);
    this.#places = new PlaceLimit(options.requestsAtOnce);
  }

  /**
   * @returns who asks, and the headers that tell what is left of the limits; `leave` is to be called at the answer's end
   * @throws ApiError 401, 403, 429
   */
  admit(request: IncomingMessage): { caller: Caller; headers: Record<string, string>; leave: () => void } {
    const caller = this.#options.access === 'local' ? this.#local(request) : this.#withKey(request);
    const headers = this.#limit.take(caller.id);
    const leave = this.#places.enter(caller.id, headers);
    this.#options.onUse(caller.id);
    return { caller, headers, leave };
  }

  #withKey({ headers }: IncomingMessage): Caller {
    const { keys, runsAtOnce } = this.#options;
    const bearer = /^Bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1];
    const given = bearer ?? headers['api-key'] ?? headers['x-api-key'];
    if (typeof given !== 'string' || given === '') {
      throw refused(
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
      );
    }
    const key = findKey(keys, given);
    if (!key) {
      const shown = given.length > 12 ? `${given.slice(0, 8)}***${given.slice(-4)}` : '***';
      throw refused(`Incorrect API key provided: ${shown}.`, 'invalid_api_key');
    }
    const { id, name, assistants, ownThreads } = key;
    return { id, name: name || id, ownThreads, runsAtOnce, ...(assistants.length > 0 && { assistants }) };
  }

  #local({ headers, socket }: IncomingMessage): Caller {
    const { origins, runsAtOnce } = this.#options;
    const { host = '', origin } = headers;
    const near =
      LOOPBACK.test(socket.remoteAddress ?? '') &&
      OWN_NAME.test(host) &&
      !BY_PROXY.some((name) => name in headers) &&
      (origin === undefined || isAllowed(origin, origins));
    if (!near) {
      throw new ApiError(403, 'This address answers only programs on the same machine.', {
        code: 'local_only',
      });
    }
    return { id: 'local', ownThreads: false, runsAtOnce };
  }
}
