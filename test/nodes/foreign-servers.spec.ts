/** Servers that others wrote, as they are: stand-ins made from their sources (see test/support). */
import assert from 'node:assert/strict';
import helper from 'node-red-node-test-helper';
import { EVERY_WAY, type Ids, requestsOf } from '../support/every-method.ts';
import type { TestServer } from '../support/http-server.ts';
import { type LangGraph, startLangGraph } from '../support/lang-graph.ts';
import { startOpenAssistantApi } from '../support/open-assistant-api.ts';
import { startOpenOpenAI } from '../support/open-open-ai.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';

onEachRuntime('a server that speaks LangGraph’s protocol', (start) => {
  let server: LangGraph;
  let loaded = false;
  const uuid = '5a1f0d3c-0000-4000-8000-00000000000';
  const requests = requestsOf({
    assistant_id: `${uuid}3`,
    thread_id: `${uuid}1`,
    run_id: `${uuid}2`,
    step_id: `${uuid}4`,
    message_id: `${uuid}5`,
    call_id: 'call_1',
  });
  const flowOf = async (node: Msg, path = '') => {
    if (loaded) await helper.unload();
    loaded = true;
    return start(flowWith(node, { backend: 'server', url: `${server.url}${path}`, retries: 0 }));
  };

  afterEach(async () => {
    loaded = false;
    await server.close();
  });

  for (const { title, options, path } of [
    { title: 'at its own address', options: {}, path: '' },
    { title: 'without its /info', options: { info: false }, path: '/' },
    { title: 'under an address with /v1, where it has nothing', options: {}, path: '/v1' },
  ]) {
    it(`is called by its name by every method, and nothing changes there: ${title}`, async () => {
      server = await startLangGraph(options);
      for (const { id, delivery } of EVERY_WAY) {
        const flow = await flowOf({ method: id, delivery }, path);
        flow.send({ payload: requests[id] });
        const { error } = await flow.wait('caught');
        const where = `${id} ${delivery}: ${error.message}`;
        // `GET /models` is nobody's there, and without /info a path that is not there says nothing.
        if (title === 'without its /info' && error.cause.status === 404) continue;
        assert.match(error.message, /speaks another protocol \(LangGraph\)/, where);
        assert.equal(error.cause.code, 'other_protocol', where);
      }
      assert.deepEqual(server.changes, []);
    });
  }

  it('is asked once in the life of a connection', async () => {
    server = await startLangGraph();
    const flow = await flowOf({ method: 'createThread' });
    for (let count = 1; count <= 3; count++) {
      flow.send({ payload: requests.createThread });
      await flow.wait('caught', count);
    }
    assert.deepEqual(
      server.received.map(({ method, path }) => `${method} ${path}`),
      ['GET /assistants', 'GET /info'],
    );
  });

  it('is known by its first answer where a proxy has put it under /v1', async () => {
    server = await startLangGraph({ prefix: '/v1' });
    const flow = await flowOf({ method: 'createThread' }, '/v1');
    flow.send({ payload: requests.createThread });
    const { error } = await flow.wait('caught');
    assert.match(error.message, /^The server speaks another protocol \(LangGraph\)/);
  });
});

/** A server that speaks the API in its own way: what it can't do is told by a sentence each. */
const OWN_WAYS: {
  name: string;
  begin: () => Promise<TestServer>;
  path: string;
  refused: Record<string, RegExp>;
  times: string;
}[] = [
  {
    name: 'OpenOpenAI',
    begin: startOpenOpenAI,
    path: '',
    refused: {
      modifyThread: /^The server failed \(500\): Internal Server Error/,
      deleteThread: /^The server failed \(500\): Internal Server Error/,
      deleteMessage: /\(404\)\. 404 Not Found/,
      listModels: /\(404\)\. 404 Not Found/,
    },
    times: 'number',
  },
  {
    name: 'open-assistant-api',
    begin: startOpenAssistantApi,
    path: '/api/v1',
    refused: {
      'createThreadAndRun wait': /before the server named the run/,
      'createThreadAndRun stream': /before the server named the run/,
      deleteMessage: /^The server has no such method \(405\): Method Not Allowed/,
      listModels: /^The server has no such method \(404\): Not Found/,
    },
    times: 'string',
  },
];

const LAMP = [{ type: 'function', function: { name: 'switch_lamp', parameters: {} } }];

