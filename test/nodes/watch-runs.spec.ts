/** watchRuns: every run's end leaves as a message, whoever started it. */
import assert from 'node:assert/strict';
import { sse, startServer } from '../support/http-server.ts';
import { run, textStream } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';

const EMBEDDED = { backend: 'embedded', provider: 'rehearsal', assistants: [{ id: 'asst_1' }] };
const asker = (more: Msg = {}) => ({
  id: 'asker',
  type: 'openai-runs',
  z: 'tab',
  service: 'svc',
  method: 'createThreadAndRun',
  fields: { assistant_id: { type: 'str', value: 'asst_1' } },
  failures: 'output',
  wires: [[]],
  x: 0,
  y: 0,
  ...more,
});

onEachRuntime('watchRuns', (start) => {
  it('tells of runs of other nodes, successes and failures, with what they came from', async () => {
    const flow = await start([...flowWith({ method: 'watchRuns' }, EMBEDDED), asker()]);
    flow.send({ _msgid: 'm1', payload: 'Hello' }, 'asker');
    const { run: first, topic, took, origin, payload } = await flow.wait('out', 1);
    assert.deepEqual([topic, payload, typeof took], ['completed', first, 'number']);
    assert.deepEqual(origin, { node: 'asker', flow: 'tab', conversation: undefined, _msgid: 'm1' });
    assert.ok(first.usage.total_tokens > 0);
    flow.send({ payload: 'rehearse failure' }, 'asker');
    const second = await flow.wait('out', 2);
    assert.deepEqual([second.topic, second.run.last_error.code], ['failed', 'server_error']);
  });

  it('tells of a run that nobody follows, and leaves messages that come in alone', async () => {
    const flow = await start([...flowWith({ method: 'watchRuns' }, EMBEDDED), asker({ delivery: 'start' })]);
    flow.send({ payload: 'nothing to do with it' });
    flow.send({ payload: 'Hello' }, 'asker');
    assert.equal((await flow.wait('out')).topic, 'completed');
    assert.equal(flow.out('caught').length, 0);
  });

  it('tells of the runs that nodes here follow on a server, each once, and of none when it is gone', async () => {
    const server = await startServer((_request, response) => {
      const send = sse(response);
      for (const [event, data] of textStream(['Good ', 'day'])) send(event, data);
      send();
    });
    try {
      const service = { backend: 'server', url: `${server.url}/v1` };
      const flow = await start([
        ...flowWith({ method: 'watchRuns' }, service),
        asker({ wires: [['second']] }),
      ]);
      flow.send({ payload: 'Hello' }, 'asker');
      await flow.wait('second');
      assert.deepEqual(
        flow.out('out').map((msg) => msg.run.id),
        [run().id],
      );
    } finally {
      await server.close();
    }
  });
});
