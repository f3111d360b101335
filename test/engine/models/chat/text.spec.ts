/** Chat servers lie about text, ends and usage. Each lie that is known, told over real HTTP. */
import assert from 'node:assert/strict';
import { createModel } from '../../../../engine/models/index.ts';
import { collect, endOf, failure, far, stream, textOf, turn, usageOf } from '../support.ts';
import { chatSide, DONE, delta, finish } from './side.ts';

describe('chat: text, its end and its cost', () => {
  const side = chatSide();
  const { hear, hearFailure } = side;

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
      side.server = await far(async (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(bytes.subarray(0, cut));
        await new Promise((done) => setTimeout(done, 20));
        response.write(bytes.subarray(cut));
        response.end(DONE);
      });
      const events = await collect(createModel({ provider: 'chat', url: side.server.url }), turn('hi'));
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
      side.server = await far(async (response) => {
        stream(response, [delta({ content: 'x' }), finish('stop')], false);
        await new Promise((done) => setTimeout(done, 30));
        response.destroy();
      });
      const events = await collect(createModel({ provider: 'chat', url: side.server.url }), turn('hi'));
      assert.equal(textOf(events), 'x');
    });

    it('neither: the answer broke off', async () => {
      const error = await hearFailure([delta({ content: 'x' })]);
      assert.match(error.message, /answer ended before the model had finished/);
      assert.equal(error.code, 'server_error');
      assert.equal(error.beforeFirstByte, false);
      assert.equal(error.retryable, false);
    });

    it('an answer with nothing in it may be asked for again', async () => {
      for (const values of [[], [DONE], [': ping\n\n']]) {
        const error = await hearFailure(values);
        assert.equal(error.beforeFirstByte, true);
        assert.equal(error.retryable, true);
        await side.server?.close();
      }
    });

    it('the connection breaks in the middle', async () => {
      side.server = await far(async (response) => {
        stream(response, [delta({ content: 'x' })], false);
        await new Promise((done) => setTimeout(done, 30));
        response.destroy();
      });
      const error = await failure(() =>
        createModel({ provider: 'chat', url: side.server?.url }).run(turn('hi')),
      );
      assert.match(error.message, /lost in the middle of the answer/);
      assert.ok(error.message.includes(side.server.url));
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
});
