/** What the rehearsal model says, and how it ends. */
import assert from 'node:assert/strict';
import { Ajv } from 'ajv';
import { createModel } from '../../../../engine/models/index.ts';
import { ModelError, type Turn } from '../../../../engine/models/model.ts';
import { assistant, collect, endOf, failure, LAMP, SENSOR, textOf, turn, usageOf, user } from '../support.ts';

const model = createModel({ provider: 'rehearsal', pace: 0 });
const hear = (words: string, fields: Partial<Turn> = {}) => collect(model, turn(words, fields));
const say = async (words: string, fields: Partial<Turn> = {}) => textOf(await hear(words, fields));
const WHAT = '(Fixed rules answer here, not a language model.)';
const said = (text: string) => `[rehearsal] You said: ${text} ${WHAT}`;

const answered = (...outputs: string[]): Turn['items'] => [
  ...turn('lamp a on and read the sensor').items,
  ...outputs.map((_, at) => ({
    type: 'call' as const,
    id: `c${at}`,
    name: at ? 'read_sensor' : 'set_lamp',
    arguments: '{}',
  })),
  ...outputs.map((output, at) => ({ type: 'output' as const, id: `c${at}`, output })),
];

describe('rehearsal: replies', () => {
  it('says who it is, what was said, and that no language model says so, in word-sized pieces', async () => {
    const events = await hear('Good morning');
    assert.equal(textOf(events), said('Good morning'));
    const deltas = events.flatMap((event) => (event.type === 'text' ? [event.delta] : []));
    assert.deepEqual(deltas.slice(0, 3), ['[rehearsal] ', 'You ', 'said: ']);
    assert.equal(endOf(events), 'stop');
  });

  it('gives the event loop its turn between two words', async () => {
    let rounds = 0;
    const timer = setImmediate(function again() {
      rounds++;
      setImmediate(again).unref();
    });
    for await (const event of model.run(turn('one two three'))) if (event.type === 'end') break;
    clearImmediate(timer);
    assert.ok(rounds >= 10, `${rounds} rounds`);
  });

  it('takes some time by default, and ends at once when told to', async () => {
    const abort = new AbortController();
    const reason = new Error('cancelled');
    const slow = createModel({ provider: 'rehearsal', pace: 60_000 });
    setTimeout(() => abort.abort(reason), 20);
    assert.equal(await failure(() => slow.run(turn('x', { signal: abort.signal }))), reason);
    const quick = createModel({ provider: 'rehearsal' });
    assert.equal(textOf(await collect(quick, turn('x'))), said('x'));
  });

  it('is the same every time', async () => {
    assert.deepEqual(await hear('hello'), await hear('hello'));
  });

  it('shortens what is long, cuts scripts without spaces, says so of silence', async () => {
    assert.ok((await say('x'.repeat(9999))).length < 600);
    const events = await hear('これはとても長い文章なので分けて送られます');
    assert.ok(events.every((event) => event.type !== 'text' || event.delta.length <= 14));
    assert.equal(await say(''), `[rehearsal] You said nothing. ${WHAT}`);
  });

  it('words the outputs of tools, in their order', async () => {
    const text = await say('', { items: answered('{"ok":true}', '21.5'), tools: [LAMP, SENSOR] });
    assert.equal(text, `[rehearsal] set_lamp answered: {"ok":true} read_sensor answered: 21.5.`);
    assert.match(await say('', { items: answered(''), tools: [LAMP] }), /set_lamp answered: \(nothing\)/);
  });

  it('says what it cannot do', async () => {
    assert.match(
      await say('x', { tools: [{ type: 'file_search' }, { type: 'code_interpreter' }] }),
      /\(file_search and code_interpreter need a real model\.\)/,
    );
    assert.match(
      await say('', {
        items: [
          { type: 'message', role: 'user', content: [{ type: 'image_url', url: 'https://example.com' }] },
        ],
      }),
      /Pictures and files were not looked at/,
    );
    const error = await failure(() =>
      model.run(turn('x', { tools: [{ type: 'file_search' }], toolChoice: { type: 'file_search' } })),
    );
    assert.equal(error.code, 'invalid_prompt');
  });

  it('answers the latest message, not the history', async () => {
    assert.equal(
      await say('', { items: [user('first'), assistant('reply'), user('second')] }),
      said('second'),
    );
  });

  it('json_object is a JSON object', async () => {
    assert.deepEqual(JSON.parse(await say('hi', { responseFormat: { type: 'json_object' } })), {
      reply: said('hi'),
    });
  });

  it('json_schema is filled from the words and from what tools have answered', async () => {
    const schema = {
      type: 'object',
      properties: {
        city: { type: 'string' },
        temperature: { type: 'number' },
        unit: { enum: ['celsius', 'fahrenheit'] },
        note: { type: ['string', 'null'] },
      },
      required: ['city', 'temperature', 'unit', 'note'],
      additionalProperties: false,
    };
    const responseFormat = {
      type: 'json_schema' as const,
      json_schema: { name: 'weather', schema, strict: true },
    };
    const fromText = JSON.parse(await say('It is 21.5 fahrenheit in Oslo', { responseFormat }));
    assert.deepEqual(fromText, { city: 'Oslo', temperature: 21.5, unit: 'fahrenheit', note: null });
    const items = answered('{"temperature":7,"unit":"celsius","city":"Rome"}');
    const fromTools = JSON.parse(await say('', { items, responseFormat }));
    assert.deepEqual(fromTools, { city: 'Rome', temperature: 7, unit: 'celsius', note: null });
    assert.ok(new Ajv().validate(schema, fromTools));
  });

  it('text formats are plain', async () => {
    for (const responseFormat of ['auto', { type: 'text' }] as const)
      assert.equal(await say('hi', { responseFormat }), said('hi'));
  });

  it('counts four characters as a token', async () => {
    const events = await hear('12345678', { instructions: '1234' });
    const completion = Math.ceil(textOf(events).length / 4);
    assert.deepEqual(usageOf(events), {
      prompt_tokens: 3,
      completion_tokens: completion,
      total_tokens: 3 + completion,
    });
  });

  it('stops at its token limit, in text and before a call', async () => {
    const events = await hear('hello', { maxCompletionTokens: 4 });
    assert.equal(textOf(events), '[rehearsal] You ');
    assert.equal(endOf(events), 'length');
    assert.equal(usageOf(events)?.completion_tokens, 4);
    const calls = await hear('lamp a on', { tools: [LAMP], maxCompletionTokens: 4 });
    assert.deepEqual(
      calls.map(({ type }) => type),
      ['usage', 'end'],
    );
    assert.equal(endOf(calls), 'length');
    assert.equal(endOf(await hear('hello', { maxCompletionTokens: 1000 })), 'stop');
  });

  describe('trouble on request', () => {
    for (const [words, code] of [
      ['please rehearse failure', 'server_error'],
      ['Rehearse rate limit now', 'rate_limit_exceeded'],
    ] as const)
      it(words, async () => {
        const error = await failure(() => model.run(turn(words)));
        assert.ok(error instanceof ModelError);
        assert.equal(error.code, code);
        // waited out and repeated, it would fail for ever
        assert.equal(error.retryable, false);
      });

    it('rehearse content filter', async () => {
      const events = await hear('rehearse content filter');
      assert.equal(endOf(events), 'content_filter');
      assert.ok(textOf(events).length > 0);
    });

    it('rehearse refusal', async () => {
      const events = await hear('rehearse refusal');
      assert.equal(
        events.flatMap((event) => (event.type === 'refusal' ? [event.delta] : [])).join(''),
        'This is a rehearsed refusal.',
      );
      assert.equal(textOf(events), '');
    });

    it('rehearse slow waits, and is ended at once', async () => {
      const abort = new AbortController();
      const told = failure(() => model.run(turn('rehearse slow', { signal: abort.signal })));
      const first = await Promise.race([told, new Promise((done) => setTimeout(done, 100, 'still waiting'))]);
      assert.equal(first, 'still waiting');
      abort.abort(new Error('cancelled'));
      assert.equal((await told).message, 'cancelled');
    });

    it('only in the latest message', async () => {
      assert.equal(
        await say('', { items: [user('rehearse failure'), assistant('x'), user('fine')] }),
        said('fine'),
      );
    });
  });

  it('lists itself', async () => {
    assert.deepEqual(await model.list?.(new AbortController().signal), ['rehearsal']);
  });
});
