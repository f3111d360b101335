/** Schemas and texts that would hold up the process: each is answered, or refused in words, at once. */
import assert from 'node:assert/strict';
import { createModel } from '../../../../engine/models/index.ts';
import { ModelError, type Turn } from '../../../../engine/models/model.ts';
import { Workshop } from '../../support.ts';
import { callsOf, collect, failure, textOf, tool, turn } from '../support.ts';

const model = createModel({ provider: 'rehearsal', pace: 0 });
/** Milliseconds of the processor's time; what is measured is some tens, what is feared are minutes. */
const GUARD = 5000;

type Schema = Record<string, unknown>;
const object = (properties: Schema, more: Schema = {}): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  ...more,
});
const asFormat = (schema: Schema): Partial<Turn> => ({
  responseFormat: { type: 'json_schema', json_schema: { name: 's', schema } },
});
const asTool = (schema: Schema): Partial<Turn> => ({ tools: [tool('make_it', schema)] });

async function inTime<Result>(run: () => Promise<Result>): Promise<Result> {
  const start = process.cpuUsage();
  const result = await run();
  const { user, system } = process.cpuUsage(start);
  const took = (user + system) / 1000;
  assert.ok(took < GUARD, `${took.toFixed(0)} ms`);
  return result;
}

const many = <Value>(count: number, value: (at: number) => Value) =>
  Array.from({ length: count }, (_, at) => value(at));
const LEVELS = many(40, (at): [string, Schema] => [
  `l${at}`,
  { allOf: [{ $ref: `#/$defs/l${at + 1}` }, { $ref: `#/$defs/l${at + 1}` }] },
]);

