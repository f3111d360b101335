/** Secrets in texts. */
import assert from 'node:assert/strict';
import { redactor, secretsIn } from '../../../engine/domain/redact.ts';

const KEY = 'sk-proj-4f9a/B+c=d"e 77zzqq';

describe('redact', () => {
  const clean = redactor([KEY, undefined, 'abc']);

  it('finds a secret in every form it may come back in', () => {
    const forms = [
      KEY,
      encodeURIComponent(KEY),
      new URLSearchParams({ k: KEY }).toString(),
      JSON.stringify({ KEY }),
      Buffer.from(KEY).toString('base64'),
    ];
    for (const form of forms) assert.doesNotMatch(clean(`before ${form} after`), /4f9a|77zzqq|NGY5/, form);
    assert.match(clean(`before ${KEY} after`), /^before \*+ after$/);
  });

  it('finds pieces: the head, the tail and the middle of eight characters', () => {
    assert.equal(clean(`wrong key ${KEY.slice(0, 12)}…`), 'wrong key ***…');
    assert.equal(clean(`…${KEY.slice(-8)}.`), '…***.');
    assert.equal(clean(KEY.slice(5, 15)), '***');
  });

  it('goes into arrays and objects, and leaves the rest alone', () => {
    assert.deepEqual(clean({ a: [KEY, 7, null], [KEY]: true, b: 'abc' }), {
      a: ['***', 7, null],
      '***': true,
      b: 'abc',
    });
    assert.equal(clean('nothing here'), 'nothing here');
  });

  it('takes what is secret by name or scheme out of headers', () => {
    const pairs: [string, string][] = [
      ['x-tenant', 'acme-company'],
      ['X-Api-Key', 'one-two-three'],
      ['x-forward', 'Bearer four-five-six'],
    ];
    assert.deepEqual(secretsIn(pairs), ['one-two-three', 'four-five-six']);
  });

  it('is quick on long texts', () => {
    assert.equal(clean('sk-proj'.repeat(100_000)).length > 0, true);
  });
});
