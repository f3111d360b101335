/** Where a request's fields come from: the form in every typedInput type, then the payload wherever it is kept. */
import assert from 'node:assert/strict';
import helper from 'node-red-node-test-helper';
import { json, startServer, type TestServer } from '../support/http-server.ts';
import { run } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';

const payload = { thread_id: 'thread_1', assistant_id: 'asst_payload' };

onEachRuntime('fields', (start) => {
  let server: TestServer;
  const service = () => ({ backend: 'server', url: `${server.url}/v1` });
  const createRun = (more: Msg = {}) =>
    flowWith({ method: 'createRun', delivery: 'start', ...more }, service());
  // biome-ignore lint/suspicious/noExplicitAny: the helper's types leave contexts out
  const context = () => (helper.getNode('runs') as any).context();

  beforeEach(async () => {
    server = await startServer((_request, response) => json(response, run()));
    process.env.RUNS_TEST = 'from the environment';
    process.env.RUNS_TEST_NUMBER = '0.25';
    process.env.RUNS_TEST_JSON = '{"room":"hall"}';
  });
  afterEach(async () => {
    for (const name of ['RUNS_TEST', 'RUNS_TEST_NUMBER', 'RUNS_TEST_JSON']) delete process.env[name];
    await server.close();
  });

  const types: [string, Msg, unknown][] = [
    ['instructions', { type: 'str', value: 'plain' }, 'plain'],
    ['temperature', { type: 'str', value: '0.5' }, 0.5],
    ['max_prompt_tokens', { type: 'num', value: '300' }, 300],
    ['temperature', { type: 'num', value: '0' }, 0],
    ['parallel_tool_calls', { type: 'bool', value: 'false' }, false],
    ['metadata', { type: 'json', value: '{"room":"attic"}' }, { room: 'attic' }],
    ['response_format', { type: 'json', value: '{"type":"text"}' }, { type: 'text' }],
    ['tool_choice', { type: 'str', value: 'required' }, 'required'],
    ['instructions', { type: 'msg', value: 'deep.text' }, 'from the message'],
    ['metadata', { type: 'msg', value: 'deep.meta["a b"]' }, { c: 'd' }],
    ['instructions', { type: 'flow', value: 'words' }, 'from the flow'],
    ['instructions', { type: 'global', value: 'words' }, 'from everywhere'],
    ['instructions', { type: 'env', value: 'RUNS_TEST' }, 'from the environment'],
    ['temperature', { type: 'env', value: 'RUNS_TEST_NUMBER' }, 0.25],
    ['metadata', { type: 'env', value: 'RUNS_TEST_JSON' }, { room: 'hall' }],
    ['instructions', { type: 'env', value: 'It is $' + '{RUNS_TEST}.' }, 'It is from the environment.'],
    ['temperature', { type: 'jsonata', value: '$number("1") / 4' }, 0.25],
    ['tools', { type: 'jsonata', value: 'deep.names.{"type": $}' }, [{ type: 'a' }, { type: 'b' }]],
  ];
  it('are read in every type that a typedInput has', async () => {
    const flow = await start(createRun());
    for (const [index, [name, field, sent]] of types.entries()) {
      await flow.deploy(createRun({ fields: { [name]: field } }));
      context().flow.set('words', 'from the flow');
      context().global.set('words', 'from everywhere');
      const deep = { text: 'from the message', meta: { 'a b': { c: 'd' } }, names: ['a', 'b'] };
      flow.send({ payload: { ...payload, [name]: 'of the payload' }, deep });
      await flow.wait('out', index + 1);
      assert.deepEqual(server.received.at(-1)?.body[name], sent, `${name} as ${field.type} ${field.value}`);
    }
    assert.deepEqual(flow.out('caught'), []);
  });

  const nothing: Msg[] = [
    { type: 'str', value: '' },
    { type: 'msg', value: 'nowhere' },
    { type: 'msg', value: 'nowhere.deeper.still' },
    { type: 'flow', value: 'nowhere' },
    { type: 'global', value: 'nowhere.deeper' },
    { type: 'env', value: 'RUNS_TEST_NOT_SET' },
    { type: 'jsonata', value: 'nowhere' },
  ];
  it('that lead nowhere are taken from the payload', async () => {
    const flow = await start(createRun());
    for (const [index, field] of nothing.entries()) {
      await flow.deploy(createRun({ fields: { instructions: field } }));
      flow.send({ payload: { ...payload, instructions: 'of the payload' } });
      await flow.wait('out', index + 1);
      const { body } = server.received.at(-1) as Msg;
      assert.equal(body.instructions, 'of the payload', `${field.type} ${field.value}`);
    }
  });

  it('that lead nowhere and are needed are named with both places', async () => {
    const fields = { thread_id: { type: 'msg', value: 'chat.thread' } };
    const flow = await start(createRun({ fields }));
    flow.send({ payload: { assistant_id: 'a' } });
    const { error } = await flow.wait('caught');
    assert.match(error.message, /\(thread_id\) is missing.*msg\.chat\.thread.*msg\.payload/);
    assert.equal(error.cause.param, 'thread_id');
    assert.equal(server.received.length, 0);
  });

  const broken: [Msg, RegExp][] = [
    [{ type: 'json', value: '{"a":' }, /^metadata can't be read \(json\): .*JSON/],
    [{ type: 'jsonata', value: '$nofunction(' }, /^metadata can't be read \(jsonata\): /],
    [{ type: 'jsonata', value: '$error("too cold")' }, /^metadata can't be read \(jsonata\): .*too cold/],
    [{ type: 'json', value: '[1]' }, /^Metadata in the form must be object, but is array/],
    [{ type: 'num', value: '7' }, /^Metadata in the form must be object, but is number/],
    [{ type: 'str', value: 'words' }, /^Metadata in the form must be object, but is string/],
    [{ type: 'bool', value: 'true' }, /^Metadata in the form must be object, but is boolean/],
    [{ type: 'jsonata', value: 'function($x) { $x }' }, /^Metadata in the form /],
  ];
  it('that are wrong are refused by name', async () => {
    const flow = await start(createRun());
    for (const [index, [field, wording]] of broken.entries()) {
      await flow.deploy(createRun({ fields: { metadata: field } }));
      flow.send({ payload });
      const { error } = await flow.wait('caught', index + 1);
      assert.match(error.message, wording);
      assert.equal(error.cause.param, 'metadata');
    }
    assert.equal(server.received.length, 0);
  });

  it('num that is no number is refused', async () => {
    const flow = await start(createRun({ fields: { temperature: { type: 'num', value: 'warm' } } }));
    flow.send({ payload });
    assert.match(
      (await flow.wait('caught')).error.message,
      /^Temperature in the form must be number, but is NaN/,
    );
  });

  it('of the form win over the payload, one by one', async () => {
    const fields = {
      assistant_id: { type: 'str', value: 'asst_form' },
      thread_id: { type: 'str', value: '' },
    };
    const flow = await start(createRun({ fields }));
    flow.send({ payload: { ...payload, model: 'm' } });
    await flow.wait('out');
    assert.equal(server.received[0]?.path, '/v1/threads/thread_1/runs');
    assert.deepEqual(server.received[0]?.body, { assistant_id: 'asst_form', model: 'm', stream: false });
  });

  for (const propertyType of ['msg', 'flow', 'global']) {
    it(`are read from another ${propertyType} property, which goes into a refusal too`, async () => {
      const flow = await start(createRun({ property: 'ask.run', propertyType }));
      const put = (value: unknown): Msg => {
        if (propertyType === 'msg') return { payload: 'untouched', ask: { run: value } };
        context()[propertyType].set('ask', { run: value });
        return { payload: 'untouched' };
      };
      flow.send(put({ ...payload, model: propertyType }));
      await flow.wait('out');
      assert.equal(server.received[0]?.body.model, propertyType);
      flow.send(put({ assistant_id: 'a' }));
      const { error } = await flow.wait('caught');
      assert.ok(error.message.includes(`in ${propertyType}.ask.run.`), error.message);
    });
  }

  it('missing altogether, the place is named with what is there', async () => {
    const flow = await start(createRun({ property: 'ask.run' }));
    flow.send({ payload });
    assert.match(
      (await flow.wait('caught')).error.message,
      /msg\.ask\.run \(which is undefined, not an object\)/,
    );
  });

  const asst = { assistant_id: { type: 'str', value: 'asst_form' } };
  const texts: [string, Msg, Msg, Msg][] = [
    ['createRun', {}, {}, { additional_messages: [{ role: 'user', content: 'Hi' }] }],
    [
      'createRun',
      { additional_messages: { type: 'json', value: '[{"role":"user","content":"form"}]' } },
      {},
      { additional_messages: [{ role: 'user', content: 'form' }] },
    ],
    ['createThreadAndRun', {}, {}, { thread: { messages: [{ role: 'user', content: 'Hi' }] } }],
    [
      'createThreadAndRun',
      { thread: { type: 'json', value: '{"metadata":{"a":"b"}}' } },
      {},
      { thread: { messages: [{ role: 'user', content: 'Hi' }], metadata: { a: 'b' } } },
    ],
  ];
  for (const [method, more, , body] of texts) {
    it(`a text is the user's message in ${method}, with ${Object.keys(more)[0] ?? 'nothing'} in the form`, async () => {
      const thread = method === 'createRun' ? { thread_id: { type: 'str', value: 'thread_1' } } : {};
      const flow = await start(
        flowWith({ method, delivery: 'start', fields: { ...asst, ...thread, ...more } }, service()),
      );
      flow.send({ payload: 'Hi' });
      await flow.wait('out');
      assert.deepEqual(server.received[0]?.body, { assistant_id: 'asst_form', ...body, stream: false });
    });
  }

  it('a text beside a thread that is no object is refused, not mixed into it', async () => {
    const fields = { ...asst, thread: { type: 'json', value: '["a"]' } };
    const flow = await start(flowWith({ method: 'createThreadAndRun', fields }, service()));
    flow.send({ payload: 'Hi' });
    assert.match(
      (await flow.wait('caught')).error.message,
      /^Thread in the form must be object, but is array/,
    );
    assert.equal(server.received.length, 0);
  });

  it('a text is no request for a method without messages', async () => {
    const flow = await start(flowWith({ method: 'getRun' }, service()));
    flow.send({ payload: 'run_1' });
    assert.match(
      (await flow.wait('caught')).error.message,
      /\(thread_id\) is missing.*which is string, not an object/,
    );
  });

  it('stream: true asks for the stream, false for none, null for what the node says', async () => {
    const flow = await start(createRun({ delivery: 'stream' }));
    server.answer = (_request, response) => json(response, run({ status: 'requires_action' }));
    for (const [index, stream] of [true, false, null].entries()) {
      flow.send({ payload: { ...payload, stream } });
      await flow.wait('completed', index + 1);
    }
    await flow.deploy(createRun({ delivery: 'start' }));
    flow.send({ payload: { ...payload, stream: true } });
    await flow.wait('completed', 4);
    const sent = server.received.filter(({ method }) => method === 'POST').map(({ body }) => body.stream);
    assert.deepEqual(sent, [true, true, true, true]);
    const events = flow.out('second').length;
    assert.equal(events, 2);
  });
});
