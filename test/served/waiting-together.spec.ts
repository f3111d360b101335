/** Two real Node-REDs that serve one PostgreSQL: a program's calls leave at one of them, and are answered at any. */
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { dropSchemas, newSchema, withPostgres } from '../support/databases.ts';
import type { TestServer } from '../support/http-server.ts';
import { testPostgres } from '../support/postgres-server.ts';
import { until } from '../support/until.ts';
import { ASSISTANT, newKey, type ServingNodeRed, service, startServing } from './support.ts';
import { answeringByHttp, flowAt, outputsShown, startCallingModel } from './waiting-support.ts';

describe('calls that wait for a flow of several Node-REDs', function () {
  this.timeout(60_000);
  const { key, kept } = newKey('a program');
  let model: TestServer;
  let database: string;
  let reds: ServingNodeRed[] = [];

  before(() => testPostgres());
  beforeEach(async () => {
    model = await startCallingModel();
    database = await newSchema();
    const svc = service([{ kept }], { database, provider: 'chat', url: `${model.url}/v1`, model: 'm' });
    reds = await Promise.all([0, 1].map(() => startServing([svc, ...answeringByHttp()])));
  });
  afterEach(async () => {
    await Promise.all(reds.map((red) => red.stop()));
    await dropSchemas([database]);
    await model.close();
  });

  const clientOf = (red: ServingNodeRed) =>
    new OpenAI({ apiKey: key, baseURL: red.base, maxRetries: 0 }).beta.threads;
  const begin = (red: ServingNodeRed, content: string) =>
    clientOf(red).createAndRun({
      assistant_id: ASSISTANT,
      thread: { messages: [{ role: 'user', content }] },
    });
  const ends = (red: ServingNodeRed, { id, thread_id }: { id: string; thread_id: string }) =>
    until(async () => {
      const { status } = await clientOf(red).runs.retrieve(id, { thread_id });
      assert.notEqual(status, 'requires_action');
      return !/^(queued|in_progress)$/.test(status) && status;
    });

  it('are taken wherever the answer comes in, and leave at one of them', async () => {
    const [first, second] = reds as [ServingNodeRed, ServingNodeRed];
    const run = await begin(first, '2 calls, 2 rounds');
    const [one, two] = await flowAt(first).called(2);
    await flowAt(second).answer(one!, 'one');
    await flowAt(first).answer(two!, 'two');
    const [, , three, four] = await flowAt(first).called(4);
    await flowAt(second).answer(four!, 'four');
    await flowAt(second).answer(three!, 'three');
    assert.equal(await ends(second, run), 'completed');
    await until(async () => (await flowAt(first).ended()).length > 0);
    assert.deepEqual(await flowAt(first).ended(), ['completed']);
    assert.deepEqual(await flowAt(second).calls(), []);
    assert.deepEqual(await flowAt(second).ended(), []);
    assert.deepEqual(outputsShown(model), [[], ['one', 'two'], ['one', 'two', 'three', 'four']]);
  });

  it('leave at the other when the one that sent them out is killed; what had come in there before counts', async () => {
    const [first, second] = reds as [ServingNodeRed, ServingNodeRed];
    const runs = [await begin(first, '1 call, 1 round'), await begin(first, '2 calls, 1 round')];
    const out = await flowAt(first).called(3);
    const half = out.find(({ count }) => count === 2)!;
    // Comes in at the other one, on its way to the first: it is in the database then.
    await first.end('SIGKILL');
    await flowAt(second).answer(half, 'half');
    const calls = await flowAt(second).called(2);
    assert.ok(calls.every(({ again }) => again));
    const known = new Set(out.map(({ call_id }) => call_id));
    assert.ok(calls.every(({ call_id }) => known.has(call_id)));
    for (const tool of calls) await flowAt(second).answer(tool, 'answered');
    // Whoever was away answers too, and late.
    for (const tool of out) await flowAt(second).answer(tool, 'late');
    for (const run of runs) assert.equal(await ends(second, run), 'completed');
    await first.startAgain();
    await until(async () => (await flowAt(second).ended()).length === 2);
    assert.deepEqual(await flowAt(first).calls(), []);
    const shown = outputsShown(model).filter((outputs) => outputs.length > 0);
    assert.equal(shown.length, 2, JSON.stringify(shown));
    assert.ok(
      shown.flat().every((output) => /^(answered|half)$/.test(output)),
      JSON.stringify(shown),
    );
    const { rows } = await withPostgres(database, (client) =>
      client.query('select 1 from rounds union all select 1 from answers'),
    );
    assert.equal(rows.length, 0);
  });
});
