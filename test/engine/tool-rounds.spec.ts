/** Runs that call functions: outputs, rounds, what is remembered of them. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { TurnItem } from '../../engine/models/model.ts';
import { onEachDatabase } from '../support/databases.ts';
import { calls, type Script, ScriptedModel, says, send, USAGE, Workshop } from './support.ts';

/** Rounds of calls: each call a name and arguments. */
const anyRounds = fc.array(
  fc.array(
    fc.tuple(fc.constantFrom('light', 'door', 'heating'), fc.dictionary(fc.string(), fc.jsonValue())),
    {
      minLength: 1,
      maxLength: 4,
    },
  ),
  { minLength: 1, maxLength: 4 },
);

onEachDatabase('tool rounds', function (kind) {
  this.timeout(60_000);
  const workshop = new Workshop();
  after(() => workshop.cleanUp());

  it('bring every call out and every output back, in place, and only grow the prompt', async () => {
    await fc.assert(
      fc.asyncProperty(anyRounds, fc.boolean(), fc.string(), async (rounds, streamed, output) => {
        const scripts: Script[] = rounds.map((round) => calls(...(round as [string, object][])));
        const model = new ScriptedModel(...scripts, says('Done'));
        const { engine, client } = await workshop.open(model);
        const { id: assistant_id } = await client.beta.assistants.create({ model: 'm', instructions: 'x' });
        const { id: thread_id } = await client.beta.threads.create({
          messages: [{ role: 'user', content: 'Hi' }],
        });
        const { runs } = client.beta.threads;
        let run = streamed
          ? await runs.stream(thread_id, { assistant_id }).finalRun()
          : await runs.createAndPoll(thread_id, { assistant_id }, { pollIntervalMs: 1 });
        const ids = new Set<string>();
        for (const round of rounds) {
          assert.equal(run.status, 'requires_action');
          const asked = run.required_action!.submit_tool_outputs.tool_calls;
          assert.deepEqual(
            asked.map((call) => [call.function.name, JSON.parse(call.function.arguments)]),
            JSON.parse(JSON.stringify(round)),
          );
          for (const { id } of asked) ids.add(id);
          const tool_outputs = asked
            .map(({ id }, i) => ({ tool_call_id: id, output: `${output} ${i}` }))
            .reverse();
          run = streamed
            ? await runs.submitToolOutputsStream(run.id, { thread_id, tool_outputs }).finalRun()
            : await runs.submitToolOutputsAndPoll(run.id, { thread_id, tool_outputs }, { pollIntervalMs: 1 });
        }
        assert.equal(run.status, 'completed');
        assert.equal(ids.size, rounds.flat().length, 'ids are never used twice');
        assert.equal(run.usage!.total_tokens, (rounds.length + 1) * USAGE.total_tokens);

        const { data: steps } = await runs.steps.list(run.id, { thread_id, order: 'asc' });
        assert.equal(steps.length, rounds.length + 1);
        rounds.forEach((round, r) => {
          const details = steps[r]!.step_details;
          assert(details.type === 'tool_calls');
          assert.deepEqual(
            details.tool_calls.map((call) => call.type === 'function' && call.function.output),
            round.map((_, i) => `${output} ${i}`),
          );
        });

        for (const [i, turn] of model.turns.entries()) {
          const before: TurnItem[] = model.turns[i - 1]?.items ?? [];
          assert.deepEqual(turn.items.slice(0, before.length), before, 'the prompt only grows at its end');
          const seen = turn.items.flatMap((item) => (item.type === 'call' ? item.id : []));
          assert.equal(new Set(seen).size, seen.length, 'no id stands for two calls');
          const answered = turn.items.flatMap((item) => (item.type === 'output' ? item.id : []));
          assert.deepEqual(answered.toSorted(), seen.toSorted());
        }
        await engine.close();
      }),
      // Each opens a database.
      { numRuns: kind === 'SQLite' ? 40 : 10 },
    );
  });

  it('take their outputs once, whatever else comes at the same moment', async () => {
    const { engine, client } = await workshop.open(new ScriptedModel(calls(['light', {}])));
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'm', instructions: 'x' });
    const rivals = {
      '/submit_tool_outputs': [200, 400],
      '/cancel': [200, 400],
      '': [200, 404],
    };
    for (const [rival, statuses] of Object.entries(rivals)) {
      const run = await client.beta.threads.createAndRunStream({ assistant_id }).finalRun();
      const calls = run.required_action!.submit_tool_outputs.tool_calls;
      const tool_outputs = calls.map(({ id }) => ({ tool_call_id: id, output: 'on' }));
      const path = `/threads/${run.thread_id}/runs/${run.id}`;
      const submit = () => send(engine, 'POST', `${path}/submit_tool_outputs`, { tool_outputs });
      const other = () =>
        rival === '/submit_tool_outputs'
          ? submit()
          : rival
            ? send(engine, 'POST', path + rival)
            : send(engine, 'DELETE', `/threads/${run.thread_id}`);
      const answers = await Promise.all([other(), submit()]);
      // One of the two may be first; a run that was submitted can still be cancelled or deleted.
      for (const { status } of answers) assert(statuses.includes(status), `${rival || 'delete'}: ${status}`);
      if (rival === '/submit_tool_outputs')
        assert.deepEqual(answers.map(({ status }) => status).toSorted(), statuses);
    }
  });
});
