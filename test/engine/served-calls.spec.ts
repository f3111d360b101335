/** Calls that flows answer for other programs: told to one process at a time, again after it is gone. */
import assert from 'node:assert/strict';
import type { Caller, RunNotice } from '../../engine/index.ts';
import { onEachDatabase } from '../support/databases.ts';
import { until } from '../support/until.ts';
import {
  type Bench,
  calls,
  framesOf,
  HOME,
  type Json,
  orderOf,
  type Script,
  ScriptedModel,
  says,
  Workshop,
} from './support.ts';

const PROGRAM: Caller = { id: 'key_program', isServedTools: true };

type Told = Extract<RunNotice, { kind: 'calls' }>;

onEachDatabase('calls that are answered for callers', function (kind) {
  this.timeout(30_000);
  let workshop: Workshop;
  beforeEach(() => {
    workshop = new Workshop();
  });
  afterEach(() => workshop.cleanUp());

  /** An engine, and what it tells of calls; `answers` may be changed. */
  const open = async (database: string, scripts: Script[], more: { capacity?: number } = {}) => {
    const told: Told[] = [];
    const state = { answers: true };
    const bench = await workshop.open(new ScriptedModel(...scripts), {
      database,
      assistants: [HOME],
      onNotice: (notice) => void (notice.kind === 'calls' && told.push(notice)),
      answersCalls: () => state.answers,
      ...more,
    });
    return { ...bench, told, state };
  };
  const ask = async ({ engine }: Bench, method: string, path: string, body?: object, caller = PROGRAM) =>
    engine.fetch(
      `http://engine.local/v1${path}`,
      { method, ...(body && { body: JSON.stringify(body) }) },
      caller,
    );
  const begin = async (bench: Bench): Promise<Json> => {
    const body = { assistant_id: 'asst_home', thread: { messages: [{ role: 'user', content: 'Light' }] } };
    return (await ask(bench, 'POST', '/threads/runs', body)).json();
  };
  const statusOf = async ({ client }: Bench, run: Json) =>
    (await client.beta.threads.runs.retrieve(run.id, { thread_id: run.thread_id })).status;
  const seenBy = async (bench: Bench, run: Json, caller: Caller) =>
    (
      (await (
        await ask(bench, 'GET', `/threads/${run.thread_id}/runs/${run.id}`, undefined, caller)
      ).json()) as Json
    ).status;
  const submit = async ({ client }: Bench, run: Json) => {
    const waiting = await client.beta.threads.runs.retrieve(run.id, { thread_id: run.thread_id });
    const ids = waiting.required_action!.submit_tool_outputs.tool_calls.map(({ id }) => id);
    const tool_outputs = ids.map((tool_call_id) => ({ tool_call_id, output: 'done' }));
    return client.beta.threads.runs.submitToolOutputs(run.id, { thread_id: run.thread_id, tool_outputs });
  };
  const LAMP = [calls(['lamp', {}]), says('Done')];
  const agains = (told: Told[], run: Json) =>
    told.filter(({ runId }) => runId === run.id).map(({ again }) => again);

  it('are told at once, and again after a restart, with the program seeing the run go on', async () => {
    const database = await workshop.database();
    const first = await open(database, LAMP);
    const run = await begin(first);
    await until(() => first.told.length === 1);
    assert.deepEqual(first.told[0], {
      kind: 'calls',
      runId: run.id,
      threadId: run.thread_id,
      again: false,
    });
    assert.equal(await first.engine.takeCalls(run.id), true);
    await first.engine.close();

    const second = await open(database, LAMP.slice(1));
    await until(() => second.told.length > 0);
    assert.ok(agains(second.told, run).every(Boolean));
    // Whether or not somebody answers just now: the run was begun as one that goes on by itself.
    assert.equal(await seenBy(second, run, { id: 'key_program' }), 'in_progress');
    await submit(second, run);
    await until(async () => (await statusOf(second, run)) === 'completed');
    const before = second.told.length;
    await second.engine.sweep();
    assert.equal(second.told.length, before);
  });

  it('wait for a process that answers, and are new to it', async () => {
    const database = await workshop.database();
    const bench = await open(database, LAMP);
    bench.state.answers = false;
    const run = await begin(bench);
    await until(async () => (await statusOf(bench, run)) === 'requires_action');
    await bench.engine.sweep();
    assert.equal(bench.told.length, 0);
    bench.state.answers = true;
    await bench.engine.sweep();
    assert.equal(agains(bench.told, run)[0], false);
    await bench.engine.sweep();
    assert.equal(agains(bench.told, run).at(-1), true);
  });

  it('are not new to one that takes them up where nobody answered for a while', async () => {
    const bench = await open(await workshop.database(), LAMP);
    const run = await begin(bench);
    await until(() => bench.told.length === 1);
    bench.state.answers = false;
    await bench.engine.sweep();
    bench.state.answers = true;
    await bench.engine.sweep();
    assert.deepEqual(agains(bench.told, run).slice(0, 2), [false, true]);
  });

  it('are told to one of those that live, until it answers no more or is gone', async () => {
    const database = await workshop.database();
    const first = await open(database, LAMP);
    const second = await open(database, LAMP);
    const run = await begin(first);
    await until(() => first.told.length > 0);
    await second.engine.sweep();
    assert.equal(second.told.length, 0);
    assert.equal(await second.engine.takeCalls(run.id), false);
    first.state.answers = false;
    await first.engine.sweep();
    await second.engine.sweep();
    assert.ok(second.told.length > 0);
    assert.equal(await first.engine.takeCalls(run.id), false);
    first.state.answers = true;
    await second.engine.close();
    await until(() => first.told.length > 1);
    assert.equal(await first.engine.takeCalls(run.id), true);
  });

  it('are none where the program answers itself, or the run waits no more', async () => {
    const bench = await open(await workshop.database(), LAMP);
    const run = await begin(bench);
    await until(() => bench.told.length > 0);
    await bench.client.beta.threads.runs.cancel(run.id, { thread_id: run.thread_id });
    await until(async () => (await statusOf(bench, run)) === 'cancelled');
    const before = bench.told.length;
    await bench.engine.sweep();
    assert.equal(bench.told.length, before);
    assert.equal(await bench.engine.takeCalls(run.id), true);
    const own = await bench.client.beta.threads.createAndRun({ assistant_id: 'asst_home' });
    await until(async () => /requires_action|completed/.test(await statusOf(bench, own)));
    await bench.engine.sweep();
    assert.deepEqual(agains(bench.told, own), []);
  });

  if (kind !== 'PostgreSQL') return;

  it('are told to one of three that find them at the same time', async () => {
    const database = await workshop.database();
    const first = await open(database, [calls(['lamp', {}])]);
    const runs: Json[] = [];
    for (let i = 0; i < 5; i++) runs.push(await begin(first));
    await until(() => runs.every((run) => agains(first.told, run).length > 0));
    const others = await Promise.all([0, 1, 2].map(() => open(database, LAMP)));
    await first.engine.close();
    await Promise.all(others.map(({ engine }) => engine.sweep()));
    for (const run of runs) {
      const took = others.filter(({ told }) => agains(told, run).length > 0);
      assert.equal(took.length, 1, `${took.length} took ${run.id}`);
    }
  });

  it('leave a stream whole where the run goes on at another machine', async () => {
    const database = await workshop.database();
    // The first has no room for a turn: all are the second's.
    const first = await open(database, LAMP, { capacity: 0 });
    const second = await open(database, [calls(['lamp', {}]), says('It shines now')]);
    const body = {
      assistant_id: 'asst_home',
      stream: true,
      thread: { messages: [{ role: 'user', content: 'Light' }] },
    };
    const streamed = framesOf(await ask(first, 'POST', '/threads/runs', body));
    await until(() => second.told.length > 0);
    const { runId, threadId } = second.told[0]!;
    await submit(second, { id: runId, thread_id: threadId });
    const frames = await streamed;
    const order = orderOf(frames);
    assert.ok(!order.includes('run.requires_action'));
    assert.equal(order.filter((name) => name === 'message.delta*').length, 1, order.join());
    assert.deepEqual(order.slice(-2), ['run.completed', 'done']);
    assert.equal(order.filter((name) => name === 'run.step.completed').length, 2, order.join());
  });
});
