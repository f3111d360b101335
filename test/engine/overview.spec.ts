/** Runs at a glance: pages, filters, sums, where runs came from. */
import assert from 'node:assert/strict';
import { calls, ScriptedModel, says, Workshop } from './support.ts';

const ASSISTANT = { id: 'asst_a', tools: [] };

describe('the overview of runs', () => {
  const workshop = new Workshop();
  afterEach(() => workshop.cleanUp());

  async function bench(count: number) {
    const opened = await workshop.open(new ScriptedModel(says('It is "fine".\nReally.')), {
      assistants: [ASSISTANT, { id: 'asst_b' }],
    });
    const ids: string[] = [];
    for (let n = 0; n < count; n++) {
      const run = await opened.client.beta.threads.createAndRunPoll({
        assistant_id: n % 2 ? 'asst_b' : 'asst_a',
        thread: { messages: [{ role: 'user', content: `Question ${n}` }] },
      });
      ids.unshift(run.id);
    }
    return { ...opened, ids, overview: opened.engine.overview };
  }

  it('gives the newest first, page by page, with first words and figures', async () => {
    const { overview, ids } = await bench(7);
    const seen: string[] = [];
    let before: number | undefined;
    do {
      const page = await overview.list({}, 3, before);
      seen.push(...page.rows.map(({ id }) => id));
      before = page.next;
    } while (before !== undefined);
    assert.deepEqual(seen, ids);
    const [row] = (await overview.list({}, 1)).rows;
    assert.equal(row?.question, 'Question 6');
    assert.equal(row?.answer, 'It is "fine".\nReally.');
    assert.deepEqual([row?.tokensIn, row?.tokensOut, row?.calls, row?.status], [10, 5, 0, 'completed']);
  });

  it('filters by assistant, status, node, time and text', async () => {
    const { overview, ids } = await bench(6);
    await overview.keep(ids[0]!, {
      node: 'n1',
      flow: 'f1',
      msgId: 'm1',
      key: 'alice',
      took: 1234,
      marks: [],
    });
    const found = async (filter: Parameters<typeof overview.list>[0]) =>
      (await overview.list(filter, 50)).rows.map(({ id }) => ids.indexOf(id));
    assert.deepEqual(await found({ assistant: 'asst_b' }), [0, 2, 4]);
    assert.deepEqual(await found({ statuses: ['failed'] }), []);
    assert.deepEqual(await found({ node: 'n1' }), [0]);
    assert.deepEqual(await found({ text: 'question 3' }), [2]);
    assert.deepEqual(await found({ text: 'ALICE' }), [0]);
    assert.deepEqual(await found({ to: 1 }), []);
    assert.equal((await found({ from: 1 })).length, 6);
    const sums = await overview.sums({ node: 'n1' });
    assert.deepEqual(sums, { runs: 1, failures: 0, tokensIn: 10, tokensOut: 5, medianTook: 1234 });
  });

  it('keeps where a run came from, and forgets it with the run', async () => {
    const { overview, client, ids } = await bench(1);
    const origin = {
      node: 'n',
      flow: 'f',
      msgId: 'm',
      key: 'k',
      marks: [[5, 'asked']] as [number, string][],
    };
    await overview.keep(ids[0]!, origin);
    const [row] = await overview.rows(ids);
    assert.deepEqual(row?.origin, origin);
    await client.beta.threads.delete(row!.threadId);
    assert.deepEqual(await overview.rows(ids), []);
    await assert.rejects(overview.keep(ids[0]!, origin), /FOREIGN KEY/);
  });

  it('counts calls, whatever their arguments say, and shows what waits', async () => {
    const model = new ScriptedModel(calls(['open', { a: '"type":"function"' }], ['shut', {}]));
    const { client, engine } = await workshop.open(model, {
      assistants: [
        {
          id: 'asst_a',
          tools: ['open', 'shut'].map((name) => ({ type: 'function', function: { name, parameters: {} } })),
        },
      ],
    });
    await client.beta.threads.createAndRunPoll({
      assistant_id: 'asst_a',
      thread: { messages: [{ role: 'user', content: 'Go' }] },
    });
    const [row] = await engine.overview.active(10);
    assert.deepEqual([row?.status, row?.calls, row?.took], ['requires_action', 2, undefined]);
  });
});
