/** Signs of life on a database that was away: nobody is given up for having been cut off as well. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../../engine/store/store.ts';
import { newWorkerId, Workers } from '../../engine/store/workers.ts';
import { until } from '../support/until.ts';
import { ScriptedModel, says, Workshop } from './support.ts';

const LEASE_MS = 400;

describe('signs of life', () => {
  const workshop = new Workshop();
  let store: Store;
  let workers: Workers;
  before(async () => {
    const { engine } = await workshop.open(new ScriptedModel(says('x')), { database: ':memory:' });
    store = engine.service.store;
  });
  beforeEach(async () => {
    await store.db.deleteFrom('workers').execute();
    workers = new Workers({ db: store.db, workerId: newWorkerId(), clock: Date.now, leaseMs: LEASE_MS });
  });
  after(() => workshop.cleanUp());

  /** Another machine's last sign. */
  const sign = (seen_at: number) =>
    store.db
      .insertInto('workers')
      .values({ id: 'other', host: 'elsewhere', pid: 1, seen_at: Math.floor(seen_at) })
      .execute();

  it('tell who is dead, and whether anybody is there', async () => {
    await workers.signIn();
    assert.equal(await workers.areThereOthers(), false);
    await sign(Date.now());
    assert.equal(await workers.areThereOthers(), true);
    assert.equal((await workers.dead(['other'])).size, 0);
    await store.db
      .updateTable('workers')
      .set({ seen_at: Date.now() - 2 * LEASE_MS })
      .where('id', '=', 'other')
      .execute();
    assert.deepEqual([...(await workers.dead(['other']))], ['other']);
  });

  it('tell nothing of others right after this process could give none itself', async () => {
    await workers.signIn();
    await sign(Date.now());
    await sleep(2 * LEASE_MS);
    await workers.beat();
    assert.equal((await workers.dead(['other'])).size, 0);
    assert.equal(await workers.areThereOthers(), true);
    // One that is silent still, once all have had the time for a sign, is dead.
    await until(async () => {
      await workers.beat();
      return (await workers.dead(['other'])).size === 1;
    });
    assert.equal(await workers.areThereOthers(), false);
  });

  it('tell nothing of others while this process has given none for long', async () => {
    await workers.signIn();
    await sign(Date.now());
    await sleep(2 * LEASE_MS);
    // The database is back, and somebody asks before the next sign is due.
    assert.equal((await workers.dead(['other'])).size, 0);
  });

  it('count even where they are old, for one that has just come', async () => {
    await sign(Date.now() - 2 * LEASE_MS);
    await workers.signIn();
    assert.equal(await workers.areThereOthers(), true);
    await until(async () => {
      await workers.beat();
      return !(await workers.areThereOthers());
    });
  });
});
