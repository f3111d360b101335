/** Chat servers that do not stream, or refuse a field. */
import assert from 'node:assert/strict';
import { createModel } from '../../../../engine/models/index.ts';
import type { ModelOptions } from '../../../../engine/models/model.ts';
import { json } from '../../../support/http-server.ts';
import { called, collect, failure, far, stream, textOf, turn, usageOf } from '../support.ts';
import { chatSide, DONE, delta, finish, TOOLS } from './side.ts';

describe('chat', () => {
  const side = chatSide();

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
      side.server = await far((response) => {
        response.writeHead(200, { 'content-type': type });
        response.end(typeof value === 'string' ? value : JSON.stringify(value, null, 2));
      });
      return createModel({ provider: 'chat', url: side.server.url, ...options });
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
        side.server?.asked.map(({ body }) => [body.stream, 'stream_options' in body]),
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
        /web page came instead of a model's reply/,
      );
    });

    it('JSON that is no completion, and text that is no JSON', async () => {
      for (const value of [{ hello: 1 }, '{"choices":', 'data: hello\n\n']) {
        const model = await hearWhole(value);
        assert.match(
          (await failure(() => model.run(turn('x')))).message,
          /not JSON came instead of a model's reply/,
        );
        await side.server?.close();
      }
    });
  });

  it('a field refused by name is left out, asked again, and remembered', async () => {
    side.server = await far((response, { body }) => {
      if (body.stream_options)
        return json(
          response,
          {
            error: { message: 'Unrecognized request argument supplied: stream_options' },
          },
          400,
        );
      if (body.max_tokens)
        return json(
          response,
          {
            detail: [{ loc: ['body', 'max_tokens'], msg: 'Extra inputs are not permitted' }],
          },
          422,
        );
      if ('parallel_tool_calls' in body)
        return json(response, { error: 'unknown field parallel_tool_calls' }, 400);
      return stream(response, [delta({ content: 'ok' }), finish('stop'), DONE]);
    });
    const model = createModel({ provider: 'chat', url: side.server.url });
    const given = turn('x', { ...TOOLS, parallelToolCalls: false, maxCompletionTokens: 50 });
    assert.equal(textOf(await collect(model, given)), 'ok');
    assert.equal(side.server.asked.length, 4);
    assert.equal(side.server.asked.at(-1)?.body.max_completion_tokens, 50);
    await collect(model, given);
    assert.equal(side.server.asked.length, 5);
  });

  it('a limit that is wrong under both names is told, not asked for ever', async () => {
    side.server = await far((response, { body }) =>
      json(
        response,
        {
          error: { message: `${'max_tokens' in body ? 'max_tokens' : 'max_completion_tokens'} is too large` },
        },
        400,
      ),
    );
    const model = createModel({ provider: 'chat', url: side.server.url });
    const error = await failure(() => model.run(turn('x', { maxCompletionTokens: 9 })));
    assert.equal(error.code, 'invalid_prompt');
    assert.equal(side.server.asked.length, 2);
  });
});