for (const { name, begin, path, refused, times } of OWN_WAYS) {
  onEachRuntime(`a stand-in for ${name}`, (start) => {
    let server: TestServer;
    let loaded = false;
    const flowOf = async (node: Msg) => {
      if (loaded) await helper.unload();
      loaded = true;
      return start(flowWith(node, { backend: 'server', url: `${server.url}${path}`, retries: 0 }));
    };
    /** Asks the server as its own client would. */
    const call = async (at: string, body?: object): Promise<Msg> => {
      const headers = { 'content-type': 'application/json' };
      const sent = body && { method: 'POST', headers, body: JSON.stringify(body) };
      return (await fetch(`${server.url}${path}${at}`, sent)).json() as Promise<Msg>;
    };
    /** An assistant, a thread on which something was said, and a run on it that has come as far as `status`. */
    const seed = async (said: string, status?: string, tools: object[] = []): Promise<Ids> => {
      const shape = { model: 'model-x', instructions: 'Help.', tools };
      const { id: assistant_id } = await call('/assistants', shape);
      const { id: thread_id } = await call('/threads', { messages: [{ role: 'user', content: said }] });
      const [message] = (await call(`/threads/${thread_id}/messages`)).data;
      const ids = { assistant_id, thread_id, message_id: message.id, call_id: 'call_1' };
      if (!status) return { ...ids, run_id: '', step_id: '' };
      const { id: run_id } = await call(`/threads/${thread_id}/runs`, { assistant_id, ...shape });
      while ((await call(`/threads/${thread_id}/runs/${run_id}`)).status !== status);
      const [step] = (await call(`/threads/${thread_id}/runs/${run_id}/steps`)).data;
      return { ...ids, run_id, step_id: step?.id ?? '' };
    };

    beforeEach(async () => {
      server = await begin();
    });
    afterEach(async () => {
      loaded = false;
      await server.close();
    });

    it('answers every method, in each delivery, or a sentence says why not', async function () {
      this.timeout(60_000);
      for (const { id, delivery } of EVERY_WAY) {
        const where = `${id} ${delivery}`;
        let ids: Ids;
        if (id === 'submitToolOutputsToRun') ids = await seed('Lamp', 'requires_action', LAMP);
        else if (id === 'cancelRun') ids = await seed('Wait', 'in_progress');
        else ids = await seed('Hello', id === 'createRun' ? undefined : 'completed');
        const flow = await flowOf({ method: id, delivery, failures: 'output' });
        flow.send({ payload: requestsOf(ids)[id] });
        const words = refused[id] ?? refused[where];
        if (words) {
          assert.match((await flow.wait('caught')).error.message, words, where);
          continue;
        }
        const out = await Promise.race([flow.wait('out'), flow.wait('caught')]);
        assert.equal(out.error, undefined, `${where}: ${out.error?.message}`);
        if (id.startsWith('list')) assert.ok(out.payload.data.length > 0, where);
        else assert.ok(out.payload.id, where);
        if (id.startsWith('get')) assert.equal(typeof out.payload.created_at, times, where);
        if (delivery === 'start') continue;
        const said = { submitToolOutputsToRun: 'The lamp is on', cancelRun: undefined } as Msg;
        assert.equal(out.run.status, id === 'cancelRun' ? 'cancelled' : 'completed', where);
        assert.equal(out.reply, id in said ? said[id] : 'You said: Hello', where);
        if (delivery === 'stream') assert.ok(flow.out('second').length > 0, where);
      }
    });

    it('calls tools, and each call is answered once', async () => {
      for (const delivery of ['wait', 'stream']) {
        const { assistant_id, thread_id } = await seed('Lamp', undefined, LAMP);
        const flow = await flowOf({ method: 'createRun', delivery, tools: true, result: 'text' });
        flow.send({ payload: { thread_id, assistant_id, model: 'model-x', instructions: 'Help.' } });
        const asked = await flow.wait('second');
        assert.deepEqual([asked.tool.name, asked.payload], ['switch_lamp', { on: true }]);
        flow.send({ ...asked, payload: 'on' });
        const out = await flow.wait('out');
        assert.equal(out.payload, 'The lamp is on');
        assert.equal(flow.out('second').length, 1);
        const events = flow.out('third');
        assert.equal(
          events.filter(({ event }) => event === 'thread.message.completed').length,
          +(delivery === 'stream'),
        );
      }
    });

    it('says why a run failed, as the server does', async () => {
      const { assistant_id, thread_id } = await seed('Fail');
      const flow = await flowOf({ method: 'createRun' });
      flow.send({ payload: { thread_id, assistant_id, model: 'model-x', instructions: 'Help.' } });
      const { error } = await flow.wait('caught');
      assert.match(error.message, /No model today/);
      assert.equal(error.cause.run.status, 'failed');
    });

    it('pages through a list', async () => {
      const { thread_id } = await seed('One');
      for (const content of ['Two', 'Three', 'Four']) {
        await call(`/threads/${thread_id}/messages`, { role: 'user', content });
      }
      const flow = await flowOf({ method: 'listMessages', paging: 'all', maxItems: 100 });
      flow.send({ payload: { thread_id, limit: 2, order: 'asc' } });
      const { payload } = await flow.wait('out');
      const texts = payload.map(({ content }: Msg) => content[0].text.value);
      assert.deepEqual(texts, ['One', 'Two', 'Three', 'Four']);
    });

    it('keeps a conversation on a thread', async () => {
      const { assistant_id } = await seed('Unused');
      const fields = {
        assistant_id: { value: assistant_id, type: 'str' },
        model: { value: 'model-x', type: 'str' },
        instructions: { value: 'Help.', type: 'str' },
      };
      const conversation = { conversation: 'topic', conversationType: 'msg' };
      const flow = await flowOf({ method: 'createRun', fields, ...conversation });
      for (const [index, payload] of ['Hello', 'Again'].entries()) {
        flow.send({ topic: 'kitchen', payload });
        const { reply } = await flow.wait('out', index + 1);
        // OpenOpenAI does not know messages that come with a run, and leaves them out.
        assert.equal(reply, name === 'OpenOpenAI' ? 'You said: ' : `You said: ${payload}`);
      }
      const threads = flow.out('out').map(({ run }) => run.thread_id);
      assert.equal(new Set(threads).size, 1);
    });
  });
}
