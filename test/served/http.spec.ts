/** The engine over HTTP, on Node-RED's own server: bodies, methods, headers, browsers, who may ask. */
import assert from 'node:assert/strict';
import { RELEASES, type Release } from '../support/node-red.ts';
import { until } from '../support/until.ts';
import { ASSISTANT, ask, newKey, type ServingNodeRed, service, startServing } from './support.ts';

const user = (content: string) => ({ role: 'user', content });

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`served over HTTP by Node-RED ${release}`, function () {
    this.timeout(60_000);
    const all = newKey('everything');
    const own = newKey('a guest', { ownThreads: true });
    const second = newKey('another guest', { ownThreads: true });
    const one = newKey('one assistant', { assistants: ['asst_other'] });
    const keys = [all, own, second, one];
    const { key } = all;
    let red: ServingNodeRed;

    before(async () => {
      red = await startServing([service(keys, { serveOrigins: 'https://chat.example' })], { release });
    });
    after(() => red?.stop());

    const post = (path: string, body: unknown, as = key) =>
      ask('POST', `${red.base}${path}`, { key: as, body });
    const get = (path: string, as = key) => ask('GET', `${red.base}${path}`, { key: as });

    it('answers with the headers of the service, with and without /v1', async () => {
      for (const base of [red.base, red.base.replace('/v1', '')]) {
        const { status, headers, body } = await ask('GET', `${base}/assistants/${ASSISTANT}`, { key });
        assert.deepEqual([status, body.id], [200, ASSISTANT]);
        assert.match(String(headers['x-request-id']), /^req_[\da-f]{32}$/);
        assert.match(String(headers['openai-processing-ms']), /^\d+$/);
        assert.equal(headers['openai-version'], '2020-10-01');
        assert.ok(headers['openai-organization']);
        assert.equal(headers['x-ratelimit-limit-requests'], '3000');
      }
      assert.equal((await get('/nothing')).body.error.code, 'unknown_url');
      assert.equal((await ask('PUT', `${red.base}/threads`, { key, body: {} })).status, 405);
      assert.equal((await get('/threads/%zz')).status, 400);
    });

    it('streams unbuffered and uncompressed', async () => {
      const body = { assistant_id: ASSISTANT, stream: true, thread: { messages: [user('Good morning')] } };
      const { status, headers, text } = await post('/threads/runs', body);
      assert.equal(status, 200);
      assert.equal(headers['content-type'], 'text/event-stream; charset=utf-8');
      assert.equal(headers['x-accel-buffering'], 'no');
      assert.match(String(headers['cache-control']), /no-transform/);
      assert.match(text, /^event: thread\.created\n/);
      assert.match(text, /event: thread\.run\.completed\n[\s\S]+event: done\ndata: \[DONE\]\n\n$/);
    });

    it('a run goes on when its reader goes away', async () => {
      const { id } = (await post('/threads', { messages: [user('rehearse slow')] })).body;
      const gone = new AbortController();
      const response = await fetch(`${red.base}/threads/${id}/runs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify({ assistant_id: ASSISTANT, stream: true }),
        signal: gone.signal,
      });
      await response.body!.getReader().read();
      gone.abort();
      const [run] = (await get(`/threads/${id}/runs`)).body.data;
      assert.match(run.status, /queued|in_progress/);
      await post(`/threads/${id}/runs/${run.id}/cancel`, {});
    });

    it('takes 10 MB of JSON, whatever the editor takes, and says what is wrong with other bodies', async () => {
      const long = 'x'.repeat(250_000);
      const messages = Array.from({ length: 32 }, () => user(long));
      assert.equal((await post('/threads', { messages })).status, 200);
      const tooLong = await post('/threads', { messages: [...messages, ...messages] });
      assert.deepEqual([tooLong.status, tooLong.body.error.code], [413, 'request_too_large']);
      const headers = { 'transfer-encoding': 'chunked', 'content-type': 'application/json' };
      const stream = new ReadableStream({
        start(controller) {
          for (let i = 0; i < 12; i++) controller.enqueue(new Uint8Array(1024 * 1024).fill(32));
          controller.close();
        },
      });
      const chunked = await fetch(`${red.base}/threads`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: stream,
        duplex: 'half',
      } as RequestInit).then(({ status }) => status);
      assert.equal(chunked, 413, JSON.stringify(headers));
      const broken = await post('/threads', '{"messages": [');
      assert.equal(broken.status, 400);
      assert.match(broken.body.error.message, /could not parse the JSON body/);
      const packed = await ask('POST', `${red.base}/threads`, {
        key,
        body: 'x',
        headers: { 'content-encoding': 'gzip' },
      });
      assert.equal(packed.status, 415);
    });

    it('knows HEAD and OPTIONS, and answers pages of listed origins only', async () => {
      const head = await ask('HEAD', `${red.base}/assistants`, { key });
      assert.deepEqual([head.status, head.text], [200, '']);
      const asked = {
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      };
      const options = (origin: string) =>
        ask('OPTIONS', `${red.base}/threads`, { headers: { origin, ...asked } });
      const known = await options('https://chat.example');
      assert.equal(known.status, 204);
      assert.equal(known.headers['access-control-allow-headers'], 'authorization');
      // Node-RED 4.1 answers this by itself, for every page, where the editor has the same root.
      if (release !== '4.1') {
        assert.equal(known.headers['access-control-allow-origin'], 'https://chat.example');
        const unknown = await options('https://other.example');
        assert.equal(unknown.headers['access-control-allow-origin'], undefined);
      }
      const read = (origin: string) => ask('GET', `${red.base}/assistants`, { key, headers: { origin } });
      for (const [origin, allowed] of [
        ['https://chat.example', 'https://chat.example'],
        ['https://other.example'],
      ]) {
        const { headers } = await read(String(origin));
        assert.equal(headers['access-control-allow-origin'], allowed);
      }
    });

    it('refuses whoever has no key, in the form of OpenAI', async () => {
      for (const wrong of ['sk-wrong', `${key}x`, key.slice(0, -1), 'x'.repeat(5000)]) {
        const { status, body, headers } = await get('/assistants', wrong);
        assert.deepEqual(
          [status, body.error.code, body.error.type],
          [401, 'invalid_api_key', 'invalid_request_error'],
        );
        assert.ok(!JSON.stringify(body).includes(key.slice(0, -1)));
        assert.ok(headers['x-request-id']);
      }
      const none = await ask('GET', `${red.base}/assistants`);
      assert.match(none.body.error.message, /^You didn't provide an API key/);
      const azure = await ask('GET', `${red.base}/assistants`, { headers: { 'api-key': key } });
      assert.equal(azure.status, 200);
    });

    it('keeps guests to their own threads', async () => {
      const { id } = (await post('/threads', { messages: [user('Hello')] }, own.key)).body;
      const run = (await post(`/threads/${id}/runs`, { assistant_id: ASSISTANT }, own.key)).body;
      const paths = ['', '/messages', '/runs', `/runs/${run.id}`, `/runs/${run.id}/steps`];
      for (const path of paths) {
        assert.equal((await get(`/threads/${id}${path}`, own.key)).status, 200, path);
        assert.equal((await get(`/threads/${id}${path}`, all.key)).status, 200, path);
        const refused = await get(`/threads/${id}${path}`, second.key);
        assert.deepEqual(
          [refused.status, refused.body.error.message],
          [404, `No thread found with id '${id}'.`],
        );
      }
      for (const path of ['', '/messages', '/runs', `/runs/${run.id}/cancel`]) {
        assert.equal((await post(`/threads/${id}${path}`, {}, second.key)).status, 404, path);
      }
      const spelled = id.replace('_', '%5F');
      assert.equal((await get(`/threads/${spelled}`, second.key)).status, 404);
      assert.equal((await ask('DELETE', `${red.base}/threads/${id}`, { key: second.key })).status, 404);
      assert.equal((await get('/threads/thread_none', second.key)).status, 404);
    });

    it('keeps a key to the assistants it names', async () => {
      const listed = await get('/assistants', one.key);
      assert.deepEqual(
        listed.body.data.map(({ id }: { id: string }) => id),
        ['asst_other'],
      );
      assert.equal((await get(`/assistants/${ASSISTANT}`, one.key)).status, 404);
      const run = (assistant_id: string) =>
        post('/threads/runs', { assistant_id, thread: { messages: [user('Hi')] } }, one.key);
      assert.equal((await run(ASSISTANT)).status, 404);
      assert.equal((await run('asst_other')).status, 200);
      for (const path of ['/assistants', '/assistants/asst_other']) {
        assert.equal((await post(path, { model: 'm' }, one.key)).status, 403, path);
      }
      const { thread_id, id } = (
        await post('/threads/runs', { assistant_id: ASSISTANT, thread: { messages: [user('Hi')] } })
      ).body;
      assert.equal((await get(`/threads/${thread_id}/runs/${id}`, one.key)).status, 404);
      assert.equal((await post(`/threads/${thread_id}/runs/${id}/cancel`, {}, one.key)).status, 404);
    });

    it('says when keys were last used, to those who may read the flows', async () => {
      const uses = await fetch(`${red.address}/openai-runs-service/svc/keys`).then((answer) => answer.json());
      assert.ok(uses[all.kept.id] > Date.now() - 60_000);
    });

    it('a revoked key is refused after the deploy, and no route is left of a service that is taken away', async () => {
      await red.deploy([service([all])]);
      assert.equal((await get('/assistants', own.key)).status, 401);
      assert.equal((await get('/assistants')).status, 200);
      await red.deploy([service([all], { servePath: 'other/place/' })]);
      assert.equal((await get('/assistants')).status, 404);
      const moved = `${red.address}/other/place/v1/assistants`;
      assert.equal((await ask('GET', moved, { key })).status, 200);
      await red.deploy([service([all], { serve: false })]);
      const gone = await ask('GET', moved, { key });
      assert.deepEqual([gone.status, gone.headers['openai-version']], [404, undefined]);
    });

    it('says what stands in the way: no key, a taken path, a path that is none', async () => {
      await red.deploy([service([])]);
      assert.match(red.log(), /Nothing is served at \/openai-runs yet: no key/);
      await red.deploy([service([all]), { ...service([all]), id: 'svc2', name: 'too' }]);
      assert.match(red.log(), /The path \/openai-runs is taken by the service "mine"/);
      await red.deploy([service([all], { servePath: '/a b' })]);
      assert.match(red.log(), /"\/a b" is no path/);
      await red.deploy([service(keys)]);
      assert.equal((await get('/assistants')).status, 200);
    });

    it('without keys answers programs on the same machine, and nobody behind a proxy or a web page', async () => {
      await red.deploy([service([], { serveAccess: 'local' })]);
      const status = async (headers: Record<string, string>) =>
        (await ask('GET', `${red.base}/assistants`, { headers })).status;
      assert.equal(await status({}), 200);
      for (const headers of [
        { 'x-forwarded-for': '127.0.0.1' },
        { origin: 'https://evil.example' },
        { host: 'evil.example' },
      ]) {
        assert.equal(
          await status(headers as unknown as Record<string, string>),
          403,
          JSON.stringify(headers),
        );
      }
    });

    it('limits requests and runs of each key, and says when to come back', async () => {
      await red.deploy([service([all, own], { serveRequests: 5, serveRuns: 1 })]);
      const run = () =>
        post('/threads/runs', { assistant_id: ASSISTANT, thread: { messages: [user('rehearse slow')] } });
      assert.equal((await run()).status, 200);
      const second = await run();
      assert.deepEqual([second.status, second.body.error.code], [429, 'rate_limit_exceeded']);
      assert.ok(Number(second.headers['retry-after']) >= 1);
      assert.equal(second.headers['x-ratelimit-limit-requests'], '5');
      for (let i = 0; i < 3; i++) await get('/assistants');
      const refused = await get('/assistants');
      assert.equal(refused.status, 429);
      assert.ok(Number(refused.headers['retry-after']) >= 1);
      assert.equal(refused.headers['x-ratelimit-remaining-requests'], '0');
      assert.equal((await get('/assistants', own.key)).status, 200);
    });

    it('limits the requests of each key that are open at once, streams among them', async () => {
      await red.deploy([service([all, own], { serveAtOnce: 2 })]);
      const stream = async () => {
        const gone = new AbortController();
        const response = await fetch(`${red.base}/threads/runs`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}` },
          body: JSON.stringify({
            assistant_id: ASSISTANT,
            stream: true,
            thread: { messages: [user('rehearse slow')] },
          }),
          signal: gone.signal,
        });
        await response.body!.getReader().read();
        return gone;
      };
      const [one] = [await stream(), await stream()];
      const refused = await get('/assistants');
      assert.deepEqual([refused.status, refused.body.error.code], [429, 'rate_limit_exceeded']);
      assert.match(refused.body.error.message, /2 requests at once/);
      assert.ok(Number(refused.headers['retry-after']) >= 1);
      assert.equal(refused.headers['x-ratelimit-limit-requests'], '3000');
      assert.equal((await get('/assistants', own.key)).status, 200);
      one.abort();
      await until(async () => (await get('/assistants')).status === 200);
    });

    it('a redeploy ends open streams with an error event', async () => {
      await red.deploy([service([all], { serveRuns: 0 })]);
      let begun = 0;
      const body = {
        assistant_id: ASSISTANT,
        stream: true,
        thread: { messages: [user('rehearse slow')] },
      };
      const streams = Array.from({ length: 100 }, async () => {
        const response = await fetch(`${red.base}/threads/runs`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}` },
          body: JSON.stringify(body),
        });
        begun += 1;
        return { text: await response.text() };
      });
      await until(() => begun === 100);
      await red.deploy([service([all])]);
      const answers = await Promise.all(streams);
      for (const { text } of answers)
        assert.match(text, /event: error\ndata: \{[^\n]*service_closed[^\n]*\}\n\n$/);
      assert.equal((await get('/assistants')).status, 200);
    });
  });
}