const TOO_MUCH: [name: string, schema: Schema, why: RegExp][] = [
  [
    'a list of a billion',
    object({ a: { type: 'array', items: {}, minItems: 1e9 } }),
    /a list of 1000000000 values/,
  ],
  [
    'lists of lists',
    object({
      a: many(9, (at) => at).reduce((items): Schema => ({ type: 'array', items, minItems: 10 }), {}),
    }),
    /more than 1000 values/,
  ],
  [
    'a text of half a billion',
    object({ a: { type: 'string', minLength: 5e8 } }),
    /a text of 500000000 characters/,
  ],
  [
    'a pattern that counts far',
    object({ a: { type: 'string', pattern: '^a{1000000000}$' } }),
    /too long a text/,
  ],
  [
    'a pattern that counts inside',
    object({ a: { type: 'string', pattern: '^((a{999}){999}){999}$' } }),
    /too long a text/,
  ],
  ['a pattern of brackets', object({ a: { type: 'string', pattern: '('.repeat(100_000) } }), /is too long/],
  [
    'a pattern that is none',
    object({ a: { type: 'string', pattern: '(' } }),
    /the pattern \( is not understood/,
  ],
  [
    'a pattern that looks ahead',
    object({ a: { type: 'string', pattern: '^(?=.*[A-Z]).+$' } }),
    /is not understood/,
  ],
  ['a pattern without a text', object({ a: { type: 'string', pattern: 'a^b' } }), /gives no text/],
  [
    'a reference to itself',
    object({ a: { $ref: '#/$defs/a' } }, { $defs: { a: { $ref: '#/$defs/a' } } }),
    /refers to itself/,
  ],
  [
    'references in a ring',
    object({ a: { $ref: '#/$defs/a' } }, { $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }),
    /refers to itself/,
  ],
  ['the root as its own property', object({ a: { $ref: '#' } }), /more than 1000 values|without end/],
  ['allOf on itself', { ...object({ a: {} }), allOf: [{ $ref: '#' }] }, /refers to itself|contains itself/],
  [
    'anyOf on itself',
    object({ a: { $ref: '#/$defs/a' } }, { $defs: { a: { anyOf: [{ $ref: '#/$defs/a' }] } } }),
    /itself/,
  ],
  [
    'allOf that doubles',
    object({ a: { $ref: '#/$defs/l0' } }, { $defs: Object.fromEntries(LEVELS) }),
    /too large/,
  ],
  ['anyOf of 100,000', object({ a: { anyOf: many(100_000, (at) => ({ const: at })) } }), /too large/],
  ['an enum of 100,000', object({ a: { enum: many(100_000, (at) => `v${at}`) } }), /too large/],
  [
    '100,000 properties',
    object(Object.fromEntries(many(100_000, (at) => [`p${at}`, {}]))),
    /too large|more than 1000/,
  ],
];

describe('rehearsal: limits', () => {
  for (const [name, schema, why] of TOO_MUCH)
    for (const [use, fields] of Object.entries({ tool: asTool(schema), 'response format': asFormat(schema) }))
      it(`refuses ${name}, ${use}`, async () => {
        const error = await inTime(() => failure(() => model.run(turn('make_it', fields))));
        assert.ok(error instanceof ModelError, String(error));
        assert.equal(error.code, 'invalid_prompt');
        assert.match(error.message, why);
        assert.match(error.message, /^The rehearsal model can't make a value for this schema: /);
        assert.ok(error.message.length < 400);
      });

  for (const pattern of [
    '^(a+)+$',
    '(a*)*b',
    '^(a|a)*$',
    '^(a|aa)+$',
    '(x+x+)+y',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
  ])
    it(`answers the pattern ${pattern} whatever the text`, async () => {
      const said = `make_it a: ${'a'.repeat(200)}1 "${'x'.repeat(200)}"`;
      const events = await inTime(() =>
        collect(model, turn(said, asTool(object({ a: { type: 'string', pattern } })))),
      );
      const made = callsOf(events)[0]?.arguments as { a: string };
      assert.match(made.a, new RegExp(pattern));
    });

  it('a reference that leads nowhere, or has a bad %, asks for nothing', async () => {
    for (const $ref of [
      '#/$defs/none',
      '#/%',
      '#/$defs/__proto__',
      'https://example.com/schema',
      '#/properties/b/allOf/0',
    ]) {
      const schema = object({ a: { $ref }, b: { type: 'string', allOf: [{ type: 'string' }] } });
      const value = JSON.parse(textOf(await collect(model, turn('the', asFormat(schema)))));
      assert.deepEqual(value, { a: 'rehearsal', b: 'rehearsal' }, $ref);
    }
  });

  it('recursion that nothing requires ends', async () => {
    const node = {
      type: 'object',
      properties: {
        name: { type: 'string' },
        ...Object.fromEntries(many(5, (at) => [`n${at}`, { $ref: '#' }])),
      },
    };
    const value = await inTime(async () =>
      JSON.parse(textOf(await collect(model, turn('name: x', asFormat(node))))),
    );
    assert.deepEqual(value, { name: 'x' });
  });

  const schema = object(Object.fromEntries(many(200, (at) => [`property_${at}`, { type: 'string' }])));
  for (const [name, said] of Object.entries({
    words: 'make_it lamp '.repeat(40_000),
    braces: `make_it ${'{'.repeat(500_000)}`,
    objects: `make_it ${'{}'.repeat(200_000)}`,
    'objects that are none': `make_it ${'{a}'.repeat(200_000)}`,
    quotes: `make_it ${'„'.repeat(500_000)}`,
    'open quotes in braces': `make_it ${'{"'.repeat(200_000)}`,
    numbers: `make_it ${'1'.repeat(500_000)}`,
    dots: `make_it ${'a.'.repeat(200_000)}`,
    commas: `make_it ${','.repeat(500_000)}`,
    spaces: `make_it ${' '.repeat(500_000)}`,
    letters: `make_it ${'字'.repeat(300_000)}`,
  }))
    it(`reads half a million characters of ${name}`, async () => {
      await inTime(() => collect(model, turn(said, asTool(schema))));
    });

  it('looks for many choices in a long text', async () => {
    const wide = object({ a: { enum: many(40_000, (at) => `choice ${at}`) } });
    const said = `make_it ${many(700, (at) => `c${at}`).join(' ')}`;
    const error = await inTime(() => failure(() => model.run(turn(said, asTool(wide)))));
    assert.match(error.message, /too large/);
  });

  it('compares many functions with a long text', async () => {
    const description = many(150, (at) => `word${at}`).join(' ');
    const tools = many(128, (at) => tool(`function_${at}`, schema, description));
    await inTime(() => collect(model, turn('other words '.repeat(400), { tools })));
  });

  it('fails the run, which says why', async () => {
    const workshop = new Workshop();
    try {
      const { client } = await workshop.open(model, {
        assistants: [{ id: 'a', tools: asTool(TOO_MUCH[0]![1]).tools ?? [] }],
      });
      const run = await client.beta.threads.createAndRunPoll(
        { assistant_id: 'a', thread: { messages: [{ role: 'user', content: 'make_it' }] } },
        { pollIntervalMs: 5 },
      );
      assert.equal(run.status, 'failed');
      assert.equal(run.last_error?.code, 'invalid_prompt');
      assert.match(run.last_error?.message ?? '', /a list of 1000000000 values is too long/);
    } finally {
      await workshop.cleanUp();
    }
  });
});
