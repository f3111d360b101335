/** What a run came from is kept: beside the run by the embedded engine, in a ring for a server. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { RunRing } from '../../nodes/openai-runs-service/run-ring.ts';
import { sse, startServer, type TestServer } from '../support/http-server.ts';
import { run, textStream } from '../support/objects.ts';
import { flowWith, onEachRuntime } from '../support/runtime.ts';
import { until } from '../support/until.ts';

const FIELDS = { assistant_id: { type: 'str', value: 'asst_1' } };

onEachRuntime('the origin of a run', (start) => {
  it('stands beside the run, and not in its metadata', async () => {
    const node = { method: 'createRun', conversation: 'topic', conversationType: 'msg', fields: FIELDS };
    const service = { backend: 'embedded', provider: 'rehearsal', assistants: [{ id: 'asst_1' }] };
    const flow = await start(flowWith(node, service));
    flow.send({ _msgid: 'message-1', topic: 'alice', payload: 'Hello' });
    const { run: made } = await flow.wait('out');
    assert.deepEqual(made.metadata, {});
    const db = new DatabaseSync(path.join(flow.userDir, 'openai-runs/svc.sqlite'));
    const read = () => db.prepare('SELECT * FROM run_origins WHERE run_id = ?').get(made.id);
    await until(() => read()?.took != null);
    const { node_id, flow_id, msg_id, conversation, took, marks } = read() as Record<string, unknown>;
    db.close();
    assert.deepEqual([node_id, flow_id, msg_id, conversation], ['runs', 'tab', 'message-1', 'alice']);
    assert.ok(Number(took) >= 0);
    const happened = (JSON.parse(String(marks)) as [number, string][]).map(([, what]) => what);
    assert.deepEqual(happened, ['asked', 'queued', 'in_progress', 'text', 'completed']);
  });

  describe('on a server', () => {
    let server: TestServer;
    beforeEach(async () => {
      server = await startServer((_request, response) => {
        const send = sse(response);
        for (const [event, data] of textStream(['Good ', 'day'])) send(event, data);
        send();
      });
    });
    afterEach(() => server.close());

    for (const showContents of [true, false]) {
      it(`is kept in a ring that a restart reads, ${showContents ? 'with' : 'without'} words`, async () => {
        const service = { backend: 'server', url: `${server.url}/v1`, showContents };
        const node = { method: 'createRun', fields: FIELDS };
        const flow = await start(flowWith(node, service));
        flow.send({
          _msgid: 'message-2',
          payload: { thread_id: 'thread_1', additional_messages: [{ role: 'user', content: 'Hi there' }] },
        });
        await flow.wait('out');
        await flow.deploy(flowWith(node, service));
        const [row, ...more] = JSON.parse(
          readFileSync(path.join(flow.userDir, 'openai-runs/svc.runs.json'), 'utf8'),
        );
        assert.deepEqual(more, []);
        assert.equal(row.id, run().id);
        assert.equal(row.status, 'completed');
        assert.deepEqual([row.origin.node, row.origin.flow, row.origin.msgId], ['runs', 'tab', 'message-2']);
        assert.deepEqual(
          [row.question, row.answer],
          showContents ? ['Hi there', 'Good day'] : [undefined, undefined],
        );
      });
    }

    it('is written and read by hand, oldest out first, and found by what was said', async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'runs-ring-'));
      const file = path.join(folder, 'deep/ring.json');
      const ring = new RunRing(file, true);
      const origin = { node: 'n', flow: 'f', msgId: 'm', key: 'k' };
      for (let n = 0; n < 503; n++)
        ring.see(run({ id: `run_${n}` }) as never, origin, { question: `Q ${n}` });
      const ended = run({
        id: 'run_7',
        status: 'failed',
        failed_at: 1_700_000_004,
        last_error: { message: 'No.' },
      });
      ring.see(ended as never, undefined, {});
      await ring.close();
      assert.equal(statSync(file).mode & 0o777, 0o600);
      const again = new RunRing(file, true);
      const { rows, next } = await again.list({}, 2);
      assert.deepEqual([rows.map(({ id }) => id), next], [['run_502', 'run_501'], rows[1]?.place]);
      assert.equal((await again.sums({})).runs, 500);
      const [failed] = (await again.list({ statuses: ['failed'] }, 9)).rows;
      assert.deepEqual([failed?.id, failed?.took, failed?.error], ['run_7', 4000, 'No.']);
      assert.deepEqual((await again.list({ text: 'q 44' }, 99)).rows.length, 11);
      rmSync(folder, { recursive: true });
    });
  });
});
