/** What the dialogs ask the runtime for is given to those who may edit, and to nobody else. */
import assert from 'node:assert/strict';
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
});
