/** Keys and limits by themselves: what is kept of a key, and how many requests it has. */
import assert from 'node:assert/strict';
import type { ApiError } from '../../engine/domain/errors.ts';
import { findKey, makeKey, readKeys } from '../../nodes/openai-runs-service/serve/keys.ts';
import { PlaceLimit, RequestLimit } from '../../nodes/openai-runs-service/serve/limits.ts';

describe('keys of other programs', () => {
  const one = () => {
    const { key, ...kept } = makeKey();
    return { key, kept: { name: 'x', assistants: [], ownThreads: false, ...kept } };
  };

  it('nothing that is kept leads back to a key, and the same key is kept differently each time', () => {
    const made = Array.from({ length: 20 }, one);
    for (const { key, kept } of made) {
      assert.match(key, /^sk-runs-[\w-]{43}$/);
      assert.ok(!JSON.stringify(kept).includes(key.slice(8, 20)));
    }
    assert.equal(new Set(made.map(({ kept }) => kept.salt)).size, 20);
    const keys = made.map(({ kept }) => kept);
    for (const { key, kept } of made) assert.equal(findKey(keys, key)?.id, kept.id);
    assert.equal(findKey(keys, `${made[0]?.key} `), undefined);
    assert.equal(findKey([], 'x'), undefined);
  });

  it('a damaged credential holds no key', () => {
    const { kept } = one();
    assert.deepEqual(readKeys(JSON.stringify([kept])), [kept]);
    for (const text of [
      '',
      'x',
      '{}',
      'null',
      '[null, 7, {}]',
      JSON.stringify([{ ...kept, hash: 'short' }]),
      undefined,
    ]) {
      assert.deepEqual(readKeys(text), [], String(text));
    }
  });

  it('requests come back as time goes by, for each key by itself', () => {
    let now = 0;
    const limit = new RequestLimit(60, () => now);
    const takes = (id: string) => {
      try {
        return limit.take(id);
      } catch (error) {
        return (error as ApiError).headers;
      }
    };
    for (let i = 0; i < 60; i++) assert.equal(takes('a')['retry-after'], undefined);
    assert.equal(takes('a')['retry-after'], '1');
    assert.equal(takes('b')['x-ratelimit-remaining-requests'], '59');
    now += 1500;
    assert.equal(takes('a')['x-ratelimit-remaining-requests'], '0');
    assert.equal(takes('a')['retry-after'], '1');
    now += 600_000;
    assert.equal(takes('a')['x-ratelimit-remaining-requests'], '59');
    assert.deepEqual(new RequestLimit(0).take('a'), {});
  });

  it('places are given back, for each key by itself', () => {
    const limit = new PlaceLimit(2);
    const leave = limit.enter('a');
    limit.enter('a');
    assert.throws(
      () => limit.enter('a', { 'x-ratelimit-limit-requests': '9' }),
      ({ status, headers }: ApiError) => {
        assert.deepEqual(
          [status, headers['retry-after'], headers['x-ratelimit-limit-requests']],
          [429, '1', '9'],
        );
        return true;
      },
    );
    limit.enter('b');
    leave();
    limit.enter('a');
    assert.throws(() => limit.enter('a'), /2 requests at once/);
    for (let i = 0; i < 5; i++) new PlaceLimit(0).enter('a');
  });
});
