/** How a service reaches its server: key, headers, ${ENV}, TLS, proxy, retries, one client, and its end. */
import assert from 'node:assert/strict';
import { selfSigned } from '../support/certificate.ts';
import { type Answer, apiError, json, sse, startServer, type TestServer } from '../support/http-server.ts';
import { run, textStream } from '../support/objects.ts';
import { startProxy } from '../support/proxy.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';
import { until } from '../support/until.ts';

const ids = { thread_id: 'thread_1', run_id: 'run_1' };
const getRun = { method: 'getRun', delivery: 'start' };
const startRun = { method: 'createRun', delivery: 'start' };
const payload = { ...ids, assistant_id: 'asst_1' };
/** As a user writes it into a field. */
const env = (name: string) => `$\{${name}}`;

onEachRuntime('the service', (start) => {
  let server: TestServer;
  let before: NodeJS.ProcessEnv;
  const service = (more: Msg = {}) => ({ backend: 'server', url: `${server.url}/v1`, ...more });
  const headers = () => server.received.at(-1)?.headers ?? {};
  const query = () => new URLSearchParams(server.received.at(-1)?.query);

  beforeEach(async () => {
    before = { ...process.env };
    server = await startServer((_request, response) => json(response, run()));
  });
  afterEach(async () => {
    process.env = before;
    await server.close();
  });

  it('puts the key where auth says: bearer, a header, the query, and nowhere else', async () => {
    const credentials = { svc: { apiKey: ' dummy-key ' } };
    const rows: [Msg, () => void][] = [
      [{}, () => assert.equal(headers().authorization, 'Bearer dummy-key')],
      [{ auth: 'header' }, () => assert.equal(headers()['api-key'], 'dummy-key')],
      [{ auth: 'header', authName: 'X-Key' }, () => assert.equal(headers()['x-key'], 'dummy-key')],
      [{ auth: 'query' }, () => assert.equal(query().get('api-key'), 'dummy-key')],
      [{ auth: 'query', authName: 'code' }, () => assert.equal(query().get('code'), 'dummy-key')],
    ];
    const flow = await start(flowWith(getRun, service()), credentials);
    for (const [index, [more, holds]] of rows.entries()) {
      await flow.deploy(flowWith(getRun, service(more)));
      flow.send({ payload });
      await flow.wait('out', index + 1);
      holds();
      const everywhere = JSON.stringify([headers(), server.received.at(-1)?.query]);
      assert.equal(everywhere.split('dummy-key').length, 2, `${JSON.stringify(more)}: ${everywhere}`);
    }
  });

  it('sends organization, project, extra headers and query; the latter win over what is usual', async () => {
    const more = {
      organization: 'org-1',
      project: 'proj-1',
      headers: [
        { name: 'X-Extra', value: 'a b' },
        { name: 'User-Agent', value: 'runs-test' },
      ],
      query: [{ name: 'api-version', value: '2024-05-01-preview' }],
    };
    const flow = await start(flowWith(getRun, service(more)));
    flow.send({ payload });
    await flow.wait('out');
    const { 'openai-organization': organization, 'openai-project': project } = headers();
    assert.deepEqual({ organization, project }, { organization: 'org-1', project: 'proj-1' });
    assert.equal(headers()['x-extra'], 'a b');
    assert.equal(headers()['user-agent'], 'runs-test');
    assert.equal(query().get('api-version'), '2024-05-01-preview');
  });

  it('speaks to Azure AI Foundry classic as its preset says: token, api-version, path', async () => {
    const more = {
      url: `${server.url}/api/projects/demo/`,
      auth: 'bearer',
      query: [{ name: 'api-version', value: 'v1' }],
    };
    const flow = await start(flowWith(getRun, service(more)), { svc: { apiKey: 'token' } });
    flow.send({ payload });
    await flow.wait('out');
    const [request] = server.received;
    assert.equal(
      `${request?.path}?${request?.query}`,
      '/api/projects/demo/threads/thread_1/runs/run_1?api-version=v1',
    );
    assert.equal(headers().authorization, 'Bearer token');
  });

  it('puts environment variables in everywhere, the key included', async () => {
    const port = new URL(server.url).port;
    Object.assign(process.env, {
      T_PORT: port,
      T_KEY: 'dummy-key',
      T_NAME: 'X-Key',
      T_VALUE: 'v',
      T_ORG: 'org-e',
    });
    const more = {
      url: `http://127.0.0.1:${env('T_PORT')}/v1`,
      auth: 'header',
      authName: env('T_NAME'),
      organization: env('T_ORG'),
      project: `p-${env('T_VALUE')}`,
      headers: [{ name: `X-${env('T_VALUE')}`, value: `1${env('T_VALUE')}2` }],
      query: [{ name: env('T_VALUE'), value: env('T_NOT_SET') + env('T_VALUE') }],
    };
    const flow = await start(flowWith(getRun, service(more)), { svc: { apiKey: env('T_KEY') } });
    flow.send({ payload });
    await flow.wait('out');
    const { 'x-key': key, 'openai-organization': org, 'openai-project': project, 'x-v': extra } = headers();
    assert.deepEqual(
      { key, org, project, extra },
      { key: 'dummy-key', org: 'org-e', project: 'p-v', extra: '1v2' },
    );
    assert.equal(query().get('v'), 'v');
  });

  it('leaves a key alone that only looks like a variable', async () => {
    const flow = await start(flowWith(getRun, service()), { svc: { apiKey: 'a$' + '{b' } });
    flow.send({ payload });
    await flow.wait('out');
    assert.equal(headers().authorization, 'Bearer a$' + '{b');
  });

  it("takes nothing from the SDK's own environment variables", async () => {
    Object.assign(process.env, {
      OPENAI_API_KEY: 'leak-1',
      OPENAI_ADMIN_KEY: 'leak-2',
      OPENAI_ORG_ID: 'leak-3',
      OPENAI_PROJECT_ID: 'leak-4',
      OPENAI_BASE_URL: 'http://127.0.0.1:9/leak-5',
      OPENAI_WEBHOOK_SECRET: 'leak-6',
      OPENAI_LOG: 'debug',
      OPENAI_CUSTOM_HEADERS: 'X-Leak: leak-7\nAuthorization: Bearer leak-8\nOpenAI-Project: leak-9',
    });
    const flow = await start(flowWith(getRun, service({ project: 'mine' })), {
      svc: { apiKey: 'dummy-key' },
    });
    flow.send({ payload });
    await flow.wait('out');
    assert.ok(!JSON.stringify(server.received).includes('leak'), JSON.stringify(headers()));
    assert.equal(headers().authorization, 'Bearer dummy-key');
    assert.equal(headers()['openai-project'], 'mine');
  });

  describe('TLS and proxies', () => {
    const core = ['network/05-tls', 'network/06-httpproxy'];
    const tls = { id: 'tls', type: 'tls-config', cert: '', key: '', ca: '', verifyservercert: true };
    const tick: Answer = (_request, response) => json(response, run());

    it("trusts a self-signed server by Node-RED's tls-config, and no other way", async () => {
      const pair = selfSigned();
      const secure = await startServer(tick, pair);
      try {
        const url = `${secure.url}/v1`;
        const flow = await start(
          [tls, ...flowWith(getRun, service({ url, tls: 'tls' }))],
          { tls: { cadata: pair.cert } },
          core,
        );
        flow.send({ payload });
        assert.equal((await flow.wait('out')).payload.id, 'run_1');
        await flow.deploy(flowWith(getRun, service({ url, retries: 0 })));
        flow.send({ payload });
        const { error } = await flow.wait('caught');
        assert.match(
          error.message,
          /^There is no secure connection: .*Check the certificate\. \(https:.*\)$/,
        );
        assert.match(error.code, /SELF_SIGNED/);
        assert.equal(secure.received.length, 1);
      } finally {
        await secure.close();
      }
    });

    it('says that a tls-config or proxy is unusable', async () => {
      const odd = [
        { id: 'tls', type: 'tls-config', cert: '/nowhere/cert.pem', key: '/nowhere/key.pem', ca: '' },
        { id: 'proxy', type: 'http proxy', url: 'not a url' },
      ];
      const flow = await start([...odd, ...flowWith(getRun, service({ tls: 'tls' }))], {}, core);
      flow.send({ payload });
      assert.equal((await flow.wait('caught')).error.code, 'bad_tls');
      await flow.deploy([...odd, ...flowWith(getRun, service({ proxy: 'proxy' }))]);
      flow.send({ payload });
      assert.equal((await flow.wait('caught', 2)).error.code, 'bad_proxy');
      assert.equal(server.received.length, 0);
    });

    it('says that it is the proxy, where it is the proxy that cannot be reached', async () => {
      const gone = await startProxy();
      await gone.close();
      const node = { id: 'proxy', type: 'http proxy', url: gone.url };
      const flow = await start(
        [node, ...flowWith(getRun, service({ proxy: 'proxy', retries: 0 }))],
        {},
        core,
      );
      flow.send({ payload });
      const { error } = await flow.wait('caught');
      assert.equal(error.code, 'ECONNREFUSED');
      assert.ok(error.message.endsWith(`(${new URL(gone.url).origin})`), error.message);
    });

    it('goes through an http proxy with its login, and past it for hosts that are excepted', async () => {
      const proxy = await startProxy('user:p@ss');
      const node = { id: 'proxy', type: 'http proxy', url: proxy.url };
      const login = { proxy: { username: 'user', password: 'p@ss' } };
      try {
        const flow = await start([node, ...flowWith(getRun, service({ proxy: 'proxy' }))], login, core);
        flow.send({ payload });
        await flow.wait('out');
        assert.deepEqual(proxy.asked, [`GET ${server.url}/v1/threads/thread_1/runs/run_1`]);
        await flow.deploy([
          { ...node, noproxy: ['example.org', '127.0.0.1'] },
          ...flowWith(getRun, service({ proxy: 'proxy' })),
        ]);
        flow.send({ payload });
        await flow.wait('out', 2);
        assert.equal(proxy.asked.length, 1);
        assert.equal(server.received.length, 2);
      } finally {
        await proxy.close();
      }
    });

    it('goes through a proxy by CONNECT to a TLS server, with both nodes', async () => {
      const pair = selfSigned();
      const secure = await startServer(tick, pair);
      const proxy = await startProxy();
      try {
        const nodes = [tls, { id: 'proxy', type: 'http proxy', url: proxy.url }];
        const more = { url: `${secure.url}/v1`, tls: 'tls', proxy: 'proxy' };
        const flow = await start(
          [...nodes, ...flowWith(getRun, service(more))],
          { tls: { cadata: pair.cert } },
          core,
        );
        flow.send({ payload });
        await flow.wait('out');
        assert.deepEqual(proxy.asked, [`CONNECT ${new URL(secure.url).host}`]);
        assert.equal(secure.received.length, 1);
      } finally {
        await proxy.close();
        await secure.close();
      }
    });

    it('cancels a run on close through the proxy too', async () => {
      const proxy = await startProxy();
      try {
        streaming();
        const nodes = [{ id: 'proxy', type: 'http proxy', url: proxy.url }];
        const node = { method: 'createRun', delivery: 'stream', cancelOnClose: true };
        const flow = await start([...nodes, ...flowWith(node, service({ proxy: 'proxy' }))], {}, core);
        flow.send({ payload });
        await flow.wait('second', 3);
        await flow.deploy([{ id: 'tab', type: 'tab', label: 'empty' }]);
        assert.match(proxy.asked.at(-1) ?? '', /\/runs\/run_1\/cancel$/);
      } finally {
        await proxy.close();
      }
    });
  });

  describe('retries', () => {
    const fail = (times: number, status: number, more: Record<string, string> = {}) => {
      let left = times;
      server.answer = (_request, response) => {
        if (left-- > 0)
          apiError(response, status, { message: 'Not now.' }, { 'retry-after-ms': '1', ...more });
        else json(response, run());
      };
    };

    it('repeats what only reads, as often as the service says', async () => {
      fail(2, 500);
      const flow = await start(flowWith(getRun, service({ retries: 2 })));
      flow.send({ payload });
      await flow.wait('out');
      assert.equal(server.received.length, 3);
      fail(9, 503);
      flow.send({ payload });
      await flow.wait('caught');
      assert.equal(server.received.length, 6);
    });

    const starts: [string, Msg][] = [
      ['createRun', payload],
      ['createThreadAndRun', { assistant_id: 'asst_1' }],
      ['submitToolOutputsToRun', { ...ids, tool_outputs: [] }],
      ['cancelRun', ids],
    ];
    for (const [method, request] of starts) {
      it(`never repeats ${method} after 500, 409, a timeout or a broken connection`, async () => {
        const flow = await start(flowWith({ ...startRun, method }, service({ retries: 3, timeout: 0.2 })));
        const answers: Answer[] = [
          (_, response) => apiError(response, 500, { message: 'x' }, { 'retry-after-ms': '1' }),
          (_, response) => apiError(response, 409, { message: 'x' }, { 'retry-after-ms': '1' }),
          (_, response) => void response.destroy(),
          () => {},
        ];
        for (const [index, answer] of answers.entries()) {
          server.answer = answer;
          flow.send({ payload: request });
          await flow.wait('caught', index + 1);
          assert.equal(server.received.length, index + 1);
        }
      });
    }

    for (const delivery of ['start', 'wait']) {
      it(`repeats createRun (${delivery}) after 429, by which nothing was made, and gives up where told to`, async () => {
        fail(2, 429);
        const flow = await start(
          flowWith({ ...startRun, delivery, failures: 'output' }, service({ retries: 2 })),
        );
        const ended = server.answer;
        server.answer = (request, response) =>
          request.method === 'GET' ? json(response, run({ status: 'completed' })) : ended(request, response);
        flow.send({ payload });
        await flow.wait('out');
        const posts = () => server.received.filter(({ method }) => method === 'POST').length;
        assert.equal(posts(), 3);
        for (const [index, more] of [
          { 'x-should-retry': 'false' },
          { 'retry-after-ms': '61000' },
        ].entries()) {
          fail(1, 429, more as never);
          flow.send({ payload });
          await flow.wait('caught', index + 1);
          assert.equal(posts(), 4 + index);
        }
      });
    }
  });

  /** Streams begin and never end. */
  function streaming(): void {
    server.answer = ({ path }, response) => {
      if (path.endsWith('/cancel')) return json(response, run({ status: 'cancelling' }));
      const write = sse(response);
      for (const [event, data] of textStream(['x']).slice(0, 3)) write(event, data);
    };
  }

  it('lets only so many runs in at once, in the order they came, and cancels past them', async () => {
    const open: (() => void)[] = [];
    server.answer = ({ path }, response) => {
      if (path.endsWith('/cancel')) return json(response, run({ status: 'cancelling' }));
      if (path.endsWith('/messages')) return json(response, { object: 'list', data: [], has_more: false });
      open.push(() => json(response, run({ status: 'requires_action' })));
    };
    const wait = { method: 'createRun', delivery: 'wait' };
    const cancel = { ...flowWith({ method: 'cancelRun' }, {})[2], id: 'cancel', wires: [['third']] };
    const flow = await start([...flowWith(wait, service({ concurrency: 2 })), cancel]);
    for (let nr = 0; nr < 6; nr++)
      flow.send({ payload: { ...payload, thread_id: `thread_${nr}`, instructions: String(nr) }, nr });
    await until(() => open.length === 2);
    flow.send({ payload: ids }, 'cancel');
    await flow.wait('third');
    assert.equal(open.length, 2);
    for (let nr = 0; nr < 6; nr++) {
      await until(() => open.length > nr);
      assert.ok(open.length - nr <= 2);
      open[nr]?.();
      assert.equal((await flow.wait('out', nr + 1)).nr, nr);
    }
    const order = server.received.filter(({ body }) => body).map(({ body }) => body.instructions);
    assert.deepEqual(order, ['0', '1', '2', '3', '4', '5']);
  });

  it('is one client for all its nodes: connections are kept and shared', async () => {
    const second = { ...flowWith(getRun, {})[2], id: 'other', wires: [['third']] };
    const flow = await start([...flowWith(getRun, service()), second]);
    const ports = new Set<unknown>();
    server.answer = (_request, response) => {
      ports.add(response.socket?.remotePort);
      json(response, run());
    };
    for (let nr = 1; nr <= 3; nr++) {
      flow.send({ payload });
      await flow.wait('out', nr);
      flow.send({ payload }, 'other');
      await flow.wait('third', nr);
    }
    assert.equal(server.received.length, 6);
    assert.equal(ports.size, 1);
  });

  it('aborts everything in flight at close: sockets are gone before the next deploy is done', async () => {
    streaming();
    const flow = await start(flowWith({ method: 'createRun', delivery: 'stream' }, service()));
    for (let nr = 0; nr < 5; nr++) flow.send({ payload: { ...payload, thread_id: `thread_${nr}` } });
    await flow.wait('second', 15);
    assert.equal(server.open(), 5);
    const begin = performance.now();
    await flow.deploy([{ id: 'tab', type: 'tab', label: 'empty' }]);
    const deployed = performance.now() - begin;
    await until(() => server.open() === 0);
    const gone = performance.now() - begin;
    // Measured against the deploy itself, whatever the machine: the sockets go with it, not by any timeout.
    assert.ok(gone - deployed < 100 + deployed, `${gone} ms of ${deployed} ms`);
    assert.equal(flow.out('out').length, 0);
    assert.equal(flow.out('second').length, 15);
    assert.equal(server.received.length, 5);
  });
});
