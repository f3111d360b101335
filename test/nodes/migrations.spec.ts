/** Nodes of earlier versions: brought up to date one step after the other, at the start and in the dialog. */
import assert from 'node:assert/strict';
import * as runs from '../../nodes/openai-runs/migrations/index.ts';
import { readSettings } from '../../nodes/openai-runs/settings.ts';
import * as service from '../../nodes/openai-runs-service/migrations/index.ts';
import { readServiceSettings } from '../../nodes/openai-runs-service/settings.ts';
import { type Migration, migrated, versionOf } from '../../nodes/shared/migrate.ts';

/** Three versions: a name changes, then two settings become one, then a unit. */
const STEPS: Migration[] = [
  ({ old, ...rest }) => ({ ...rest, old: undefined, now: old }),
  ({ now }) => ({ now: [now] }),
  ({ seconds }) => ({ milliseconds: Number(seconds) * 1000 }),
];

describe('saved nodes', () => {
  it('go through every step from the version that they name', () => {
    const saved = { id: 'a', old: 'x', seconds: 3 };
    const { old: _, ...updated } = migrated(saved, STEPS);
    assert.deepEqual(updated, { id: 'a', now: ['x'], seconds: 3, milliseconds: 3000, version: 3 });
    assert.deepEqual(saved, { id: 'a', old: 'x', seconds: 3 }, 'what was saved stays as it is');
    assert.deepEqual(migrated({ version: 2, now: 'y', seconds: 1 }, STEPS), {
      version: 3,
      now: 'y',
      seconds: 1,
      milliseconds: 1000,
    });
  });

  it('of a later version are left alone', () => {
    assert.deepEqual(migrated({ version: 9, now: 'z' }, STEPS), { version: 9, now: 'z' });
  });

  it('count as the first when their version is none', () => {
    for (const version of [undefined, null, '2', -1, 1.5, Number.NaN, {}]) {
      assert.equal(versionOf({ version }), 0);
    }
  });

  it('of version 0 read as before', () => {
    const def = {
      id: 'n',
      type: 'openai-runs',
      z: '',
      name: '',
      service: 's',
      deadline: '30',
      paging: 'all',
    };
    const settings = readSettings(def as never);
    assert.deepEqual(
      [settings.deadline, settings.paging, settings.method],
      [30, 'all', 'createThreadAndRun'],
    );
    const same = (text: string) => text;
    const kept = readServiceSettings({ id: 's', expiry: 0, backend: 'server', retries: '1' } as never, same);
    assert.deepEqual([kept.expiry, kept.backend, kept.retries], [600, 'server', 1]);
  });

  it('have as many steps as versions', () => {
    assert.equal(runs.VERSION, runs.migrations.length);
    assert.equal(service.VERSION, service.migrations.length);
  });
});
