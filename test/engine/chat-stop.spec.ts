/** A chat program's Stop: it closes its request before the answer is done, and the run behind it ends. */
import assert from 'node:assert/strict';
import type { Caller, EngineOptions } from '../../engine/index.ts';
import { onEachDatabase } from '../support/databases.ts';
import { until } from '../support/until.ts';
import {
  type Bench,
  calls,
  HOME,
  hangs,
  type Json,
  type Script,
  ScriptedModel,
  says,
  Workshop,
} from './support.ts';

const ANNA: Caller = { id: 'key_anna' };
const user = (content: string) => ({ role: 'user', content });
const OWN = { tools: [{ type: 'function', function: { name: 'lamp' } }] };

onEachDatabase('a chat program that closes its request', function (kind) {
  this.timeout(30_000);
  let workshop: Workshop;
  let database: string;
  beforeEach(async () => {
    workshop = new Workshop();
    database = await workshop.database();
  });
  afterEach(() => workshop.cleanUp());

  const open = async (scripts: Script[], options: Partial<EngineOptions> = {}) => {
    const model = new ScriptedModel(...scripts);
    return {
      ...(await workshop.open(model, { database, assistants: [HOME], ...options })),
      model,
    };
  };
  /** A request that can be closed. */
  const ask = ({ engine }: Bench, body: object, caller: Caller = ANNA) => {
    const connection = new AbortController();
    const answered = engine.fetch(
      'http://engine.local/v1/chat/completions',
      {
        method: 'POST',
        body: JSON.stringify({ model: 'Home', ...body }),
        signal: connection.signal,
      },
      caller,
    );
    answered.catch(() => {});
    return { answered, close: () => connection.abort() };
  };
  const whole = async (request: ReturnType<typeof ask>): Promise<Json> => {
    const response = await request.answered;
    const body = (await response.json()) as Json;
    assert.equal(response.status, 200, JSON.stringify(body));
    return body.choices[0];
  };
  const runsOf = ({ engine }: Bench) =>
    engine.service.store.db.selectFrom('runs').select(['id', 'status']).orderBy('seq').execute();
  const statusesOf = async (bench: Bench) => (await runsOf(bench)).map(({ status }) => status);
  const reach = (bench: Bench, ...statuses: string[]) =>
    until(async () => (await statusesOf(bench)).join() === statuses.join());
  const isSilent = ({ model }: { model: ScriptedModel }) => model.turns.at(-1)!.signal.aborted;

  for (const stream of [true, false]) {
    const how = stream ? 'streaming' : 'not streaming';

    it(`ends its run and its model's work, ${how}; nothing is kept`, async () => {
      const bench = await open([hangs('Well')]);
      const request = ask(bench, { messages: [user('Hi')], stream });
      if (stream) await (await request.answered).body!.getReader().read();
      await reach(bench, 'in_progress');
      await until(() => bench.model.turns.length === 1);
      request.close();
      await until(() => isSilent(bench));
      await reach(bench);
      assert.equal((await bench.engine.counts()).threads, 0);
    });

    it(`has a conversation that goes on with its next question at once, ${how}`, async () => {
      const bench = await open([hangs('Well'), says('Fine')]);
      const request = ask(bench, { messages: [user('first')], user: 'anna', stream });
      await until(() => bench.model.turns.length === 1);
      request.close();
      const { message } = await whole(ask(bench, { messages: [user('second')], user: 'anna' }));
      assert.equal(message.content, 'Fine');
      assert.deepEqual(await statusesOf(bench), ['cancelled', 'completed']);
      assert.match(JSON.stringify(bench.model.turns[1]!.items), /first.*second/);
    });

    it(`ends nothing once the answer is done, ${how}: calls wait on, and so does what they lead to`, async () => {
      const bench = await open([calls(['lamp', {}]), hangs('Well')]);
      const messages: Json[] = [user('Light')];
      const first = ask(bench, { messages, stream, ...OWN });
      const text = await (await first.answered).text();
      const id = /"id":"(call_\w+)"/.exec(text)![1]!;
      first.close();
      await reach(bench, 'requires_action');
      messages.push(
        {
          role: 'assistant',
          tool_calls: [{ id, type: 'function', function: { name: 'lamp', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: id, content: 'bright' },
      );
      const second = ask(bench, { messages, stream, ...OWN });
      await until(() => bench.model.turns.length === 2);
      first.close();
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.deepEqual(await statusesOf(bench), ['in_progress']);
      second.close();
      await reach(bench);
    });

    it(`ends a run that waits for what a flow answers, ${how}`, async () => {
      const bench = await open([calls(['lamp', {}]), says('Done')], { answersCalls: () => true });
      const request = ask(bench, { messages: [user('Light')], stream }, { ...ANNA, isServedTools: true });
      await reach(bench, 'requires_action');
      request.close();
      await reach(bench);
      assert.equal(bench.model.turns.length, 1);
    });
  }

  it('ends a run whose calls it has not been told of yet', async () => {
    const bench = await open([calls(['lamp', {}])]);
    const request = ask(bench, { messages: [user('Light')], user: 'anna', stream: true, ...OWN });
    await request.answered;
    await reach(bench, 'requires_action');
    request.close();
    await reach(bench, 'cancelled');
  });

  it('tells a question that was stopped once, though the program tells it again before the next one', async () => {
    const bench = await open([hangs(), hangs('Half'), says('Yes'), says('Again')]);
    const said = (words: string) =>
      bench.model.turns.at(-1)!.items.filter((item) => JSON.stringify(item).includes(words)).length;
    const history: Json[] = [];
    for (const [index, question] of ['Uno', 'Dos'].entries()) {
      history.push(user(question));
      const request = ask(bench, { messages: history, user: 'kitchen' });
      await until(() => bench.model.turns.length === index + 1);
      request.close();
      await until(async () => (await statusesOf(bench))[index] === 'cancelled');
    }
    assert.equal(said('Uno'), 1);
    await whole(ask(bench, { messages: [...history, user('Tres')], user: 'kitchen' }));
    assert.deepEqual(['Uno', 'Dos', 'Tres'].map(said), [1, 1, 1]);
    // What has its answer is asked again where it is said again, and so is the last of what has none.
    const answered = [...history, user('Tres'), { role: 'assistant', content: 'Yes' }];
    await whole(ask(bench, { messages: [...answered, user('Tres')], user: 'kitchen' }));
    assert.deepEqual(['Uno', 'Dos', 'Tres'].map(said), [1, 1, 2]);
  });

  it('begins no run where it still waits for its turn in the conversation', async () => {
    const bench = await open([hangs('Well')]);
    const first = ask(bench, { messages: [user('first')], user: 'anna', stream: true });
    await first.answered;
    await until(() => bench.model.turns.length === 1);
    const second = ask(bench, { messages: [user('second')], user: 'anna' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    second.close();
    first.close();
    await reach(bench, 'cancelled');
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual(await statusesOf(bench), ['cancelled']);
    assert.equal(bench.model.turns.length, 1);
  });

  it('does not make room in a conversation whose run a flow answers', async () => {
    const bench = await open([calls(['lamp', {}]), says('Done')], { answersCalls: () => true });
    const served = { ...ANNA, isServedTools: true };
    const first = ask(bench, { messages: [user('first')], user: 'anna' }, served);
    await reach(bench, 'requires_action');
    const second = ask(bench, { messages: [user('second')], user: 'anna' }, served);
    const response = await second.answered;
    assert.equal(response.status, 400);
    assert.match(((await response.json()) as Json).error.message, /already has an active run/);
    assert.deepEqual(await statusesOf(bench), ['requires_action']);
    first.close();
    await reach(bench, 'cancelled');
  });

  it('is told from a service that closes', async () => {
    const bench = await open([hangs('Well')]);
    const request = ask(bench, { messages: [user('Hi')], user: 'anna', stream: true });
    await (await request.answered).body!.getReader().read();
    await until(() => bench.model.turns.length === 1);
    const closed = bench.engine.close();
    request.close();
    await closed;
    assert.deepEqual(await statusesOf(await open([says('Hi')])), ['failed']);
  });

  it('is told so at once where it waits for its turn in a service that closes', async () => {
    const bench = await open([hangs('Well'), says('never')]);
    const first = ask(bench, { messages: [user('first')], user: 'anna', stream: true });
    await first.answered;
    await until(() => bench.model.turns.length === 1);
    const second = ask(bench, { messages: [user('second')], user: 'anna' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await bench.engine.close();
    const response = await second.answered;
    assert.equal(((await response.json()) as Json).error.code, 'service_closed');
    assert.equal(bench.model.turns.length, 1);
  });

  if (kind === 'PostgreSQL') {
    it('ends its run on whichever machine that is at work', async () => {
      const door = await open([says('never')], { capacity: 0 });
      const worker = await open([hangs('Well')]);
      for (const stream of [true, false]) {
        const turns = worker.model.turns.length;
        const request = ask(door, { messages: [user('Hi')], stream });
        await until(() => worker.model.turns.length > turns);
        request.close();
        await until(() => isSilent(worker));
        await reach(door);
      }
      assert.equal(door.model.turns.length, 0);
    });

    it('ends its run where no machine has room for it', async () => {
      const door = await open([says('never')], { capacity: 0 });
      const request = ask(door, { messages: [user('Hi')], user: 'anna' });
      await reach(door, 'queued');
      request.close();
      await reach(door, 'cancelled');
    });
  }
});
