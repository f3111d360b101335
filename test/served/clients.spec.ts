/** Four generations of OpenAI's SDK against a Node-RED that serves: nothing is changed but base URL and key. */
import assert from 'node:assert/strict';
import { RELEASES, type Release } from '../support/node-red.ts';
import { type ReverseProxy, startReverseProxy } from './reverse-proxy.ts';
import { ASSISTANT, newKey, type ServingNodeRed, service, startServing } from './support.ts';

// biome-ignore lint/suspicious/noExplicitAny: the versions have types of their own
type Any = any;

const VERSIONS = ['openai-4', 'openai-5', 'openai-6', 'openai'];
const user = (content: string) => ({ role: 'user', content });

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`clients of Node-RED ${release}`, function () {
    this.timeout(60_000);
    const { key, kept } = newKey('an old program', { ownThreads: true });
    let red: ServingNodeRed;
    let proxy: ReverseProxy;

    before(async () => {
      red = await startServing([service([{ kept }])], { release });
      proxy = await startReverseProxy(red.address);
    });
    after(async () => {
      proxy?.close();
      await red?.stop();
    });

    for (const name of VERSIONS) {
      describe(name, () => {
        let client: Any;
        let threads: Any;
        const isOld = name === 'openai-4';
        /** Version 4 takes ids one after the other, later ones by name. */
        const ids = (thread_id: string, run_id: string, body?: object) =>
          isOld ? [thread_id, run_id, ...(body ? [body] : [])] : [run_id, { thread_id, ...body }];

        before(async () => {
          const { default: OpenAI } = await import(name);
          client = new OpenAI({ apiKey: key, baseURL: `${proxy.address}/openai-runs/v1`, maxRetries: 0 });
          threads = client.beta.threads;
        });

        it('creates, polls, lists and pages', async () => {
          const assistant = await client.beta.assistants.create({
            model: 'rehearsal',
            instructions: 'Be kind.',
          });
          const thread = await threads.create();
          for (const word of ['one', 'two', 'three']) await threads.messages.create(thread.id, user(word));
          const run = await threads.runs.createAndPoll(thread.id, { assistant_id: assistant.id });
          assert.equal(run.status, 'completed');
          const all: string[] = [];
          for await (const message of threads.messages.list(thread.id, { limit: 2, order: 'asc' })) {
            all.push(message.content[0].text.value);
          }
          assert.deepEqual(all.slice(0, 3), ['one', 'two', 'three']);
          assert.equal(all.length, 4);
          const steps = await threads.runs.steps.list(...ids(thread.id, run.id));
          assert.equal(steps.data[0].type, 'message_creation');
          assert.equal(steps.data[0].status, 'completed');
        });

        it('streams, answers tools in mid-stream, and reads the steps', async () => {
          const first = threads.createAndRunStream({
            assistant_id: ASSISTANT,
            thread: { messages: [user('Please switch lamp "desk" on')] },
          });
          const waiting = await first.finalRun();
          assert.equal(waiting.status, 'requires_action');
          const [call] = waiting.required_action.submit_tool_outputs.tool_calls;
          assert.equal(call.function.name, 'switch_lamp');
          const tool_outputs = [{ tool_call_id: call.id, output: 'the lamp is on' }];
          const second = threads.runs.submitToolOutputsStream(
            ...ids(waiting.thread_id, waiting.id, { tool_outputs }),
          );
          let text = '';
          second.on('textDelta', ({ value }: { value: string }) => {
            text += value;
          });
          const run = await second.finalRun();
          assert.equal(run.status, 'completed');
          assert.match(text, /the lamp is on/);
          const steps = await threads.runs.steps.list(...ids(run.thread_id, run.id));
          assert.equal(steps.data.length, 2);
        });

        it('cancels, and is told what is wrong', async () => {
          const { id } = await threads.create({ messages: [user('rehearse slow')] });
          const run = await threads.runs.create(id, { assistant_id: ASSISTANT });
          const cancelled = await threads.runs.cancel(...ids(id, run.id));
          assert.match(cancelled.status, /^cancel/);
          await assert.rejects(threads.retrieve('thread_none'), (error: Any) => {
            assert.equal(error.status, 404);
            assert.match(error.message, /No thread found with id 'thread_none'/);
            return true;
          });
        });

        it('chats with an assistant by its name, whole and in pieces', async () => {
          const { data } = await client.models.list();
          assert.ok(data.some(({ id }: { id: string }) => id === ASSISTANT));
          const body = { model: 'Other', messages: [user('Good morning')] };
          const whole = await client.chat.completions.create(body);
          const said = whole.choices[0].message.content;
          assert.ok(said);
          let text = '';
          const stream = await client.chat.completions.create({ ...body, stream: true });
          for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? '';
          assert.equal(text, said);
        });
      });
    }
  });
}
