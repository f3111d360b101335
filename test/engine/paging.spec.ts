/** Lists and their cursors. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { newMessage } from '../../engine/objects/new-records.ts';
import { insertMessages } from '../../engine/store/messages.ts';
import { onEachDatabase } from '../support/databases.ts';
import { type Bench, type Json, ScriptedModel, says, send, Workshop } from './support.ts';

interface Query {
  limit: number;
  order: 'asc' | 'desc';
}

const anyQuery = fc.record({
  limit: fc.integer({ min: 1, max: 30 }),
  order: fc.constantFrom('asc' as const, 'desc' as const),
});

onEachDatabase('lists', () => {
  const workshop = new Workshop();
  let bench: Bench;
  before(async () => {
    // One frozen second: only the order of insertion is left to tell items apart.
    bench = await workshop.open(new ScriptedModel(says('x')), { clock: () => 1_800_000_000_000 });
  });
  after(() => workshop.cleanUp());

  /** A thread of so many messages; their ids oldest first. */
  async function threadOf(count: number) {
    const { id } = await bench.client.beta.threads.create();
    const messages = Array.from({ length: count }, (_, i) =>
      newMessage(id, { role: 'user', content: String(i) }, 1_800_000_000),
    );
    await insertMessages(bench.engine.service.store.db, messages);
    return { id, ids: messages.map((message) => message.id) };
  }

  async function list(thread: string, query: Query & { after?: string; before?: string }) {
    const text = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]));
    const page = (await (
      await send(bench.engine, 'GET', `/threads/${thread}/messages?${text}`)
    ).json()) as Json;
    assert.equal(page.object, 'list');
    const ids: string[] = page.data.map((item: Json) => item.id);
    assert.equal(page.first_id, ids[0] ?? null);
    assert.equal(page.last_id, ids.at(-1) ?? null);
    return { ids, more: page.has_more as boolean };
  }

  it('give every item once, in order, walking forward', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 60 }), anyQuery, async (count, query) => {
        const { id, ids } = await threadOf(count);
        const expected = query.order === 'asc' ? ids : ids.toReversed();
        const seen: string[] = [];
        for (let after: string | undefined; ; after = seen.at(-1)) {
          const page = await list(id, { ...query, ...(after && { after }) });
          seen.push(...page.ids);
          assert.equal(page.more, seen.length < count);
          if (!page.more) break;
          assert.equal(page.ids.length, query.limit);
        }
        assert.deepEqual(seen, expected);
      }),
      { numRuns: 40 },
    );
  });

  it('give what stands directly before a cursor, and between two', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        anyQuery,
        fc.nat(),
        fc.nat(),
        async (count, query, a, b) => {
          const { id, ids } = await threadOf(count);
          const ordered = query.order === 'asc' ? ids : ids.toReversed();
          const [from, to] = [a % count, b % count];
          const before = await list(id, { ...query, before: ordered[to]! });
          assert.deepEqual(before.ids, ordered.slice(Math.max(0, to - query.limit), to));
          assert.equal(before.more, to > query.limit);
          const between = await list(id, { ...query, after: ordered[from]!, before: ordered[to]! });
          assert.deepEqual(
            between.ids,
            ordered.slice(from + 1, Math.max(from + 1, to)).slice(0, query.limit),
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  it('answer the recorded example: three messages, desc, limit 1, before the second', async () => {
    const { id, ids } = await threadOf(3);
    assert.deepEqual((await list(id, { limit: 1, order: 'desc', before: ids[1]! })).ids, [ids[2]]);
  });

  it('are 20 long and newest first unless told otherwise, and read to the end by the SDK', async () => {
    const { id, ids } = await threadOf(45);
    const page = await bench.client.beta.threads.messages.list(id);
    assert.deepEqual(
      page.data.map((message) => message.id),
      ids.toReversed().slice(0, 20),
    );
    const all: string[] = [];
    for await (const message of bench.client.beta.threads.messages.list(id, { order: 'asc', limit: 7 }))
      all.push(message.id);
    assert.deepEqual(all, ids);
  });

  it('of messages may be narrowed to one run, of runs and steps belong to theirs', async () => {
    const { client } = bench;
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'm', instructions: 'x' });
    const { id: thread_id } = await client.beta.threads.create();
    const first = await client.beta.threads.runs.createAndPoll(
      thread_id,
      { assistant_id },
      { pollIntervalMs: 1 },
    );
    const second = await client.beta.threads.runs.createAndPoll(
      thread_id,
      { assistant_id },
      { pollIntervalMs: 1 },
    );
    const { data } = await client.beta.threads.messages.list(thread_id, { run_id: first.id });
    assert.deepEqual(
      data.map((message) => message.run_id),
      [first.id],
    );
    assert.deepEqual(
      (await client.beta.threads.runs.list(thread_id)).data.map((run) => run.id),
      [second.id, first.id],
    );
    const steps = (await client.beta.threads.runs.steps.list(second.id, { thread_id })).data;
    assert.deepEqual(
      steps.map((step) => step.run_id),
      [second.id],
    );
    const assistants = await client.beta.assistants.list({ limit: 1 });
    assert.equal(assistants.data[0]!.id, assistant_id);
  });
});
