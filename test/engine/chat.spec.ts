/** Chat programs at the engine: an assistant behind POST /chat/completions, with and without a conversation. */
import assert from 'node:assert/strict';
import { ModelError, type ModelEvent } from '../../engine/models/model.ts';
import { until } from '../support/until.ts';
import { calls, hangs, type Json, type Script, ScriptedModel, says, send, Workshop } from './support.ts';

const ASSISTANT = { id: 'asst_home', name: 'Home', instructions: 'Be kind.' };
const user = (content: string) => ({ role: 'user', content }) as const;

describe('chat completions', () => {
  const workshop = new Workshop();
  afterEach(() => workshop.cleanUp());

  const open = async (...scripts: Script[]) => {
    const model = new ScriptedModel(...scripts);
    const statuses: string[] = [];
    const bench = await workshop.open(model, {
      assistants: [ASSISTANT],
      onNotice: (notice) => void (notice.kind === 'run' && statuses.push(notice.run.status)),
    });
    const { engine, client } = bench;
    return {
      ...bench,
      model,
      /** Of all runs, as whoever looks on hears of them. */
      statuses,
      threads: async () => (await engine.counts()).threads,
      chat: (body: object) =>
        client.chat.completions.create({ model: 'asst_home', ...body } as never) as Promise<Json>,
    };
  };
  /** What the model was shown of the conversation. */
  const heard = (model: ScriptedModel, turn: number) => JSON.stringify(model.turns[turn]);

  it('answers as the assistant of that id or name, and keeps nothing', async () => {
    const { chat, threads, model } = await open(says('Good morning to you'));
    for (const name of ['asst_home', 'Home']) {
      const answer = await chat({
        model: name,
        messages: [
          { role: 'system', content: 'In English.' },
          user('Hi'),
          { role: 'assistant', content: 'Yes?' },
          user('Tea'),
        ],
      });
      assert.match(answer.id, /^chatcmpl-\w{24}$/);
      assert.deepEqual([answer.object, answer.model], ['chat.completion', name]);
      const [{ message, finish_reason }] = answer.choices;
      assert.deepEqual(
        [message.role, message.content, finish_reason],
        ['assistant', 'Good morning to you', 'stop'],
      );
      assert.equal(answer.usage.total_tokens, 15);
      // The runs' usage has it in the singular.
      assert.equal(answer.usage.prompt_tokens_details.cached_tokens, 0);
      assert.equal('prompt_token_details' in answer.usage, false);
    }
    assert.match(heard(model, 0), /Be kind\.\\n\\nIn English\./);
    assert.match(heard(model, 0), /Hi.*Yes\?.*Tea/);
    await until(async () => (await threads()) === 0);
  });

  it('streams chunks that add up to the answer, with what was used at the end', async () => {
    const { chat } = await open(says('one two three'));
    const stream = await chat({
      messages: [user('Hi')],
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let last: Json;
    const finishes: string[] = [];
    for await (const chunk of stream as AsyncIterable<Json>) {
      last = chunk;
      text += chunk.choices[0]?.delta.content ?? '';
      if (chunk.choices[0]?.finish_reason) finishes.push(chunk.choices[0].finish_reason);
    }
    assert.deepEqual([text, finishes, last.usage.total_tokens], ['one two three', ['stop'], 15]);
  });

  it('its frames have no names of events, and end as chat programs expect', async () => {
    const { engine } = await open(says('Hi'));
    const response = await send(engine, 'POST', '/chat/completions', {
      model: 'Home',
      messages: [user('Hi')],
      stream: true,
    });
    const text = await response.text();
    assert.match(text, /^data: \{/);
    assert.ok(!text.includes('event:'));
    assert.ok(text.endsWith('\n\ndata: [DONE]\n\n'));
  });

  it('keeps a conversation by `user` or by header, whether the program repeats what was said or not', async () => {
    const { chat, client, threads, model } = await open(
      says('one'),
      says('two'),
      says('three'),
      says('four'),
    );
    await chat({ messages: [user('first')], user: 'anna' });
    await chat({ messages: [user('second')], user: 'anna' });
    const all = [
      user('first'),
      { role: 'assistant', content: 'one' },
      user('second'),
      { role: 'assistant', content: 'two' },
    ];
    await client.chat.completions.create(
      { model: 'Home', messages: [...all, user('third')] as never },
      { headers: { 'x-conversation': 'anna' } },
    );
    assert.equal(heard(model, 2).split('first').length, 2);
    assert.match(heard(model, 2), /first.*one.*second.*two.*third/);
    assert.equal(await threads(), 1);
    await chat({ messages: [user('alone')], user: 'ben' });
    assert.ok(!heard(model, 3).includes('first'));
    assert.equal(await threads(), 2);
  });

  it('hands the functions of the request to the program, and goes on with its outputs', async () => {
    const { chat, threads } = await open(calls(['lamp', { on: true }], ['heat', {}]), says('Done'));
    const tools = ['lamp', 'heat'].map((name) => ({ type: 'function', function: { name } }));
    const messages: object[] = [user('Light and warmth, please')];
    const first = await chat({ messages, tools });
    const [{ message, finish_reason }] = first.choices;
    assert.equal(finish_reason, 'tool_calls');
    assert.deepEqual(
      message.tool_calls.map(({ function: { name, arguments: args } }: Json) => [name, args]),
      [
        ['lamp', '{"on":true}'],
        ['heat', '{}'],
      ],
    );
    messages.push(message);
    for (const { id } of message.tool_calls) messages.push({ role: 'tool', tool_call_id: id, content: 'ok' });
    const second = await chat({ messages, tools });
    assert.equal(second.choices[0].message.content, 'Done');
    await until(async () => (await threads()) === 0);
    const repeated = await chat({ messages, tools });
    assert.equal(repeated.choices[0].message.content, 'Done', 'by a program that has lost the answer');
  });

  it('tells outputs that no run waits for: a restart, an id that was changed', async () => {
    const { chat, model } = await open(says('Done'));
    const call = (id: string, name: string, args: string) => ({
      id,
      type: 'function',
      function: { name, arguments: args },
    });
    const messages = [
      user('Is it cold?'),
      { role: 'assistant', tool_calls: [call('old', 'thermometer', '{}')] },
      { role: 'tool', tool_call_id: 'old', content: '12 degrees' },
      { role: 'assistant', content: 'Yes, 12 degrees.' },
      user('Light and warmth, please'),
      {
        role: 'assistant',
        content: null,
        tool_calls: [call('a1', 'lamp', '{"on":true}'), call('b2', 'heat', '{}')],
      },
      { role: 'tool', tool_call_id: 'a1', content: [{ type: 'text', text: 'bright' }] },
      { role: 'tool', tool_call_id: 'b2', content: 'warm' },
    ];
    const tools = [{ type: 'function', function: { name: 'lamp' } }];
    for (const more of [{}, { user: 'anna' }]) {
      const answer = await chat({ messages, tools, ...more });
      assert.equal(answer.choices[0].message.content, 'Done');
    }
    await chat({ messages: [...messages.slice(0, -1)], tools, user: 'anna' });
    assert.equal(heard(model, 2).split('Light and warmth').length, 2, 'nothing twice');
    for (const turn of [0, 1]) {
      const outputs = model.turns[turn]!.items.flatMap((item) =>
        item.type === 'output' ? [item.output] : [],
      );
      assert.deepEqual(outputs, ['bright', 'warm']);
    }
    // Where one is missing, those that are there are the user's words.
    assert.match(heard(model, 2), /Output of lamp\(\{\\+"on\\+":true\}\): bright/);
    for (const turn of [0, 1, 2])
      assert.ok(!heard(model, turn).includes('thermometer'), 'what came of it was said');
  });

  describe('tells what each request of one run has used', () => {
    const used = (prompt: number, completion: number, cached: number, reasoning: number): Script =>
      async function* () {
        yield {
          type: 'usage',
          usage: {
            prompt_tokens: prompt,
            completion_tokens: completion,
            total_tokens: prompt + completion,
            cached_tokens: cached,
            reasoning_tokens: reasoning,
          },
        };
      };
    /** A script with what it has used in the place of its own. */
    const using = (script: Script, usage: Script): Script =>
      async function* (turn) {
        for await (const event of script(turn)) {
          if (event.type === 'usage') yield* usage(turn);
          else yield event;
        }
      };
    const lamp = () => calls(['lamp', {}]);
    const tools = [{ type: 'function', function: { name: 'lamp' } }];
    const figures = (usage: Json) => [
      usage.prompt_tokens,
      usage.completion_tokens,
      usage.total_tokens,
      usage.prompt_tokens_details.cached_tokens,
      usage.completion_tokens_details.reasoning_tokens,
    ];

    for (const stream of [false, true]) {
      for (const more of [{}, { user: 'anna' }]) {
        it(`${stream ? 'in a last chunk' : 'in the answer'}, ${'user' in more ? 'with' : 'without'} a conversation`, async () => {
          const { chat } = await open(
            using(lamp(), used(100, 10, 64, 3)),
            using(lamp(), used(120, 20, 96, 7)),
            using(says('Done'), used(150, 5, 128, 0)),
          );
          const messages: Json[] = [user('Light')];
          const ask = async (): Promise<Json> => {
            const answer = await chat({
              messages,
              tools,
              ...more,
              ...(stream && { stream, stream_options: { include_usage: true } }),
            });
            if (!stream) return { message: answer.choices[0].message, usage: answer.usage };
            const chunks: Json[] = [];
            for await (const chunk of answer as AsyncIterable<Json>) chunks.push(chunk);
            assert.ok(chunks.slice(0, -1).every(({ usage }) => usage === null));
            const tool_calls = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
            return { message: { role: 'assistant', content: null, tool_calls }, usage: chunks.at(-1).usage };
          };
          const told: number[][] = [];
          for (let request = 0; request < 3; request++) {
            const { message, usage } = await ask();
            told.push(figures(usage));
            const outputs = (message.tool_calls ?? []).map(({ id }: Json) => ({
              role: 'tool',
              tool_call_id: id,
              content: 'ok',
            }));
            messages.push(message, ...outputs);
          }
          assert.deepEqual(told, [
            [100, 10, 110, 64, 3],
            [120, 20, 140, 96, 7],
            [150, 5, 155, 128, 0],
          ]);
        });
      }
    }

    it('all turns of one whose calls are answered elsewhere', async () => {
      const { engine } = await open(lamp(), says('Done'));
      const asked = engine.fetch(
        'http://engine.local/v1/chat/completions',
        { method: 'POST', body: JSON.stringify({ model: 'asst_home', messages: [user('Light')] }) },
        { id: 'key_a', isServedTools: true },
      );
      const row = await until(async () => {
        const { store } = engine.service;
        const query = store.db.selectFrom('runs').selectAll().where('status', '=', 'requires_action');
        return query.executeTakeFirst();
      });
      const { tool_calls } = JSON.parse(row.required_action!).submit_tool_outputs;
      await send(engine, 'POST', `/threads/${row.thread_id}/runs/${row.id}/submit_tool_outputs`, {
        tool_outputs: [{ tool_call_id: tool_calls[0].id, output: 'ok' }],
      });
      const answer = (await (await asked).json()) as Json;
      assert.equal(answer.usage.total_tokens, 30);
    });

    it('nothing where the stream was not asked for it', async () => {
      const { chat } = await open(lamp());
      const stream = await chat({ messages: [user('Light')], tools, stream: true });
      for await (const chunk of stream as AsyncIterable<Json>) assert.equal('usage' in chunk, false);
    });
  });

  it('takes outputs together with what the user says, or shows, after them', async () => {
    const { chat, model, threads } = await open(calls(['lamp', {}]), says('Done'));
    const tools = [{ type: 'function', function: { name: 'lamp' } }];
    const first = await chat({ messages: [user('Light')], tools });
    const { message } = first.choices[0];
    const output = { role: 'tool', tool_call_id: message.tool_calls[0].id, content: 'bright' };
    const answer = await chat({ messages: [user('Light'), message, output, user('And now?')], tools });
    assert.equal(answer.choices[0].message.content, 'Done');
    assert.match(heard(model, 1), /Light.*Output of lamp\(\{\}\): bright.*And now\?/);
    await until(async () => (await threads()) === 0);
  });

  it('passes over what has no meaning here, and what is null', async () => {
    const { chat } = await open(says('Hi'));
    const answer = await chat({
      messages: [{ ...user('Hi'), name: 'anna', tool_call_id: null, tool_calls: null }],
      stream: false,
      stream_options: { include_usage: null },
      tools: null,
      tool_choice: null,
      parallel_tool_calls: null,
      response_format: null,
      ...{ n: 1, stop: null, seed: 7, logit_bias: {}, presence_penalty: 0, service_tier: 'auto' },
      ...{ metadata: { chat_id: 'x' }, session_id: 'x', chat_id: 'x', reasoning: { effort: 'low' } },
    });
    assert.equal(answer.choices[0].message.content, 'Hi');
  });

  it('a call that is never answered does not keep a conversation busy', async () => {
    const { chat, statuses } = await open(calls(['lamp', {}]), says('Never mind'));
    const tools = [{ type: 'function', function: { name: 'lamp' } }];
    await chat({ messages: [user('Light')], tools, user: 'anna' });
    const answer = await chat({ messages: [user('Forget it')], user: 'anna' });
    assert.equal(answer.choices[0].message.content, 'Never mind');
    assert.ok(statuses.includes('cancelled'), statuses.join());
  });

  it('says what went wrong, before the stream and in it', async () => {
    const fails: Script = async function* (): AsyncGenerator<ModelEvent> {
      yield { type: 'text', delta: 'So' };
      throw new ModelError('failed', { said: 'out of order', address: 'test' });
    };
    const { chat } = await open(fails);
    await assert.rejects(
      chat({ model: 'none', messages: [user('Hi')] }),
      /404 The model 'none' does not exist/,
    );
    await assert.rejects(chat({ messages: [] }), /400/);
    await assert.rejects(chat({ messages: [user('Hi')] }), /500.*out of order/);
    const stream = await chat({ messages: [user('Hi')], stream: true });
    await assert.rejects(async () => {
      for await (const _ of stream as AsyncIterable<Json>);
    }, /out of order/);
  });

  it('a conversation belongs to its caller', async () => {
    const { engine, threads } = await open(says('one'));
    const ask = (id: string, assistants?: string[]) =>
      engine.fetch(
        'http://engine.local/v1/chat/completions',
        { method: 'POST', body: JSON.stringify({ model: 'Home', messages: [user('Hi')], user: 'anna' }) },
        { id, assistants },
      );
    for (const id of ['key_a', 'key_b', 'key_a']) assert.equal((await ask(id)).status, 200);
    assert.equal(await threads(), 2);
    assert.equal((await ask('key_c', ['asst_other'])).status, 404);
    const models = await engine.fetch('http://engine.local/v1/models', {}, { id: 'key_a' });
    const { data } = (await models.json()) as Json;
    assert.deepEqual([data[0].id, data[0].name, data[0].owned_by], ['asst_home', 'Home', 'assistants']);
  });

  it('an answer that waits for its run does not hold up the close', async () => {
    const { engine } = await open(hangs('Well'));
    const waiting = send(engine, 'POST', '/chat/completions', { model: 'Home', messages: [user('Hi')] });
    await until(() => engine.service.executor.size === 1);
    await engine.close();
    assert.equal((await waiting).status, 503);
  });
});
