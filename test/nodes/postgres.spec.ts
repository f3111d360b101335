/** A service whose database is on PostgreSQL: its settings, its secrets, what is said when it can't be used. */
import assert from 'node:assert/strict';
import {
  addressOf,
  addressWith,
  isServer,
  placeName,
  placeOf,
} from '../../nodes/openai-runs-service/database-address.ts';
import { dropSchemas, newSchema, withPostgres } from '../support/databases.ts';
import { type NodeRed, startNodeRed } from '../support/node-red.ts';
import { startPostgres, testPostgres } from '../support/postgres-server.ts';
import { flowWith, onEachRuntime } from '../support/runtime.ts';
import { until } from '../support/until.ts';

const SERVICE = 'f0000000000000b2';
/** What the editor sends instead of a stored credential. */
const STORED = '__PWRD__';
const asks = { method: 'createThreadAndRun', result: 'text' };

describe('the address of a service’s PostgreSQL', () => {
  it('is saved without the password, and read into its fields again', () => {
    const place = { host: 'db.local', port: '5433', name: 'my runs', user: 'ünë', schema: 'mine' };
    const saved = addressOf(place);
    assert.equal(saved, 'postgres://%C3%BCn%C3%AB@db.local:5433/my%20runs?schema=mine');
    assert.deepEqual(placeOf(saved), place);
    assert.equal(placeName(saved), 'db.local:5433/my runs');
    const bare = { host: '::1', port: '', name: 'runs', user: 'me', schema: '' };
    assert.equal(addressOf(bare), 'postgres://me@[::1]/runs');
    assert.deepEqual(placeOf(addressOf(bare)), bare);
    const variable = (name: string) => `$\{${name}}`;
    const [host, user] = [variable('HOST'), variable('USER')];
    assert.equal(addressOf({ ...bare, host, user }), `postgres://${user}@${host}/runs`);
    assert.deepEqual(placeOf('nothing'), { host: '', port: '', name: '', user: '', schema: '' });
    assert.equal(isServer('postgres/file.sqlite'), false);
  });

  it('gets its password, or is a secret as a whole', () => {
    const secrets = { databasePassword: 'p@:/%', databaseUrl: 'postgres://a:b@c/d' };
    assert.equal(addressWith('postgres://me@host/runs', secrets), 'postgres://me:p%40%3A%2F%25@host/runs');
    assert.equal(
      addressWith('postgres://me:old@host/runs', secrets),
      'postgres://me:p%40%3A%2F%25@host/runs',
    );
    assert.equal(addressWith('postgres:', secrets), 'postgres://a:b@c/d');
    assert.equal(addressWith('file.sqlite', secrets), 'file.sqlite');
  });
});

/** A new schema: its whole address, and what is saved of it. */
async function place(schemas: string[]) {
  const address = await newSchema();
  schemas.push(address);
  const { hostname: host, port, pathname, username: user, password, searchParams } = new URL(address);
  const schema = searchParams.get('schema') ?? '';
  const database = addressOf({ host, port, name: pathname.slice(1), user, schema });
  return { address, database, databasePassword: decodeURIComponent(password) };
}

onEachRuntime('a service on PostgreSQL', (start) => {
  const schemas: string[] = [];
  before(async function () {
    this.timeout(60_000);
    await testPostgres();
  });
  afterEach(() => dropSchemas(schemas.splice(0)));

  const service = (database: string) =>
    flowWith(asks, {
      backend: 'embedded',
      provider: 'rehearsal',
      assistants: [{ id: 'asst_one', name: 'One' }],
      database,
    });
  const message = (content: string) => ({
    payload: { assistant_id: 'asst_one', thread: { messages: [{ role: 'user', content }] } },
  });

  it('answers, with the password as a credential', async () => {
    const { database, databasePassword } = await place(schemas);
    const flow = await start(service(database), { svc: { databasePassword } });
    flow.send(message('Hello'));
    assert.match((await flow.wait('out')).payload, /\[rehearsal\] You said: Hello/);
  });

  it('answers, with the whole address as a credential', async () => {
    const { address } = await place(schemas);
    const flow = await start(service('postgres:'), { svc: { databaseUrl: address } });
    flow.send(message('Hello'));
    assert.match((await flow.wait('out')).payload, /\[rehearsal\] You said: Hello/);
  });

  it('says what is wrong, and never the password', async () => {
    const { database } = await place(schemas);
    const flow = await start(service(database), { svc: { databasePassword: 'hidden' } });
    flow.send(message('Hello'));
    const { error } = await flow.wait('caught');
    assert.match(error.message, /refuses the user postgres; check user and password/);
    assert.doesNotMatch(JSON.stringify(error), /hidden/);
  });
});

