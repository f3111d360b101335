/** Lists as one page, as one array and as one message per item, which core Join puts together again. */
import assert from 'node:assert/strict';
import { json, startServer, type TestServer } from '../support/http-server.ts';
import { run, step } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';
import { until } from '../support/until.ts';

const kinds: [string, Msg, (nr: number) => Msg][] = [
  ['listRuns', { thread_id: 'thread_1' }, (nr) => run({ id: `run_${nr}` })],
  ['listRunSteps', { thread_id: 'thread_1', run_id: 'run_1' }, (nr) => step({ id: `step_${nr}` })],
];

onEachRuntime('lists', (start) => {
  let server: TestServer;
  const service = () => ({ backend: 'server', url: `${server.url}/v1` });
  /** Pages of `limit` (2 if not asked for) of so many items, by the `after` cursor. */
  const serve = (count: number, item: (nr: number) => Msg) => {
    const all = Array.from({ length: count }, (_, nr) => item(nr));
    server.answer = ({ query }, response) => {
      const asked = new URLSearchParams(query);
      const from = all.findIndex(({ id }) => id === asked.get('after')) + 1;
      const data = all.slice(from, from + Number(asked.get('limit') ?? 2));
      const ends = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
      json(response, { object: 'list', data, ...ends, has_more: from + data.length < count });
    };
    return all;
  };
  beforeEach(async () => {
    server = await startServer((_request, response) => json(response, {}));
  });
  afterEach(() => server.close());

  for (const [method, payload, item] of kinds) {
    const node = (more: Msg) => flowWith({ method, ...more }, service());

    it(`${method}: page is one page with its cursors, and the next one by them`, async () => {
      const all = serve(3, item);
      const flow = await start(node({ paging: 'page' }));
      flow.send({ payload });
      const { payload: first } = await flow.wait('out');
      const [a, b, c] = all as [Msg, Msg, Msg];
      assert.deepEqual(first, {
        object: 'list',
        data: [a, b],
        first_id: a.id,
        last_id: b.id,
        has_more: true,
      });
      flow.send({ payload: { ...payload, after: first.last_id } });
      const { payload: second } = await flow.wait('out', 2);
      assert.deepEqual(second, { object: 'list', data: [c], first_id: c.id, last_id: c.id, has_more: false });
      assert.equal(server.received.length, 2);
    });

    it(`${method}: all is every item, page after page, under the same query`, async () => {
      const all = serve(7, item);
      const flow = await start(node({ paging: 'all' }));
      flow.send({ payload: { ...payload, order: 'asc', limit: 3 } });
      assert.deepEqual((await flow.wait('out')).payload, all);
      const queries = server.received.map(({ query }) => query);
      const [, , third, sixth] = all as Msg[];
      assert.ok(queries.every((query) => /order=asc/.test(query) && /limit=3/.test(query)));
      assert.deepEqual(
        queries.map((query) => new URLSearchParams(query).get('after')),
        [null, third?.id, all[5]?.id],
      );
      assert.ok(sixth);
    });

    it(`${method}: maxItems caps, stops asking, and says so in the status`, async () => {
      const all = serve(9, item);
      const flow = await start(node({ paging: 'all', maxItems: 3 }));
      flow.send({ payload });
      assert.deepEqual((await flow.wait('out')).payload, all.slice(0, 3));
      assert.equal(server.received.length, 2);
      await until(() => flow.statuses.at(-1)?.text === 'first 3 only');
      assert.equal(flow.statuses.at(-1)?.fill, 'yellow');
    });

    it(`${method}: a list that just fits is not called capped`, async () => {
      serve(4, item);
      const flow = await start(node({ paging: 'all', maxItems: 4 }));
      flow.send({ payload });
      assert.equal((await flow.wait('out')).payload.length, 4);
      await until(() => flow.statuses.length > 1);
      assert.deepEqual(flow.statuses.at(-1), {});
    });

    it(`${method}: each is one message per item, which core Join puts together again`, async () => {
      const all = serve(5, item);
      const base = { z: 'tab', x: 0, y: 0 };
      const join = { id: 'join', type: 'join', mode: 'auto', wires: [['joined']], ...base };
      const joined = { id: 'joined', type: 'helper', ...base };
      const flow = await start([...node({ paging: 'each', wires: [['out', 'join']] }), join, joined], {}, [
        'sequence/17-split',
      ]);
      flow.send({ payload, topic: 'kept' });
      const whole = await flow.wait('joined');
      assert.deepEqual(whole.payload, all);
      assert.equal(whole.topic, 'kept');
      assert.equal(whole.parts, undefined);
      const parts = flow.out('out').map((msg) => msg.parts);
      assert.deepEqual(
        parts.map(({ index, count, type }) => [index, count, type]),
        all.map((_, index) => [index, 5, 'array']),
      );
      assert.equal(new Set(parts.map(({ id }) => id)).size, 1);
      // A message that is itself a part is one again afterwards.
      const outer = { id: 'outer', type: 'array', count: 2, index: 1, len: 1 };
      flow.send({ payload, parts: outer });
      await until(() => flow.out('out').length === 10);
      assert.deepEqual(flow.out('out')[9]?.parts.parts, outer);
      assert.equal(flow.out('completed').length, 2);
    });

    for (const paging of ['page', 'all', 'each']) {
      it(`${method}: an empty list as ${paging}`, async () => {
        serve(0, item);
        const flow = await start(node({ paging }));
        flow.send({ payload });
        await flow.wait('completed');
        const empty = { object: 'list', data: [], first_id: null, last_id: null, has_more: false };
        const expected = { page: [empty], all: [[]], each: [] }[paging];
        assert.deepEqual(
          flow.out('out').map((msg) => msg.payload),
          expected,
        );
      });
    }
  }

  it('ends with a server that says has_more for ever', async () => {
    let page = 0;
    server.answer = (_, response) =>
      json(response, { object: 'list', data: [run({ id: `run_${page++}` })], has_more: true });
    const flow = await start(flowWith({ method: 'listRuns', paging: 'all', maxItems: 10 }, service()));
    flow.send({ payload: { thread_id: 'thread_1' } });
    assert.equal((await flow.wait('out')).payload.length, 10);
    server.answer = (_, response) => json(response, { object: 'list', data: [], has_more: true });
    flow.send({ payload: { thread_id: 'thread_1' } });
    assert.equal((await flow.wait('out', 2)).payload.length, 0);
    assert.equal(server.received.length, 11);
  });

  it('fails as a whole when a later page fails', async () => {
    server.answer = ({ query }, response) =>
      query
        ? void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Log in</p>')
        : json(response, { object: 'list', data: [run()], has_more: true });
    const flow = await start(flowWith({ method: 'listRuns', paging: 'each' }, service()));
    flow.send({ payload: { thread_id: 'thread_1' } });
    assert.match((await flow.wait('caught')).error.message, /^The server answered, but not .*list/);
    assert.deepEqual(flow.out('out'), []);
  });
});
