/** Azure's own client of agents against a Node-RED that serves: nothing is changed but endpoint and credential. */
import assert from 'node:assert/strict';
import { AgentsClient, type RunStep, type SubmitToolOutputsAction, type ThreadRun } from '@azure/ai-agents';
import { selfSigned } from '../support/certificate.ts';
import { RELEASES, type Release } from '../support/node-red.ts';
import { type ReverseProxy, startReverseProxy } from './reverse-proxy.ts';
import { ASSISTANT, newKey, type ServingNodeRed, service, startServing } from './support.ts';

const ASKED = 'Please switch lamp "desk" on';
const WEATHER = {
  type: 'function' as const,
  function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
};

/** Reads a list to its end, as it comes from the client. */
async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of list) items.push(item);
  return items;
}

const textOf = (content: { type: string }[]): string =>
  content.map((part) => (part as unknown as { text: { value: string } }).text.value).join('');

/** The outputs that a run waits for. */
const outputsFor = (run: ThreadRun, output: string) =>
  (run.requiredAction as SubmitToolOutputsAction).submitToolOutputs.toolCalls.map(({ id }) => ({
    toolCallId: id,
    output,
  }));

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`@azure/ai-agents against Node-RED ${release}`, function () {
    this.timeout(60_000);
    const { key, kept } = newKey('an agent of Azure', { ownThreads: true });
    const certificate = selfSigned();
    let red: ServingNodeRed;
    let proxy: ReverseProxy;
    let client: AgentsClient;

    before(async () => {
      red = await startServing([service([{ kept }])], { release });
      // The client shows its credential to https alone.
      proxy = await startReverseProxy(red.address, certificate);
      const getToken = async () => ({ token: key, expiresOnTimestamp: Date.now() + 3_600_000 });
      client = new AgentsClient(
        `${proxy.address}/openai-runs/v1`,
        { getToken },
        { tlsOptions: { ca: certificate.cert }, retryOptions: { maxRetries: 0 } },
      );
    });
    after(async () => {
      proxy?.close();
      await red?.stop();
    });

    const threadWith = (content: string) =>
      client.threads.create({ messages: [{ role: 'user', content }], metadata: { from: 'azure' } });

    it('makes, changes, lists and deletes agents', async () => {
      const made = await client.createAgent('rehearsal', {
        name: 'Weather',
        instructions: 'You know the weather.',
        tools: [WEATHER],
        temperature: 0.5,
        topP: 0.9,
        metadata: { of: 'azure' },
      });
      assert.deepEqual([made.object, made.name, made.topP], ['assistant', 'Weather', 0.9]);
      assert.equal(made.tools[0]?.type, 'function');
      const changed = await client.updateAgent(made.id, { description: 'changed' });
      assert.equal(changed.description, 'changed');
      assert.deepEqual((await client.getAgent(made.id)).metadata, { of: 'azure' });
      const ids = (await all(client.listAgents({ limit: 100 }))).map(({ id }) => id);
      assert.ok(ids.includes(made.id) && ids.includes(ASSISTANT));
      assert.equal((await client.deleteAgent(made.id)).deleted, true);
      await assert.rejects(client.getAgent(made.id), { statusCode: 404 });
    });

    it('polls a run to its end, and reads what was said', async () => {
      const thread = await threadWith('Good morning');
      const run = await client.runs.createAndPoll(thread.id, ASSISTANT, {
        additionalInstructions: 'Be brief.',
        truncationStrategy: { type: 'last_messages', lastMessages: 5 },
        toolChoice: 'none',
        responseFormat: 'auto',
        parallelToolCalls: false,
        pollingOptions: { intervalInMs: 20 },
      });
      assert.deepEqual([run.status, run.object, run.assistantId], ['completed', 'thread.run', ASSISTANT]);
      assert.ok(run.usage && run.usage.totalTokens > 0 && run.completedAt instanceof Date);
      const [reply, asked] = await all(client.messages.list(thread.id, { order: 'desc' }));
      assert.deepEqual([reply?.role, reply?.runId, asked?.role], ['assistant', run.id, 'user']);
      assert.ok(textOf(reply!.content));
      assert.equal((await client.messages.get(thread.id, reply!.id)).id, reply!.id);
      const noted = await client.runs.update(thread.id, run.id, { metadata: { seen: 'yes' } });
      assert.deepEqual(noted.metadata, { seen: 'yes' });
    });

    it('submits tool outputs between two polls, and reads the steps', async () => {
      const thread = await threadWith(ASKED);
      const poller = client.runs.createAndPoll(thread.id, ASSISTANT, {
        pollingOptions: { intervalInMs: 20 },
      });
      let answered = false;
      poller.onProgress(({ result: run }) => {
        if (run?.status !== 'requires_action' || answered) return;
        answered = true;
        client.runs.submitToolOutputs(thread.id, run.id, outputsFor(run, 'the lamp is on')).then();
      });
      const run = await poller;
      assert.equal(run.status, 'completed');
      const steps = await all(client.runSteps.list(thread.id, run.id, { order: 'asc' }));
      assert.deepEqual(
        steps.map(({ type, status }) => [type, status]),
        [
          ['tool_calls', 'completed'],
          ['message_creation', 'completed'],
        ],
      );
      const step: RunStep = await client.runSteps.get(thread.id, run.id, steps[0]!.id);
      assert.match(JSON.stringify(step.stepDetails), /switch_lamp/);
    });

    it('streams a run, its call for outputs, and on', async () => {
      const thread = await threadWith(ASKED);
      let waiting: ThreadRun | undefined;
      const first: string[] = [];
      for await (const { event, data } of await client.runs.create(thread.id, ASSISTANT).stream()) {
        first.push(event);
        if (event === 'thread.run.requires_action') waiting = data as ThreadRun;
      }
      assert.deepEqual([first[0], first.at(-1)], ['thread.run.created', 'done']);
      assert.ok(first.includes('thread.run.step.delta'));
      assert.ok(waiting);
      const outputs = outputsFor(waiting, 'the lamp is on');
      const stream = await client.runs.submitToolOutputs(thread.id, waiting.id, outputs).stream();
      let text = '';
      const second: string[] = [];
      for await (const { event, data } of stream) {
        second.push(event);
        if (event === 'thread.message.delta') text += textOf((data as never as Delta).delta.content);
      }
      assert.match(text, /the lamp is on/);
      assert.ok(second.includes('thread.run.completed'));
      assert.equal(second.at(-1), 'done');
    });

    it('makes a thread and its run in one, streamed', async () => {
      const events: string[] = [];
      const made = client.runs.createThreadAndRun(ASSISTANT, {
        thread: { messages: [{ role: 'user', content: 'Good morning' }] },
      });
      for await (const { event } of await made.stream()) events.push(event);
      assert.equal(events[0], 'thread.created');
      assert.ok(events.includes('thread.run.completed'));
    });

    it('pages by cursors', async () => {
      const thread = await threadWith('one');
      for (const word of ['two', 'three']) await client.messages.create(thread.id, 'user', word);
      const list = (after?: string) =>
        all(client.messages.list(thread.id, { limit: 2, order: 'asc', after }));
      const first = await list();
      const second = await list(first.at(-1)?.id);
      assert.deepEqual(
        [...first, ...second].map(({ content }) => textOf(content)),
        ['one', 'two', 'three'],
      );
      const run = await client.runs.createAndPoll(thread.id, ASSISTANT, {
        pollingOptions: { intervalInMs: 20 },
      });
      assert.deepEqual(
        (await all(client.runs.list(thread.id, { limit: 1 }))).map(({ id }) => id),
        [run.id],
      );
    });

    it('cancels a run, and is told what is wrong', async () => {
      const thread = await threadWith('rehearse slow');
      const run = await client.runs.create(thread.id, ASSISTANT);
      assert.match((await client.runs.cancel(thread.id, run.id)).status, /^cancel/);
      await assert.rejects(client.threads.get('thread_none'), { statusCode: 404, message: /thread_none/ });
      assert.equal((await client.threads.delete(thread.id)).deleted, true);
    });

    it('is told of what is Azure’s own: lists of threads, files, tools that Azure runs', async () => {
      await assert.rejects(all(client.threads.list()), { statusCode: 405 });
      await assert.rejects(client.vectorStores.create({ name: 'x' }), { statusCode: 404 });
      const tools = [{ type: 'bing_grounding' as const, bingGrounding: { searchConfigurations: [] } }];
      await assert.rejects(client.createAgent('rehearsal', { tools }), {
        statusCode: 400,
        message: /bing_grounding/,
      });
    });
  });
}

interface Delta {
  delta: { content: { type: string }[] };
}
