/** The objects that the paths answer with. */
import assert from 'node:assert/strict';
import { onEachDatabase } from '../support/databases.ts';
import { holdObject, OPERATIONS, type Shape } from './contract.ts';
import { calls, type Json, ScriptedModel, says, send, Workshop } from './support.ts';

/** Every path that answers 200, in an order in which each finds what it needs; `{name}` comes from earlier answers. */
const TOUR: [method: string, path: string, shape: Shape, body?: unknown, remember?: string][] = [
  [
    'POST',
    '/assistants',
    'AssistantObject',
    {
      model: 'm',
      name: 'n',
      instructions: 'Be.',
      tools: [{ type: 'function', function: { name: 'f' } }],
      response_format: { type: 'json_object' },
      temperature: 0.5,
      metadata: { a: 'b' },
    },
    'assistant',
  ],
  ['GET', '/assistants', 'ListAssistantsResponse'],
  ['GET', '/assistants/{assistant}', 'AssistantObject'],
  ['POST', '/assistants/{assistant}', 'AssistantObject', { description: 'd', top_p: 0.1 }],
  [
    'POST',
    '/threads',
    'ThreadObject',
    { messages: [{ role: 'user', content: 'Hi' }], metadata: { a: 'b' } },
    'thread',
  ],
  ['GET', '/threads/{thread}', 'ThreadObject'],
  [
    'POST',
    '/threads/{thread}',
    'ThreadObject',
    { tool_resources: { code_interpreter: { file_ids: ['file_1'] } } },
  ],
  ['GET', '/threads/{thread}/runs', 'ListRunsResponse'],
  [
    'POST',
    '/threads/{thread}/messages',
    'MessageObject',
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Look' },
        { type: 'image_url', image_url: { url: 'https://a.test/b.png' } },
        { type: 'image_file', image_file: { file_id: 'file_1', detail: 'low' } },
      ],
      attachments: [{ file_id: 'file_2', tools: [{ type: 'file_search' }] }],
    },
    'message',
  ],
  ['GET', '/threads/{thread}/messages', 'ListMessagesResponse'],
  ['GET', '/threads/{thread}/messages/{message}', 'MessageObject'],
  ['POST', '/threads/{thread}/messages/{message}', 'MessageObject', { metadata: { c: 'd' } }],
  [
    'POST',
    '/threads/{thread}/runs',
    'RunObject',
    {
      assistant_id: '{assistant}',
      max_completion_tokens: 16,
      metadata: { a: 'b' },
      truncation_strategy: { type: 'last_messages', last_messages: 5 },
      tool_choice: { type: 'function', function: { name: 'f' } },
    },
    'run',
  ],
  ['GET', '/threads/{thread}/runs/{run}', 'RunObject'],
  ['GET', '/threads/{thread}/runs', 'ListRunsResponse'],
  ['GET', '/threads/{thread}/runs/{run}/steps', 'ListRunStepsResponse'],
  ['GET', '/threads/{thread}/runs/{run}/steps/{step}', 'RunStepObject'],
  ['POST', '/threads/{thread}/runs/{run}', 'RunObject', { metadata: { c: 'd' } }],
  [
    'POST',
    '/threads/{thread}/runs/{run}/submit_tool_outputs',
    'RunObject',
    { tool_outputs: [{ tool_call_id: '{call}', output: '1' }] },
  ],
  ['GET', '/threads/{thread}/runs/{run}', 'RunObject'],
  ['GET', '/threads/{thread}/runs/{run}/steps', 'ListRunStepsResponse'],
  ['GET', '/threads/{thread}/messages?run_id={run}', 'ListMessagesResponse'],
  [
    'POST',
    '/threads/runs',
    'RunObject',
    { assistant_id: '{assistant}', thread: { messages: [{ role: 'user', content: 'x' }] } },
    'second',
  ],
  ['POST', '/threads/{second_thread}/runs/{second}/cancel', 'RunObject'],
  ['DELETE', '/threads/{thread}/messages/{message}', 'DeleteMessageResponse'],
  ['DELETE', '/threads/{thread}', 'DeleteThreadResponse'],
  ['DELETE', '/assistants/{assistant}', 'DeleteAssistantResponse'],
];

const IDS: Record<string, string> = {
  assistant: 'asst',
  thread: 'thread',
  message: 'msg',
  run: 'run',
  step: 'step',
};

