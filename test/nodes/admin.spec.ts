/** What the dialogs ask the runtime for is given to those who may edit, and to nobody else. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { json, startServer, type TestServer } from '../support/http-server.ts';
import { startLangGraph } from '../support/lang-graph.ts';
import { type NodeRed, startNodeRed } from '../support/node-red.ts';

const SERVICE = 'f0000000000000b1';
const flows = [
  {
    id: SERVICE,
    type: 'openai-runs-service',
    backend: 'embedded',
    provider: 'rehearsal',
    database: ':memory:',
    assistants: [{ id: 'asst_one', name: 'One' }],
  },
];

describe('admin routes of the service', function () {
  this.timeout(40_000);
  let nodeRed: NodeRed | undefined;

  afterEach(async () => {
    await nodeRed?.stop();
    nodeRed = undefined;
  });

  const start = async (permissions?: string) => {
    const users = { type: 'credentials', users: [], ...(permissions && { default: { permissions } }) };
    nodeRed = await startNodeRed({ flows, settings: { adminAuth: users } });
    const at = (id: string, what: string) => `${nodeRed?.address}/openai-runs-service/${id}/${what}`;
    return {
      get: (what: string, id = SERVICE) => fetch(at(id, what)),
      post: (what: string, body: object, id = SERVICE) =>
        fetch(at(id, what), {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
    };
  };

  it('are closed to those who are not logged in', async () => {
    const { get, post } = await start();
    assert.equal((await get('assistants')).status, 401);
    assert.equal((await post('test', {})).status, 401);
    assert.equal((await post('database', {})).status, 401);
  });

  it('let readers see assistants, but try no address and look for no file', async () => {
    const { get, post } = await start('read');
    assert.deepEqual(await (await get('assistants')).json(), [{ id: 'asst_one', name: 'One' }]);
    assert.equal((await post('test', { backend: 'server', url: 'http://127.0.0.1:9' })).status, 401);
    assert.equal((await post('database', { database: '/etc/hostname' })).status, 401);
  });

  it('answer editors, for a service not yet deployed as well', async () => {
    const { get, post } = await start('*');
    assert.deepEqual(await (await get('assistants', 'new')).json(), []);
    const test = await post(
      'test',
      { backend: 'embedded', provider: 'chat', url: 'http://127.0.0.1:9/v1' },
      'new',
    );
    const { ok, key, values } = (await test.json()) as {
      ok: boolean;
      key: string;
      values: { reason: string };
    };
    assert.equal(ok, false);
    assert.equal(key, 'failed');
    assert.match(values.reason, /127\.0\.0\.1:9/);
    const place = await post('database', { database: '' }, 'new');
    assert.match(((await place.json()) as { file: string }).file, /openai-runs.new\.sqlite$/);
    assert.deepEqual(await (await post('database', { database: ':memory:' }, 'new')).json(), {});
  });

  it('say of an address what speaks there, if it is no Runs server', async () => {
    const { post } = await start('*');
    const other = await startLangGraph();
    const empty = await startServer((_, response) => json(response, {}));
    try {
      const test = async (url: string) => (await post('test', { backend: 'server', url })).json();
      const { ok, key, values } = (await test(other.url)) as Record<string, { reason?: string }>;
      assert.deepEqual([ok, key], [false, 'failed']);
      assert.match(values?.reason ?? '', /speaks another protocol \(LangGraph\).*nothing was changed/);
      assert.equal(((await test(empty.url)) as { key: string }).key, 'noRuns');
    } finally {
      await Promise.all([other.close(), empty.close()]);
    }
  });

  it('give out no key, and keep none', async () => {
    const { post } = await start('*');
    const settings = { backend: 'server', url: 'http://127.0.0.1:9/v1', apiKey: 'sk-secret', timeout: 5 };
    const answer = await (await post('test', settings)).text();
    assert.doesNotMatch(answer, /sk-secret/);
    assert.doesNotMatch(nodeRed?.log() ?? '', /sk-secret/);
    const stored = await (
      await fetch(`${nodeRed?.address}/credentials/openai-runs-service/${SERVICE}`)
    ).json();
    assert.deepEqual(stored, {});
  });

  describe('give no secret away', () => {
    const KEY = 'sk-stored-0123456789';
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a person types
    const VARIABLE = '${RUNS_TEST_SECRET}';
    const NAME = 'RUNS_TEST_SECRET';
    const SECRET = 'env-secret-0123456789';
    let own: TestServer;
    let other: TestServer;

    beforeEach(async () => {
      const models = { object: 'list', data: [] };
      own = await startServer((_, response) => json(response, models));
      other = await startServer((_, response) => json(response, models));
    });
    afterEach(async () => {
      await own.close();
      await other.close();
    });

    /** A server service and a chat service at `own`, the key in an environment variable, as a user may have it. */
    async function deployed() {
      const services = [
        { id: 'server0000000001', backend: 'server', url: `${own.url}/v1` },
        { id: 'chat000000000001', backend: 'embedded', provider: 'chat', url: `${own.url}/v1`, model: 'm' },
        { id: 'message000000001', backend: 'server', url: 'server', urlType: 'msg' },
        { id: 'unset00000000001', backend: 'server', url: 'RUNS_TEST_NONE', urlType: 'env' },
      ].map((service) => ({
        type: 'openai-runs-service',
        database: ':memory:',
        credentials: { apiKey: KEY },
        ...service,
      }));
      nodeRed = await startNodeRed({ env: { RUNS_TEST_SECRET: SECRET } });
      // Only a deploy brings credentials in.
      const deploy = await fetch(`${nodeRed.address}/flows`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(services),
      });
      assert.equal(deploy.status, 204);
      // The answer comes before the nodes are there.
      while ((nodeRed.log().match(/Started flows/g) ?? []).length < 2) await sleep(20);
      return (id: string, body: object | string, headers: Record<string, string> = {}) =>
        fetch(`${nodeRed?.address}/openai-runs-service/${id}/test`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        });
    }

    const forms = (url: string) => [
      { id: 'server0000000001', backend: 'server', url: `${url}/v1` },
      { id: 'chat000000000001', backend: 'embedded', provider: 'chat', url: `${url}/v1`, model: 'm' },
    ];
    const told = (server: TestServer) => JSON.stringify(server.received);

    it('to another address, in whatever field it is asked for', async () => {
      const post = await deployed();
      for (const { id, ...form } of forms(other.url)) {
        const tries = [
          { ...form, apiKey: '__PWRD__' },
          { ...form, apiKey: VARIABLE },
          { ...form, url: `${other.url}/${VARIABLE}` },
          { ...form, headers: [{ name: 'x-a', value: VARIABLE }] },
          { ...form, query: [{ name: 'a', value: VARIABLE }] },
          { ...form, organization: VARIABLE },
          { ...form, model: VARIABLE },
          { ...form, apiKeyType: 'env', apiKeyEnv: NAME },
          { ...form, organization: NAME, organizationType: 'env' },
          { ...form, project: NAME, projectType: 'env' },
          { ...form, url: NAME, urlType: 'env' },
          { ...form, url: `${own.url}/v1`, urlType: 'env', apiKey: '__PWRD__' },
          { ...form, apiKey: '__PWRD__', url: `${own.url.replace('http:', 'https:')}/v1` },
          { ...form, apiKey: '__PWRD__', url: `${own.url}/v1`, proxy: 'some-proxy' },
          {
            ...form,
            backend: form.backend === 'server' ? 'embedded' : 'server',
            provider: 'chat',
            apiKey: '__PWRD__',
          },
        ];
        for (const body of tries) {
          const answer = await (await post(id, body)).json();
          assert.deepEqual(answer, { ok: false, key: 'notDeployed', values: {} }, JSON.stringify(body));
        }
      }
      assert.doesNotMatch(told(other) + told(own), /0123456789/);
    });

    it('but to the deployed one, and a typed key to any', async () => {
      const post = await deployed();
      for (const { id, ...form } of forms(own.url)) {
        own.received.length = 0;
        const keys = [{ apiKey: '__PWRD__' }, { apiKey: VARIABLE }, { apiKeyType: 'env', apiKeyEnv: NAME }];
        for (const key of keys) {
          const answer = (await (await post(id, { ...form, ...key })).json()) as { key: string };
          assert.notEqual(answer.key, 'notDeployed');
        }
        assert.deepEqual(
          own.received.map(({ headers }) => headers.authorization),
          [`Bearer ${KEY}`, `Bearer ${SECRET}`, `Bearer ${SECRET}`],
        );
      }
      for (const { id, ...form } of forms(other.url)) await post(id, { ...form, apiKey: 'typed' });
      assert.deepEqual(
        other.received.map(({ headers }) => headers.authorization),
        ['Bearer typed', 'Bearer typed'],
      );
    });

    it('where the address comes with each message, or from a variable that is not set', async () => {
      const post = await deployed();
      const answerTo = async (id: string, form: object) =>
        (await (await post(id, { backend: 'server', apiKey: '__PWRD__', ...form })).json()) as object;
      for (const id of ['message000000001', 'unset00000000001']) {
        for (const url of [`${own.url}/v1`, 'https://api.openai.com/v1', '', 'server']) {
          const answer = await answerTo(id, { url });
          assert.deepEqual(answer, { ok: false, key: 'notDeployed', values: {} }, `${id} ${url}`);
        }
      }
      for (const type of ['msg', 'flow', 'global']) {
        const form = { url: NAME, urlType: type, apiKeyType: 'env', apiKeyEnv: NAME };
        assert.deepEqual(await answerTo('message000000001', form), {
          ok: true,
          key: 'perMessage',
          values: { where: `${type}.${NAME}` },
        });
      }
      for (const list of ['assistants', 'models']) {
        const answer = await fetch(`${nodeRed?.address}/openai-runs-service/message000000001/${list}`);
        assert.deepEqual(await answer.json(), []);
      }
      const unset = await answerTo('unset00000000001', { url: 'RUNS_TEST_NONE', urlType: 'env' });
      assert.match(JSON.stringify(unset), /There is no address of a server in env\.RUNS_TEST_NONE/);
      assert.equal(own.received.length + other.received.length, 0);
    });

    it('to what a page of another site sends: forms, plain text, JSON with an origin of its own', async () => {
      const post = await deployed();
      const [form] = forms(own.url);
      const fields = new URLSearchParams({ backend: 'server', url: `${own.url}/v1`, apiKey: '__PWRD__' });
      const tries: [body: object | string, headers: Record<string, string>, status: number][] = [
        [String(fields), { 'content-type': 'application/x-www-form-urlencoded' }, 415],
        [JSON.stringify(form), { 'content-type': 'text/plain' }, 415],
        [JSON.stringify(form), { 'content-type': 'text/plain; x=application/json' }, 415],
        [form ?? {}, { origin: 'http://evil.example' }, 403],
        [form ?? {}, { origin: 'null' }, 403],
        [form ?? {}, { 'sec-fetch-site': 'cross-site' }, 403],
      ];
      for (const [body, headers, status] of tries) {
        assert.equal((await post('server0000000001', body, headers)).status, status, JSON.stringify(headers));
      }
      assert.equal(own.received.length, 0);
      const { host, origin } = new URL(nodeRed?.address ?? '');
      assert.equal((await post('server0000000001', form ?? {}, { origin })).status, 200);
      const proxied = { origin: 'https://home.example', 'x-forwarded-host': 'home.example' };
      assert.equal((await post('server0000000001', form ?? {}, proxied)).status, 200, host);
    });

    it('nor the size of any file but its own database', async () => {
      nodeRed = await startNodeRed({
        flows: [{ id: SERVICE, type: 'openai-runs-service', backend: 'embedded', provider: 'rehearsal' }],
      });
      const ask = async (database: string, id = SERVICE) => {
        const response = await fetch(
          `${nodeRed?.address}/openai-runs-service/${encodeURIComponent(id)}/database`,
          {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ database }),
          },
        );
        return (await response.json()) as { file?: string; bytes?: number };
      };
      assert.ok(((await ask('')).bytes ?? 0) > 0);
      assert.equal((await ask('/etc/passwd')).bytes, undefined);
      assert.equal((await ask('', 'another')).bytes, undefined);
      const { file = '' } = await ask('', '../../x');
      assert.equal(path.basename(path.dirname(file)), 'openai-runs');
    });
  });
});
