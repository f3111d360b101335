/** Several engines on one database on PostgreSQL: one line of runs, streams anywhere, words that arrive at once. */
import assert from 'node:assert/strict';
import type { EngineOptions } from '../../engine/index.ts';
import type { EngineInternals } from '../../engine/start.ts';
import { STOPPED } from '../../engine/worker/attempt.ts';
import { endRun } from '../../engine/worker/end-run.ts';
import { withPostgres } from '../support/databases.ts';
import { withoutLooks } from '../support/looks.ts';
import { deafProxy } from '../support/postgres-proxy.ts';
import { startPostgres, testPostgres } from '../support/postgres-server.ts';
import { until } from '../support/until.ts';
import {
  type Bench,
  calls,
  framesOf,
  hangs,
  orderOf,
  type Script,
  ScriptedModel,
  says,
  send,
  Workshop,
} from './support.ts';

/** Says words until it is told to end. */
function speaker() {
  const { promise: end, resolve } = Promise.withResolvers<void>();
  const waiting: (() => void)[] = [];
  let said = 0;
  let asked = 0;
  const script: Script = async function* ({ signal }) {
    const stop = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    stop.catch(() => {});
    let ended = false;
    void end.then(() => {
      ended = true;
      for (const wake of waiting.splice(0)) wake();
    });
    while (true) {
      while (said < asked) yield { type: 'text', delta: `word${said++} ` };
      if (ended) break;
      await Promise.race([new Promise<void>((wake) => waiting.push(wake)), stop]);
    }
    yield { type: 'end', reason: 'stop' };
  };
  return {
    script,
    end: resolve,
    say: (words: number) => {
      asked += words;
      for (const wake of waiting.splice(0)) wake();
    },
  };
}

