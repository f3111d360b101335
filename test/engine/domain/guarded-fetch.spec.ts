/** What a server can do to a program that asks it, over real HTTP. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { ERROR_BYTES, FetchFault, guardedFetch } from '../../../engine/domain/guarded-fetch.ts';
import { until } from '../../support/until.ts';

const MB = 2 ** 20;
const ask = guardedFetch(fetch);

describe('a guarded fetch', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function serve(answer: RequestListener): Promise<string> {
    const server = createServer(answer);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const kind = (expected: string) => (error: unknown) => {
    assert.ok(error instanceof FetchFault, String(error));
    assert.equal(error.kind, expected);
    return true;
  };

  const text = async (request: IncomingMessage) => {
    let all = '';
    for await (const chunk of request) all += chunk;
    return all;
  };

  for (const status of [301, 302, 303, 307, 308])
    it(`takes nothing to another server: ${status}`, async () => {
      let reached = 0;
      const other = await serve((_, response) => {
        reached++;
        response.end('{}');
      });
      const url = await serve((_, response) =>
        response.writeHead(status, { location: `${other}/v1/threads` }).end(),
      );
      for (const method of ['GET', 'POST']) {
        const body = method === 'POST' ? '{}' : undefined;
        await assert.rejects(ask(url, { method, body, headers: { 'api-key': 'k' } }), (error) => {
          assert.match(String(error), new RegExp(`redirects to ${other}`));
          return kind('redirect')(error);
        });
      }
      assert.equal(reached, 0);
    });

  it('follows within the server, method and body as they were', async () => {
    const url = await serve(async (request, response) => {
      if (request.url === '/a') return response.writeHead(307, { location: '/b' }).end();
      response.end(`${request.method} ${request.headers['api-key']} ${await text(request)}`);
    });
    const response = await ask(`${url}/a`, { method: 'POST', body: 'x', headers: { 'api-key': 'k' } });
    assert.equal(await response.text(), 'POST k x');
  });

  it('makes no GET of a POST, and does not run in circles', async () => {
    const url = await serve((request, response) =>
      response.writeHead(request.method === 'POST' ? 302 : 307, { location: '/b' }).end(),
    );
    await assert.rejects(ask(url, { method: 'POST', body: 'x' }), kind('redirectedPost'));
    await assert.rejects(ask(url), kind('redirectLoop'));
  });

  it('reads 64 KB of an error and closes the connection', async () => {
    let closed = false;
    const url = await serve((_, response) => {
      response.on('close', () => {
        closed = true;
      });
      response.writeHead(500);
      const more = () => {
        while (!closed && response.write('<'.repeat(MB)));
      };
      response.on('drain', more);
      more();
    });
    const response = await ask(url);
    assert.equal((await response.text()).length, ERROR_BYTES);
    await until(() => closed);
  });

  it('refuses a gzip bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(80 * MB));
    assert.ok(bomb.length < MB);
    const url = await serve((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'application/json' }).end(bomb),
    );
    await assert.rejects((await ask(url)).text(), kind('answerTooLarge'));
  });

  const sse = (write: (response: Parameters<RequestListener>[1]) => void) =>
    serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      write(response);
    });

  it('refuses an event beyond 16 MB, on one line or on many', async () => {
    for (const line of ['x'.repeat(17 * MB), 'data: x\n'.repeat(3 * MB)]) {
      const url = await sse((response) => response.end(`data: ${line}\n\n`));
      await assert.rejects((await ask(url)).text(), kind('eventTooLarge'));
    }
  });

  it('lets any number of events through, whatever their line breaks', async () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const event = `event: a${end}data: {"x":1}${end}${end}`;
      const url = await sse((response) => response.end(event.repeat(10_000)));
      assert.equal(await (await ask(url)).text(), event.repeat(10_000));
    }
    const large = `data: ${'x'.repeat(MB)}\n\n`;
    const url = await sse((response) => response.end(large.repeat(20)));
    assert.equal((await (await ask(url)).text()).length, large.length * 20);
  });

  it('leaves out a flood of line breaks', async () => {
    const url = await sse((response) => response.end(`data: a\n\n${'\n'.repeat(5 * MB)}data: b\n\n`));
    assert.equal(await (await ask(url)).text(), 'data: a\n\n\n\ndata: b\n\n');
  });
});
