/** A server that speaks the Runs API over HTTP: the engine's `fetch` behind a small listener. */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { EngineOptions } from '../../engine/index.ts';

const { createEngine } = createRequire(import.meta.url)(
  path.resolve(import.meta.dirname, '../../dist/engine.js'),
) as typeof import('../../engine/index.ts');

export interface RunsServer {
  url: string;
  /** `METHOD /path` of every request, in order. */
  requests: string[];
  close(): Promise<void>;
}

/**
 * Starts the built engine behind HTTP on 127.0.0.1.
 * @param apiKey asked for as a bearer token, if given
 */
export async function startRunsServer(options: Partial<EngineOptions>, apiKey?: string): Promise<RunsServer> {
  const engine = await createEngine({ database: ':memory:', model: { provider: 'rehearsal' }, ...options });
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const { method = 'GET', url = '/', headers } = request;
    requests.push(`${method} ${url}`);
    if (apiKey && headers.authorization !== `Bearer ${apiKey}`) {
      const error = {
        message: 'Incorrect API key provided.',
        type: 'invalid_request_error',
        param: null,
        code: 'invalid_api_key',
      };
      response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
      return;
    }
    const hasBody = method !== 'GET' && method !== 'HEAD';
    const answer = await engine.fetch(`http://127.0.0.1${url}`, {
      method,
      headers: headers as Record<string, string>,
      ...(hasBody && { body: Readable.toWeb(request) as ReadableStream, duplex: 'half' }),
    } as RequestInit);
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    if (answer.body) Readable.fromWeb(answer.body as never).pipe(response);
    else response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await engine.close();
    },
  };
}
