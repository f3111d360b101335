/** What each event of the Responses API becomes. */
import assert from 'node:assert/strict';
import { createModel } from '../../../../engine/models/index.ts';
import type { ModelEvent } from '../../../../engine/models/model.ts';
import { json } from '../../../support/http-server.ts';
import { called, callsOf, collect, endOf, failure, far, LAMP, textOf, turn, usageOf } from '../support.ts';
import { added, cite, completed, done, functionCall, responsesSide, say, USAGE } from './side.ts';

describe('responses: answers', () => {
  const side = responsesSide();
  const { hear, hearFailure } = side;

  it('text with usage', async () => {
    const events = await hear([
      { type: 'response.created', response: {} },
      added(0, { type: 'message', content: [] }),
      say('Hel'),
      say('lo'),
      { type: 'response.output_text.done', output_index: 0, content_index: 0, text: 'Hello' },
      done(0, { type: 'message', content: [{ type: 'output_text', text: 'Hello', annotations: [] }] }),
      completed,
    ]);
    assert.equal(textOf(events), 'Hello');
    assert.deepEqual(usageOf(events), {
      prompt_tokens: 9,
      completion_tokens: 4,
      total_tokens: 13,
      cached_tokens: 5,
      reasoning_tokens: 2,
    });
    assert.equal(endOf(events), 'stop');
  });

  it('text that the deltas left out', async () => {
    assert.equal(
      textOf(
        await hear([
          say('Hel'),
          { type: 'response.output_text.done', output_index: 0, content_index: 0, text: 'Hello' },
          completed,
        ]),
      ),
      'Hello',
    );
    await side.server?.close();
    assert.equal(
      textOf(
        await hear([
          done(0, { type: 'message', content: [{ type: 'output_text', text: 'Hello' }] }),
          completed,
        ]),
      ),
      'Hello',
    );
  });

  it('two messages in a row, kept apart', async () => {
    assert.equal(textOf(await hear([say('One.', 0), say('Two.', 1), completed])), 'One.\n\nTwo.');
  });

  it('a refusal', async () => {
    const events = await hear([
      { type: 'response.refusal.delta', output_index: 0, content_index: 0, delta: 'No.' },
      done(0, { type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] }),
      completed,
    ]);
    assert.deepEqual(
      events.filter(({ type }) => type === 'refusal'),
      [{ type: 'refusal', delta: 'No.' }],
    );
  });

  it('two calls with reasoning before them', async () => {
    const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'xyz' };
    const events = await hear(
      [
        added(0, { type: 'reasoning' }),
        { type: 'response.reasoning_summary_text.delta', output_index: 0, delta: 'hm' },
        done(0, reasoning),
        added(1, functionCall('call_1')),
        { type: 'response.function_call_arguments.delta', output_index: 1, delta: '{"on":' },
        { type: 'response.function_call_arguments.delta', output_index: 1, delta: 'true}' },
        { type: 'response.function_call_arguments.done', output_index: 1, arguments: '{"on":true}' },
        done(1, functionCall('call_1', '{"on":true}')),
        added(2, functionCall('call_2')),
        done(2, functionCall('call_2', '')),
        completed,
      ],
      { tools: [LAMP] },
    );
    assert.deepEqual(
      events.map(({ type }) => type),
      [
        'carry',
        'call',
        'call_arguments',
        'call_arguments',
        'call_done',
        'call',
        'call_arguments',
        'call_done',
        'usage',
        'end',
      ],
    );
    assert.deepEqual(events[0], { type: 'carry', provider: 'responses', data: reasoning });
    assert.deepEqual(
      callsOf(events).map(({ id, arguments: given }) => [id, given]),
      [
        ['call_1', { on: true }],
        ['call_2', {}],
      ],
    );
    assert.equal(textOf(events), '');
  });

  it('one call where only one was asked for', async () => {
    const events = await hear(
      [done(0, functionCall('a', '{}')), done(1, functionCall('b', '{}')), completed],
      { tools: [LAMP], parallelToolCalls: false },
    );
    assert.deepEqual(
      callsOf(events).map(({ id }) => id),
      ['a'],
    );
  });

  it('arguments that are no JSON fail', async () => {
    assert.match(
      (await hearFailure([added(0, functionCall('a')), done(0, functionCall('a', '{"on":')), completed]))
        .message,
      /set_lamp with arguments that are not a JSON object/,
    );
  });

  it('a code interpreter call, its code as it is written, then its outputs', async () => {
    const item = {
      type: 'code_interpreter_call',
      id: 'ci_1',
      container_id: 'cntr_1',
      status: 'in_progress',
      code: '',
      outputs: null,
    };
    const whole = {
      ...item,
      code: 'print(6*7)',
      outputs: [
        { type: 'logs', logs: '42\n' },
        { type: 'image', url: 'https://api.openai.com/v1/containers/cntr_1/files/cfile_9/content' },
      ],
    };
    const events = await hear([
      added(0, item),
      {
        type: 'response.code_interpreter_call_code.delta',
        output_index: 0,
        item_id: 'ci_1',
        delta: 'print(',
      },
      {
        type: 'response.code_interpreter_call_code.delta',
        output_index: 0,
        item_id: 'ci_1',
        delta: '6*7)',
      },
      { type: 'response.code_interpreter_call.interpreting', output_index: 0, item_id: 'ci_1' },
      done(0, whole),
      say('42', 1),
      completed,
    ]);
    const of = (phase: string, code_interpreter: unknown) => ({
      type: 'hosted_call',
      phase,
      index: 0,
      call: { id: 'ci_1', type: 'code_interpreter', code_interpreter },
    });
    assert.deepEqual(events.slice(0, 5), [
      of('started', { input: '', outputs: [] }),
      of('delta', { input: 'print(' }),
      of('delta', { input: '6*7)' }),
      of('done', {
        input: 'print(6*7)',
        outputs: [
          { type: 'logs', logs: '42\n' },
          { type: 'image', image: { file_id: 'cfile_9' } },
        ],
      }),
      { type: 'carry', provider: 'responses', data: whole },
    ]);
    assert.equal(textOf(events), '42');
  });

  it('a file search, its results, and the citations of the answer', async () => {
    const item = { type: 'file_search_call', id: 'fs_1', status: 'in_progress', queries: [] };
    const whole = { ...item, results: [{ file_id: 'file-1', filename: 'a.txt', score: 0.9, text: 'sun' }] };
    const events = await hear([
      added(0, item),
      { type: 'response.file_search_call.searching', output_index: 0, item_id: 'fs_1' },
      done(0, whole),
      say('It is the sun.', 1),
      cite({ type: 'file_citation', file_id: 'file-1', filename: 'a.txt', index: 13 }, 1),
      cite(
        {
          type: 'container_file_citation',
          file_id: 'cfile_2',
          container_id: 'c',
          filename: 'b',
          start_index: 3,
          end_index: 5,
        },
        1,
      ),
      cite({ type: 'url_citation', url: 'https://example.com', title: '', start_index: 0, end_index: 1 }, 1),
      cite(null, 1),
      completed,
    ]);
    const [started, finished] = events.filter(({ type }) => type === 'hosted_call');
    assert.deepEqual(started, {
      type: 'hosted_call',
      phase: 'started',
      index: 0,
      call: {
        id: 'fs_1',
        type: 'file_search',
        file_search: { ranking_options: { ranker: 'default_2024_08_21', score_threshold: 0 }, results: [] },
      },
    });
    assert.deepEqual(finished?.type === 'hosted_call' && finished.call.file_search, {
      ranking_options: { ranker: 'default_2024_08_21', score_threshold: 0 },
      results: [
        {
          attributes: {},
          file_id: 'file-1',
          file_name: 'a.txt',
          score: 0.9,
          content: [{ type: 'text', text: 'sun' }],
        },
      ],
    });
    assert.deepEqual(
      events.flatMap((event) => (event.type === 'annotation' ? [event.annotation] : [])),
      [
        {
          type: 'file_citation',
          text: '【1:0†a.txt】',
          start_index: 14,
          end_index: 25,
          file_citation: { file_id: 'file-1' },
        },
        { type: 'file_path', text: 'is', start_index: 3, end_index: 5, file_path: { file_id: 'cfile_2' } },
      ],
    );
  });

  it('citations count from the beginning of the message they stand in', async () => {
    const path = { type: 'file_path', file_id: 'file-1', index: 1 };
    const item = { type: 'file_search_call', id: 'fs_1', queries: [] };
    const events = await hear([
      say('ab', 0),
      say('cd', 1),
      cite(path, 1),
      done(2, item),
      say('ef', 3),
      cite(path, 3),
      completed,
    ]);
    assert.deepEqual(
      events.flatMap((event) => (event.type === 'annotation' ? [event.annotation.start_index] : [])),
      [6, 2],
    );
  });

  describe('what a program does with citations works', () => {
    const cites = [
      { type: 'file_citation', file_id: 'file-1', filename: 'a.txt', index: 6 },
      { type: 'file_citation', file_id: 'file-2', filename: '', index: 9 },
    ];
    const said = '你好 🌞, so.';
    const rest = { type: 'container_file_citation', file_id: 'cfile_2', start_index: 0, end_index: 2 };
    const check = (events: ModelEvent[]) => {
      const text = events
        .map((event) =>
          event.type === 'text' ? event.delta : event.type === 'annotation' ? (event.marker ?? '') : '',
        )
        .join('');
      const annotations = events.flatMap((event) => (event.type === 'annotation' ? [event.annotation] : []));
      assert.equal(annotations.length, 3);
      let value = text;
      for (const one of annotations) {
        const {
          text: covered,
          start_index,
          end_index,
          type,
        } = one as Record<string, string> & {
          start_index: number;
          end_index: number;
        };
        assert.equal(text.slice(start_index, end_index), covered);
        assert.notEqual(covered, '');
        if (type === 'file_citation') value = value.replace(covered ?? '', '');
      }
      assert.equal(value, said);
    };

    it('in a stream', async () => {
      check(
        await hear([
          say(said.slice(0, 6), 0),
          cite(cites[0] as never, 0),
          say(said.slice(6), 0),
          cite(cites[1] as never, 0),
          cite(rest as never, 0),
          completed,
        ]),
      );
    });

    it('in an answer that comes whole, each in its place', async () => {
      const content = [{ type: 'output_text', text: said, annotations: [...cites, rest] }];
      const events = await hear([done(0, { type: 'message', content }), completed]);
      check(events);
      const [first] = events.flatMap((event) => (event.type === 'annotation' ? [event.annotation] : []));
      assert.equal(events.findIndex(({ type }) => type === 'annotation') > 0, true);
      assert.notEqual(first?.type, undefined);
    });
  });

  for (const [reason, end] of [
    ['max_output_tokens', 'length'],
    ['content_filter', 'content_filter'],
  ] as const)
    it(`incomplete: ${reason}`, async () => {
      const events = await hear([
        say('Hel'),
        {
          type: 'response.incomplete',
          response: { status: 'incomplete', incomplete_details: { reason }, usage: USAGE },
        },
      ]);
      assert.equal(endOf(events), end);
      assert.equal(usageOf(events)?.total_tokens, 13);
    });

  it('a call cut off by the token limit ends as length', async () => {
    const events = await hear([
      added(0, functionCall('a')),
      { type: 'response.function_call_arguments.delta', output_index: 0, delta: '{"on":' },
      done(0, { ...functionCall('a', '{"on":'), status: 'incomplete' }),
      {
        type: 'response.incomplete',
        response: { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
      },
    ]);
    assert.equal(endOf(events), 'length');
    assert.equal(
      events.some(({ type }) => type === 'call_done'),
      false,
    );
    assert.equal(usageOf(events)?.completion_tokens, 4);
  });

  for (const [code, expected] of [
    ['server_error', 'server_error'],
    ['rate_limit_exceeded', 'rate_limit_exceeded'],
    ['insufficient_quota', 'rate_limit_exceeded'],
    ['invalid_prompt', 'invalid_prompt'],
    ['invalid_image', 'invalid_prompt'],
    ['vector_store_timeout', 'server_error'],
  ] as const)
    it(`failed: ${code}`, async () => {
      const error = await hearFailure([
        say('Hel'),
        { type: 'response.failed', response: { status: 'failed', error: { code, message: 'because' } } },
      ]);
      assert.match(error.message, /failed in its answer: because/);
      assert.equal(error.code, expected);
      assert.equal(error.beforeFirstByte, false);
    });

  it('an error event, with its fields bare or in an object', async () => {
    for (const event of [
      { type: 'error', code: 'rate_limit_exceeded', message: 'slow down', param: null },
      { type: 'error', error: { code: 'rate_limit_exceeded', message: 'slow down' } },
    ]) {
      const error = await hearFailure([event]);
      assert.match(error.message, /slow down/);
      assert.deepEqual([error.code, error.beforeFirstByte], ['rate_limit_exceeded', true]);
      await side.server?.close();
    }
  });

  it('an end without response.completed is a failure', async () => {
    for (const values of [[say('Hel')], [say('Hel'), 'data: [DONE]\n\n']]) {
      const error = await hearFailure(values);
      assert.match(error.message, /before the model had finished/);
      assert.equal(error.beforeFirstByte, false);
      await side.server?.close();
    }
  });

  it('a whole response, not streamed', async () => {
    side.server = await far((response) =>
      json(response, {
        status: 'completed',
        usage: USAGE,
        error: null,
        output: [
          { type: 'reasoning', id: 'rs_1', summary: [] },
          {
            type: 'message',
            content: [
              {
                type: 'output_text',
                text: 'Hi',
                annotations: [{ type: 'file_citation', file_id: 'file-1', filename: 'a', index: 2 }],
              },
              { type: 'refusal', refusal: 'no more' },
            ],
          },
          functionCall('call_1', '{"on":false}'),
        ],
      }),
    );
    const events = await collect(
      createModel({ provider: 'responses', url: side.server.url, noStreamWithTools: true }),
      turn('x', { tools: [LAMP] }),
    );
    assert.equal(side.server.asked[0]?.body.stream, false);
    assert.deepEqual(
      events.map(({ type }) => type),
      ['carry', 'text', 'annotation', 'refusal', 'call', 'call_arguments', 'call_done', 'usage', 'end'],
    );
    assert.deepEqual(called(events), [['set_lamp', { on: false }]]);
  });

  it('something else than a response', async () => {
    side.server = await far((response) => json(response, { hello: 1 }));
    assert.match(
      (await failure(() => createModel({ provider: 'responses', url: side.server?.url }).run(turn('x'))))
        .message,
      /not JSON came instead of a model's reply/,
    );
  });
});
