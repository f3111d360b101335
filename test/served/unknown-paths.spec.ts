/** Below a served path everything is answered as the API does, without any key too; elsewhere nothing is left behind. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { RELEASES, type Release } from '../support/node-red.ts';
import { ask, newKey, type ServingNodeRed, service, startServing } from './support.ts';

/** Tells with every answer of the editor's how many routes and middlewares the apps below it have. */
const COUNTING = `
const stackOf = (app) => ('lazyrouter' in app ? app._router : app.router)?.stack ?? [];
const count = (stack) => stack.reduce((sum, { handle, name }) =>
  sum + 1 + (name === 'mounted_app' ? 0 : count(handle?.stack ?? [])), 0);
module.exports.httpAdminMiddleware = (request, response, next) => {
  let top = request.app;
  let sum = count(stackOf(top));
  while (top.parent) { top = top.parent; sum += count(stackOf(top)); }
  if (globalThis.nodeApp) sum += count(stackOf(globalThis.nodeApp));
  response.setHeader('x-layers', String(sum));
  next();
};
module.exports.httpNodeMiddleware = (request, _response, next) => {
  globalThis.nodeApp ??= request.app;
  next();
};
`;

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`paths below a service that is served by Node-RED ${release}`, function () {
    this.timeout(60_000);
    const one = newKey('a program');
    const { key } = one;
    let red: ServingNodeRed;
    /** Is there throughout, and makes the app of flows known. */
    const http = { id: 'in', type: 'http in', z: 'tab', method: 'get', url: '/known', wires: [['out']] };
    const page = [http, { id: 'out', type: 'http response', z: 'tab', wires: [] }];
    const layers = async () => {
      const { headers } = await ask('GET', `${red.address}/settings`);
      return Number(headers['x-layers']);
    };

    before(async () => {
      red = await startServing([service([one]), ...page], { release, code: COUNTING });
      await ask('GET', `${red.address}/known`);
    });
    after(() => red?.stop());

    it('that are not known are 404 in JSON, whatever the method', async () => {
      const paths = [
        ...['', '/', '/v1', '/v1/', '/nothing', '/v1/nothing', '/v1/nothing/at/all?x=1', '/v1//assistants'],
        ...['/v1/chat', '/v1/chat/completions/', '/v1/responses', '/v1/embeddings', '/v1/threads/a/b'],
        ...['/V1/x', '/v1/v1/assistants', '//example.com/v1/assistants'],
      ];
      for (const path of paths) {
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'HEAD']) {
          const { status, headers, text, body } = await ask(method, `${red.address}/openai-runs${path}`, {
            key,
            ...(method === 'POST' && { body: {} }),
          });
          const what = `${method} ${path}: ${status} ${text}`;
          assert.equal(status, 404, what);
          assert.match(String(headers['content-type']), /^application\/json/, what);
          assert.ok(headers['x-request-id'], what);
          if (method === 'HEAD') continue;
          assert.deepEqual(Object.keys(body.error), ['message', 'type', 'param', 'code'], what);
          assert.equal(body.error.code, 'unknown_url', what);
        }
      }
      for (const method of ['PUT', 'TRACE']) {
        const { status, body } = await ask(method, `${red.base}/threads`, { key });
        assert.deepEqual([status, body.error.code], [405, 'method_not_supported'], method);
      }
      // As no client's own URL would leave it.
      for (const path of ['/openai-runs/v1/../../flows', '/openai-runs/%2e%2e/flows']) {
        const { hostname, port } = new URL(red.address);
        const headers = { authorization: `Bearer ${key}` };
        const [answer] = await once(get({ hostname, port, path, headers }), 'response');
        answer.resume();
        assert.deepEqual(
          [answer.statusCode, answer.headers['content-type']],
          [404, 'application/json'],
          path,
        );
      }
      assert.ok((await ask('GET', `${red.base}/%E0%A4%A`, { key })).body.error);
      assert.doesNotMatch(red.log(), /\[(warn|error)\] \[openai-runs-service/);
    });

    it('of a service whose last key is revoked are 401 in JSON, until a key is made', async () => {
      await red.deploy([service([]), ...page]);
      for (const path of ['/v1/assistants', '/v1/chat/completions', '/nothing', '']) {
        const url = `${red.address}/openai-runs${path}`;
        const { status, headers, body } = await ask('POST', url, { key, body: {} });
        assert.deepEqual([status, body?.error.code], [401, 'invalid_api_key'], path);
        assert.equal(headers['www-authenticate'], 'Bearer');
        const none = await ask('GET', url);
        assert.equal(none.status, 401);
        assert.match(none.body.error.message, /^You didn't provide an API key/);
      }
      assert.match(red.log(), /\[warn\].*Nothing is served at \/openai-runs yet: no key/);
      await red.deploy([service([one]), ...page]);
      assert.equal((await ask('GET', `${red.base}/assistants`, { key })).status, 200);
    });

    it('are gone without a trace once it is not served, deleted or moved, however often it is deployed', async () => {
      const isGone = async (url = `${red.base}/assistants`) => {
        const { status, headers } = await ask('GET', url, { key });
        return status === 404 && /html/.test(String(headers['content-type']));
      };
      await red.deploy([service([one], { serve: false }), ...page]);
      assert.ok(await isGone());
      const without = await layers();
      assert.ok(without > 0);
      await red.deploy([service([one]), ...page]);
      const served = await layers();
      assert.ok(served > without);
      for (const keys of [[], [one], []]) {
        for (const type of ['full', 'flows', 'nodes'] as const) {
          await red.deploy([service(keys), ...page], type);
          assert.equal(await layers(), served, `${keys.length} keys, ${type}`);
        }
      }
      await red.deploy([service([], { servePath: '/elsewhere' }), ...page]);
      assert.ok(await isGone());
      assert.equal((await ask('GET', `${red.address}/elsewhere/x`)).status, 401);
      assert.equal(await layers(), served);
      for (const left of [[service([], { serve: false })], [], [service([], { servePath: '/a b' })]]) {
        await red.deploy([service([])]);
        await red.deploy([...left, ...page]);
        assert.ok(await isGone());
        assert.equal(await layers(), without);
      }
    });

    it('are taken by one service alone, with keys or without', async () => {
      await red.deploy([service([]), { ...service([one]), id: 'svc2', name: 'too' }, ...page]);
      assert.match(red.log(), /The path \/openai-runs is taken by the service "mine"/);
      assert.equal((await ask('GET', `${red.base}/assistants`, { key })).status, 401);
    });
  });
}