onEachDatabase('objects', () => {
  const workshop = new Workshop();
  afterEach(() => workshop.cleanUp());

  it('keep to the contract on every path', async () => {
    const { engine, client } = await workshop.open(new ScriptedModel(calls(['f', {}]), says('Done')));
    const known: Record<string, string> = {};
    const fill = (text: string) => text.replace(/\{(\w+)\}/g, (all, name) => known[name] ?? all);
    for (const [method, path, shape, body, remember] of TOUR) {
      const response = await send(
        engine,
        method,
        fill(path),
        body === undefined ? undefined : fill(JSON.stringify(body)),
      );
      const value = (await response.json()) as Json;
      assert.equal(response.status, 200, `${method} ${path}: ${JSON.stringify(value)}`);
      holdObject(shape, value);
      assert.equal(response.headers.get('openai-version'), '2020-10-01');
      assert.match(response.headers.get('openai-processing-ms')!, /^\d+$/);
      if (remember) known[remember] = value.id;
      if (remember === 'second') known.second_thread = value.thread_id;
      if (shape === 'RunObject' && path.endsWith('runs') && remember === 'run') {
        assert.equal(response.headers.get('openai-poll-after-ms'), '250');
        const run = await client.beta.threads.runs.poll(
          value.id,
          { thread_id: known.thread! },
          { pollIntervalMs: 1 },
        );
        known.call = run.required_action!.submit_tool_outputs.tool_calls[0]!.id;
        known.step = (await client.beta.threads.runs.steps.list(run.id, { thread_id: run.thread_id }))
          .data[0]!.id;
      }
      if (path.endsWith('submit_tool_outputs')) {
        await client.beta.threads.runs.poll(value.id, { thread_id: known.thread! }, { pollIntervalMs: 1 });
      }
    }
  });

  it('are there on every path that the contract has', async () => {
    const { engine } = await workshop.open(new ScriptedModel(says('Done')));
    assert.equal(OPERATIONS.length, 23);
    for (const { method, path } of OPERATIONS) {
      const target = path.replace(/\{(\w+?)_id\}/g, (_, kind) => `${IDS[kind]}_x`);
      const { error } = (await (
        await send(engine, method, target, method === 'POST' ? {} : undefined)
      ).json()) as Json;
      assert(error?.code !== 'unknown_url' && error?.code !== 'method_not_supported', `${method} ${path}`);
      const other = await send(engine, 'PUT', target, {});
      assert.deepEqual(
        [other.status, ((await other.json()) as Json).error.code],
        [405, 'method_not_supported'],
      );
    }
  });

  it('have what every recording has beside the spec', async () => {
    const { engine, client } = await workshop.open(new ScriptedModel(says('Done')));
    const assistant = await client.beta.assistants.create({ model: 'm' });
    assert('reasoning_effort' in assistant);
    const created = await client.beta.threads.createAndRun({
      assistant_id: assistant.id,
      thread: { messages: [{ role: 'user', content: 'x' }] },
    });
    const run = (await client.beta.threads.runs.poll(
      created.id,
      { thread_id: created.thread_id },
      { pollIntervalMs: 1 },
    )) as Json;
    assert.equal(run.instructions, null);
    assert.deepEqual(run.tool_resources, {});
    assert.deepEqual(run.usage, {
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
      prompt_token_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0 },
    });
    const [step] = (await client.beta.threads.runs.steps.list(run.id, { thread_id: run.thread_id }))
      .data as Json[];
    for (const field of ['expires_at', 'expired_at', 'metadata']) assert(field in step, field);
    const empty = (await (
      await send(engine, 'GET', `/threads/${run.thread_id}/runs?after=${run.id}`)
    ).json()) as Json;
    assert.deepEqual(empty, { object: 'list', data: [], first_id: null, last_id: null, has_more: false });
    const over = await send(engine, 'GET', `/threads/${run.thread_id}/runs/${run.id}`);
    assert.equal(over.headers.get('openai-poll-after-ms'), null);
  });

  it('are deleted with what hangs on them', async () => {
    const { engine, client } = await workshop.open(new ScriptedModel(says('Done')));
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'm' });
    const messages = [{ role: 'user' as const, content: 'x' }];
    const run = await client.beta.threads.createAndRunPoll(
      { assistant_id, thread: { messages } },
      { pollIntervalMs: 1 },
    );
    await client.beta.threads.delete(run.thread_id);
    for (const table of ['messages', 'runs', 'steps'] as const) {
      assert.deepEqual(await engine.service.store.db.selectFrom(table).select('id').execute(), [], table);
    }
  });

  it('change only in what the body names', async () => {
    const { client } = await workshop.open(new ScriptedModel(says('Done')));
    const before = await client.beta.assistants.create({
      model: 'm',
      name: 'n',
      instructions: 'i',
      metadata: { a: 'b' },
      temperature: 0.3,
    });
    const after = await client.beta.assistants.update(before.id, { name: null, metadata: { c: 'd' } });
    assert.deepEqual(after, { ...before, name: null, metadata: { c: 'd' } });
    assert.deepEqual(await client.beta.assistants.update(before.id, {}), after);
  });
});
