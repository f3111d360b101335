/** The user's own settings of Node-RED's server apply to what is served, and readers at any pace do no harm. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { RELEASES, type Release } from '../support/node-red.ts';
import { ASSISTANT, ask, newKey, type ServingNodeRed, service, startServing } from './support.ts';

/** Counts what passes, and reads bodies as many a user's middleware does. */
const MIDDLEWARE = `
const express = require(require.resolve('express', { paths: [__ROOT__] }));
module.exports.httpNodeMiddleware = [
  express.json({ limit: '20mb' }),
  (request, response, next) => { response.setHeader('x-passed', request.originalUrl); next(); },
];
`;

const ROOT = JSON.stringify(new URL('../..', import.meta.url).pathname);

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`serving below the user's settings, on Node-RED ${release}`, function () {
    this.timeout(60_000);
    const { key, kept } = newKey('a program');
    let red: ServingNodeRed;
    let base: string;

    before(async () => {
      red = await startServing([service([{ kept }], { serveRuns: 0 })], {
        release,
        settings: { httpNodeRoot: '/flows', httpAdminRoot: '/' },
        code: MIDDLEWARE.replace('__ROOT__', ROOT),
      });
      base = `${red.address}/flows/openai-runs/v1`;
    });
    after(() => red?.stop());

    it('stands below httpNodeRoot, behind httpNodeMiddleware, which may have read the body', async () => {
      const content = 'ü'.repeat(1000);
      const made = await ask('POST', `${base}/threads`, {
        key,
        body: { messages: [{ role: 'user', content }] },
      });
      assert.deepEqual([made.status, made.headers['x-passed']], [200, '/flows/openai-runs/v1/threads']);
      const { body } = await ask('GET', `${base}/threads/${made.body.id}/messages`, { key });
      assert.equal(body.data[0].content[0].text.value, content);
      assert.equal((await ask('GET', `${red.base}/assistants`, { key })).status, 404);
      const long = Array.from({ length: 60 }, () => ({ role: 'user', content: 'x'.repeat(200_000) }));
      assert.equal((await ask('POST', `${base}/threads`, { key, body: { messages: long } })).status, 413);
    });

    it('readers that take nothing keep nobody else waiting, and their runs end', async () => {
      const text = JSON.stringify({
        assistant_id: ASSISTANT,
        stream: true,
        thread: { messages: [{ role: 'user', content: 'word '.repeat(20_000) }] },
      });
      const { port } = new URL(red.address);
      const sockets = Array.from({ length: 50 }, () => {
        const socket = connect(Number(port), '127.0.0.1');
        socket.pause();
        socket.on('error', () => {});
        socket.write(
          `POST /flows/openai-runs/v1/threads/runs HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
        );
        return socket;
      });
      await sleep(1500);
      assert.equal((await ask('GET', `${base}/assistants`, { key })).status, 200);
      for (const socket of sockets) socket.destroy();
      assert.equal((await ask('GET', `${base}/assistants`, { key })).status, 200);
    });
  });
}
