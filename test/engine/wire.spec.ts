/** What recorded answers of OpenAI's service hold beyond its published schema, and what this engine refuses itself. */
import assert from 'node:assert/strict';
import type { Model, ModelEvent } from '../../engine/models/model.ts';
import { onEachDatabase } from '../support/databases.ts';
import { until } from '../support/until.ts';
import { framesOf, type Json, ScriptedModel, says, send, Workshop } from './support.ts';

/** A provider that lists its models, and can do nothing but functions. */
class ChatLike extends ScriptedModel implements Model {
  // biome-ignore lint/suspicious/noExplicitAny: narrows the double
  override readonly keepsFiles: any = false;
  asked = 0;
  names: string[] | Error = ['small', 'large:latest', 'org/model'];
  list = async () => {
    this.asked += 1;
    if (this.names instanceof Error) throw this.names;
    return this.names;
  };
}

onEachDatabase('the wire as recorded', () => {
  const workshop = new Workshop();
  afterEach(() => workshop.cleanUp());

  const openWith = async (model: Model, options = {}) => {
    const bench = await workshop.open(model, options);
    const ask = async (method: string, path: string, body?: unknown) => {
      const response = await send(bench.engine, method, path, body);
      return { status: response.status, body: (await response.json()) as Json };
    };
    return { ...bench, ask };
  };

  it('tools are filled in, on assistants and runs alike', async () => {
    const { client } = await openWith(new ScriptedModel(says('Hi')));
    const assistant = await client.beta.assistants.create({
      model: 'm',
      instructions: 'x',
      tools: [
        { type: 'function', function: { name: 'f' } },
        { type: 'function', function: { name: 'g', strict: true, parameters: { type: 'object' } } },
        { type: 'code_interpreter' },
        { type: 'file_search', file_search: { max_num_results: 3 } },
      ],
    });
    const tools: unknown[] = [
      {
        type: 'function',
        function: { name: 'f', parameters: { type: 'object', properties: {} }, strict: false },
      },
      { type: 'function', function: { name: 'g', parameters: { type: 'object' }, strict: true } },
      { type: 'code_interpreter' },
      {
        type: 'file_search',
        file_search: {
          max_num_results: 3,
          ranking_options: { ranker: 'default_2024_08_21', score_threshold: 0 },
        },
      },
    ];
    assert.deepEqual(assistant.tools, tools);
    assert.deepEqual(assistant.tool_resources, { code_interpreter: { file_ids: [] } });
    const { id, thread_id } = await client.beta.threads.createAndRun({ assistant_id: assistant.id });
    const run = (await client.beta.threads.runs.retrieve(id, { thread_id })) as Json;
    assert.deepEqual(run.tools, tools);
    assert.deepEqual(run.tool_resources, {});
    const asked = (await client.beta.threads.createAndRun({
      assistant_id: assistant.id,
      tool_resources: { code_interpreter: { file_ids: ['file-1'] } },
    })) as Json;
    assert.deepEqual(asked.tool_resources, { code_interpreter: { file_ids: ['file-1'] } });
  });

  it('pictures say how closely they are looked at', async () => {
    const { client } = await openWith(new ScriptedModel(says('Hi')));
    const { id } = await client.beta.threads.create();
    const { content } = await client.beta.threads.messages.create(id, {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
        { type: 'image_file', image_file: { file_id: 'file-1', detail: 'low' } },
      ],
    });
    assert.deepEqual(content, [
      { type: 'image_url', image_url: { detail: 'auto', url: 'https://example.com/a.png' } },
      { type: 'image_file', image_file: { file_id: 'file-1', detail: 'low' } },
    ]);
  });

  it('a step expires no more over REST once its run has ended; in the stream it says when', async () => {
    const { engine, client } = await openWith(new ScriptedModel(says('Hi')));
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'm', instructions: 'x' });
    const frames = await framesOf(
      await send(engine, 'POST', '/threads/runs', { assistant_id, stream: true }),
    );
    const step = frames.find(({ event }) => event === 'thread.run.step.completed')?.data;
    assert.equal(typeof step.expires_at, 'number');
    const { thread_id, run_id } = step;
    const shown = await client.beta.threads.runs.steps.retrieve(step.id, { thread_id, run_id });
    assert.equal(shown.expired_at, null);
    assert.equal((shown as Json).expires_at, null);
  });

  it('a citation that comes with its marker stands in the text, and its delta carries both', async () => {
    const marker = '【4:0†source】';
    async function* cites(): AsyncGenerator<ModelEvent> {
      yield { type: 'text', delta: 'So 🌞' };
      yield {
        type: 'annotation',
        marker,
        annotation: {
          type: 'file_citation',
          text: marker,
          start_index: 5,
          end_index: 5 + marker.length,
          file_citation: { file_id: 'f' },
        },
      };
      yield { type: 'text', delta: '.' };
      yield { type: 'end', reason: 'stop' };
    }
    const { engine, client } = await openWith(new ScriptedModel(cites));
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'm', instructions: 'x' });
    const frames = await framesOf(
      await send(engine, 'POST', '/threads/runs', { assistant_id, stream: true }),
    );
    const deltas = frames.flatMap(({ event, data }) =>
      event === 'thread.message.delta' ? [data.delta.content[0].text] : [],
    );
    assert.deepEqual(
      deltas.map(({ value }) => value),
      ['So 🌞', marker, '.'],
    );
    const said = frames.find(({ event }) => event === 'thread.message.completed')?.data as Json;
    const { text } = said.content[0];
    const [found] = text.annotations;
    assert.equal(text.value.slice(found.start_index, found.end_index), found.text);
    assert.equal(text.value.replace(found.text, ''), 'So 🌞.');
  });

  it('hosted steps claim no usage that nobody reported', async () => {
    async function* searches(): AsyncGenerator<ModelEvent> {
      const call = { id: 'x', type: 'code_interpreter', code_interpreter: { input: '1', outputs: [] } };
      yield { type: 'hosted_call', phase: 'started', index: 0, call };
      yield { type: 'hosted_call', phase: 'done', index: 0, call };
      yield { type: 'text', delta: 'Done' };
      yield { type: 'usage', usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 } };
      yield { type: 'end', reason: 'stop' };
    }
    const { client } = await openWith(new ScriptedModel(searches));
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'm', instructions: 'x' });
    const run = await client.beta.threads.createAndRunStream({ assistant_id }).finalRun();
    const { data } = await client.beta.threads.runs.steps.list(run.id, {
      thread_id: run.thread_id,
      order: 'asc',
    });
    assert.deepEqual(
      data.map(({ usage }) => usage?.total_tokens ?? null),
      [null, 10],
    );
    assert.equal(run.usage?.total_tokens, 10);
  });

  it('lists the provider’s models, the default always among them, and asks seldom', async () => {
    const model = new ChatLike(says('Hi'));
    const { ask } = await openWith(model, { model: { provider: 'chat', model: 'mine' } });
    const { body } = await ask('GET', '/models');
    assert.deepEqual(
      body.data.map(({ id }: Json) => id),
      ['mine', 'small', 'large:latest', 'org/model'],
    );
    assert.deepEqual((await ask('GET', '/models/org/model')).body.id, 'org/model');
    const none = await ask('GET', '/models/none');
    assert.deepEqual([none.status, none.body.error.code], [404, 'model_not_found']);
    assert.equal(model.asked, 1);
    const down = new ChatLike(says('Hi'));
    down.names = new Error('down');
    const second = await openWith(down, { model: { provider: 'chat', model: 'mine' } });
    assert.deepEqual(
      (await second.ask('GET', '/models')).body.data.map(({ id }: Json) => id),
      ['mine'],
    );
  });

  it('refuses a model that the provider does not have, when the run is made', async () => {
    const model = new ChatLike(says('Hi'));
    const { ask, client } = await openWith(model, { model: { provider: 'chat', model: 'small' } });
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'small', instructions: 'x' });
    const run = (name: string) => ask('POST', '/threads/runs', { assistant_id, model: name });
    const refused = await run('none');
    assert.deepEqual(
      [refused.status, refused.body.error.code, refused.body.error.param],
      [400, 'model_not_found', 'model'],
    );
    for (const name of ['small', 'large', 'small:nitro']) assert.equal((await run(name)).status, 200, name);
    assert.ok(model.asked <= 2, String(model.asked));
    for (const names of [[], new Error('down'), ['*'], ['openai/*']]) {
      const other = new ChatLike(says('Hi'));
      other.names = names;
      const open = await openWith(other, { model: { provider: 'chat', model: 'small' } });
      const { id } = await open.client.beta.assistants.create({ model: 'any', instructions: 'x' });
      assert.equal(
        (await open.ask('POST', '/threads/runs', { assistant_id: id })).status,
        200,
        String(names),
      );
    }
  });

  it('refuses what the provider can’t do when it is asked for, and keeps the thread usable', async () => {
    const { ask, client } = await openWith(new ChatLike(says('Hi')), {
      model: { provider: 'chat', model: 'small' },
    });
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'small', instructions: 'x' });
    const { id: thread } = await client.beta.threads.create();
    const user = (more: object) => ({ role: 'user', content: 'Hi', ...more });
    const attachments = [{ file_id: 'file-1', tools: [{ type: 'file_search' }] }];
    const content = [{ type: 'image_file', image_file: { file_id: 'file-1' } }];
    for (const [path, body] of [
      [`/threads/${thread}/messages`, user({ attachments })],
      [`/threads/${thread}/messages`, user({ content })],
      ['/threads', { messages: [user({ content })] }],
      ['/threads/runs', { assistant_id, thread: { messages: [user({ attachments })] } }],
      [`/threads/${thread}/runs`, { assistant_id, additional_messages: [user({ content })] }],
      [`/threads/${thread}/runs`, { assistant_id, tools: [{ type: 'code_interpreter' }] }],
      ['/threads/runs', { assistant_id, tools: [{ type: 'file_search' }] }],
    ] as const) {
      const { status, body: answer } = await ask('POST', path, body);
      assert.deepEqual([status, answer.error?.code], [400, 'unsupported_value'], path);
      assert.match(answer.error.message, /OpenAI Responses can do it/);
    }
    const { body: run } = await ask('POST', `/threads/${thread}/runs`, { assistant_id });
    await until(
      async () =>
        (await client.beta.threads.runs.retrieve(run.id, { thread_id: thread })).status === 'completed',
    );
  });

  it('refuses the same on the rehearsal model', async () => {
    const { createModel } = await import('../../engine/models/index.ts');
    assert.deepEqual(
      (['rehearsal', 'chat', 'responses'] as const).map(
        (provider) => createModel({ provider }).keepsFiles ?? false,
      ),
      [false, false, true],
    );
  });

  it('names of functions have letters, digits, _ and -; those of saved flows are the model’s to judge', async () => {
    const tools = [{ type: 'function', function: { name: 'switch lamp' } }];
    const { ask } = await openWith(new ScriptedModel(says('Hi')), {
      assistants: [{ id: 'asst_old', instructions: 'x', tools }],
    });
    const { status, body } = await ask('POST', '/assistants', { model: 'm', tools });
    assert.deepEqual(
      [status, body.error.param, body.error.code],
      [400, 'tools[0].function.name', 'invalid_value'],
    );
    assert.match(body.error.message, /does not match pattern/);
    assert.equal((await ask('GET', '/assistants/asst_old')).status, 200);
  });

  it('a list of none is refused, as by the published limits', async () => {
    const { ask } = await openWith(new ScriptedModel(says('Hi')));
    const { status, body } = await ask('GET', '/assistants?limit=0');
    assert.deepEqual([status, body.error.code], [400, 'integer_below_min_value']);
  });
});
