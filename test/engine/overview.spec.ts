/** Runs at a glance: pages, filters, sums, where runs came from. */
import assert from 'node:assert/strict';
import { onEachDatabase } from '../support/databases.ts';
import { calls, ScriptedModel, says, trouble, Workshop } from './support.ts';

const ASSISTANT = { id: 'asst_a', tools: [] };
const ASKED = { assistant_id: 'asst_a', thread: { messages: [{ role: 'user' as const, content: 'Go' }] } };

onEachDatabase('the overview of runs', function () {
  this.timeout(20_000);
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
    await overview.keep(ids[0]!, { ...origin, name: 'Ask <b>' });
    assert.equal((await overview.rows(ids))[0]?.origin?.name, 'Ask <b>');
    await client.beta.threads.delete(row!.threadId);
    assert.deepEqual(await overview.rows(ids), []);
    await assert.rejects(overview.keep(ids[0]!, origin), /foreign key/i);
  });

  it('keeps by which key another program has made a run, and nothing of one without', async () => {
    const { engine } = await bench(0);
    const make = async (caller?: { id: string; name?: string }) => {
      const answer = await engine.fetch(
        'http://engine.local/v1/threads/runs',
        {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(ASKED),
        },
        caller,
      );
      const [row] = await engine.overview.rows([((await answer.json()) as { id: string }).id]);
      return row?.origin;
    };
    assert.deepEqual(await make({ id: 'key_1', name: 'Alice' }), {
      node: '',
      flow: '',
      msgId: '',
      key: undefined,
      marks: undefined,
      name: 'Alice',
    });
    assert.equal(await make({ id: 'local' }), undefined);
    assert.equal(await make(), undefined);
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

  it('goes on below the page before, whatever is new or deleted meanwhile', async () => {
    const { overview, client, ids } = await bench(6);
    const first = await overview.list({}, 2);
    await client.beta.threads.delete((await overview.rows([ids[1]!]))[0]!.threadId);
    await client.beta.threads.createAndRunPoll(ASKED);
    const second = await overview.list({}, 2, first.next);
    assert.deepEqual(
      [...first.rows, ...second.rows].map(({ id }) => id),
      ids.slice(0, 4),
    );
    const filtered = await overview.list({ assistant: 'asst_a' }, 1, second.next);
    assert.deepEqual(
      filtered.rows.map(({ id }) => id),
      [ids[5]],
    );
  });

  it('keeps the order in which runs were made where their seconds are the same', async () => {
    let now = 1_800_000_000_000;
    const model = new ScriptedModel(calls(['open', {}]));
    const tool = { type: 'function', function: { name: 'open', parameters: {} } };
    const { client, engine } = await workshop.open(model, {
      assistants: [{ id: 'asst_a', tools: [tool] }],
      clock: () => now,
    });
    const waiting: string[] = [];
    for (let n = 0; n < 5; n++) {
      if (n === 3) now += 5000;
      waiting.unshift((await client.beta.threads.createAndRunPoll(ASKED)).id);
    }
    const found = async (list: Promise<{ id: string }[]>) => (await list).map(({ id }) => id);
    assert.deepEqual(await found(engine.overview.active(10)), waiting);
    assert.deepEqual(await found(engine.overview.active(3)), waiting.slice(0, 3));
    assert.deepEqual(await found(engine.overview.list({}, 10).then(({ rows }) => rows)), waiting);
    const { rows } = await engine.overview.list({ from: 1_800_000_005 }, 10);
    assert.deepEqual(await found(Promise.resolve(rows)), waiting.slice(0, 2));
  });

  it('finds words whatever their case, and takes signs of a pattern for themselves', async () => {
    const { client, engine } = await workshop.open(new ScriptedModel(says('Gut.')), {
      assistants: [ASSISTANT],
    });
    const questions = ['Öffne das Fenster', 'Закрой ДВЕРЬ', '100% sure_of it\\', 'it\'s "quoted"', '開けて'];
    for (const content of questions) {
      const messages = [{ role: 'user' as const, content }];
      await client.beta.threads.createAndRunPoll({ assistant_id: 'asst_a', thread: { messages } });
    }
    const found = async (text: string) => {
      const { rows } = await engine.overview.list({ text }, 10);
      assert.equal((await engine.overview.sums({ text })).runs, rows.length);
      return rows.map(({ question }) => questions.indexOf(question ?? ''));
    };
    assert.deepEqual(await found('öFFNE'), [0]);
    assert.deepEqual(await found('закрой дверь'), [1]);
    assert.deepEqual(await found('100%'), [2]);
    assert.deepEqual(await found('e_o'), [2]);
    assert.deepEqual(await found('%'), [2]);
    assert.deepEqual(await found('\\'), [2]);
    assert.deepEqual(await found(`'s "Q`), [3]);
    assert.deepEqual(await found('開け'), [4]);
    assert.deepEqual(await found('gut.'), [4, 3, 2, 1, 0]);
  });

  it('sums up: failures of every kind, tokens, and the one in the middle of the times', async () => {
    const model = new ScriptedModel(says('One.'), says('Two.'), says('Three.'), async function* () {
      yield* [];
      throw trouble('no more');
    });
    const { client, engine } = await workshop.open(model, { assistants: [ASSISTANT] });
    for (const [n, took] of [90, 10, 2000, 30].entries()) {
      const { id } = await client.beta.threads.createAndRunPoll(ASKED);
      const origin = { node: n < 3 ? 'n1' : 'n2', flow: 'f', msgId: 'm', took };
      await engine.overview.keep(id, origin);
    }
    const { overview } = engine;
    const tokens = { tokensIn: 30, tokensOut: 15 };
    assert.deepEqual(await overview.sums({}), { runs: 4, failures: 1, ...tokens, medianTook: 90 });
    assert.deepEqual(await overview.sums({ node: 'n1' }), {
      runs: 3,
      failures: 0,
      ...tokens,
      medianTook: 90,
    });
    const failed = { statuses: ['failed', 'expired'] as const };
    assert.deepEqual(await overview.sums(failed), {
      runs: 1,
      failures: 1,
      tokensIn: 0,
      tokensOut: 0,
      medianTook: 30,
    });
    const none = await overview.sums({ node: 'n1', statuses: ['failed'] });
    assert.deepEqual(none, { runs: 0, failures: 0, tokensIn: 0, tokensOut: 0, medianTook: undefined });
    const [row] = (await overview.list({}, 1)).rows;
    assert.match(row?.error ?? '', /no more/);
  });

  it('shows the words beside a picture, however long that is', async () => {
    const { client, engine } = await workshop.open(new ScriptedModel(says('A bed.')), {
      assistants: [ASSISTANT],
    });
    const picture = {
      type: 'image_url' as const,
      image_url: { url: `data:image/png;base64,${'A'.repeat(5000)}` },
    };
    const content = [{ type: 'text' as const, text: 'What is this?' }, picture];
    for (const said of [content, [picture]]) {
      const messages = [{ role: 'user' as const, content: said }];
      await client.beta.threads.createAndRunPoll({ assistant_id: 'asst_a', thread: { messages } });
    }
    const { rows } = await engine.overview.list({}, 10);
    assert.deepEqual(
      rows.map(({ question }) => question),
      [undefined, 'What is this?'],
    );
  });
});