describe('the test button of a service on PostgreSQL', function () {
  this.timeout(60_000);
  const schemas: string[] = [];
  let nodeRed: NodeRed | undefined;
  before(() => testPostgres());
  afterEach(async () => {
    await nodeRed?.stop();
    await dropSchemas(schemas.splice(0));
  });

  it('is not needed after the server was away at the start: the service tries again by itself', async () => {
    const server = await startPostgres();
    try {
      await server.pause();
      const flows = [
        {
          id: SERVICE,
          type: 'openai-runs-service',
          backend: 'embedded',
          provider: 'rehearsal',
          database: server.address,
        },
      ];
      nodeRed = await startNodeRed({ flows });
      await until(() => /does not answer/.test(nodeRed?.log() ?? ''));
      assert.doesNotMatch(nodeRed.log(), /secret/);
      await server.start();
      await until(
        () =>
          withPostgres(server.address, async (client) => {
            const { rows } = await client.query('select 1 from openai_runs.workers');
            return rows.length === 1;
          }).catch(() => false),
        30_000,
      );
    } finally {
      await nodeRed?.stop();
      nodeRed = undefined;
      await server.stop();
    }
  });

  it('says which PostgreSQL answered, what is wrong, and takes no stored password elsewhere', async () => {
    const { database, databasePassword, address } = await place(schemas);
    nodeRed = await startNodeRed({});
    const url = (what: string) => `${nodeRed?.address}/openai-runs-service/${SERVICE}/${what}`;
    const post = async (target: string, body: unknown) =>
      fetch(target, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const test = async (form: object) =>
      (await (
        await post(url('test'), { backend: 'embedded', provider: 'rehearsal', database, ...form })
      ).json()) as {
        ok: boolean;
        key: string;
        values: Record<string, string>;
      };
    const typed = await test({ databasePassword });
    assert.deepEqual([typed.ok, typed.key], [true, 'database']);
    assert.match(String(typed.values.version), /^\d+\.\d+$/);
    assert.equal((await test({ database: 'postgres:', databaseUrl: address })).ok, true);
    const wrong = await test({ databasePassword: 'hidden' });
    assert.equal(wrong.ok, false);
    assert.match(wrong.values.reason!, /refuses the user/);
    assert.doesNotMatch(JSON.stringify(wrong), /hidden/);
    // Nothing is made by a test.
    const there = await withPostgres(address, (client) =>
      client.query('select 1 from pg_namespace where nspname = $1', [
        new URL(address).searchParams.get('schema'),
      ]),
    );
    assert.equal(there.rows.length, 0);

    const flow = [
      {
        id: SERVICE,
        type: 'openai-runs-service',
        backend: 'embedded',
        provider: 'rehearsal',
        database,
        credentials: { databasePassword },
      },
    ];
    assert.equal((await post(`${nodeRed.address}/flows`, flow)).status, 204);
    await until(async () => (await test({ databasePassword: STORED })).ok);
    const elsewhere = await test({
      databasePassword: STORED,
      database: database.replace('127.0.0.1', 'localhost'),
    });
    assert.deepEqual([elsewhere.ok, elsewhere.key], [false, 'notDeployed']);
    const held = (await (await post(url('database'), { database })).json()) as object;
    assert.deepEqual(held, {
      server: new URL(address).host + new URL(address).pathname,
      threads: 0,
      runs: 0,
    });
    assert.deepEqual(await (await post(url('database'), { database: 'postgres://a@b/c' })).json(), {});
  });
});
