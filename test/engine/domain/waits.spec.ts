/** Waiting: timers, repeated requests, what servers ask for. */
import assert from 'node:assert/strict';
import {
  backoff,
  callAfter,
  LONGEST_TIMER_MS,
  pauseBeforeRetry,
  retryAfter,
  sleep,
} from '../../../engine/domain/waits.ts';

const PLAN = { retries: 3, first: 500, longest: 8000, mostAsked: 60_000 };

describe('waits', () => {
  it('sleeps beyond 24.8 days until the signal ends it', async () => {
    const abort = new AbortController();
    const slept = sleep(LONGEST_TIMER_MS * 3, abort.signal);
    const first = await Promise.race([slept.then(() => 'woke'), sleep(30).then(() => 'sleeps')]);
    assert.equal(first, 'sleeps');
    abort.abort();
    await assert.rejects(slept, { name: 'AbortError' });
  });

  it('calls back once, and not at all when taken back or beyond 24.8 days', async () => {
    const calls: string[] = [];
    callAfter(5, () => calls.push('soon'));
    const takeBack = callAfter(LONGEST_TIMER_MS + 5, () => calls.push('far'));
    callAfter(5, () => calls.push('taken back'))();
    await sleep(40);
    takeBack();
    assert.deepEqual(calls, ['soon']);
  });

  it('never repeats without a pause, whatever a server asks for', () => {
    for (const asked of [undefined, 0, 1]) {
      for (let attempt = 0; attempt < PLAN.retries; attempt++) {
        const pause = pauseBeforeRetry(attempt, asked, PLAN);
        assert.ok(pause !== undefined && pause >= 100 && pause <= PLAN.longest, `${asked}: ${pause}`);
      }
    }
  });

  it('gives up after its retries, and where a server asks for more than the most', () => {
    assert.equal(pauseBeforeRetry(3, undefined, PLAN), undefined);
    assert.equal(pauseBeforeRetry(0, 60_001, PLAN), undefined);
    assert.equal(pauseBeforeRetry(0, 60_000, PLAN), 60_000);
  });

  it('grows up to the longest and scatters', () => {
    const pauses = Array.from({ length: 200 }, () => backoff(20, PLAN));
    assert.ok(Math.max(...pauses) <= PLAN.longest && Math.min(...pauses) >= 100);
    assert.ok(new Set(pauses).size > 100);
  });

  it('reads seconds, milliseconds and dates; the past is 0', () => {
    const asked = (entries: Record<string, string>) => retryAfter(new Headers(entries));
    assert.equal(asked({ 'retry-after': '2' }), 2000);
    assert.equal(asked({ 'retry-after-ms': '30', 'retry-after': '2' }), 30);
    assert.equal(asked({ 'retry-after': '-5' }), 0);
    assert.equal(asked({ 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }), 0);
    assert.equal(asked({ 'retry-after': 'soon' }), undefined);
    assert.equal(asked({}), undefined);
    const later = asked({ 'retry-after': new Date(Date.now() + 90_000).toUTCString() }) ?? 0;
    assert.ok(later > 85_000 && later <= 90_000, String(later));
  });
});
