/** Event streams: their order, their readers, their ends. */
import assert from 'node:assert/strict';
import type OpenAI from 'openai';
import type { AssistantStream } from 'openai/lib/AssistantStream';
import type { ModelEvent } from '../../engine/models/model.ts';
import { onEachDatabase } from '../support/databases.ts';
import { until } from '../support/until.ts';
import { holdFrame } from './contract.ts';
import {
  type Bench,
  calls,
  framesOf,
  hangs,
  type Json,
  orderOf,
  type Script,
  ScriptedModel,
  says,
  send,
  trouble,
  USAGE,
  Workshop,
} from './support.ts';

const TEXT = [
  'step.created',
  'step.in_progress',
  'message.created',
  'message.in_progress',
  'message.delta*',
].map((name) => (name.startsWith('step') ? `run.${name}` : name));
const START = ['run.created', 'run.queued', 'run.in_progress'];
const TOOLS = ['run.step.created', 'run.step.in_progress', 'run.step.delta*'];

onEachDatabase('streams', (kind) => {
  const workshop = new Workshop();
  afterEach(() => workshop.cleanUp());

  async function bench(
    ...scripts: Script[]
  ): Promise<Bench & { assistant: string; thread: string; model: ScriptedModel }> {
    const model = new ScriptedModel(...scripts);
    const opened = await workshop.open(model);
    const { id: assistant } = await opened.client.beta.assistants.create({ model: 'm' });
    const { id: thread } = await opened.client.beta.threads.create({
      messages: [{ role: 'user', content: 'Hi' }],
    });
    return { ...opened, assistant, thread, model };
  }

  const startRun = ({ engine, assistant, thread }: Awaited<ReturnType<typeof bench>>, more = {}) =>
    send(engine, 'POST', `/threads/${thread}/runs`, { assistant_id: assistant, stream: true, ...more });

  /** Reads a stream as the SDK does, with a listener on everything it has. */
  async function read(stream: AssistantStream) {
    const heard = new Set<string>();
    const errors: unknown[] = [];
    const events: OpenAI.Beta.AssistantStreamEvent[] = [];
    for (const name of [
      'run',
      'messageCreated',
      'messageDelta',
      'messageDone',
      'runStepCreated',
      'runStepDelta',
      'runStepDone',
      'toolCallCreated',
      'toolCallDelta',
      'toolCallDone',
      'textCreated',
      'textDelta',
      'textDone',
      'imageFileDone',
    ] as const) {
      stream.on(name, () => heard.add(name));
    }
    stream.on('event', (event) => events.push(structuredClone(event)));
    stream.on('error', (error) => errors.push(error));
    const run = await stream.finalRun();
    assert.deepEqual(errors, []);
    return {
      run,
      heard,
      events,
      messages: await stream.finalMessages(),
      steps: await stream.finalRunSteps(),
    };
  }

  it('(a) tells a text run in the recorded order', async () => {
    const frames = await framesOf(await startRun(await bench(says('one two three'))));
    assert.deepEqual(orderOf(frames), [
      ...START,
      ...TEXT,
      'message.completed',
      'run.step.completed',
      'run.completed',
      'done',
    ]);
    assert.equal(frames.at(-1)!.data, '[DONE]');
    const deltas = frames.filter(({ event }) => event === 'thread.message.delta');
    assert.deepEqual(
      deltas.map(({ data }) => data.delta.content),
      [
        [{ index: 0, type: 'text', text: { value: 'one ', annotations: [] } }],
        [{ index: 0, type: 'text', text: { value: 'two ' } }],
        [{ index: 0, type: 'text', text: { value: 'three' } }],
      ],
    );
    const created = frames.find(({ event }) => event === 'thread.message.created')!;
    assert.deepEqual(created.data.content, []);
    assert.equal(created.data.status, 'in_progress');
  });

  it('puts thread.created first when the thread comes with the run', async () => {
    const { engine, assistant } = await bench(says('x'));
    const body = {
      assistant_id: assistant,
      stream: true,
      thread: { messages: [{ role: 'user', content: 'Hi' }] },
    };
    const frames = await framesOf(await send(engine, 'POST', '/threads/runs', body));
    assert.deepEqual(orderOf(frames).slice(0, 2), ['thread.created', 'run.created']);
    assert.equal(frames[1]!.data.thread_id, frames[0]!.data.id);
  });

  it('is read by the SDK: text', async () => {
    const { client, assistant, thread } = await bench(says('one two three'));
    const result = await read(client.beta.threads.runs.stream(thread, { assistant_id: assistant }));
    assert.equal(result.run.status, 'completed');
    assert.deepEqual([...result.heard].sort(), [
      'messageCreated',
      'messageDelta',
      'messageDone',
      'run',
      'runStepCreated',
      'runStepDone',
      'textCreated',
      'textDelta',
      'textDone',
    ]);
    const [message] = result.messages;
    assert.deepEqual(message!.content, [{ type: 'text', text: { value: 'one two three', annotations: [] } }]);
    assert.deepEqual(
      await client.beta.threads.messages.retrieve(message!.id, { thread_id: thread }),
      message,
    );
  });

  it('(b)(c) tells tool rounds in the recorded order, one step for parallel calls', async () => {
    const b = await bench(
      calls(['first', { a: 1 }], ['second', { b: [2] }]),
      calls(['third', {}]),
      says('Done'),
    );
    const frames = await framesOf(await startRun(b));
    assert.deepEqual(orderOf(frames), [...START, ...TOOLS, 'run.requires_action', 'done']);
    const toolDeltas = frames
      .filter(({ event }) => event === 'thread.run.step.delta')
      .map(({ data }) => data.delta.step_details.tool_calls);
    assert.deepEqual(
      toolDeltas.map(([{ index }]) => index),
      [0, 0, 0, 1, 1, 1],
    );
    assert.deepEqual(toolDeltas[0][0].function, { name: 'first', arguments: '', output: null });
    const { id: runId, required_action, usage } = frames.at(-2)!.data;
    assert.equal(usage, null);
    const ids: string[] = required_action.submit_tool_outputs.tool_calls.map(({ id }: { id: string }) => id);
    const submit = (tool_outputs: unknown) =>
      send(b.engine, 'POST', `/threads/${b.thread}/runs/${runId}/submit_tool_outputs`, {
        tool_outputs,
        stream: true,
      });

    const second = await framesOf(
      await submit(ids.map((tool_call_id, i) => ({ tool_call_id, output: `out ${i}` }))),
    );
    assert.deepEqual(orderOf(second), [
      'run.step.completed',
      'run.queued',
      'run.in_progress',
      ...TOOLS,
      'run.requires_action',
      'done',
    ]);
    const [step, queued] = second.map(({ data }) => data);
    assert.deepEqual(
      step.step_details.tool_calls.map((call: Json) => call.function.output),
      ['out 0', 'out 1'],
    );
    assert.equal(step.usage.total_tokens, USAGE.total_tokens);
    assert.equal(queued.required_action, null);

    const [{ id }] = second.at(-2)!.data.required_action.submit_tool_outputs.tool_calls;
    const third = await framesOf(await submit([{ tool_call_id: id, output: '' }]));
    assert.deepEqual(orderOf(third), [
      'run.step.completed',
      'run.queued',
      'run.in_progress',
      ...TEXT,
      'message.completed',
      'run.step.completed',
      'run.completed',
      'done',
    ]);
    assert.equal(third.at(-2)!.data.usage.total_tokens, 3 * USAGE.total_tokens);
  });

  it('is read by the SDK: parallel calls, their outputs, and the answer', async () => {
    const { client, assistant, thread } = await bench(
      calls(['first', { a: 1 }], ['second', { b: 2 }]),
      says('Done'),
    );
    const first = await read(client.beta.threads.runs.stream(thread, { assistant_id: assistant }));
    assert.equal(first.run.status, 'requires_action');
    for (const name of ['toolCallCreated', 'toolCallDelta', 'toolCallDone', 'runStepDelta'])
      assert(first.heard.has(name), name);
    const asked = first.run.required_action!.submit_tool_outputs.tool_calls;
    assert.deepEqual(
      asked.map((call) => [call.function.name, call.function.arguments]),
      [
        ['first', '{"a":1}'],
        ['second', '{"b":2}'],
      ],
    );
    const second = await read(
      client.beta.threads.runs.submitToolOutputsStream(first.run.id, {
        thread_id: thread,
        tool_outputs: asked.map(({ id }) => ({ tool_call_id: id, output: 'ok' })),
      }),
    );
    assert.equal(second.run.status, 'completed');
    assert.equal(second.messages.length, 1);
  });

  it('finishes a message before a tool step of the same turn', async () => {
    const both: Script = async function* (turn) {
      yield { type: 'text', delta: 'Let me look.' };
      yield* calls(['look', {}])(turn);
    };
    const frames = await framesOf(await startRun(await bench(both)));
    assert.deepEqual(orderOf(frames), [
      ...START,
      ...TEXT,
      'message.completed',
      'run.step.completed',
      ...TOOLS,
      'run.requires_action',
      'done',
    ]);
  });

  it('(e) tells hosted tools as steps of their own, and citations as deltas', async () => {
    const hosted: Script = async function* () {
      const code = (fields: object) => ({ id: 'ci_1', type: 'code_interpreter', code_interpreter: fields });
      yield { type: 'hosted_call', phase: 'started', index: 0, call: code({ input: '', outputs: [] }) };
      yield { type: 'hosted_call', phase: 'delta', index: 0, call: code({ input: '1 + ' }) };
      yield { type: 'hosted_call', phase: 'delta', index: 0, call: code({ input: '1' }) };
      yield {
        type: 'hosted_call',
        phase: 'done',
        index: 0,
        call: code({ input: '1 + 1', outputs: [{ type: 'logs', logs: '2' }] }),
      };
      yield { type: 'text', delta: 'Two [1]' };
      const file_citation = { file_id: 'file_1' };
      yield {
        type: 'annotation',
        annotation: { type: 'file_citation', text: '[1]', start_index: 4, end_index: 7, file_citation },
      };
      yield { type: 'end', reason: 'stop' };
    };
    const { client, assistant, thread } = await bench(hosted);
    const { run, steps, messages, events } = await read(
      client.beta.threads.runs.stream(thread, { assistant_id: assistant }),
    );
    assert.equal(run.status, 'completed');
    assert.deepEqual(orderOf(events).slice(3, 7), [...TOOLS, 'run.step.completed']);
    const [code] = (steps[0] as Json).step_details.tool_calls;
    assert.deepEqual(code.code_interpreter, { input: '1 + 1', outputs: [{ type: 'logs', logs: '2' }] });
    const [text] = messages[0]!.content as OpenAI.Beta.Threads.TextContentBlock[];
    assert.equal(text!.text.annotations.length, 1);
  });

  it('shows found texts only to those who ask', async () => {
    const search: Script = async function* () {
      const results = [
        { file_id: 'f', file_name: 'n', score: 0.5, content: [{ type: 'text', text: 'found' }] },
      ];
      yield {
        type: 'hosted_call',
        phase: 'started',
        index: 0,
        call: { type: 'file_search', file_search: {} },
      };
      yield {
        type: 'hosted_call',
        phase: 'done',
        index: 0,
        call: { type: 'file_search', file_search: { results } },
      };
      yield { type: 'end', reason: 'stop' };
    };
    const { client, assistant, thread } = await bench(search);
    const run = await client.beta.threads.runs.stream(thread, { assistant_id: assistant }).finalRun();
    const include = ['step_details.tool_calls[*].file_search.results[*].content' as const];
    const resultOf = (step: OpenAI.Beta.Threads.Runs.RunStep) =>
      (step.step_details as Json).tool_calls[0].file_search.results[0];
    const [plain] = (await client.beta.threads.runs.steps.list(run.id, { thread_id: thread })).data;
    const [full] = (await client.beta.threads.runs.steps.list(run.id, { thread_id: thread, include })).data;
    assert.deepEqual(resultOf(plain!), { file_id: 'f', file_name: 'n', score: 0.5 });
    assert.equal(resultOf(full!).content[0].text, 'found');
    for (const [asked, shown] of [
      [[], false],
      [include, true],
    ] as const) {
      const stream = client.beta.threads.runs.stream(thread, {
        assistant_id: assistant,
        include: [...asked],
      });
      const [step] = await stream.finalRunSteps();
      assert.equal(resultOf(step!).content !== undefined, shown);
    }
    const one = await client.beta.threads.runs.steps.retrieve(plain!.id, {
      thread_id: thread,
      run_id: run.id,
      include,
    });
    assert.deepEqual(one, full);
  });

  it('ends a failed run with its message, its step and last_error', async () => {
    const fails: Script = async function* () {
      yield { type: 'text', delta: 'Half' };
      throw trouble('The provider broke off.');
    };
    const b = await bench(fails);
    const frames = await framesOf(await startRun(b));
    assert.deepEqual(orderOf(frames), [
      ...START,
      ...TEXT,
      'message.incomplete',
      'run.step.failed',
      'run.failed',
      'done',
    ]);
    const [message, step, run] = frames.slice(-4).map(({ data }) => data);
    assert.deepEqual(message.incomplete_details, { reason: 'run_failed' });
    assert.equal(message.content[0].text.value, 'Half');
    assert.deepEqual(step.last_error, {
      code: 'server_error',
      message: trouble('The provider broke off.').message,
    });
    assert.deepEqual(run.last_error, step.last_error);
    assert.equal(run.expires_at, null);
    assert.equal(typeof run.failed_at, 'number');
    assert.equal(run.completed_at, null);
  });

  it('ends a cancelled run: cancelling, then cancelled, and the model request is aborted', async () => {
    let signal: AbortSignal | undefined;
    const b = await bench((turn) => {
      signal = turn.signal;
      return hangs('Half')(turn);
    });
    const stream = b.client.beta.threads.runs.stream(b.thread, { assistant_id: b.assistant });
    stream.once('textDelta', async () => {
      const run = await b.client.beta.threads.runs.cancel(stream.currentRun()!.id, { thread_id: b.thread });
      assert.equal(run.status, 'cancelling');
      assert.equal(run.cancelled_at, null);
      assert(signal!.aborted);
    });
    const { run, events } = await read(stream);
    assert.deepEqual(orderOf(events), [
      ...START,
      ...TEXT,
      'message.incomplete',
      'run.step.cancelled',
      'run.cancelling',
      'run.cancelled',
    ]);
    assert.equal(run.status, 'cancelled');
    assert.equal(typeof run.cancelled_at, 'number');
  });

  it('ends an expired run with its message and its step', async () => {
    let seconds = 1_800_000_000;
    const { engine, client } = await workshop.open(new ScriptedModel(hangs('Half')), {
      clock: () => seconds * 1000,
      expirySeconds: 30,
    });
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'm', instructions: 'x' });
    const stream = client.beta.threads.createAndRunStream({ assistant_id });
    stream.once('textDelta', async () => {
      seconds += 30;
      await engine.sweep();
    });
    const { run, events, messages, steps } = await read(stream);
    assert.deepEqual(orderOf(events), [
      'thread.created',
      ...START,
      ...TEXT,
      'message.incomplete',
      'run.step.expired',
      'run.expired',
    ]);
    assert.deepEqual([run.status, run.expires_at], ['expired', seconds]);
    assert.deepEqual(messages[0]!.incomplete_details, { reason: 'run_expired' });
    assert.equal((steps[0] as Json).expired_at, seconds);
  });

  it('expires by itself, on the wall clock', async () => {
    const { client } = await workshop.open(new ScriptedModel(hangs('Half')), { expirySeconds: 1 });
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'm', instructions: 'x' });
    assert.equal(
      (await client.beta.threads.createAndRunStream({ assistant_id }).finalRun()).status,
      'expired',
    );
  });

  it('is one story, whenever the cancel comes', async () => {
    const b = await bench(says('one two three four five six'));
    for (let pause = 0; pause < 60; pause++) {
      const thread = { messages: [{ role: 'user' as const, content: 'Hi' }] };
      const stream = b.client.beta.threads.createAndRunStream({ assistant_id: b.assistant, thread });
      stream.once('event', async () => {
        const { id, thread_id } = await until(async () => stream.currentRun());
        for (let i = 0; i < pause; i++) await Promise.resolve();
        await b.client.beta.threads.runs.cancel(id, { thread_id }).catch(() => {});
      });
      const { run } = await read(stream);
      const stored = await b.client.beta.threads.runs.retrieve(run.id, { thread_id: run.thread_id });
      assert.deepEqual(stored, run);
      assert(run.status === 'cancelled' || run.status === 'completed', run.status);
    }
  });

  it('does not wait for a model that ignores its signal', async () => {
    const deaf: Script = async function* () {
      yield { type: 'text', delta: 'Half' };
      await new Promise(() => {});
    };
    const b = await bench(deaf);
    const stream = b.client.beta.threads.runs.stream(b.thread, { assistant_id: b.assistant });
    stream.once('textDelta', () =>
      b.client.beta.threads.runs.cancel(stream.currentRun()!.id, { thread_id: b.thread }),
    );
    assert.equal((await stream.finalRun()).status, 'cancelled');
  });

  it('ends an incomplete run in the order that clients know', async () => {
    const cut: Script = async function* () {
      yield { type: 'text', delta: 'Half' };
      yield { type: 'end', reason: 'length' };
    };
    const b = await bench(cut);
    const frames = await framesOf(await startRun(b, { max_completion_tokens: 16 }));
    assert.deepEqual(orderOf(frames), [
      ...START,
      ...TEXT,
      'message.incomplete',
      'run.step.completed',
      'run.incomplete',
      'done',
    ]);
    const [message, , run] = frames.slice(-4).map(({ data }) => data);
    assert.deepEqual(message.incomplete_details, { reason: 'max_tokens' });
    assert.deepEqual(run.incomplete_details, { reason: 'max_completion_tokens' });
    assert.equal(run.expires_at, null);
    assert.equal(typeof run.completed_at, 'number');
  });

  it('ends an incomplete run where a filter stopped the answer, or a call was cut off', async () => {
    const filtered: Script = async function* () {
      yield { type: 'text', delta: 'Half' };
      yield { type: 'end', reason: 'content_filter' };
    };
    const cutCall: Script = async function* () {
      yield { type: 'call', index: 0, id: 'x', name: 'f' };
      yield { type: 'call_arguments', index: 0, delta: '{"a":' };
      yield { type: 'end', reason: 'length' };
    };
    const b = await bench(filtered, cutCall);
    const first = await framesOf(await startRun(b));
    assert.equal(first.at(-4)!.data.incomplete_details.reason, 'content_filter');
    assert.equal(first.at(-2)!.event, 'thread.run.incomplete');
    const { run } = await read(b.client.beta.threads.runs.stream(b.thread, { assistant_id: b.assistant }));
    assert.equal(run.status, 'incomplete');
    assert.deepEqual(run.incomplete_details, { reason: 'max_completion_tokens' });
  });

  it('tells refusals as parts of their own', async () => {
    const refuses: Script = async function* () {
      yield { type: 'refusal', delta: 'I ' };
      yield { type: 'refusal', delta: 'will not.' };
      yield { type: 'end', reason: 'stop' };
    };
    const { client, assistant, thread } = await bench(refuses);
    const { messages } = await read(client.beta.threads.runs.stream(thread, { assistant_id: assistant }));
    assert.deepEqual(messages[0]!.content, [{ type: 'refusal', refusal: 'I will not.' }]);
  });

  it('waits for its tools, whatever the model still says after calling them', async () => {
    const after: ModelEvent[] = [
      { type: 'text', delta: 'So' },
      { type: 'refusal', delta: 'No' },
      {
        type: 'annotation',
        annotation: { type: 'file_citation', text: '', file_citation: { file_id: 'f' } },
      },
    ];
    for (const event of after) {
      const talksOn: Script = async function* (turn) {
        for await (const said of calls(['a', {}])(turn)) {
          if (said.type === 'end') yield event;
          yield said;
        }
      };
      const frames = await framesOf(await startRun(await bench(talksOn)));
      assert.deepEqual(orderOf(frames), [...START, ...TOOLS, 'run.requires_action', 'done'], event.type);
    }
  });

  it('ends the stream with an error event when the thread is deleted under it', async () => {
    const b = await bench(hangs('Half'));
    const stream = b.client.beta.threads.runs.stream(b.thread, { assistant_id: b.assistant });
    const deleted = new Promise((resolve) => {
      stream.once('textDelta', () => resolve(b.client.beta.threads.delete(b.thread)));
    });
    await assert.rejects(stream.finalRun(), /No run found with id/);
    await deleted;
    await assert.rejects(b.client.beta.threads.retrieve(b.thread), { status: 404 });
  });

  it('lets two readers read one run, and goes on when the first goes away', async () => {
    const { promise: told, resolve: tell } = Promise.withResolvers<void>();
    const waits: Script = async function* (turn) {
      yield { type: 'text', delta: 'first ' };
      await told;
      yield* says('second')(turn);
    };
    const b = await bench(waits);
    const response = await startRun(b);
    const reader = response.body!.getReader();
    let seen = '';
    while (!seen.includes('message.delta')) seen += new TextDecoder().decode((await reader.read()).value);
    const runId = /"id":"(run_\w+)"/.exec(seen)![1];
    const second = await send(b.engine, 'GET', `/threads/${b.thread}/runs/${runId}?stream=true`);
    const third = await send(b.engine, 'GET', `/threads/${b.thread}/runs/${runId}?stream=true`);
    const fourth = await send(
      b.engine,
      'GET',
      `/threads/${b.thread}/runs/${runId}?stream=true&starting_after=4`,
    );
    await reader.cancel();
    tell();
    const frames = await framesOf(second);
    assert.deepEqual(await framesOf(fourth), frames.slice(4));
    assert.deepEqual(orderOf(frames), [
      ...START,
      ...TEXT,
      'message.completed',
      'run.step.completed',
      'run.completed',
      'done',
    ]);
    assert.deepEqual(await framesOf(third), frames);
    assert(seen.startsWith('event: thread.run.created\ndata: {'));
    const late = await framesOf(
      await send(b.engine, 'GET', `/threads/${b.thread}/runs/${runId}?stream=true`),
    );
    assert.deepEqual(
      late.map(({ event }) => event),
      ['thread.run.completed', 'done'],
    );
  });

  it('shows a run that another process has in hand until it rests', async () => {
    const b = await bench(says('mine'));
    const { id } = await b.client.beta.threads.runs.createAndPoll(b.thread, { assistant_id: b.assistant });
    const { db } = b.engine.service.store;
    const set = (status: 'in_progress' | 'completed') =>
      db.updateTable('runs').set({ status }).where('id', '=', id).execute();
    await set('in_progress');
    const stream = await send(b.engine, 'GET', `/threads/${b.thread}/runs/${id}?stream=true`);
    const reader = stream.body!.getReader();
    // Between machines the events themselves are told; what an owner that tells nothing does is seen at its end.
    if (kind === 'SQLite') {
      const first = new TextDecoder().decode((await reader.read()).value);
      assert(first.startsWith('event: thread.run.in_progress'));
    }
    await set('completed');
    let rest = '';
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      rest += new TextDecoder().decode(piece.value);
    }
    assert.deepEqual(rest.match(/(?<=event: ).*/g), ['thread.run.completed', 'done']);
  });

  it('keeps to the contract in every event', async () => {
    const fails: Script = async function* () {
      yield { type: 'call', index: 0, id: 'x', name: 'f' };
      throw trouble('No.', { reason: 'provider_rate_limited' });
    };
    const b = await bench(says('one two'), calls(['a', {}], ['b', { c: 1 }]), fails, says('never'));
    const all = [...(await framesOf(await startRun(b)))];
    const second = await framesOf(await startRun(b, { metadata: { a: 'b' }, tool_choice: 'required' }));
    const run = second.at(-2)!.data;
    const tool_outputs = run.required_action.submit_tool_outputs.tool_calls.map((call: Json) => ({
      tool_call_id: call.id,
      output: 'x',
    }));
    const path = `/threads/${b.thread}/runs/${run.id}/submit_tool_outputs`;
    all.push(
      ...second,
      ...(await framesOf(await send(b.engine, 'POST', path, { tool_outputs, stream: true }))),
    );
    assert.equal(all.at(-2)!.event, 'thread.run.failed');
    for (const frame of all) holdFrame(frame);
    assert(all.length > 30);
  });
});
