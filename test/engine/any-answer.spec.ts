/** Whatever a model says, in whatever order: the SDK reads it, the contract admits it, the database has it. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { RunStatus } from '../../engine/domain/types.ts';
import type { ModelEvent } from '../../engine/models/model.ts';
import { onEachDatabase } from '../support/databases.ts';
import { holdFrame } from './contract.ts';
import { type Frame, type Script, ScriptedModel, trouble, Workshop } from './support.ts';

const text = fc.string({ minLength: 1 }).map((delta): ModelEvent[] => [{ type: 'text', delta }]);
const refusal = fc.string({ minLength: 1 }).map((delta): ModelEvent[] => [{ type: 'refusal', delta }]);
const carry = fc.jsonValue().map((data): ModelEvent[] => [{ type: 'carry', provider: 'p', data }]);
const usage = fc
  .nat({ max: 50 })
  .map((n): ModelEvent[] => [
    { type: 'usage', usage: { prompt_tokens: n, completion_tokens: 1, total_tokens: n + 1 } },
  ]);
const annotation = fc.constant<ModelEvent[]>([
  {
    type: 'annotation',
    annotation: {
      type: 'file_citation',
      text: '[1]',
      start_index: 0,
      end_index: 3,
      file_citation: { file_id: 'f' },
    },
  },
]);
/** `index` is filled in later: calls and hosted calls are counted over the turn. */
const call = fc
  .array(fc.string(), { maxLength: 3 })
  .map((pieces): ModelEvent[] => [
    { type: 'call', index: -1, id: 'same', name: 'f' },
    ...pieces.map((piece): ModelEvent => ({ type: 'call_arguments', index: -1, delta: piece })),
    { type: 'call_done', index: -1 },
  ]);
const code = (code_interpreter: object) => ({ id: 'ci', type: 'code_interpreter', code_interpreter });
const hosted = fc.array(fc.string(), { maxLength: 3 }).map((pieces): ModelEvent[] => [
  { type: 'hosted_call', phase: 'started', index: -1, call: code({ input: '', outputs: [] }) },
  ...pieces.map(
    (input): ModelEvent => ({ type: 'hosted_call', phase: 'delta', index: -1, call: code({ input }) }),
  ),
  {
    type: 'hosted_call',
    phase: 'done',
    index: -1,
    call: code({ input: pieces.join(''), outputs: [{ type: 'logs', logs: 'ok' }] }),
  },
]);

const anyTurn = fc.record({
  groups: fc.array(fc.oneof(text, text, refusal, carry, usage, annotation, call, hosted), { maxLength: 8 }),
  end: fc.constantFrom(
    'stop' as const,
    'length' as const,
    'content_filter' as const,
    'throw' as const,
    'nothing' as const,
  ),
});

function scriptOf({ groups, end }: typeof anyTurn extends fc.Arbitrary<infer T> ? T : never): Script {
  const counts = { call: -1, hosted_call: -1 };
  const events = groups.flatMap((group) => {
    const kind = group[0]!.type === 'hosted_call' ? 'hosted_call' : 'call';
    if ('index' in group[0]!) counts[kind]++;
    return group.map((event) => ('index' in event ? { ...event, index: counts[kind] } : event));
  });
  return async function* () {
    yield* events;
    if (end === 'throw') throw trouble('Broken off.');
    if (end !== 'nothing') yield { type: 'end', reason: end };
  };
}

const ENDS: RunStatus[] = ['completed', 'incomplete', 'failed', 'requires_action'];

onEachDatabase('any answer', function () {
  this.timeout(60_000);
  const workshop = new Workshop();
  after(() => workshop.cleanUp());

  it('is read by the SDK, admitted by the contract, and there afterwards', async () => {
    let script: Script = async function* () {};
    const { client } = await workshop.open(new ScriptedModel((turn) => script(turn)));
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'm', instructions: 'x' });
    const met = new Set<string>();
    await fc.assert(
      fc.asyncProperty(anyTurn, async (turn) => {
        script = scriptOf(turn);
        const stream = client.beta.threads.createAndRunStream({ assistant_id });
        const frames: Frame[] = [];
        stream.on('event', (event) => frames.push(structuredClone(event)));
        const run = await stream.finalRun();
        met.add(run.status);
        assert(ENDS.includes(run.status));
        for (const frame of frames) holdFrame(frame);

        const { thread_id } = run;
        assert.deepEqual(await client.beta.threads.runs.retrieve(run.id, { thread_id }), run);
        const { data: messages } = await client.beta.threads.messages.list(thread_id, {
          order: 'asc',
          limit: 100,
        });
        assert.deepEqual(messages, await stream.finalMessages());
        const { data: steps } = await client.beta.threads.runs.steps.list(run.id, {
          thread_id,
          order: 'asc',
          limit: 100,
        });
        const open = steps.filter((step) => step.status === 'in_progress');
        assert.equal(open.length, run.status === 'requires_action' ? 1 : 0);
        const ended = await stream.finalRunSteps();
        assert.deepEqual(
          steps.filter((step) => step.status !== 'in_progress'),
          // In the stream a step knows when it would have expired, over REST no more once the run has ended.
          ended
            .filter((step) => step.status !== 'in_progress')
            .map((step) => (run.status === 'requires_action' ? step : { ...step, expires_at: null })),
        );
        if (run.usage) {
          const used = steps.reduce((sum, step) => sum + (step.usage?.total_tokens ?? 0), 0);
          assert(steps.length === 0 || used === run.usage.total_tokens, 'usage is the sum over the steps');
        }
        // What was put together from deltas is what the end says.
        for (const message of messages) {
          const pieces = frames.flatMap(({ event, data }) =>
            event === 'thread.message.delta' && data.id === message.id ? data.delta.content : [],
          );
          message.content.forEach((part, index) => {
            const joined = pieces
              .filter((piece) => piece.index === index)
              .map((piece) => piece.text?.value ?? piece.refusal ?? '')
              .join('');
            assert.equal(
              joined,
              part.type === 'text' ? part.text.value : part.type === 'refusal' && part.refusal,
            );
          });
        }
      }),
      { numRuns: 200 },
    );
    assert.deepEqual([...met].sort(), ENDS.toSorted());
  });
});
