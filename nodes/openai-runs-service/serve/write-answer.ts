/** Writes an answer of the engine to a socket: at the reader's pace, and to its end or a clear break. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiError } from '../../../engine/domain/errors.ts';

/** Milliseconds after which a reader that takes nothing is given up. */
const PATIENCE_MS = 120_000;
/** Milliseconds that the rest of a refused body is read, so that its sender comes to read the answer. */
const DRAIN_MS = 2_000;

/** Proxies and compressing middleware hold events back; these headers ask them not to. */
const STREAM_HEADERS = { 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' };

/** Whether a request is that of a chat program: its streams have a form of their own, and its going is a Stop. */
export const isChat = ({ url = '' }: Pick<IncomingMessage, 'url'>): boolean =>
  /\/chat\/completions(\?|$)/.test(url);

export class Answer {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #headers: Record<string, string>;
  readonly #patienceMs: number;
  readonly #since = performance.now();
  readonly #left = new AbortController();
  /** Whether it is ended here, with or without its reader. */
  #brokenOff = false;
  /** Reads the stream that is being sent. */
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  /** @param headers of the answer to come @param patienceMs that a reader of a stream may take nothing */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    headers: Record<string, string>,
    patienceMs = PATIENCE_MS,
  ) {
    this.#patienceMs = patienceMs;
    this.#request = request;
    this.#response = response;
    this.#headers = headers;
    // Whoever goes away in the middle is no fault of ours.
    response.on('error', () => {});
    const onClose = () => {
      if (!response.writableFinished && !this.#brokenOff) this.#left.abort();
    };
    if (response.destroyed) onClose();
    else response.once('close', onClose);
  }

  /** Aborted when the reader goes before all is sent. */
  get left(): AbortSignal {
    return this.#left.signal;
  }

  /** Headers of the answer to come. */
  addHeaders(headers: Record<string, string>): void {
    Object.assign(this.#headers, headers);
  }

  /** Sends what the engine says; resolves when all of it is sent, or the reader is gone. */
  async send(answer: Response): Promise<void> {
    if (!answer.headers.get('content-type')?.startsWith('text/event-stream')) {
      return this.#whole(
        answer.status,
        Object.fromEntries(answer.headers),
        Buffer.from(await answer.arrayBuffer()),
      );
    }
    this.#head(answer.status, { ...Object.fromEntries(answer.headers), ...STREAM_HEADERS });
    this.#response.flushHeaders();
    await this.#stream(answer.body);
  }

  /** Sends an error in the API's form, or as an event where a stream has begun. */
  async refuse(error: ApiError): Promise<void> {
    if (this.#response.headersSent) return this.breakOff(error);
    const headers = {
      'content-type': 'application/json',
      ...(this.#request.method === 'POST' && { 'x-should-retry': error.status === 429 ? 'true' : 'false' }),
      ...(error.headers ?? {}),
    };
    await this.#whole(error.status, headers, Buffer.from(JSON.stringify({ error: error.body }, null, 2)));
  }

  /** Ends a stream that is open with an error event; an answer that has not begun is still to come. */
  breakOff(error: ApiError): void {
    this.#brokenOff = true;
    if (!this.#reader) return;
    const chat = isChat(this.#request);
    const data = JSON.stringify(chat ? { error: error.body } : error.body);
    this.#response.end(`${chat ? '' : 'event: error\n'}data: ${data}\n\n`);
    this.#stop();
  }

  #head(status: number, headers: Record<string, string>): void {
    const took = { 'openai-processing-ms': String(Math.round(performance.now() - this.#since)) };
    this.#response.writeHead(status, { ...headers, ...took, ...this.#headers });
  }

  async #whole(status: number, headers: Record<string, string>, body: Buffer): Promise<void> {
    const response = this.#response;
    if (response.destroyed) return;
    const unread = !this.#request.readableEnded && !this.#request.complete && hasBody(this.#request);
    this.#head(status, {
      ...headers,
      'content-length': String(body.length),
      ...(unread && { connection: 'close' }),
    });
    if (!unread) return void response.end(body);
    response.write(body);
    this.#request.resume();
    await until(this.#request, 'end', DRAIN_MS);
    response.end();
  }

  /** Reads on only when what was read before is on its way: a slow reader costs one piece of memory. */
  async #stream(body: ReadableStream<Uint8Array> | null): Promise<void> {
    const response = this.#response;
    if (!body || this.#request.method === 'HEAD') {
      await body?.cancel();
      return void response.end();
    }
    const reader = body.getReader();
    this.#reader = reader;
    // What the reader's going means for a run is the engine's to say.
    response.once('close', () => this.#stop());
    if (response.destroyed) this.#stop();
    for (;;) {
      const { done, value } = await reader.read();
      if (!this.#reader) return;
      if (done) break;
      if (response.write(value) || (await until(response, 'drain', this.#patienceMs))) continue;
      this.#brokenOff = true;
      response.destroy();
    }
    this.#reader = undefined;
    response.end();
  }

  #stop(): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.cancel().catch(() => {});
  }
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  Number(headers['content-length']) > 0 || headers['transfer-encoding'] !== undefined;

/** Waits for an event of a socket's, or its end. @returns false when that took too long */
async function until(
  emitter: IncomingMessage | ServerResponse,
  event: string,
  limit: number,
): Promise<boolean> {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(limit)]);
  try {
    await Promise.race([once(emitter, event, { signal }), once(emitter, 'close', { signal })]);
    return true;
  } catch {
    return false;
  } finally {
    over.abort();
  }
}
