/** Answers Node's HTTP requests with an engine: who may ask, how much, and the answer as OpenAI's service sends it. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError, methodNotAllowed, serverError, serviceClosed } from '../../../engine/domain/errors.ts';
import type { Caller, Engine } from '../../../engine/index.ts';
import { type AccessOptions, Admission } from './access.ts';
import { allowOrigin, answerOptions } from './cors.ts';
import { readBody } from './read-body.ts';
import { Answer, isChat } from './write-answer.ts';

export interface ServedOptions extends AccessOptions {
  /** The engine's, once it is open. */
  fetch: Engine['fetch'];
  /** Web pages that may ask, e.g. `https://chat.example`; `*` for all. */
  origins: readonly string[];
  /** Told what nobody else is. */
  warn(text: string): void;
  /** For tests: milliseconds after which a reader that takes nothing is given up. */
  patienceMs?: number;
}

/** What the engine reads of a request's headers; nothing else reaches it. */
const PASSED_ON = ['openai-beta', 'x-conversation'];

/** Named in answers where OpenAI names the account. */
const ORGANIZATION = 'self-hosted';

export class Served {
  readonly #options: ServedOptions;
  readonly #admission: Admission;
  readonly #open = new Set<Answer>();
  #closed = false;

  constructor(options: ServedOptions) {
    this.#options = options;
    this.#admission = new Admission(options);
  }

  /** Answers one request; its path begins after the one that is served. Never throws. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const headers = {
      'x-request-id': `req_${randomBytes(16).toString('hex')}`,
      'openai-version': '2020-10-01',
      'openai-organization': ORGANIZATION,
    };
    const answer = new Answer(request, response, headers, this.#options.patienceMs);
    this.#open.add(answer);
    let leave = () => {};
    try {
      allowOrigin(request, response, this.#options.origins);
      if (request.method === 'OPTIONS') return answerOptions(request, response);
      if (this.#closed) throw serviceClosed();
      const admitted = this.#admission.admit(request);
      leave = admitted.leave;
      answer.addHeaders(admitted.headers);
      await answer.send(await this.#ask(request, admitted.caller, answer.left));
    } catch (error) {
      if (error === answer.left.reason) return;
      const known = error instanceof ApiError;
      if (!known) this.#options.warn(`${request.method} ${request.url}: ${String(error)}`);
      await answer.refuse(known ? error : serverError());
    } finally {
      leave();
      this.#open.delete(answer);
    }
  }

  /** Lets nobody in any more, and ends the streams that are open with an error of their own. */
  close(): void {
    this.#closed = true;
    for (const answer of this.#open) answer.breakOff(serviceClosed());
  }

  /** @param left tells the engine that a chat program has gone; to others' requests that means nothing */
  async #ask(request: IncomingMessage, caller: Caller, left: AbortSignal): Promise<Response> {
    const body = await readBody(request);
    const passed = PASSED_ON.flatMap((name) => {
      const value = request.headers[name];
      return value === undefined ? [] : [[name, String(value)] as [string, string]];
    });
    const { method = 'GET', url = '/' } = request;
    // The one method that reaches us and that requests of the platform's fetch can't have.
    if (method === 'TRACE') throw methodNotAllowed(method, url);
    const hasBody = method !== 'GET' && method !== 'HEAD';
    const signal = isChat(request) ? left : null;
    const init = { method, headers: passed, signal, ...(hasBody && { body }) };
    return this.#options.fetch(addressOf(request.url), init, caller);
  }
}

/** Paths are taken with and without `/v1`. */
function addressOf(target = '/'): string {
  const path = target.startsWith('/') ? target : `/${target}`;
  return `http://engine.local${/^\/v1(?=[/?]|$)/.test(path) ? '' : '/v1'}${path}`;
}
