/** What is PostgreSQL's own: addresses, the schema and its history, what is said when it can't be used. */
import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { newThread } from '../../engine/objects/new-records.ts';
import { readAddress } from '../../engine/store/postgres/address.ts';
import { migrate } from '../../engine/store/postgres/database.ts';
import { isLost, startFault } from '../../engine/store/postgres/faults.ts';
import { MIGRATIONS } from '../../engine/store/postgres/migrations.ts';
import { atomically } from '../../engine/store/store.ts';
import { insertThread } from '../../engine/store/threads.ts';
import { selfSigned } from '../support/certificate.ts';
import { newSchema, withPostgres } from '../support/databases.ts';
import { deafProxy } from '../support/postgres-proxy.ts';
import { startPostgres, testPostgres } from '../support/postgres-server.ts';
import { ScriptedModel, says, Workshop } from './support.ts';

describe('a database on PostgreSQL', function () {
  this.timeout(60_000);
  let workshop: Workshop;
  before(() => testPostgres());
  beforeEach(() => {
    workshop = new Workshop();
  });
  afterEach(() => workshop.cleanUp());

  const opening = (database: string) => workshop.open(new ScriptedModel(says('x')), { database });
  const changed = async (change: (url: URL) => void) => {
    const url = new URL(await testPostgres());
    change(url);
    return url.href;
  };

  it('reads addresses, and says what is wrong with others', () => {
    const { ssl, ...read } = readAddress('postgres://me:p%40ss@[::1]/runs?schema=mine&sslmode=require');
    assert.deepEqual(read, {
      host: '::1',
      port: 5432,
      user: 'me',
      password: 'p@ss',
      database: 'runs',
      schema: 'mine',
      place: '::1:5432/runs',
    });
    assert.equal(ssl ? ssl.rejectUnauthorized : true, false);
    assert.equal(readAddress('postgresql://a:b@c/d').schema, 'openai_runs');
    assert.ok(readAddress('postgres://a:b@c/d', { ca: 'x' }).ssl);
    for (const [address, words] of [
      ['postgres://', /no host/],
      ['postgres://host/db', /no user/],
      ['postgres://a@host', /no database/],
      ['postgres://a:%@host/db', /% in its password/],
      ['postgres://a@host/db?schema=Mine;', /schema must be/],
      ['postgres://a@host/db?sslmode=perhaps', /sslmode must be/],
    ] as const) {
      assert.throws(() => readAddress(address), words, address);
    }
  });

  it('says what keeps it from being opened, and never the password', async () => {
    const cases: [string, string, RegExp][] = [
      [
        'wrongPassword',
        await changed((url) => {
          url.password = 'hidden';
        }),
        /refuses the user postgres; check/,
      ],
      [
        'noDatabase',
        await changed((url) => {
          url.pathname = '/none';
        }),
        /no database named none/,
      ],
      [
        'unreachable',
        await changed((url) => {
          url.port = '1';
          url.password = 'hidden';
        }),
        /does not answer \(.*ECONNREFUSED/,
      ],
      ['badAddress', 'postgres://x', /not valid/],
    ];
    for (const [fault, address, words] of cases) {
      await assert.rejects(opening(address), (error: Error & { fault?: string }) => {
        assert.equal(error.fault, fault);
        assert.match(error.message, words);
        assert.doesNotMatch(error.message, /hidden/);
        return true;
      });
    }
  });

  it('tells what a pooler refuses from a connection that it has lost', async () => {
    const address = readAddress(await newSchema());
    for (const [words, fault] of [
      ['password authentication failed', 'wrongPassword'],
      ['no such user', 'wrongPassword'],
      ['no such database: none', 'noDatabase'],
      ['database "none" does not exist', 'noDatabase'],
      ['server login failed: the server is starting', 'unreachable'],
      ['query_wait_timeout', 'unreachable'],
    ] as const) {
      const error = Object.assign(new Error(words), { code: '08P01' });
      assert.equal(startFault(error, address).fault, fault, words);
      assert.equal(isLost(error), fault === 'unreachable', words);
    }
  });

  it('says that the user may not make tables', async () => {
    const address = await newSchema();
    await withPostgres(await testPostgres(), async (client) => {
      await client.query("create role weak login password 'weak'").catch(() => {});
    });
    const weak = new URL(address);
    weak.username = weak.password = 'weak';
    await assert.rejects(opening(weak.href), { fault: 'noRights' });
  });

  it('is opened by many at once for the first time', async () => {
    const address = await workshop.database('PostgreSQL');
    const engines = await Promise.all(Array.from({ length: 5 }, () => opening(address)));
    const { id } = await engines[0]!.client.beta.threads.create();
    for (const { client } of engines) assert.equal((await client.beta.threads.retrieve(id)).id, id);
  });

  it('is brought up to date step by step, and left alone where it is newer', async () => {
    const address = await workshop.database('PostgreSQL');
    const { schema, place } = readAddress(address);
    const version = () =>
      withPostgres(
        address,
        async (client) => (await client.query('select version from format')).rows[0].version,
      );
    await withPostgres(address, (client) => migrate(client, { schema, place }, MIGRATIONS.slice(0, 1)));
    assert.equal(await version(), 1);
    // What a version wrote that kept origins without names.
    const named = MIGRATIONS.findIndex((statements) => /run_origins ADD COLUMN name/.test(statements));
    await withPostgres(address, async (client) => {
      await migrate(client, { schema, place }, MIGRATIONS.slice(0, named));
      await client.query(`
        INSERT INTO threads (id, created_at, tool_resources, metadata) VALUES ('thread_1', 1, '{}', '{}');
        INSERT INTO runs (id, thread_id, assistant_id, status, active, created_at, usage, metadata, options, attempt, events)
          VALUES ('run_1', 'thread_1', 'asst_1', 'completed', 0, 1,
            '{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}', '{}', '{}', 0, 2);
        INSERT INTO run_origins (run_id, node_id, flow_id, msg_id) VALUES ('run_1', 'n', 'f', 'm');
      `);
    });
    const { engine } = await opening(address);
    assert.equal(await version(), MIGRATIONS.length);
    const [row] = await engine.overview.rows(['run_1']);
    assert.deepEqual(row?.origin, { node: 'n', flow: 'f', msgId: 'm', key: undefined, marks: undefined });
    const later = [...MIGRATIONS, 'create table later (id text)'];
    await withPostgres(address, (client) => migrate(client, { schema, place }, later));
    assert.equal(await version(), MIGRATIONS.length + 1);
    await assert.rejects(opening(address), /written by a newer version/);
    // A step that fails leaves nothing behind.
    const wrong = [...later, 'create table good (id text)', 'create tible bad'];
    await assert.rejects(
      withPostgres(address, (client) => migrate(client, { schema, place }, wrong)),
      /syntax error/,
    );
    assert.equal(await version(), MIGRATIONS.length + 1);
  });

  it('keeps texts that PostgreSQL has no character for as near as it can', async () => {
    const { client } = await opening(await workshop.database('PostgreSQL'));
    const { id, name } = await client.beta.assistants.create({ model: 'm', name: 'a\0b' });
    assert.equal(name, 'a\uFFFDb');
    const { metadata } = await client.beta.assistants.update(id, { metadata: { key: 'a\0b' } });
    assert.deepEqual(metadata, { key: 'a\0b' });
    await assert.rejects(client.beta.threads.retrieve('thread_\0'), { status: 404 });
  });

  it('is spoken to through TLS, and whom it is shown by its certificate', async () => {
    const tls = selfSigned();
    const server = await startPostgres({ tls });
    try {
      const encrypted = (database: string, databaseTls?: object) =>
        workshop.open(new ScriptedModel(says('x')), { database, ...(databaseTls && { databaseTls }) });
      const count = () =>
        withPostgres(server.address, async (client) => {
          const { rows } = await client.query(
            "select 1 from pg_stat_ssl s join pg_stat_activity a using (pid) where s.ssl and a.application_name like 'openai-runs%'",
          );
          return rows.length;
        });
      for (const [address, options] of [
        [`${server.address}?sslmode=require`, undefined],
        [server.address, { ca: tls.cert }],
      ] as const) {
        const { engine } = await encrypted(address, options);
        assert.ok((await count()) >= 2);
        await engine.close();
      }
      await assert.rejects(encrypted(`${server.address}?sslmode=verify-full`), /self-signed certificate/);
      await assert.rejects(encrypted(server.address, { ca: tls.cert, host: 'elsewhere' }), /does not match/);
      // One that speaks none is told apart from one that does not answer.
      await assert.rejects(
        opening(await changed((url) => url.searchParams.set('sslmode', 'require'))),
        /SSL/,
      );
    } finally {
      await workshop.cleanUp();
      await server.stop();
    }
  });

  it('goes on after its connections were cut', async () => {
    const address = await workshop.database('PostgreSQL');
    const { client } = await opening(address);
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'm', instructions: 'x' });
    const cut = () =>
      withPostgres(address, (other) =>
        other.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [
          `openai-runs ${new URL(address).searchParams.get('schema')}`,
        ]),
      );
    for (let i = 0; i < 20; i++) {
      const made = client.beta.threads.createAndRunPoll({ assistant_id }, { pollIntervalMs: 1 });
      await cut();
      assert.equal((await made).status, 'completed');
    }
  });

  it('goes on after the server could take no writes', async () => {
    const address = await workshop.database('PostgreSQL');
    const { store } = (await opening(address)).engine.service;
    const write = () => atomically(store.db, (trx) => insertThread(trx, newThread({}, 1)));
    await withPostgres(address, (other) =>
      other.query(`
        create function refuse() returns trigger language plpgsql as
          $$ begin raise exception 'no space left on device' using errcode = 'disk_full'; end $$;
        create trigger refuse before insert on commits execute function refuse()`),
    );
    await assert.rejects(write(), (error) => store.fault(error)?.code === 'database_full');
    await withPostgres(address, (other) => other.query('drop trigger refuse on commits'));
    await write();
  });

  it('says that the server does not answer where a look was broken off and it does not come back', async () => {
    const server = await startPostgres();
    try {
      const { store } = (await opening(server.address)).engine.service;
      store.hurry?.();
      const look = sql`select pg_sleep(30)`.execute(store.db);
      const isTold = assert.rejects(look, (error) => store.fault(error)?.code === 'database_unreachable');
      await server.pause();
      await isTold;
    } finally {
      await workshop.cleanUp();
      await server.stop();
    }
  });

  it('waits no longer for a pooler that takes connections and loses each of them', async () => {
    const proxy = await deafProxy(await workshop.database('PostgreSQL'));
    try {
      const { store } = (await opening(proxy.address)).engine.service;
      store.hurry?.();
      proxy.breakQueries(true);
      const isFault = (error: unknown) => store.fault(error)?.code === 'database_unreachable';
      await assert.rejects(store.db.selectFrom('threads').select('id').execute(), isFault);
      await assert.rejects(insertThread(store.db, newThread({}, 1)), isFault);
      proxy.breakQueries(false);
      await insertThread(store.db, newThread({}, 1));
    } finally {
      await workshop.cleanUp();
      await proxy.close();
    }
  });

  it('knows what was done when the server crashed, whatever came after', async () => {
    const server = await startPostgres({ durable: true });
    try {
      const [first, second] = await Promise.all([opening(server.address), opening(server.address)]);
      const thread = newThread({}, 1);
      let tries = 0;
      await atomically(first.engine.service.store.db, async (trx) => {
        await insertThread(trx, thread);
        if (tries++ > 0) return;
        await server.crash();
        await server.start();
        // The server gives the numbers of transactions that it has lost to others.
        for (let i = 0; i < 50; i++) await second.client.beta.threads.create();
      });
      assert.equal(tries, 2);
      assert.equal((await second.client.beta.threads.retrieve(thread.id)).id, thread.id);
    } finally {
      await workshop.cleanUp();
      await server.stop();
    }
  });
});
