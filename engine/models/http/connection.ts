/** Requests to a provider: address, key, silence, the end. The platform's fetch, no SDK: dist/engine.js stays small. */
import { setImmediate as breathe } from 'node:timers/promises';
import { guardedFetch } from '../../domain/guarded-fetch.ts';
import { redactor, secretsIn } from '../../domain/redact.ts';
import { LONGEST_TIMER_MS } from '../../domain/waits.ts';
import { ModelError, type ModelEvent, type ModelOptions } from '../model.ts';
import { accountIn, baseAddress, endpoint, shown } from './address.ts';
import { refused, silent, unreachable } from './errors.ts';
import { validateEvents } from './validate-events.ts';

/** One answer of a provider, read piece by piece. */
export interface Reply {
  /** The address as it may be shown in errors. */
  address: string;
  /** The body as it comes. Leaving the loop early closes the connection. */
  chunks(): AsyncGenerator<string>;
}

/** Milliseconds of reading in one go; then whatever else the process has to do gets its turn. */
const SLICE_MS = 8;

export class ProviderConnection {
  readonly base: URL;
  readonly #options: ModelOptions;
  readonly #fetch: ReturnType<typeof guardedFetch>;
  readonly #redact: ReturnType<typeof redactor>;

  /** @throws ModelError for a URL that is none. */
  constructor(options: ModelOptions) {
    const { url, apiKey, headers = {} } = options;
    this.base = baseAddress(url);
    this.#options = options;
    this.#fetch = guardedFetch(options.fetch ?? fetch);
    const { name, password } = accountIn(this.base);
    // A name without a password is a token.
    const login = name ? [password || name, basic(this.base)] : [];
    const named = secretsIn([...Object.entries(headers), ...this.base.searchParams]);
    this.#redact = redactor([apiKey, ...login, ...named]);
  }

  /**
   * Asks one endpoint: POST with a body, GET without.
   * @throws ModelError for every answer but 2xx and for every fault of the network; the signal's reason on abort.
   */
  async ask(path: string, signal: AbortSignal, body?: unknown): Promise<Reply> {
    signal.throwIfAborted();
    const url = endpoint(this.base, path);
    const address = shown(url);
    const watch = new SilenceTimer(signal, this.#options.timeout, address);
    try {
      const response = await this.#fetch(url.href, {
        method: body === undefined ? 'GET' : 'POST',
        headers: this.#headers(body !== undefined),
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: watch.signal,
      });
      watch.heard();
      if (response.ok) return { address, chunks: () => chunks(response, watch) };
      const text = await response.text();
      watch.end();
      throw refused(response, text, address);
    } catch (error) {
      watch.end();
      throw this.#clean(watch.explain(error, true));
    }
  }

  /** Takes everything secret out of an error's text, whoever put it there. */
  #clean(error: unknown): unknown {
    if (!(error instanceof ModelError)) return error;
    return error.mapped(this.#redact);
  }

  /** The events of an answer, if they are sound; the same cleaning for what is thrown while it is read. */
  async *guard(events: AsyncIterable<ModelEvent>, { address }: Reply): AsyncGenerator<ModelEvent> {
    try {
      yield* validateEvents(events, address);
    } catch (error) {
      throw this.#clean(error);
    }
  }

  #headers(hasBody: boolean): Headers {
    const { apiKey, headers = {} } = this.#options;
    const key = apiKey?.trim();
    try {
      const all = new Headers({ accept: 'text/event-stream, application/json' });
      if (hasBody) all.set('content-type', 'application/json');
      // Azure takes keys in a header of its own; Bearer is for its tokens
      if (key && this.base.hostname.endsWith('.azure.com')) all.set('api-key', key);
      else if (key) all.set('authorization', `Bearer ${key}`);
      else if (this.base.username) all.set('authorization', `Basic ${basic(this.base)}`);
      for (const [name, value] of Object.entries(headers)) all.set(name, value);
      return all;
    } catch {
      throw new ModelError('badCharacter', {}, { reason: 'provider_key_refused' });
    }
  }
}

/** Name and password of an address as an authorization header has them. */
function basic(base: URL): string {
  const { name, password } = accountIn(base);
  return Buffer.from(`${name}:${password}`).toString('base64');
}

/** Ends a request when the caller does, or when nothing has come for too long. */
class SilenceTimer {
  readonly #own = new AbortController();
  readonly #caller: AbortSignal;
  readonly #ms: number;
  readonly #address: string;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly signal: AbortSignal;
  #silent = false;

  constructor(caller: AbortSignal, ms: number | undefined, address: string) {
    this.#caller = caller;
    this.#ms = ms ?? 0;
    this.#address = address;
    this.signal = AbortSignal.any([caller, this.#own.signal]);
    if (!ms) return;
    this.#timer = setTimeout(
      () => {
        this.#silent = true;
        this.#own.abort();
      },
      Math.min(ms, LONGEST_TIMER_MS),
    );
  }

  heard(): void {
    this.#timer?.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  /** Closes the connection if it is still open. */
  close(): void {
    this.end();
    this.#own.abort();
  }

  explain(error: unknown, beforeFirstByte: boolean): unknown {
    if (this.#caller.aborted) return this.#caller.reason;
    if (error instanceof ModelError) return error;
    return this.#silent
      ? silent(this.#address, this.#ms, beforeFirstByte)
      : unreachable(error, this.#address, beforeFirstByte);
  }
}

async function* chunks(response: Response, watch: SilenceTimer): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let begun = false;
  let since = performance.now();
  try {
    for await (const bytes of response.body ?? []) {
      watch.heard();
      begun = true;
      if (performance.now() - since > SLICE_MS) {
        await breathe();
        since = performance.now();
      }
      yield decoder.decode(bytes, { stream: true });
    }
    yield decoder.decode();
  } catch (error) {
    throw watch.explain(error, !begun);
  } finally {
    watch.close();
  }
}
