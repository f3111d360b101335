/** The far side of the wire: a real HTTP server on loopback that answers as a test says and remembers what came. */
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Received {
  method: string;
  /** Path without the query, as it came. */
  path: string;
  /** Query as it came, without the question mark. */
  query: string;
  headers: IncomingHttpHeaders;
  /** Parsed JSON; undefined for no body. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the client sent
  body: any;
}

export type Answer = (request: Received, response: ServerResponse) => void | Promise<void>;

export interface TestServer {
  url: string;
  received: Received[];
  /** Replaces what is answered from now on. */
  answer: Answer;
  /** Sockets open just now. */
  open(): number;
  close(): Promise<void>;
}

/**
 * Starts a server on a free port of 127.0.0.1.
 * @param tls makes it an HTTPS server
 */
export async function startServer(answer: Answer, tls?: { cert: string; key: string }): Promise<TestServer> {
  const received: Received[] = [];
  const sockets = new Set<unknown>();
  const listener: RequestListener = async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const one = {
      method: request.method ?? '',
      path,
      query,
      headers: request.headers,
      body: text ? JSON.parse(text) : undefined,
    };
    received.push(one);
    await test.answer(one, response);
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const test: TestServer = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer,
    open: () => sockets.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return test;
}

/** Answers with JSON; a text goes out as it stands. */
export function json(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_test', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body, null, 2));
}

/** Answers with an error in the API's form. */
export function apiError(
  response: ServerResponse,
  status: number,
  error: { message: string; type?: string; param?: string | null; code?: string | null },
  headers: Record<string, string> = {},
): void {
  json(
    response,
    { error: { type: 'invalid_request_error', param: null, code: null, ...error } },
    status,
    headers,
  );
}

/** Begins an event stream; the returned function writes one event, or `[DONE]` when given none. */
export function sse(response: ServerResponse): (event?: string, data?: unknown) => void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-request-id': 'req_test' });
  return (event, data) => {
    if (event === undefined) response.end('event: done\ndata: [DONE]\n\n');
    else response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
}
