/** What the model is given to read: windows, rounds, budgets. */
import assert from 'node:assert/strict';
import { countTokens } from '../../engine/domain/tokens.ts';
import type { Turn } from '../../engine/models/model.ts';
import { newMessage } from '../../engine/objects/new-records.ts';
import { insertMessages } from '../../engine/store/messages.ts';
import { onEachDatabase } from '../support/databases.ts';
import { calls, type Script, ScriptedModel, says, Workshop } from './support.ts';

const textOf = (turn: Turn) =>
  turn.items
    .flatMap((item) => (item.type === 'message' ? item.content : []))
    .map((part) => (part.type === 'text' ? part.text : part.type));

const uses = (prompt_tokens: number, completion_tokens: number, script: Script): Script =>
  async function* (turn) {
    for await (const event of script(turn)) {
      const usage = { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
      yield event.type === 'usage' ? { type: 'usage', usage } : event;
    }
  };

onEachDatabase('what the model is given', () => {
  const workshop = new Workshop();
  afterEach(() => workshop.cleanUp());

  async function bench(model: ScriptedModel, contextWindow?: number) {
    const opened = await workshop.open(model, contextWindow ? { contextWindow } : {});
    const { beta } = opened.client;
    const say = async (count: number, words: (i: number) => string) => {
      const { id } = await beta.threads.create();
      const messages = Array.from({ length: count }, (_, i) =>
        newMessage(id, { role: 'user', content: words(i) }, 1),
      );
      await insertMessages(opened.engine.service.store.db, messages);
      return id;
    };
    const finish = async (thread: string, body: Parameters<typeof beta.threads.runs.create>[1]) =>
      beta.threads.runs.stream(thread, { ...body, stream: undefined }).finalRun();
    return { ...opened, beta, say, finish };
  }

  const tool = (name: string) => ({
    type: 'function' as const,
    function: { name, parameters: { type: 'object' } },
  });

  it('is the assistant’s, where the run says nothing', async () => {
    const model = new ScriptedModel(says('ok'));
    const { beta, finish } = await bench(model);
    const { id: assistant_id } = await beta.assistants.create({
      model: 'big',
      instructions: 'Be brief.',
      tools: [tool('f')],
      temperature: 0.2,
      top_p: 0.9,
      reasoning_effort: 'low',
      response_format: { type: 'json_object' },
      tool_resources: { code_interpreter: { file_ids: ['file_a'] } },
    });
    const { id } = await beta.threads.create({
      messages: [{ role: 'user', content: 'Hi' }],
      tool_resources: { code_interpreter: { file_ids: ['file_t'] } },
    });
    await finish(id, { assistant_id });
    const { signal: _, items: __, ...turn } = model.turns[0]!;
    assert.deepEqual(turn, {
      model: 'big',
      instructions: 'Be brief.',
      tools: [tool('f')],
      toolChoice: 'auto',
      parallelToolCalls: true,
      temperature: 0.2,
      topP: 0.9,
      responseFormat: { type: 'json_object' },
      reasoningEffort: 'low',
      maxCompletionTokens: null,
      toolResources: { code_interpreter: { file_ids: ['file_a', 'file_t'] } },
    });
  });

  it('is the run’s, where it says something', async () => {
    const model = new ScriptedModel(says('ok'));
    const { beta, finish } = await bench(model);
    const { id: assistant_id } = await beta.assistants.create({
      model: 'big',
      instructions: 'Be brief.',
      tools: [tool('f')],
      temperature: 0.2,
    });
    const { id } = await beta.threads.create({ messages: [{ role: 'user', content: 'Hi' }] });
    const response_format = {
      type: 'json_schema' as const,
      json_schema: { name: 's', schema: { type: 'object' }, strict: true },
    };
    const run = await finish(id, {
      assistant_id,
      model: 'small',
      instructions: 'Be long.',
      additional_instructions: 'Rhyme.',
      tools: [tool('g')],
      tool_choice: { type: 'function', function: { name: 'g' } },
      parallel_tool_calls: false,
      temperature: 0,
      top_p: 0.5,
      response_format,
      reasoning_effort: 'high',
      max_completion_tokens: 500,
      additional_messages: [
        { role: 'user', content: 'More' },
        { role: 'assistant', content: 'Yes?' },
      ],
    });
    const turn = model.turns[0]!;
    assert.equal(turn.model, 'small');
    assert.equal(turn.instructions, 'Be long.\n\nRhyme.');
    assert.deepEqual(turn.tools, [tool('g')]);
    assert.deepEqual(turn.toolChoice, { type: 'function', function: { name: 'g' } });
    assert.deepEqual(
      [turn.parallelToolCalls, turn.temperature, turn.topP, turn.reasoningEffort, turn.maxCompletionTokens],
      [false, 0, 0.5, 'high', 500],
    );
    assert.deepEqual(turn.responseFormat, response_format);
    assert.deepEqual(textOf(turn), ['Hi', 'More', 'Yes?']);
    assert.equal(run.instructions, 'Be long.\n\nRhyme.');
    assert.equal((await beta.threads.messages.list(id)).data.length, 4);
  });

  it('holds images and attachments', async () => {
    const model = new ScriptedModel(says('ok'));
    const { beta, finish } = await bench(model);
    const { id: assistant_id } = await beta.assistants.create({ model: 'm' });
    const { id } = await beta.threads.create({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: 'https://a.test/b.png', detail: 'low' } },
            { type: 'image_file', image_file: { file_id: 'file_1' } },
          ],
          attachments: [{ file_id: 'file_2', tools: [{ type: 'file_search' }] }],
        },
      ],
    });
    await finish(id, { assistant_id });
    assert.deepEqual(model.turns[0]!.items, [
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image_url', url: 'https://a.test/b.png', detail: 'low' },
          { type: 'image_file', file_id: 'file_1' },
          { type: 'file', file_id: 'file_2' },
        ],
      },
    ]);
  });

  it('keeps a forced tool choice only until a tool has answered', async () => {
    const model = new ScriptedModel(calls(['f', {}]), says('ok'));
    const { beta, finish } = await bench(model);
    const { id: assistant_id } = await beta.assistants.create({
      model: 'm',
      instructions: 'x',
      tools: [tool('f')],
    });
    const { id } = await beta.threads.create();
    const run = await finish(id, { assistant_id, tool_choice: 'required' });
    const tool_outputs = run.required_action!.submit_tool_outputs.tool_calls.map((call) => ({
      tool_call_id: call.id,
      output: '',
    }));
    await beta.threads.runs.submitToolOutputsStream(run.id, { thread_id: id, tool_outputs }).finalRun();
    assert.deepEqual(
      model.turns.map(({ toolChoice }) => toolChoice),
      ['required', 'auto'],
    );
  });

  it('carries what a provider wants to see again, in place, within the run', async () => {
    const thinks = (n: number, script: Script): Script =>
      async function* (turn) {
        yield { type: 'carry', provider: 'p', data: n };
        yield* script(turn);
      };
    const model = new ScriptedModel(
      thinks(1, calls(['f', {}], ['g', {}])),
      thinks(2, calls(['h', {}])),
      thinks(3, says('ok')),
    );
    const { beta, finish } = await bench(model);
    const { id: assistant_id } = await beta.assistants.create({
      model: 'm',
      instructions: 'x',
      tools: [tool('f')],
    });
    const { id: thread_id } = await beta.threads.create({ messages: [{ role: 'user', content: 'Hi' }] });
    let run = await finish(thread_id, { assistant_id });
    while (run.status === 'requires_action') {
      const tool_outputs = run.required_action!.submit_tool_outputs.tool_calls.map((call) => ({
        tool_call_id: call.id,
        output: '',
      }));
      run = await beta.threads.runs.submitToolOutputsStream(run.id, { thread_id, tool_outputs }).finalRun();
    }
    const kinds = (turn: Turn) =>
      turn.items.map((item) => (item.type === 'carry' ? `carry ${item.data}` : item.type));
    const firstRun = ['message', 'carry 1', 'call', 'call', 'output', 'output', 'carry 2', 'call', 'output'];
    assert.deepEqual(kinds(model.turns[2]!), firstRun);
    await finish(thread_id, { assistant_id });
    assert.deepEqual(kinds(model.turns[3]!), [
      ...firstRun.filter((kind) => !kind.startsWith('carry')),
      'message',
    ]);
  });

  it('drops the middle when the window is full, the first message kept, the rest the newest', async () => {
    const model = new ScriptedModel(says('ok'));
    const { beta, say, finish } = await bench(model, 1000);
    const { id: assistant_id } = await beta.assistants.create({ model: 'm' });
    const thread = await say(500, (i) => `message number ${i} `.padEnd(80, '.'));
    await finish(thread, { assistant_id });
    const numbers = textOf(model.turns[0]!).map((text) => Number(/\d+/.exec(text)![0]));
    assert.equal(numbers[0], 0);
    assert.deepEqual(
      numbers.slice(1),
      Array.from({ length: numbers.length - 1 }, (_, i) => 500 - (numbers.length - 1) + i),
    );
    const tokens = textOf(model.turns[0]!).reduce((sum, text) => sum + countTokens(text) + 4, 0);
    // An eighth of the window is the answer's; of the rest a quarter is left for what is to come.
    assert(tokens <= 656 && tokens > 600, `${tokens} of 656 tokens used`);
  });

  it('is only the last messages, where that is asked for', async () => {
    const model = new ScriptedModel(says('ok'));
    const { beta, say, finish } = await bench(model);
    const { id: assistant_id } = await beta.assistants.create({ model: 'm' });
    const thread = await say(10, String);
    await finish(thread, { assistant_id, truncation_strategy: { type: 'last_messages', last_messages: 3 } });
    assert.deepEqual(textOf(model.turns[0]!), ['7', '8', '9']);
  });

  it('only grows between the turns of a run, though the window is full', async () => {
    const model = new ScriptedModel(calls(['f', {}]), calls(['f', {}]), says('ok'));
    const { beta, say, finish } = await bench(model, 1000);
    const { id: assistant_id } = await beta.assistants.create({ model: 'm', tools: [tool('f')] });
    const thread_id = await say(300, (i) => `message number ${i}`);
    let run = await finish(thread_id, { assistant_id });
    while (run.status === 'requires_action') {
      const tool_outputs = run.required_action!.submit_tool_outputs.tool_calls.map((call) => ({
        tool_call_id: call.id,
        output: '',
      }));
      run = await beta.threads.runs.submitToolOutputsStream(run.id, { thread_id, tool_outputs }).finalRun();
    }
    const [first, second, third] = model.turns as [Turn, Turn, Turn];
    assert(first.items.length > 50 && first.items.length < 300);
    assert.deepEqual(second.items.slice(0, first.items.length), first.items);
    assert.deepEqual(third.items.slice(0, second.items.length), second.items);
  });

  it('begins where the last run’s began, for as long as that fits', async () => {
    const model = new ScriptedModel(says('Certainly, as you wish.'));
    const { beta, say, finish } = await bench(model, 2000);
    const { id: assistant_id } = await beta.assistants.create({ model: 'm' });
    const thread_id = await say(300, (i) => `message number ${i}`);
    const RUNS = 60;
    for (let i = 0; i < RUNS; i++) {
      await finish(thread_id, {
        assistant_id,
        additional_messages: [{ role: 'user', content: `question ${i}` }],
      });
    }
    const grown = model.turns.filter(({ items }, i) => {
      const before = model.turns[i - 1]?.items;
      return before && JSON.stringify(items.slice(0, before.length)) === JSON.stringify(before);
    });
    assert(grown.length >= RUNS * 0.8, `${grown.length} of ${RUNS} prompts begin with the one before`);
    assert(grown.length < RUNS - 1, 'the window has moved at least once');
    for (const turn of model.turns) {
      assert(textOf(turn).reduce((sum, text) => sum + countTokens(text) + 4, 0) <= 1750);
      assert.equal(textOf(turn)[0], 'message number 0');
    }
    await finish(thread_id, { assistant_id, max_prompt_tokens: 256 });
    await finish(thread_id, { assistant_id });
    const [small, large] = model.turns.slice(-2) as [Turn, Turn];
    assert(small.items.length * 3 < large.items.length, 'a small window is not inherited');
  });

  it('gives no message twice when those before the gap are deleted', async () => {
    const model = new ScriptedModel(says('ok'));
    const { beta, engine, say, finish } = await bench(model, 1000);
    const { id: assistant_id } = await beta.assistants.create({ model: 'm' });
    const thread_id = await say(300, (i) => `message number ${i}`);
    await finish(thread_id, { assistant_id });
    const [second] = textOf(model.turns[0]!).slice(1);
    const rows = await engine.service.store.db
      .selectFrom('messages')
      .select(['id', 'content'])
      .orderBy('seq')
      .execute();
    const kept = rows.findIndex(({ content }) => JSON.parse(content)[0].text.value === second);
    for (const { id } of rows.slice(0, kept)) await beta.threads.messages.delete(id, { thread_id });
    await finish(thread_id, { assistant_id });
    const texts = textOf(model.turns[1]!);
    assert.equal(new Set(texts).size, texts.length);
    assert.equal(texts[0], second);
  });

  it('makes room at the gap when the rounds outgrow it', async () => {
    const big = 'x'.repeat(1500);
    const model = new ScriptedModel(calls(['f', {}]), says('ok'));
    const { beta, say, finish } = await bench(model, 1000);
    const { id: assistant_id } = await beta.assistants.create({ model: 'm', tools: [tool('f')] });
    const thread_id = await say(300, (i) => `message number ${i}`);
    const run = await finish(thread_id, { assistant_id });
    const tool_outputs = run.required_action!.submit_tool_outputs.tool_calls.map((call) => ({
      tool_call_id: call.id,
      output: big,
    }));
    await beta.threads.runs.submitToolOutputsStream(run.id, { thread_id, tool_outputs }).finalRun();
    const [first, second] = model.turns.map(textOf) as [string[], string[]];
    assert.equal(second[0], 'message number 0');
    assert(second.length < first.length);
    assert.deepEqual(second.slice(1), first.slice(1 - second.length));
  });

  it('stops a run whose prompts exceed its budget over all turns', async () => {
    const model = new ScriptedModel(uses(200, 1, calls(['f', {}])), uses(200, 1, says('ok')));
    const { beta, finish } = await bench(model);
    const { id: assistant_id } = await beta.assistants.create({
      model: 'm',
      instructions: 'x',
      tools: [tool('f')],
    });
    const { id: thread_id } = await beta.threads.create();
    const run = await finish(thread_id, { assistant_id, max_prompt_tokens: 300 });
    const tool_outputs = run.required_action!.submit_tool_outputs.tool_calls.map((call) => ({
      tool_call_id: call.id,
      output: '',
    }));
    const ended = await beta.threads.runs
      .submitToolOutputsStream(run.id, { thread_id, tool_outputs })
      .finalRun();
    assert.equal(ended.status, 'incomplete');
    assert.deepEqual(ended.incomplete_details, { reason: 'max_prompt_tokens' });
    assert.equal(ended.usage!.prompt_tokens, 400);
  });

  it('gives the second completion what the first left, and asks no model once nothing is left', async () => {
    const model = new ScriptedModel(
      uses(1, 12, calls(['f', {}])),
      uses(1, 4, calls(['f', {}])),
      says('never'),
    );
    const { beta, finish } = await bench(model);
    const { id: assistant_id } = await beta.assistants.create({
      model: 'm',
      instructions: 'x',
      tools: [tool('f')],
    });
    const { id: thread_id } = await beta.threads.create();
    let run = await finish(thread_id, { assistant_id, max_completion_tokens: 16 });
    while (run.status === 'requires_action') {
      const tool_outputs = run.required_action!.submit_tool_outputs.tool_calls.map((call) => ({
        tool_call_id: call.id,
        output: '',
      }));
      run = await beta.threads.runs.submitToolOutputsStream(run.id, { thread_id, tool_outputs }).finalRun();
    }
    assert.deepEqual(
      model.turns.map(({ maxCompletionTokens }) => maxCompletionTokens),
      [16, 4],
    );
    assert.equal(run.status, 'incomplete');
    assert.deepEqual(run.incomplete_details, { reason: 'max_completion_tokens' });
  });

  it('fits max_prompt_tokens by dropping messages, and is not asked for when even the last does not fit', async () => {
    const model = new ScriptedModel(says('ok'));
    const { beta, say, finish } = await bench(model);
    const { id: assistant_id } = await beta.assistants.create({ model: 'm' });
    const thread = await say(100, (i) => `message number ${i} `.padEnd(80, '.'));
    assert.equal((await finish(thread, { assistant_id, max_prompt_tokens: 256 })).status, 'completed');
    const tokens = textOf(model.turns[0]!).reduce((sum, text) => sum + countTokens(text) + 4, 0);
    assert(tokens <= 256);
    const run = await finish(thread, {
      assistant_id,
      max_prompt_tokens: 256,
      additional_messages: [{ role: 'user', content: 'x'.repeat(2000) }],
    });
    assert.equal(run.status, 'incomplete');
    assert.deepEqual(run.incomplete_details, { reason: 'max_prompt_tokens' });
    assert.equal(model.turns.length, 1);
  });
});
