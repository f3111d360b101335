/** Calls of other programs' runs that wait for a flow: they outlive Node-RED, and are answered once. */
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import OpenAI from 'openai';
import type { TestServer } from '../support/http-server.ts';
import { RELEASES, type Release } from '../support/node-red.ts';
import { until } from '../support/until.ts';
import { ASSISTANT, newKey, type ServingNodeRed, service, startServing } from './support.ts';
import {
  answeringByHttp,
  flowAt,
  LASTING_CONTEXT,
  outputsShown,
  startCallingModel,
} from './waiting-support.ts';

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`calls that wait for a flow of Node-RED ${release}`, function () {
    this.timeout(60_000);
    const { key, kept } = newKey('a program');
    let model: TestServer;
    let red: ServingNodeRed;
    let client: OpenAI;
    let flow: ReturnType<typeof flowAt>;

    before(async () => {
      model = await startCallingModel();
      const svc = service([{ kept }], { database: '', provider: 'chat', url: `${model.url}/v1`, model: 'm' });
      red = await startServing([svc, ...answeringByHttp('memory')], { release, settings: LASTING_CONTEXT });
      client = new OpenAI({ apiKey: key, baseURL: red.base, maxRetries: 0 });
      flow = flowAt(red);
    });
    beforeEach(async () => {
      await flow.forget();
      model.received.length = 0;
    });
    after(async () => {
      await red?.stop();
      await model?.close();
    });

    const begin = (text: string) =>
      client.beta.threads.createAndRun({
        assistant_id: ASSISTANT,
        thread: { messages: [{ role: 'user', content: text }] },
      });
    const contextOf = () =>
      readFile(path.join(red.userDir, 'context', 'tab', 'runs.json'), 'utf8').catch(() => '');
    /** Waits until the node has written an answer into its context. */
    const isKept = (callId: string) => until(async () => (await contextOf()).includes(callId));
    type Ids = { id: string; thread_id: string };
    const look = ({ id, thread_id }: Ids) => client.beta.threads.runs.retrieve(id, { thread_id });
    /** Waits for the run's end, as a program does that polls; it must never be asked itself. */
    const end = async (run: Ids) => {
      const status = await until(async () => {
        const { status } = await look(run);
        assert.notEqual(status, 'requires_action');
        return /^(queued|in_progress)$/.test(status) ? undefined : status;
      });
      const { data } = await client.beta.threads.messages.list(run.thread_id, { limit: 1 });
      const [part] = data[0]!.content;
      return { status, reply: part?.type === 'text' ? part.text.value : '' };
    };

    it('are handed out again after a kill, under the same ids; the program waits on', async () => {
      const run = await begin('1 call, 1 round');
      const [first] = await flow.called(1);
      assert.equal(first!.run_id, run.id);
      assert.equal(first!.again, undefined);
      await red.end('SIGKILL');
      await red.startAgain();
      assert.equal((await look(run)).status, 'in_progress');
      const [again] = await flow.called(1);
      assert.deepEqual(again, { ...first, again: true });
      assert.ok(await flow.answer(again!, 'it shines'));
      assert.deepEqual(await end(run), { status: 'completed', reply: 'heard it shines' });
      // The answer to what was handed out before comes late, and does no harm.
      assert.ok(await flow.answer(first!, 'it shone'));
      await until(async () => (await flow.ended()).length > 0);
      assert.deepEqual(await flow.ended(), ['completed']);
      assert.deepEqual(outputsShown(model), [[], ['it shines']]);
      assert.equal((await flow.calls()).length, 1);
    });

    it('take an answer while Node-RED is still starting', async () => {
      const run = await begin('1 call, 1 round');
      const [tool] = await flow.called(1);
      await red.end('SIGTERM');
      const started = red.startAgain();
      await until(() => flow.answer(tool!, 'it shines'));
      await started;
      assert.deepEqual(await end(run), { status: 'completed', reply: 'heard it shines' });
      await until(async () => (await flow.ended()).length > 0);
      assert.deepEqual(await flow.ended(), ['completed']);
      assert.deepEqual(outputsShown(model), [[], ['it shines']]);
    });

    it('keep the answers of half a round where the context lasts, and ask for the rest', async () => {
      const run = await begin('2 calls, 1 round');
      const [first, second] = await flow.called(2);
      await flow.answer(first!, 'one');
      await isKept(first!.call_id);
      await red.end('SIGKILL');
      await red.startAgain();
      const calls = await flow.called(1);
      assert.deepEqual(calls, [{ ...second, again: true }]);
      await flow.answer(second!, 'two');
      assert.deepEqual(await end(run), { status: 'completed', reply: 'heard one and two' });
      await until(async () => !(await contextOf()).includes(run.id));
    });

    it('ask for the whole round again where the context does not last', async () => {
      const run = await begin('2 calls, 1 round');
      const [first, second] = await flow.called(2);
      await flow.answer(first!, 'one');
      await isKept(first!.call_id);
      await red.end('SIGKILL');
      await rm(path.join(red.userDir, 'context'), { recursive: true, force: true });
      await red.startAgain();
      // The answer to one of them may come before they are handed out.
      await flow.answer(second!, 'two');
      const calls = await until(async () => {
        const out = await flow.calls();
        return out.some(({ call_id }) => call_id === first!.call_id) && out;
      });
      assert.ok(calls.every(({ again }) => again));
      await flow.answer(first!, 'one again');
      assert.deepEqual(await end(run), { status: 'completed', reply: 'heard one again and two' });
    });

    it('of a chat program that answers itself wait for its next request, over a restart', async () => {
      const tools = [{ type: 'function' as const, function: { name: 'switch_lamp' } }];
      const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: '2 calls, 1 round' }];
      const first = await client.chat.completions.create({ model: 'Home', messages, tools });
      const { message } = first.choices[0]!;
      await red.end('SIGKILL');
      await red.startAgain();
      messages.push(message);
      for (const { id } of message.tool_calls ?? []) {
        messages.push({ role: 'tool', tool_call_id: id, content: id.slice(0, 5) });
      }
      const second = await client.chat.completions.create({ model: 'Home', messages, tools });
      assert.equal(second.id, first.id);
      assert.equal(second.choices[0]!.message.content, 'heard call_ and call_');
      assert.deepEqual(await flow.calls(), []);
    });

    it('are handed out once a round while Node-RED lives, and again after a deploy', async () => {
      const run = await begin('1 call, 3 rounds');
      const [first] = await flow.called(1);
      await flow.answer(first!, 'a');
      const [, second] = await flow.called(2);
      // Twice the pace at which the service tells of what waits.
      await new Promise((resolve) => setTimeout(resolve, 2200));
      assert.equal((await flow.calls()).length, 2);
      const flows = (await (await fetch(`${red.address}/flows`)).json()) as { type: string }[];
      await red.deploy(flows.filter(({ type }) => type !== 'tab'));
      const [, , third] = await flow.called(3);
      assert.deepEqual(third, { ...second, again: true });
      await flow.answer(second!, 'b');
      const [, , , last] = await flow.called(4);
      assert.equal(last!.again, undefined);
      await flow.answer(last!, 'c');
      assert.deepEqual(await end(run), { status: 'completed', reply: 'heard a and b and c' });
      await until(async () => (await flow.ended()).length > 0);
      assert.deepEqual(await flow.ended(), ['completed']);
      assert.deepEqual(outputsShown(model), [[], ['a'], ['a', 'b'], ['a', 'b', 'c']]);
    });
  });
}