describe('several machines on one database', function () {
  this.timeout(60_000);
  let workshop: Workshop;
  let database: string;
  before(() => testPostgres());
  beforeEach(async () => {
    workshop = new Workshop();
    database = await workshop.database('PostgreSQL');
  });
  afterEach(() => workshop.cleanUp());

  const open = (script: Script, options: Partial<EngineOptions> = {}, internals: EngineInternals = {}) =>
    workshop.open(new ScriptedModel(script), { database, ...options }, internals);
  const assistantOf = async ({ client }: Bench) =>
    (await client.beta.assistants.create({ model: 'm', instructions: 'x' })).id;
  const rowsOf = (runId: string) =>
    withPostgres(
      database,
      async (client) =>
        (await client.query('select seq, event from events where run_id = $1 order by seq', [runId])).rows,
    );
  const stream = async (
    bench: Bench,
    { id, thread_id }: { id: string; thread_id: string },
    after?: number,
  ) => {
    const query = after === undefined ? '' : `&starting_after=${after}`;
    const response = await send(bench.engine, 'GET', `/threads/${thread_id}/runs/${id}?stream=true${query}`);
    assert.equal(response.status, 200);
    return response;
  };

  it(
    'gives a run that one has no room for to another, and its reader the same bytes',
    withoutLooks(async () => {
      const door = await open(hangs(), { capacity: 0 });
      const assistant_id = await assistantOf(door);
      const waits = await send(door.engine, 'POST', '/threads/runs', { assistant_id, stream: true });
      const worker = await open(says('one two three'));
      const frames = await framesOf(waits);
      assert.deepEqual(orderOf(frames).slice(0, 4), [
        'thread.created',
        'run.created',
        'run.queued',
        'run.in_progress',
      ]);
      assert.deepEqual(orderOf(frames).slice(-2), ['run.completed', 'done']);
      const run = frames[1]!.data;
      const again = await framesOf(await stream(worker, run, 0));
      assert.deepEqual(again, frames.slice(1));
      // And where it is there already.
      const second = await door.client.beta.threads.createAndRun({ assistant_id });
      await until(
        async () =>
          (await rowsOf(second.id)).some(({ event }) => event === 'thread.run.in_progress') || undefined,
      );
    }),
  );

  it('works on so many at once as it has room for', async () => {
    const bench = await open(hangs(), { capacity: 2 });
    const assistant_id = await assistantOf(bench);
    const runs = await Promise.all(
      Array.from({ length: 3 }, () => bench.client.beta.threads.createAndRun({ assistant_id })),
    );
    const statuses = async () =>
      Promise.all(
        runs.map(
          async ({ id, thread_id }) =>
            (await bench.client.beta.threads.runs.retrieve(id, { thread_id })).status,
        ),
      );
    await until(async () => (await statuses()).filter((status) => status === 'in_progress').length === 2);
    assert.equal((await statuses()).filter((status) => status === 'queued').length, 1);
    const [first] = runs.filter(({ id }) => bench.engine.service.executor.has(id));
    await bench.client.beta.threads.runs.cancel(first!.id, { thread_id: first!.thread_id });
    await until(async () => (await statuses()).filter((status) => status === 'in_progress').length === 2);
  });

  it('tells nobody as long as nobody is there, and all from the start to whoever comes', async () => {
    const { script, say, end } = speaker();
    const first = await open(script);
    const assistant_id = await assistantOf(first);
    const run = await first.client.beta.threads.createAndRun({ assistant_id });
    const own = framesOf(await stream(first, run));
    say(5);
    await until(async () => first.engine.service.hub.get(run.id)!.length > 10);
    assert.deepEqual(await rowsOf(run.id), []);
    const second = await open(hangs());
    const other = framesOf(await stream(second, run));
    await until(async () => (await rowsOf(run.id)).length > 10);
    say(5);
    end();
    assert.deepEqual(await other, await own);
    // Whoever comes back goes on where it was, on any machine, while the run is going on or shortly after.
    const all = (await own).slice(1);
    for (const bench of [first, second]) {
      assert.deepEqual(await framesOf(await stream(bench, run, 7)), all.slice(7));
    }
    assert.equal(
      (
        await send(
          second.engine,
          'GET',
          `/threads/${run.thread_id}/runs/${run.id}?stream=true&starting_after=x`,
        )
      ).status,
      400,
    );
  });

  it('follows for nobody once the reader has gone', async () => {
    const first = await open(hangs('Half'));
    const second = await open(hangs());
    const assistant_id = await assistantOf(first);
    const run = await first.client.beta.threads.createAndRun({ assistant_id });
    const { body } = await stream(second, run);
    const reader = body!.getReader();
    await reader.read();
    let looks = 0;
    const { followers } = second.engine.service;
    const onNews = followers.onNews.bind(followers);
    followers.onNews = (...given) => {
      looks++;
      return onNews(...given);
    };
    await reader.cancel();
    const before = looks;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.equal(looks, before);
  });

  it(
    'ends a run at once that was cancelled, or whose thread was deleted, elsewhere',
    withoutLooks(async () => {
      for (const how of ['cancel', 'delete'] as const) {
        const { script, say } = speaker();
        const first = await open(script);
        const second = await open(hangs());
        const assistant_id = await assistantOf(first);
        const run = await first.client.beta.threads.createAndRun({ assistant_id });
        say(3);
        await until(async () => (await rowsOf(run.id)).length > 8);
        const { threads } = second.client.beta;
        if (how === 'cancel')
          assert.equal(
            (await threads.runs.cancel(run.id, { thread_id: run.thread_id })).status,
            'cancelling',
          );
        else await threads.delete(run.thread_id);
        await until(() => !first.engine.service.executor.has(run.id));
        if (how === 'delete') continue;
        const { data } = await threads.messages.list(run.thread_id);
        assert.equal(data[0]!.status, 'incomplete');
        const [part] = data[0]!.content;
        assert.equal(part?.type === 'text' && part.text.value, 'word0 word1 word2 ');
        assert.equal((await threads.runs.retrieve(run.id, { thread_id: run.thread_id })).status, 'cancelled');
      }
    }),
  );

  it('takes tool outputs anywhere, and counts events over all attempts', async () => {
    const first = await open(calls(['f', {}]));
    const second = await open(says('thank you'));
    const assistant_id = await assistantOf(first);
    const asked = await framesOf(
      await send(first.engine, 'POST', '/threads/runs', { assistant_id, stream: true }),
    );
    const run = asked.at(-2)!.data;
    assert.equal(run.status, 'requires_action');
    const path = `/threads/${run.thread_id}/runs/${run.id}/submit_tool_outputs`;
    const tool_outputs = [
      { tool_call_id: run.required_action.submit_tool_outputs.tool_calls[0].id, output: 'x' },
    ];
    const answered = await framesOf(await send(second.engine, 'POST', path, { tool_outputs, stream: true }));
    assert.equal(answered.at(-2)!.event, 'thread.run.completed');
    const counted = [...asked.slice(1, -1), ...answered];
    for (const bench of [first, second]) {
      for (const after of [0, 3, asked.length - 2, asked.length]) {
        assert.deepEqual(
          await framesOf(await stream(bench, run, after)),
          counted.slice(after),
          String(after),
        );
      }
    }
  });

  it('lets nobody write who was given up for dead', async () => {
    const { script, say, end } = speaker();
    const paused = await open(script);
    const second = await open(hangs());
    const assistant_id = await assistantOf(paused);
    const run = await paused.client.beta.threads.createAndRun({ assistant_id });
    await until(async () => (await rowsOf(run.id)).length > 2);
    const { store, outbox, now } = second.engine.service;
    const ending = { name: 'fail', now: now(), lastError: STOPPED, supersedes: true } as const;
    assert.ok(await endRun(store.db, run.id, ending, undefined, outbox.tellNext));
    const told = await rowsOf(run.id);
    assert.equal(told.at(-1).event, 'thread.run.failed');
    say(3);
    end();
    await until(() => !paused.engine.service.executor.has(run.id));
    assert.deepEqual(await rowsOf(run.id), told);
    assert.deepEqual((await second.client.beta.threads.messages.list(run.thread_id)).data, []);
    assert.deepEqual(
      (await second.client.beta.threads.runs.steps.list(run.id, { thread_id: run.thread_id })).data,
      [],
    );
    assert.equal(
      (await second.client.beta.threads.runs.retrieve(run.id, { thread_id: run.thread_id })).status,
      'failed',
    );
  });

  it('asks no model for whom was given up for dead, whose thread may have gone on', async () => {
    const model = new ScriptedModel(says('too late'));
    const { promise: isStopped, resolve: stop } = Promise.withResolvers<void>();
    const { promise: goOn, resolve: resume } = Promise.withResolvers<number>();
    const contextWindow = () => {
      stop();
      return goOn;
    };
    const paused = await workshop.open(Object.assign(model, { contextWindow }), { database });
    const second = await open(says('in time'));
    const assistant_id = await assistantOf(paused);
    const run = await paused.client.beta.threads.createAndRun({
      assistant_id,
      thread: { messages: [{ role: 'user', content: 'first' }] },
    });
    await isStopped;
    const { store, outbox, now } = second.engine.service;
    const ending = { name: 'fail', now: now(), lastError: STOPPED, supersedes: true } as const;
    assert.ok(await endRun(store.db, run.id, ending, undefined, outbox.tellNext));
    const next = await second.client.beta.threads.runs.createAndPoll(
      run.thread_id,
      { assistant_id, additional_messages: [{ role: 'user', content: 'second' }] },
      { pollIntervalMs: 5 },
    );
    assert.equal(next.status, 'completed');
    resume(1000);
    await until(() => !paused.engine.service.executor.has(run.id));
    assert.equal(model.turns.length, 0);
  });

  it('begins nothing that was given to another meanwhile, and its reader reads on there', async () => {
    /** Keeps an engine between taking a run up and beginning it, as one that is stopped there. */
    const stopped = ({ engine }: Bench) => {
      const { executor } = engine.service;
      const start = executor.start.bind(executor);
      return new Promise<() => void>((resolve) => {
        executor.start = (...run) => resolve(() => start(...run));
      });
    };
    const first = await open(says('from the first'));
    const second = await open(says('from the second'));
    const assistant_id = await assistantOf(first);
    const [goOn, begin] = [stopped(first), stopped(second)];
    const answer = await send(first.engine, 'POST', '/threads/runs', { assistant_id, stream: true });
    const resume = await goOn;
    await withPostgres(database, (client) =>
      client.query('update runs set worker = $1', [second.engine.service.workerId]),
    );
    await second.engine.sweep();
    const beginThere = await begin;
    resume();
    await until(() => first.engine.service.executor.size === 0);
    beginThere();
    const frames = await framesOf(answer);
    assert.deepEqual(orderOf(frames).slice(-2), ['run.completed', 'done']);
    assert.equal(
      frames.find(({ event }) => event === 'thread.message.completed')!.data.content[0].text.value,
      'from the second',
    );
    assert.deepEqual(await framesOf(await stream(second, frames[1]!.data, 0)), frames.slice(1));
  });

  it('leaves what it has not begun to the others when it closes', async () => {
    const first = await open(hangs(), { capacity: 0 });
    const assistant_id = await assistantOf(first);
    const run = await first.client.beta.threads.createAndRun({ assistant_id });
    await withPostgres(database, (client) =>
      client.query('update runs set worker = $1 where id = $2', [first.engine.service.workerId, run.id]),
    );
    const second = await open(says('done'));
    await first.engine.close();
    await until(
      async () =>
        (await second.client.beta.threads.runs.retrieve(run.id, { thread_id: run.thread_id })).status ===
        'completed',
    );
  });

  it('keeps events for some minutes, and only those of ended runs go', async () => {
    const first = await open(says('hello'));
    const second = await open(hangs());
    const assistant_id = await assistantOf(first);
    const { id, thread_id } = await first.client.beta.threads.createAndRunPoll(
      { assistant_id },
      { pollIntervalMs: 5 },
    );
    const goesOn = await second.client.beta.threads.createAndRun({ assistant_id });
    await until(async () => (await rowsOf(goesOn.id)).length === 4);
    await first.engine.sweep();
    assert.ok((await rowsOf(id)).length > 5);
    await withPostgres(database, (client) =>
      client.query("update events set at = at - interval '6 minutes'"),
    );
    await until(async () => {
      await first.engine.sweep();
      return (await rowsOf(id)).length === 0;
    });
    assert.equal((await rowsOf(goesOn.id)).length, 4);
    // Then a reader is told how it ended, as ever.
    const late = await framesOf(await stream(second, { id, thread_id }, 3));
    assert.deepEqual(
      late.map(({ event }) => event),
      ['thread.run.completed', 'done'],
    );
  });

  it('works where notifications do not come through, and says so', async () => {
    const proxy = await deafProxy(database);
    try {
      const warnings: string[] = [];
      const log = { debug() {}, info() {}, warn: (text: string) => warnings.push(text), error() {} };
      const first = await open(says('one two'), { database: proxy.address, log });
      const door = await open(hangs(), { database: proxy.address, capacity: 0 });
      assert.match(warnings.join(), /notifications of the database do not arrive.*PgBouncer/);
      const assistant_id = await assistantOf(first);
      // Whoever has just come reads all of a run that begins now, although nobody was told of the newcomer.
      assert.equal(first.engine.service.outbox.open, true);
      const soon = await first.client.beta.threads.createAndRunPoll({ assistant_id });
      assert.ok((await framesOf(await stream(door, soon, 0))).length > 5);
      const frames = await framesOf(
        await send(door.engine, 'POST', '/threads/runs', { assistant_id, stream: true }),
      );
      assert.deepEqual(orderOf(frames).slice(-2), ['run.completed', 'done']);
    } finally {
      await workshop.cleanUp();
      await proxy.close();
    }
  });

  it('closes soon while the server is away', async () => {
    const server = await startPostgres();
    try {
      const first = await open(hangs(), { database: server.address });
      const assistant_id = await assistantOf(first);
      await first.client.beta.threads.createAndRun({ assistant_id });
      await until(() => first.engine.service.executor.size === 1);
      await server.pause();
      const start = performance.now();
      await first.engine.close();
      assert.ok(performance.now() - start < 12_000, `${performance.now() - start} ms`);
      await server.start();
    } finally {
      await workshop.cleanUp();
      await server.stop();
    }
  });

  it('goes on after the server was away', async () => {
    const server = await startPostgres();
    try {
      const { script, say, end } = speaker();
      const first = await open(script, { database: server.address });
      const second = await open(hangs(), { database: server.address });
      const assistant_id = await assistantOf(first);
      const run = await first.client.beta.threads.createAndRun({ assistant_id });
      const frames = framesOf(await stream(second, run));
      say(3);
      await until(async () => first.engine.service.hub.get(run.id)!.length > 9);
      await server.pause();
      say(3);
      const made = first.client.beta.threads.create();
      await server.start();
      assert.ok((await made).id);
      say(3);
      end();
      const events = await frames;
      assert.equal(events.at(-2)!.event, 'thread.run.completed');
      const text = events
        .filter(({ event }) => event === 'thread.message.delta')
        .map(({ data }) => data.delta.content[0].text.value)
        .join('');
      assert.equal(text, Array.from({ length: 9 }, (_, i) => `word${i} `).join(''));
    } finally {
      await workshop.cleanUp();
      await server.stop();
    }
  });
});
