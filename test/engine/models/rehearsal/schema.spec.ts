/** Whatever the schema and whatever the words: what comes out is an instance of the schema. Ajv is the judge. */
import assert from 'node:assert/strict';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { createModel } from '../../../../engine/models/index.ts';
import { callsOf, collect, textOf, tool, turn } from '../support.ts';

const ajv = new Ajv({
  strict: false,
  formats: { date: /^\d{4}-\d\d-\d\d$/, email: /^[^@]+@[^@]+$/, uuid: /^[\da-f-]{36}$/i, uri: /^https?:/ },
});
const model = createModel({ provider: 'rehearsal', pace: 0 });

/** More by hand after changes: RUNS=20000. */
const RUNS = Number(process.env.RUNS ?? 300);

type Schema = Record<string, unknown>;
const NAMES = ['name', 'city', 'text', 'on', 'count', 'target_language', 'body', 'colors', 'when'];

const leaf: fc.Arbitrary<Schema> = fc.oneof(
  fc.constant({ type: 'boolean' }),
  fc.constant({ type: 'null' }),
  fc.record({ type: fc.constant('string') }),
  fc
    .record({ minLength: fc.nat(12), more: fc.nat(12) })
    .map(({ minLength, more }) => ({ type: 'string', minLength, maxLength: minLength + more })),
  fc.constantFrom('date', 'email', 'uuid', 'uri').map((format) => ({ type: 'string', format })),
  fc
    .constantFrom('^[A-Z]{3}-\\d+$', '^(on|off)$', '^\\w+@x\\.org$', '[a-f0-9]{2,4}', '^a?b*c+$')
    .map((pattern) => ({ type: 'string', pattern })),
  fc
    .uniqueArray(fc.constantFrom('red', 'green', 'on', 'off', 'living room', 'x'), { minLength: 1 })
    .map((values) => ({ type: 'string', enum: values })),
  fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1 }).map((values) => ({ enum: values })),
  fc.constantFrom('fixed', 7, true).map((value) => ({ const: value })),
  fc
    .tuple(fc.integer({ min: -50, max: 50 }), fc.nat(50), fc.constantFrom('integer', 'number'))
    .map(([minimum, more, type]) => ({ type, minimum, maximum: minimum + more })),
  fc.tuple(fc.integer({ min: -50, max: 50 }), fc.constantFrom(2, 5)).map(([low, multipleOf]) => ({
    type: 'integer',
    exclusiveMinimum: low,
    exclusiveMaximum: low + 20,
    multipleOf,
  })),
  fc
    .constantFrom({ enum: ['red', 'green', 'on'] }, { type: 'integer', minimum: 0 }, { type: 'string' })
    .map((items) => ({
      type: 'array',
      items,
      minItems: 2,
      maxItems: 3,
      uniqueItems: true,
    })),
  fc.constant({ type: ['string', 'null'] }),
  fc.constant({ type: ['integer', 'null'] }),
);

const { any } = fc.letrec<{ any: Schema; list: Schema; object: Schema; either: Schema }>((tie) => ({
  any: fc.oneof({ maxDepth: 3, withCrossShrink: true }, leaf, tie('list'), tie('object'), tie('either')),
  list: fc
    .tuple(tie('any'), fc.nat(2), fc.nat(3))
    .map(([items, minItems, more]) => ({ type: 'array', items, minItems, maxItems: minItems + more })),
  object: fc
    .dictionary(fc.constantFrom(...NAMES), tie('any') as fc.Arbitrary<Schema>, { maxKeys: 4 })
    .chain((properties) =>
      fc
        .subarray(Object.keys(properties))
        .map((required) => ({ type: 'object', properties, required, additionalProperties: false })),
    ),
  either: fc
    .array(tie('any') as fc.Arbitrary<Schema>, { minLength: 1, maxLength: 3 })
    .map((anyOf) => ({ anyOf })),
}));

const object = fc
  .dictionary(fc.constantFrom(...NAMES), any, { maxKeys: 5 })
  .chain((properties) =>
    fc
      .subarray(Object.keys(properties))
      .map((required): Schema => ({ type: 'object', properties, required, additionalProperties: false })),
  );

const WORDS = [
  'lamp',
  'on',
  'off',
  'red',
  'and',
  'in',
  'Paris',
  '21',
  '3.5',
  '-7',
  '"a b"',
  'name',
  'city:',
  'count',
  'living room',
  'the',
  'no',
  ',',
  'x',
  '2026-01-02',
  'me@x.org',
  'colors',
  'text:',
];
const words = fc
  .array(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...WORDS) }, fc.string({ maxLength: 6 })), {
    maxLength: 14,
  })
  .map((list) => list.join(' '));

describe('rehearsal: schemas', () => {
  it('response_format json_schema', async () => {
    await fc.assert(
      fc.asyncProperty(
        object,
        words.filter((text) => !text.includes('{')),
        async (schema, said) => {
          const events = await collect(
            model,
            turn(said || 'x', {
              responseFormat: { type: 'json_schema', json_schema: { name: 's', schema, strict: true } },
            }),
          );
          const value: unknown = JSON.parse(textOf(events));
          assert.ok(ajv.validate(schema, value), `${JSON.stringify(value)} ${ajv.errorsText()}`);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it("a function's arguments", async () => {
    await fc.assert(
      fc.asyncProperty(
        object,
        words.filter((text) => !text.includes('{')),
        async (schema, said) => {
          const events = await collect(
            model,
            turn(`do_it ${said}`, { tools: [tool('do_it', schema)], toolChoice: 'required' }),
          );
          const calls = callsOf(events);
          assert.ok(calls.length > 0);
          for (const call of calls)
            assert.ok(
              ajv.validate(schema, call.arguments),
              `${JSON.stringify(call.arguments)} ${ajv.errorsText()}`,
            );
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('any text at all is answered without an error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 80 }), object, async (said, schema) => {
        await collect(model, turn(said, { tools: [tool('set_lamp', schema)] }));
      }),
      { numRuns: RUNS },
    );
  });
});
