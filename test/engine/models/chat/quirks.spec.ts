/** Chat servers lie. Each lie that is known, told over real HTTP. */
import assert from 'node:assert/strict';
import { createModel } from '../../../../engine/models/index.ts';
import {
  ModelError,
  type ModelEvent,
  type ModelOptions,
  type Turn,
} from '../../../../engine/models/model.ts';
import {
  called,
  callsOf,
  collect,
  endOf,
  type Far,
  failure,
  far,
  json,
  KEY,
  LAMP,
  SENSOR,
  stream,
  textOf,
  turn,
  usageOf,
} from '../support.ts';

const DONE = 'data: [DONE]\n\n';
const delta = (said: unknown, finish_reason: string | null = null) => ({
  id: 'c1',
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta: said, finish_reason }],
});
const piece = (call: unknown) => delta({ tool_calls: [call] });
const finish = (reason: string) => delta({}, reason);
const TOOLS = { tools: [LAMP, SENSOR] };

describe('chat: what servers get wrong', () => {
  let server: Far | undefined;
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  /** Runs one turn against a server that sends these events. */
  async function hear(values: unknown[], fields: Partial<Turn> = {}): Promise<ModelEvent[]> {
    server = await far((response) => stream(response, values));
    return collect(createModel({ provider: 'chat', url: server.url, apiKey: KEY }), turn('hello', fields));
  }

  async function hearFailure(values: unknown[], fields: Partial<Turn> = {}): Promise<ModelError> {
    server = await far((response) => stream(response, values));
    const model = createModel({ provider: 'chat', url: server.url, apiKey: KEY });
    const error = await failure(() => model.run(turn('hello', fields)));
    assert.ok(error instanceof ModelError, String(error));
    return error;
  }

  describe('text', () => {
    it('comes in pieces, with null and empty content between', async () => {
      const events = await hear([
        delta({ role: 'assistant', content: null }),
        delta({ content: 'Hel' }),
        delta({ content: '' }),
        delta({ content: 'lo' }),
        finish('stop'),
        DONE,
      ]);
      assert.deepEqual(
        events.filter(({ type }) => type === 'text').map((event) => event.type === 'text' && event.delta),
        ['Hel', 'lo'],
      );
      assert.equal(endOf(events), 'stop');
    });

    it('as an array of parts', async () => {
      const events = await hear([
        delta({ content: [{ type: 'text', text: 'a' }, { type: 'image' }, 'b'] }),
        finish('stop'),
      ]);
      assert.equal(textOf(events), 'ab');
    });

    it('without reasoning_content, reasoning or thinking', async () => {
      const events = await hear([
        delta({ reasoning_content: 'hm' }),
        delta({ reasoning: 'hm' }),
        delta({ thinking: 'hm', content: 'yes' }),
        finish('stop'),
        DONE,
      ]);
      assert.equal(textOf(events), 'yes');
    });

    it('whose letters are cut between two packets', async () => {
      const bytes = Buffer.from(`data: ${JSON.stringify(delta({ content: 'Grüße 😀' }))}\n\n`);
      const cut = bytes.indexOf(0xc3) + 1;
      server = await far(async (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(bytes.subarray(0, cut));
        await new Promise((done) => setTimeout(done, 20));
        response.write(bytes.subarray(cut));
        response.end(DONE);
      });
      const events = await collect(createModel({ provider: 'chat', url: server.url }), turn('hi'));
      assert.equal(textOf(events), 'Grüße 😀');
    });

    it('with comments, CRLF, event names and no space after "data:"', async () => {
      const one = JSON.stringify(delta({ content: 'x' }));
      const events = await hear([
        ': keep-alive\r\n\r\n',
        `event: message\r\ndata:${one}\r\n\r\n`,
        `data:${JSON.stringify(finish('stop'))}\r\n\r\n`,
        'data:[DONE]\r\n\r\n',
      ]);
      assert.equal(textOf(events), 'x');
    });

    it('whose last event lacks its empty line', async () => {
      const events = await hear([delta({ content: 'x' }), 'data: [DONE]']);
      assert.equal(textOf(events), 'x');
    });

    it('as a refusal', async () => {
      const events = await hear([
        delta({ refusal: 'I can' }),
        delta({ refusal: "'t" }),
        finish('stop'),
        DONE,
      ]);
      assert.deepEqual(
        events.flatMap((event) => (event.type === 'refusal' ? [event.delta] : [])),
        ['I can', "'t"],
      );
    });

    it('nothing after [DONE] counts', async () => {
      assert.equal(
        textOf(await hear([delta({ content: 'x' }), finish('stop'), DONE, delta({ content: 'y' })])),
        'x',
      );
    });
  });

  describe('the end', () => {
    for (const [reason, end] of [
      ['stop', 'stop'],
      ['length', 'length'],
      ['content_filter', 'content_filter'],
      ['eos', 'stop'],
      ['tool_calls', 'stop'],
    ] as const)
      it(`finish_reason ${reason} without a call is ${end}`, async () => {
        assert.equal(endOf(await hear([delta({ content: 'x' }), finish(reason), DONE])), end);
      });

    it('no finish_reason, but [DONE]', async () => {
      assert.equal(endOf(await hear([delta({ content: 'x' }), DONE])), 'stop');
    });

    it('a finish_reason, but no [DONE]', async () => {
      assert.equal(endOf(await hear([delta({ content: 'x' }), finish('stop')])), 'stop');
    });

    it('a finish_reason, then the connection breaks', async () => {
      server = await far(async (response) => {
        stream(response, [delta({ content: 'x' }), finish('stop')], false);
        await new Promise((done) => setTimeout(done, 30));
        response.destroy();
      });
      const events = await collect(createModel({ provider: 'chat', url: server.url }), turn('hi'));
      assert.equal(textOf(events), 'x');
    });

    it('neither: the answer broke off', async () => {
      const error = await hearFailure([delta({ content: 'x' })]);
      assert.match(error.message, /ended its answer before the model had finished/);
      assert.equal(error.code, 'server_error');
      assert.equal(error.beforeFirstByte, false);
      assert.equal(error.retryable, false);
    });

    it('an answer with nothing in it may be asked for again', async () => {
      for (const values of [[], [DONE], [': ping\n\n']]) {
        const error = await hearFailure(values);
        assert.equal(error.beforeFirstByte, true);
        assert.equal(error.retryable, true);
        await server?.close();
      }
    });

    it('the connection breaks in the middle', async () => {
      server = await far(async (response) => {
        stream(response, [delta({ content: 'x' })], false);
        await new Promise((done) => setTimeout(done, 30));
        response.destroy();
      });
      const error = await failure(() => createModel({ provider: 'chat', url: server?.url }).run(turn('hi')));
      assert.match(error.message, /lost in the middle of its answer/);
      assert.ok(error.message.includes(server.url));
      assert.equal(error.beforeFirstByte, false);
    });

    it('half an event at the end', async () => {
      const error = await hearFailure([delta({ content: 'x' }), 'data: {"choices":[{"del']);
      assert.match(error.message, /not JSON/);
    });

    for (const [name, value] of [
      ['{error:{…}}', { error: { message: 'out of memory', type: 'server_error', code: 500 } }],
      ['{error:"…"}', { error: 'out of memory' }],
      ['{message}', { message: 'out of memory' }],
      ['{detail}', { detail: 'out of memory' }],
      ['{object:"error"}', { object: 'error', message: 'out of memory', code: 400 }],
    ] as const)
      it(`an error in the stream: ${name}`, async () => {
        const error = await hearFailure([delta({ content: 'x' }), value, DONE]);
        assert.match(error.message, /out of memory/);
        assert.equal(error.beforeFirstByte, false);
      });

    it('an error as the first event', async () => {
      const error = await hearFailure([{ error: { message: 'slow down', code: 'rate_limit_exceeded' } }]);
      assert.equal(error.code, 'rate_limit_exceeded');
      assert.equal(error.beforeFirstByte, true);
    });
  });

  describe('usage', () => {
    const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
    it('in a chunk with empty choices', async () => {
      assert.deepEqual(
        usageOf(await hear([delta({ content: 'x' }), finish('stop'), { choices: [], usage }, DONE])),
        usage,
      );
    });

    it('in a chunk without choices, with details', async () => {
      const full = {
        ...usage,
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 2 },
      };
      assert.deepEqual(
        usageOf(await hear([delta({ content: 'x' }), finish('stop'), { usage: full }, DONE])),
        { ...usage, cached_tokens: 4, reasoning_tokens: 2 },
      );
    });

    it('growing with every chunk: the last counts', async () => {
      const events = await hear([
        { ...delta({ content: 'x' }), usage: { prompt_tokens: 7, completion_tokens: 1 } },
        { ...finish('stop'), usage: { prompt_tokens: 7, completion_tokens: 2 } },
        DONE,
      ]);
      assert.deepEqual(usageOf(events), { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 });
    });

    it('null or none: counted as four characters a token', async () => {
      const events = await hear([{ ...delta({ content: 'eight ch' }), usage: null }, finish('stop'), DONE]);
      assert.deepEqual(usageOf(events), { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 });
    });
  });

  describe('tool calls', () => {
    const lampA = '{"name":"a","on":true}';
    const lampB = '{"name":"b","on":false}';
    const bothLamps = [
      ['set_lamp', { name: 'a', on: true }],
      ['set_lamp', { name: 'b', on: false }],
    ];

    it('as OpenAI sends them, arguments streamed on as they come', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: 'call_1', type: 'function', function: { name: 'set_lamp', arguments: '' } }),
          piece({ index: 0, function: { arguments: '{"name":' } }),
          piece({ index: 0, function: { arguments: '"a","on":true}' } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(callsOf(events), [
        { id: 'call_1', name: 'set_lamp', arguments: { name: 'a', on: true } },
      ]);
      assert.deepEqual(
        events.map(({ type }) => type),
        ['call', 'call_arguments', 'call_arguments', 'call_done', 'usage', 'end'],
      );
    });

    for (const reason of ['stop', 'length', '', 'function_call'])
      it(`decided by the calls, not by finish_reason "${reason}"`, async () => {
        const events = await hear(
          [
            piece({ index: 0, id: 'c', function: { name: 'set_lamp', arguments: lampA } }),
            finish(reason),
            DONE,
          ],
          TOOLS,
        );
        assert.equal(called(events).length, 1);
        assert.equal(endOf(events), 'stop');
      });

    it('without index', async () => {
      const events = await hear(
        [
          piece({ id: 'c1', function: { name: 'set_lamp', arguments: '{"name":"a",' } }),
          piece({ function: { arguments: '"on":true}' } }),
          piece({ id: 'c2', function: { name: 'set_lamp', arguments: lampB } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(called(events), bothLamps);
    });

    it('every call with index 0', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: 'c1', function: { name: 'set_lamp', arguments: lampA } }),
          piece({ index: 0, id: 'c2', function: { name: 'set_lamp', arguments: lampB } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(called(events), bothLamps);
      assert.deepEqual(
        callsOf(events).map(({ id }) => id),
        ['c1', 'c2'],
      );
    });

    for (const index of [0, undefined])
      it(`every call with index ${index} and no id, whole`, async () => {
        const events = await hear(
          [
            piece({ index, function: { name: 'set_lamp', arguments: lampA } }),
            piece({ index, function: { name: 'set_lamp', arguments: lampB } }),
            piece({ index, function: { name: 'read_sensor', arguments: '{"sensor":"humidity"}' } }),
            finish('tool_calls'),
            DONE,
          ],
          TOOLS,
        );
        assert.deepEqual(called(events), [...bothLamps, ['read_sensor', { sensor: 'humidity' }]]);
        for (const { id } of callsOf(events)) assert.match(id, /^call_[A-Za-z0-9]{24}$/);
      });

    it('two functions announced with index 0 and no id, arguments missing', async () => {
      const events = await hear(
        [
          piece({ index: 0, function: { name: 'set_lamp' } }),
          piece({ index: 0, function: { name: 'read_sensor' } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(called(events), [
        ['set_lamp', {}],
        ['read_sensor', {}],
      ]);
    });

    it('an empty id, and one id for two calls', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: '', function: { name: 'set_lamp', arguments: lampA } }),
          piece({ index: 1, id: 'same', function: { name: 'set_lamp', arguments: lampB } }),
          piece({ index: 2, id: 'same', function: { name: 'read_sensor', arguments: '{}' } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.equal(called(events).length, 3);
      assert.equal(callsOf(events)[1]?.id, 'same');
    });

    it('id and name repeated in every piece', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: 'c1', function: { name: 'set_lamp', arguments: '{"name":"a"' } }),
          piece({ index: 0, id: 'c1', function: { name: 'set_lamp', arguments: ',"on":true}' } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(callsOf(events), [{ id: 'c1', name: 'set_lamp', arguments: { name: 'a', on: true } }]);
    });

    it('a new id in every piece', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: 'c1', function: { name: 'set_lamp', arguments: '{"name":"a"' } }),
          piece({ index: 0, id: 'c2', function: { arguments: ',"on":true}' } }),
          piece({ index: 1, id: 'c3', function: { name: 'set_lamp', arguments: '' } }),
          piece({ index: 1, id: 'c4', function: { arguments: lampB } }),
          finish('tool_calls'),
        ],
        TOOLS,
      );
      assert.deepEqual(called(events), bothLamps);
      assert.deepEqual(
        callsOf(events).map(({ id }) => id),
        ['c1', 'c3'],
      );
    });

    it('an id that comes late', async () => {
      const events = await hear(
        [
          piece({ index: 0, function: { name: 'set_' } }),
          piece({ index: 0, id: 'late', function: { name: 'lamp', arguments: lampA } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(callsOf(events), [
        { id: 'late', name: 'set_lamp', arguments: { name: 'a', on: true } },
      ]);
    });

    it('a name in pieces, and one that grows', async () => {
      const inPieces = await hear(
        [
          piece({ index: 0, id: 'c', function: { name: 'set' } }),
          piece({ index: 0, function: { name: '_la' } }),
          piece({ index: 0, function: { name: 'mp', arguments: lampA } }),
          finish('stop'),
        ],
        TOOLS,
      );
      assert.deepEqual(called(inPieces), bothLamps.slice(0, 1));
      await server?.close();
      const growing = await hear(
        [
          piece({ index: 0, id: 'c', function: { name: 'set' } }),
          piece({ index: 0, function: { name: 'set_lamp' } }),
          piece({ index: 0, function: { arguments: lampA } }),
          finish('stop'),
        ],
        TOOLS,
      );
      assert.deepEqual(called(growing), bothLamps.slice(0, 1));
    });

    it('arguments as an object', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: 'c', function: { name: 'set_lamp', arguments: { name: 'a', on: true } } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(called(events), bothLamps.slice(0, 1));
    });

    it('arguments as an object in a string, and sent twice', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: 'c', function: { name: 'set_lamp', arguments: JSON.stringify(lampA) } }),
          piece({ index: 1, id: 'd', function: { name: 'set_lamp', arguments: lampB } }),
          piece({ index: 1, id: 'd', function: { arguments: lampB } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(called(events), bothLamps);
    });

    for (const given of ['', null, undefined, 'null', ' '])
      it(`arguments ${JSON.stringify(given)} are none`, async () => {
        const events = await hear(
          [
            piece({ index: 0, id: 'c', function: { name: 'set_lamp', arguments: given } }),
            finish('tool_calls'),
            DONE,
          ],
          TOOLS,
        );
        assert.deepEqual(called(events), [['set_lamp', {}]]);
      });

    it('pieces of two calls mixed', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: 'c1', function: { name: 'set_lamp', arguments: '{"name":' } }),
          piece({ index: 1, id: 'c2', function: { name: 'set_lamp', arguments: '{"name":"b",' } }),
          piece({ index: 0, function: { arguments: '"a","on":true}' } }),
          piece({ index: 1, function: { arguments: '"on":false}' } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(called(events), bothLamps);
    });

    it('several calls in one chunk, the finish reason with them', async () => {
      const events = await hear(
        [
          delta(
            {
              content: 'Doing it.',
              tool_calls: [
                { index: 0, id: 'c1', function: { name: 'set_lamp', arguments: lampA } },
                { index: 1, id: 'c2', function: { name: 'set_lamp', arguments: lampB } },
              ],
            },
            'tool_calls',
          ),
        ],
        TOOLS,
      );
      assert.equal(textOf(events), 'Doing it.');
      assert.deepEqual(called(events), bothLamps);
    });

    it('one call not in a list, and the old function_call', async () => {
      const bare = await hear(
        [
          delta({ tool_calls: { id: 'c', function: { name: 'set_lamp', arguments: lampA } } }),
          finish('tool_calls'),
        ],
        TOOLS,
      );
      assert.deepEqual(called(bare), bothLamps.slice(0, 1));
      await server?.close();
      const old = await hear(
        [
          delta({ function_call: { name: 'set_lamp', arguments: '{"name":"a",' } }),
          delta({ function_call: { arguments: '"on":true}' } }),
          finish('function_call'),
        ],
        TOOLS,
      );
      assert.deepEqual(called(old), bothLamps.slice(0, 1));
    });

    for (const given of ['{"name":', '{"name":"a"}}', '[1]', '"text"', 'on'])
      it(`arguments ${given} fail the run with a clear sentence`, async () => {
        const error = await hearFailure(
          [
            piece({ index: 0, id: 'c', function: { name: 'set_lamp', arguments: given } }),
            finish('tool_calls'),
            DONE,
          ],
          TOOLS,
        );
        assert.match(error.message, /set_lamp with arguments that are not a JSON object/);
        assert.equal(error.code, 'server_error');
      });

    it('a call without a name fails', async () => {
      assert.match(
        (
          await hearFailure(
            [piece({ index: 0, id: 'c', function: { arguments: '{}' } }), finish('stop')],
            TOOLS,
          )
        ).message,
        /without naming/,
      );
    });

    it('a call cut off by the token limit ends as length', async () => {
      server = await far((response) =>
        stream(response, [
          piece({ index: 0, id: 'c', function: { name: 'set_lamp', arguments: '{"name":' } }),
          finish('length'),
          DONE,
        ]),
      );
      const events = await collect(createModel({ provider: 'chat', url: server.url }), turn('x', TOOLS));
      assert.equal(endOf(events), 'length');
      assert.equal(
        events.some(({ type }) => type === 'call_done'),
        false,
      );
    });

    it('several calls though one was asked for: the first counts', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: 'c1', function: { name: 'set_lamp', arguments: lampA } }),
          piece({ index: 1, id: 'c2', function: { name: 'set_lamp', arguments: lampB } }),
          finish('tool_calls'),
          DONE,
        ],
        { ...TOOLS, parallelToolCalls: false },
      );
      assert.deepEqual(called(events), bothLamps.slice(0, 1));
    });
  });

  describe('answers that are not streamed', () => {
    const whole = {
      object: 'chat.completion',
      choices: [
        {
          message: {
            role: 'assistant',
            content: 'Hi',
            tool_calls: [{ id: 'c', type: 'function', function: { name: 'set_lamp', arguments: '{}' } }],
          },
          finish_reason: 'tool_calls',
        },
      ],
      usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
    };
    async function hearWhole(value: unknown, options: Partial<ModelOptions> = {}, type = 'application/json') {
      server = await far((response) => {
        response.writeHead(200, { 'content-type': type });
        response.end(typeof value === 'string' ? value : JSON.stringify(value, null, 2));
      });
      return createModel({ provider: 'chat', url: server.url, ...options });
    }

    for (const type of ['application/json', 'text/event-stream', 'text/plain'])
      it(`a whole completion as ${type}`, async () => {
        const events = await collect(await hearWhole(whole, {}, type), turn('x', TOOLS));
        assert.equal(textOf(events), 'Hi');
        assert.deepEqual(called(events), [['set_lamp', {}]]);
        assert.deepEqual(usageOf(events), { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 });
      });

    it('noStreamWithTools: asked without streaming when tools are given, else streaming', async () => {
      const model = await hearWhole(whole, { noStreamWithTools: true });
      await collect(model, turn('x', TOOLS));
      await collect(model, turn('x'));
      assert.deepEqual(
        server?.asked.map(({ body }) => [body.stream, 'stream_options' in body]),
        [
          [false, false],
          [true, true],
        ],
      );
    });

    it('a web page', async () => {
      const model = await hearWhole('<!doctype html><html></html>', {}, 'text/html');
      assert.match(
        (await failure(() => model.run(turn('x')))).message,
        /web page instead of a model's reply/,
      );
    });

    it('JSON that is no completion, and text that is no JSON', async () => {
      for (const value of [{ hello: 1 }, '{"choices":', 'data: hello\n\n']) {
        const model = await hearWhole(value);
        assert.match(
          (await failure(() => model.run(turn('x')))).message,
          /not JSON instead of a model's reply/,
        );
        await server?.close();
      }
    });
  });

  it('a field refused by name is left out, asked again, and remembered', async () => {
    server = await far((response, { body }) => {
      if (body.stream_options)
        return json(response, 400, {
          error: { message: 'Unrecognized request argument supplied: stream_options' },
        });
      if (body.max_tokens)
        return json(response, 422, {
          detail: [{ loc: ['body', 'max_tokens'], msg: 'Extra inputs are not permitted' }],
        });
      if ('parallel_tool_calls' in body)
        return json(response, 400, { error: 'unknown field parallel_tool_calls' });
      return stream(response, [delta({ content: 'ok' }), finish('stop'), DONE]);
    });
    const model = createModel({ provider: 'chat', url: server.url });
    const given = turn('x', { ...TOOLS, parallelToolCalls: false, maxCompletionTokens: 50 });
    assert.equal(textOf(await collect(model, given)), 'ok');
    assert.equal(server.asked.length, 4);
    assert.equal(server.asked.at(-1)?.body.max_completion_tokens, 50);
    await collect(model, given);
    assert.equal(server.asked.length, 5);
  });

  it('a limit that is wrong under both names is told, not asked for ever', async () => {
    server = await far((response, { body }) =>
      json(response, 400, {
        error: { message: `${'max_tokens' in body ? 'max_tokens' : 'max_completion_tokens'} is too large` },
      }),
    );
    const model = createModel({ provider: 'chat', url: server.url });
    const error = await failure(() => model.run(turn('x', { maxCompletionTokens: 9 })));
    assert.equal(error.code, 'invalid_prompt');
    assert.equal(server.asked.length, 2);
  });
});
