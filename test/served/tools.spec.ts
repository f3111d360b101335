/** Functions of assistants that flows answer for other programs: those see runs that simply go on. */
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { RELEASES, type Release } from '../support/node-red.ts';
import { ASSISTANT, newKey, type ServingNodeRed, service, startServing } from './support.ts';

const at = { z: 'tab', x: 0, y: 0 };
/** A node that answers, and a flow that does the work. */
const answering = [
  {
    id: 'runs',
    type: 'openai-runs',
    service: 'svc',
    method: 'serveTools',
    outputs: 2,
    wires: [['ended'], ['work']],
    ...at,
  },
  {
    id: 'work',
    type: 'function',
    func: 'msg.payload = "the flow switched " + msg.payload.lamp; return msg;',
    outputs: 1,
    wires: [['runs']],
    ...at,
  },
  {
    id: 'ended',
    type: 'function',
    func: 'node.warn("ended " + msg.run.status);',
    outputs: 0,
    wires: [],
    ...at,
  },
];
const ASKED = 'Please call switch_lamp with lamp "desk" and on true';
const OWN = {
  type: 'function',
  function: { name: 'switch_lamp', parameters: { type: 'object', properties: {} } },
};

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`tool calls of other programs, answered by flows of Node-RED ${release}`, function () {
    this.timeout(60_000);
    const { key, kept } = newKey('a program');
    let red: ServingNodeRed;
    let client: OpenAI;
    const thread = { messages: [{ role: 'user' as const, content: ASKED }] };
    const body = { assistant_id: ASSISTANT, thread };

    before(async () => {
      red = await startServing([service([{ kept }]), ...answering], { release });
      client = new OpenAI({ apiKey: key, baseURL: red.base, maxRetries: 0 });
    });
    after(() => red?.stop());

    it('a program that polls never sees the run wait', async () => {
      const run = await client.beta.threads.createAndRunPoll(body, { pollIntervalMs: 5 });
      assert.equal(run.status, 'completed');
      const { data } = await client.beta.threads.messages.list(run.thread_id, { limit: 1 });
      const [part] = data[0]!.content;
      assert.match(part?.type === 'text' ? part.text.value : '', /the flow switched desk/);
      assert.match(red.log(), /ended completed/);
    });

    it('a program that streams reads one stream to the end of the run', async () => {
      const stream = client.beta.threads.createAndRunStream(body);
      const events: string[] = [];
      stream.on('event', ({ event }) => events.push(event));
      const run = await stream.finalRun();
      assert.equal(run.status, 'completed');
      assert.ok(!events.includes('thread.run.requires_action'));
      assert.equal(events.filter((event) => event === 'thread.run.step.completed').length, 2);
      assert.equal(events.filter((event) => event === 'thread.run.created').length, 1);
    });

    it('a chat program gets the answer', async () => {
      const answer = await client.chat.completions.create({
        model: 'Home',
        messages: [{ role: 'user', content: ASKED }],
      });
      assert.match(answer.choices[0]!.message.content ?? '', /the flow switched desk/);
    });

    it('functions that the program brings itself are its own to answer', async () => {
      const run = await client.beta.threads.createAndRunPoll({ ...body, tools: [OWN as never] });
      assert.equal(run.status, 'requires_action');
      const answer = await client.chat.completions.create({
        model: 'Home',
        messages: [{ role: 'user', content: ASKED }],
        tools: [OWN as never],
      });
      assert.equal(answer.choices[0]!.finish_reason, 'tool_calls');
    });

    it('a run that waits for a slow flow can be cancelled, in polls and in its stream', async () => {
      const slow = answering.map((node) => (node.id === 'work' ? { ...node, func: 'return null;' } : node));
      await red.deploy([service([{ kept }]), ...slow]);
      const stream = client.beta.threads.createAndRunStream(body);
      const { id, thread_id } = await new Promise<{ id: string; thread_id: string }>((resolve) => {
        stream.on('event', ({ event, data }) => {
          if (event === 'thread.run.in_progress') resolve(data);
        });
      });
      await new Promise((resolve) => setTimeout(resolve, 300));
      const seen = await client.beta.threads.runs.retrieve(id, { thread_id });
      assert.deepEqual([seen.status, seen.required_action], ['in_progress', null]);
      await client.beta.threads.runs.cancel(id, { thread_id });
      assert.equal((await stream.finalRun()).status, 'cancelled');
    });

    it('without such a node the program answers itself', async () => {
      await red.deploy([service([{ kept }])]);
      const run = await client.beta.threads.createAndRunPoll(body);
      assert.equal(run.status, 'requires_action');
    });
  });
}
