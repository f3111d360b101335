/** What the user says: from whatever a flow carries, or from the form; and nothing paid for where nothing is said. */
import assert from 'node:assert/strict';
import { json, sse, startServer, type TestServer } from '../support/http-server.ts';
import { run, textStream } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';

onEachRuntime('what the user says', (start) => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startServer((_, response) => json(response, run()));
  });
  afterEach(() => server.close());

  const service = () => ({ backend: 'server', url: `${server.url}/v1`, retries: 0 });
  const asst = { assistant_id: { type: 'str', value: 'asst_1' } };
  const thread = { thread_id: { type: 'str', value: 'thread_1' } };
  const flowOf = (more: Msg = {}) =>
    start(flowWith({ method: 'createThreadAndRun', delivery: 'start', fields: asst, ...more }, service()));
  const sent = () => server.received[0]?.body.thread?.messages;

  const said: [what: string, payload: unknown, content: string][] = [
    ['a number', 21.5, '21.5'],
    ['a timestamp', 1764200000000, '1764200000000'],
    ['a boolean', false, 'false'],
    ['a Buffer of text', Buffer.from('Grüße'), 'Grüße'],
    ['a text', ' Hi ', ' Hi '],
  ];
  for (const [what, payload, content] of said) {
    it(`takes ${what} for the user's message`, async () => {
      const flow = await flowOf();
      flow.send({ payload });
      await flow.wait('out');
      assert.deepEqual(sent(), [{ role: 'user', content }]);
    });
  }

  it('takes an array of messages for what was said before', async () => {
    const payload = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello!' },
      { role: 'user', content: [{ type: 'text', text: 'And?' }] },
    ];
    const flow = await flowOf();
    flow.send({ payload });
    await flow.wait('out');
    assert.deepEqual(sent(), payload);
  });

  const silent: [what: string, payload: unknown][] = [
    ['an empty text', ''],
    ['blanks', ' \n'],
    ['an empty Buffer', Buffer.alloc(0)],
    ['a picture', Buffer.from([0xff, 0xd8, 0xff, 0xe0])],
    ['an empty list', []],
    ['a list of something else', ['a', 1]],
    ['nothing', undefined],
    ['null', null],
  ];
  for (const [what, payload] of silent) {
    it(`refuses to begin a conversation with ${what}`, async () => {
      const flow = await flowOf();
      flow.send({ payload });
      const { error } = await flow.wait('caught');
      assert.match(error.message, /^There is nothing to say: msg\.payload holds no message\./);
      assert.equal(error.code, 'empty_message');
      assert.equal(server.received.length, 0);
    });
  }

  it('goes on with a thread where the message says nothing of what to say, but not with an empty text', async () => {
    const flow = await flowOf({ method: 'createRun', fields: { ...asst, ...thread } });
    flow.send({ topic: 'x' });
    await flow.wait('out');
    assert.deepEqual(server.received[0]?.body, { assistant_id: 'asst_1', stream: false });
    flow.send({ payload: '' });
    assert.equal((await flow.wait('caught')).error.code, 'empty_message');
    assert.equal(server.received.length, 1);
  });

  it('leaves requests in the names of the API as they are', async () => {
    const flow = await flowOf();
    flow.send({ payload: { instructions: 'Greet.' } });
    await flow.wait('out');
    assert.deepEqual(server.received[0]?.body, {
      assistant_id: 'asst_1',
      instructions: 'Greet.',
      stream: false,
    });
  });

  const forms: [type: string, message: string, content: string][] = [
    ['str', 'Good morning', 'Good morning'],
    ['jsonata', '"It is " & payload.celsius & " °C"', 'It is 21.5 °C'],
    ['msg', 'question.text', 'Why?'],
  ];
  for (const [messageType, message, content] of forms) {
    it(`takes the message of the form, ${messageType}, and the other fields from the payload`, async () => {
      const flow = await flowOf({ message, messageType });
      flow.send({ payload: { celsius: 21.5, metadata: { a: 'b' } }, question: { text: 'Why?' } });
      await flow.wait('out');
      assert.deepEqual(sent(), [{ role: 'user', content }]);
      assert.deepEqual(server.received[0]?.body.metadata, { a: 'b' });
    });
  }

  it('says where it looked when the form leads to nothing', async () => {
    const flow = await flowOf({ message: 'question', messageType: 'msg' });
    flow.send({ payload: { metadata: { a: 'b' } } });
    assert.match((await flow.wait('caught')).error.message, /: msg\.question holds no message/);
  });

  it('streams the text only, a message a piece, and the result behind it', async () => {
    const flow = await flowOf({ delivery: 'stream', streamed: 'text', result: 'text' });
    server.answer = (_, response) => {
      const write = sse(response);
      for (const [event, data] of textStream(['Good ', 'morning'])) write(event, data);
      write();
    };
    flow.send({ payload: 'Hi', topic: 't' });
    assert.equal((await flow.wait('out')).payload, 'Good morning');
    const pieces = flow
      .out('second')
      .map(({ payload, event, topic, seq }) => ({ payload, event, topic, seq }));
    assert.deepEqual(pieces, [
      { payload: 'Good ', event: 'thread.message.delta', topic: 't', seq: 0 },
      { payload: 'morning', event: 'thread.message.delta', topic: 't', seq: 1 },
    ]);
  });
});
