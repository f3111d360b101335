/** LangChain against a Node-RED that serves: its runnable assistant, its agent, and its chat model. */
import assert from 'node:assert/strict';
import { AgentExecutor } from '@langchain/classic/agents';
import { OpenAIAssistantRunnable } from '@langchain/classic/experimental/openai_assistant';
import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import * as z from 'zod';
import { RELEASES, type Release } from '../support/node-red.ts';
import { ASSISTANT, newKey, type ServingNodeRed, service, startServing } from './support.ts';

// biome-ignore lint/suspicious/noExplicitAny: what a runnable gives has the type of its input
type Any = any;

const ASKED = 'Please switch lamp "desk" on';

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`LangChain against Node-RED ${release}`, function () {
    this.timeout(60_000);
    const { key, kept } = newKey('a chain', { ownThreads: true });
    let red: ServingNodeRed;
    let clientOptions: { apiKey: string; baseURL: string; maxRetries: number };
    let chat: ChatOpenAI;
    let lamps: string[];
    const switchLamp = tool(
      async ({ lamp }) => {
        lamps.push(lamp);
        return `LangChain switched ${lamp}`;
      },
      { name: 'switch_lamp', description: 'Switches a lamp', schema: z.object({ lamp: z.string() }) },
    );

    before(async () => {
      red = await startServing([service([{ kept }])], { release });
      clientOptions = { apiKey: key, baseURL: red.base, maxRetries: 0 };
      chat = new ChatOpenAI({ model: 'Other', apiKey: key, configuration: { baseURL: red.base } });
    });
    beforeEach(() => {
      lamps = [];
    });
    after(() => red?.stop());

    it('OpenAIAssistantRunnable: an assistant made, asked, asked again on its thread, deleted', async () => {
      const assistant: Any = await OpenAIAssistantRunnable.createAssistant({
        clientOptions,
        model: 'rehearsal',
        name: 'Chain',
        instructions: 'Be kind.',
        tools: [switchLamp],
      });
      assistant.pollIntervalMs = 20;
      const made = await assistant.getAssistant();
      assert.deepEqual([made.name, made.tools[0].function.name], ['Chain', 'switch_lamp']);
      const [reply] = await assistant.invoke({ content: 'Good morning' });
      assert.ok(reply.content[0].text.value);
      const [next] = await assistant.invoke({ content: 'And again', threadId: reply.thread_id });
      assert.notEqual(next.id, reply.id);
      assert.equal((await assistant.modifyAssistant({ name: 'Changed' })).name, 'Changed');
      assert.equal((await assistant.deleteAssistant()).deleted, true);
    });

    it('OpenAIAssistantRunnable: calls that the program answers by itself', async () => {
      const assistant: Any = new OpenAIAssistantRunnable({ assistantId: ASSISTANT, clientOptions });
      assistant.pollIntervalMs = 20;
      const { threads } = assistant.client.beta;
      const { id: threadId } = await threads.create();
      const [call] = await assistant.invoke({ content: ASKED, threadId });
      assert.equal(call.function.name, 'switch_lamp');
      const [{ id: runId }] = (await threads.runs.list(threadId)).data;
      const toolOutputs = [{ tool_call_id: call.id, output: 'the lamp is on' }];
      const [reply] = await assistant.invoke({ threadId, runId, toolOutputs });
      assert.match(reply.content[0].text.value, /the lamp is on/);
      const steps = await threads.runs.steps.list(runId, { thread_id: threadId });
      assert.equal(steps.data.length, 2);
    });

    it('OpenAIAssistantRunnable as an agent: the executor calls the tools until the run has ended', async () => {
      const agent: Any = await OpenAIAssistantRunnable.createAssistant({
        clientOptions,
        model: 'rehearsal',
        tools: [switchLamp],
        asAgent: true,
      });
      agent.pollIntervalMs = 20;
      const executor = AgentExecutor.fromAgentAndTools({ agent, tools: [switchLamp] });
      const { output } = await executor.invoke({ content: ASKED });
      assert.deepEqual(lamps, ['desk']);
      assert.match(output, /LangChain switched desk/);
    });

    it('ChatOpenAI: whole, in pieces, and with what was used', async () => {
      const said = [new SystemMessage('Be kind.'), new HumanMessage('Good morning')];
      const whole = await chat.invoke(said);
      assert.ok(whole.text && whole.usage_metadata!.total_tokens > 0);
      let last: Any;
      for await (const chunk of await chat.stream(said)) last = last ? last.concat(chunk) : chunk;
      assert.equal(last.text, whole.text);
      assert.ok(last.usage_metadata.output_tokens > 0);
    });

    it('ChatOpenAI: tools of the program, called and answered', async () => {
      const withTools = chat.bindTools([switchLamp]);
      const messages = [new HumanMessage(ASKED)];
      const first = await withTools.invoke(messages);
      assert.deepEqual([first.tool_calls?.length, first.tool_calls?.[0]?.name], [1, 'switch_lamp']);
      const answer = await switchLamp.invoke(first.tool_calls![0]!);
      assert.ok(answer instanceof ToolMessage && first instanceof AIMessage);
      const second = await withTools.invoke([...messages, first, answer]);
      assert.deepEqual(lamps, ['desk']);
      assert.match(second.text, /LangChain switched desk/);
    });

    it('ChatOpenAI: an answer in a form', async () => {
      const form = z.object({ lamp: z.string(), on: z.boolean() });
      const answer = await chat.withStructuredOutput(form).invoke(ASKED);
      assert.equal(form.safeParse(answer).success, true, JSON.stringify(answer));
    });
  });
}
