/** Servers that others wrote, as they are: stand-ins made from their sources (see test/support). */
import assert from 'node:assert/strict';
import helper from 'node-red-node-test-helper';
import { EVERY_WAY, requestsOf } from '../support/every-method.ts';
import { type LangGraph, startLangGraph } from '../support/lang-graph.ts';
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
