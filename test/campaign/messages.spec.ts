/** Hostile messages into the node: each ends exactly once, none ends the process, none reaches the server wrongly formed. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { json, startServer, type TestServer } from '../support/http-server.ts';
import { run } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';
import { limit, report, tries } from './sizes.ts';

const REQUIRED = { thread_id: 'thread_1', assistant_id: 'asst_1' };

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
});
const names = fc.constantFrom(
  'thread_id',
  'assistant_id',
  'metadata',
  'tools',
  'include',
  'tool_choice',
  'other',
);
const payload = fc.oneof(
  fc.dictionary(names, anything, { maxKeys: 4 }).map((fields) => ({ ...REQUIRED, ...fields })),
  anything,
);
// A message without a prototype Node-RED's own error handling can't carry.
const message = fc.record(
  { payload, topic: anything, tool: anything },
  { requiredKeys: ['payload'], noNullPrototype: true },
);

onEachRuntime('hostile messages', (start) => {
  let server: TestServer;
  const faults: unknown[] = [];
  const note = (fault: unknown) => faults.push(fault);

  beforeEach(async () => {
    server = await startServer((_request, response) => json(response, run({ status: 'completed' })));
    process.on('unhandledRejection', note);
  });
  afterEach(async () => {
    process.off('unhandledRejection', note);
    await server.close();
  });

  it('whatever fast-check comes up with', async function () {
    this.timeout(limit(60_000));
    const service = { backend: 'server', url: `${server.url}/v1`, retries: 0 };
    const node = {
      method: 'createRun',
      delivery: 'start',
      tools: true,
      conversation: 'topic',
      conversationType: 'msg',
    };
    const flow = await start(flowWith(node, service));
    let ends = 0;
    const ended = () => flow.out('completed').length + flow.out('caught').length;
    await fc.assert(
      fc.asyncProperty(message, async (msg) => {
        const shown = fc.stringify(msg);
        flow.send(msg as Msg);
        ends += 1;
        for (let tick = 0; ended() < ends; tick++) {
          assert.ok(tick < 5000, `no end to ${shown}`);
          await new Promise((resolve) => setTimeout(resolve, tick < 50 ? 0 : 2));
        }
        assert.equal(ended(), ends, `ended twice: ${shown}`);
      }),
      // A smaller example would be tried on a node that has one message in it already.
      { ...tries(150, 5000), endOnFailure: true },
    );
    assert.deepEqual(faults, []);
    for (const { method, path, body } of server.received) {
      assert.match(`${method} ${path}`, /^POST \/v1\/threads(\/[^/]+\/runs)?$/);
      if (path.endsWith('/runs')) assert.equal(typeof body.assistant_id, 'string');
    }
    report('messages', { sent: ends, failed: flow.out('caught').length });
  });
});
