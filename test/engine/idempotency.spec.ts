/** A key against repeating: the same request makes one run, however often and wherever it comes. */
import assert from 'node:assert/strict';
import { onEachDatabase } from '../support/databases.ts';
import { type Bench, framesOf, type Json, ScriptedModel, says, Workshop } from './support.ts';

onEachDatabase('a key against repeating', () => {
  const workshop = new Workshop();
  let bench: Bench;
  let model: ScriptedModel;
  let assistant_id: string;
  beforeEach(async () => {
    model = new ScriptedModel(...Array(20).fill(says('Once.')));
    bench = await workshop.open(model);
    ({ id: assistant_id } = await bench.client.beta.assistants.create({ model: 'm', instructions: 'x' }));
  });
  afterEach(() => workshop.cleanUp());

  const post = (path: string, body: object, key?: string): Promise<Response> =>
    bench.engine.fetch(`http://engine.local/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) },
      body: JSON.stringify(body),
    });
  const runOf = async (path: string, body: object, key?: string): Promise<Json> =>
    (await post(path, body, key)).json();
  const newThread = async () => {
    const { id } = await bench.client.beta.threads.create({ messages: [{ role: 'user', content: 'Hi' }] });
    return id;
  };
  const ended = async ({ thread_id, id }: Json) => bench.client.beta.threads.runs.poll(id, { thread_id });

  it('finds the run that was made, and adds no message again', async () => {
    const thread = await newThread();
    const body = { assistant_id, additional_messages: [{ role: 'user', content: 'And?' }] };
    const first = await runOf(`/threads/${thread}/runs`, body, 'order-1');
    assert.equal(first.object, 'thread.run');
    const again = await runOf(`/threads/${thread}/runs`, body, 'order-1');
    assert.equal(again.id, first.id);
    await ended(first);
    assert.equal((await runOf(`/threads/${thread}/runs`, body, 'order-1')).id, first.id);
    const messages = await bench.client.beta.threads.messages.list(thread);
    assert.equal(messages.data.filter(({ role }) => role === 'user').length, 2);
    assert.equal((await bench.client.beta.threads.runs.list(thread)).data.length, 1);
  });

  it('is one of its thread, and of its path', async () => {
    const [one, two] = [await newThread(), await newThread()];
    const runs = [
      await runOf(`/threads/${one}/runs`, { assistant_id }, 'k'),
      await runOf(`/threads/${two}/runs`, { assistant_id }, 'k'),
      await runOf('/threads/runs', { assistant_id }, 'k'),
    ];
    assert.equal(new Set(runs.map(({ id }) => id)).size, 3);
    assert.equal((await runOf('/threads/runs', { assistant_id }, 'k')).thread_id, runs[2].thread_id);
  });

  it('makes one run of many requests at once', async () => {
    const body = { assistant_id, thread: { messages: [{ role: 'user', content: 'Hi' }] } };
    const all = await Promise.all(Array.from({ length: 10 }, () => runOf('/threads/runs', body, 'rush')));
    assert.deepEqual(new Set(all.map(({ id }) => id)).size, 1, JSON.stringify(all));
  });

  it('gives the stream of the run that was made', async () => {
    const thread = await newThread();
    const first = await runOf(`/threads/${thread}/runs`, { assistant_id }, 'stream');
    await ended(first);
    const frames = await framesOf(
      await post(`/threads/${thread}/runs`, { assistant_id, stream: true }, 'stream'),
    );
    assert.deepEqual(frames.map(({ event }) => event).slice(-2), ['thread.run.completed', 'done']);
    assert.equal(frames.at(-2)?.data.id, first.id);
  });

  it('goes with its run, and then makes anew', async () => {
    const first = await runOf('/threads/runs', { assistant_id }, 'gone');
    await ended(first);
    await bench.client.beta.threads.delete(first.thread_id);
    const second = await runOf('/threads/runs', { assistant_id }, 'gone');
    assert.equal(second.object, 'thread.run');
    assert.notEqual(second.id, first.id);
  });
});
