/** One request for each error that the engine answers with. */
import assert from 'node:assert/strict';
import { onEachDatabase } from '../support/databases.ts';
import { until } from '../support/until.ts';
import { holdObject } from './contract.ts';
import { type Bench, calls, hangs, type Json, ScriptedModel, says, send, Workshop } from './support.ts';

interface Refusal {
  what: string;
  method?: string;
  path: string;
  body?: unknown;
  status?: number;
  message: string;
  param?: string | null;
  code?: string | null;
}

const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));
const long = (length: number) => 'k'.repeat(length);
const tools = (count: number) => Array.from({ length: count }, () => ({ type: 'code_interpreter' }));

const choices = (count: number) => Array.from({ length: count }, (_, i) => ({ const: `value ${i}` }));
const formatOf = (schema: object) => ({ type: 'json_schema', json_schema: { name: 's', schema } });
const functionOf = (i: number, parameters: object) => ({
  type: 'function',
  function: { name: `f${i}`, parameters },
});

/** Bodies and queries that are refused before anything is looked up; `{run}` and the like are filled in. */
const REFUSALS: Refusal[] = [
  {
    what: 'a missing assistant_id',
    path: '/threads/{thread}/runs',
    body: {},
    message: "Missing required parameter: 'assistant_id'.",
    param: 'assistant_id',
    code: 'missing_required_parameter',
  },
  {
    what: 'no body at all',
    path: '/threads/{thread}/runs',
    message: "Missing required parameter: 'assistant_id'.",
    param: 'assistant_id',
    code: 'missing_required_parameter',
  },
  {
    what: 'an unknown key, before a bad type',
    path: '/threads/{thread}/runs',
    body: { assistant_id: 5, thread_id: 'x' },
    message: "Unknown parameter: 'thread_id'.",
    param: 'thread_id',
    code: 'unknown_parameter',
  },
  {
    what: 'an unknown key inside',
    path: '/threads',
    body: { messages: [{ role: 'user', content: 'x', name: 'y' }] },
    message: "Unknown parameter: 'messages[0].name'.",
    param: 'messages[0].name',
    code: 'unknown_parameter',
  },
  {
    what: 'metadata that is no string',
    path: '/threads',
    body: { metadata: { modified: true } },
    message: "Invalid type for 'metadata.modified': expected a string, but got a boolean instead.",
    param: 'metadata.modified',
    code: 'invalid_type',
  },
  {
    what: '17 metadata pairs',
    path: '/threads',
    body: { metadata: pairs(17) },
    message:
      "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object with 17 properties instead.",
    param: 'metadata',
    code: 'object_above_max_properties',
  },
  {
    what: 'a long metadata value',
    path: '/threads',
    body: { metadata: { k: long(600) } },
    message:
      "Invalid 'metadata.k': string too long. Expected a string with maximum length 512, but got a string with length 600 instead.",
    param: 'metadata.k',
    code: 'string_above_max_length',
  },
  {
    what: 'a long metadata key',
    path: '/threads',
    body: { metadata: { [long(70)]: 'v' } },
    message:
      "Invalid property name in 'metadata': 'kkk...kkk' is too long. Expected a string with maximum length 64, but got a string with length 70 instead.",
    param: `metadata.${long(70)}`,
    code: 'property_name_above_max_length',
  },
  {
    what: 'metadata as a list',
    path: '/threads',
    body: { metadata: [] },
    message: "Invalid type for 'metadata': expected an object, but got an array instead.",
    param: 'metadata',
    code: 'invalid_type',
  },
  {
    what: 'long content',
    path: '/threads/{thread}/messages',
    body: { role: 'user', content: long(256_001) },
    message:
      "Invalid 'content': string too long. Expected a string with maximum length 256000, but got a string with length 256001 instead.",
    param: 'content',
    code: 'string_above_max_length',
  },
  {
    what: 'content of no known kind',
    path: '/threads/{thread}/messages',
    body: { role: 'user', content: 5 },
    message: "Invalid type for 'content': expected one of a string or an array, but got an integer instead.",
    param: 'content',
    code: 'invalid_type',
  },
  {
    what: 'empty content',
    path: '/threads/{thread}/messages',
    body: { role: 'user', content: [] },
    message:
      "Invalid 'content': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    param: 'content',
    code: 'empty_array',
  },
  {
    what: 'an unknown content part',
    path: '/threads/{thread}/messages',
    body: { role: 'user', content: [{ type: 'sound' }] },
    message: "Invalid value: 'sound'. Supported values are: 'text', 'image_url', and 'image_file'.",
    param: 'content[0].type',
    code: 'invalid_value',
  },
  {
    what: 'a content part without its text',
    path: '/threads/{thread}/messages',
    body: { role: 'user', content: [{ type: 'text' }] },
    message: "Missing required parameter: 'content[0].text'.",
    param: 'content[0].text',
    code: 'missing_required_parameter',
  },
  {
    what: 'a role that is none',
    path: '/threads/{thread}/messages',
    body: { role: 'system', content: 'x' },
    message: "Invalid value: 'system'. Supported values are: 'user' and 'assistant'.",
    param: 'role',
    code: 'invalid_value',
  },
  {
    what: 'an attachment without tools',
    path: '/threads/{thread}/messages',
    body: { role: 'user', content: 'x', attachments: [{ file_id: 'f' }] },
    message: "Missing required parameter: 'attachments[0].tools'.",
    param: 'attachments[0].tools',
    code: 'missing_required_parameter',
  },
  {
    what: 'limit 101',
    method: 'GET',
    path: '/threads/{thread}/messages?limit=101',
    message: "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 instead.",
    param: 'limit',
    code: 'integer_above_max_value',
  },
  {
    what: 'limit -1',
    method: 'GET',
    path: '/assistants?limit=-1',
    message: "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got -1 instead.",
    param: 'limit',
    code: 'integer_below_min_value',
  },
  {
    what: 'limit 0',
    method: 'GET',
    path: '/threads/{thread}/runs?limit=0',
    message: "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got 0 instead.",
    param: 'limit',
    code: 'integer_below_min_value',
  },
  {
    what: 'a limit in words',
    method: 'GET',
    path: '/threads/{thread}/runs?limit=ten',
    message: "Invalid type for 'limit': expected an integer, but got a string instead.",
    param: 'limit',
    code: 'invalid_type',
  },
  {
    what: 'an order that is none',
    method: 'GET',
    path: '/threads/{thread}/runs?order=up',
    message: "Invalid value: 'up'. Supported values are: 'asc' and 'desc'.",
    param: 'order',
    code: 'invalid_value',
  },
  {
    what: 'an include that is none',
    method: 'GET',
    path: '/threads/{thread}/runs/{run}/steps?include[]=all',
    message:
      "Invalid value: 'all'. Supported values are: 'step_details.tool_calls[*].file_search.results[*].content'.",
    param: 'include[0]',
    code: 'invalid_value',
  },
  {
    what: 'max_prompt_tokens 100',
    path: '/threads/{thread}/runs',
    body: { assistant_id: 'a', max_prompt_tokens: 100 },
    message:
      "Invalid 'max_prompt_tokens': integer below minimum value. Expected a value >= 256, but got 100 instead.",
    param: 'max_prompt_tokens',
    code: 'integer_below_min_value',
  },
  {
    what: 'max_completion_tokens 15',
    path: '/threads/{thread}/runs',
    body: { assistant_id: 'a', max_completion_tokens: 15 },
    message:
      "Invalid 'max_completion_tokens': integer below minimum value. Expected a value >= 16, but got 15 instead.",
    param: 'max_completion_tokens',
    code: 'integer_below_min_value',
  },
  {
    what: 'a bogus tool_choice',
    path: '/threads/{thread}/runs',
    body: { assistant_id: 'a', tool_choice: 'bogus' },
    message: "Invalid value: 'bogus'. Supported values are: 'none', 'auto', and 'required'.",
    param: 'tool_choice',
    code: 'invalid_value',
  },
  {
    what: 'a tool_choice without a name',
    path: '/threads/{thread}/runs',
    body: { assistant_id: 'a', tool_choice: { type: 'function' } },
    message: "Missing required parameter: 'tool_choice.function'.",
    param: 'tool_choice.function',
    code: 'missing_required_parameter',
  },
  {
    what: 'a temperature of 3',
    path: '/threads/{thread}/runs',
    body: { assistant_id: 'a', temperature: 2.5 },
    message:
      "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
    param: 'temperature',
    code: 'decimal_above_max_value',
  },
  {
    what: 'a top_p below 0',
    path: '/threads/{thread}/runs',
    body: { assistant_id: 'a', top_p: -0.5 },
    message: "Invalid 'top_p': decimal below minimum value. Expected a value >= 0, but got -0.5 instead.",
    param: 'top_p',
    code: 'decimal_below_min_value',
  },
  {
    what: '21 tools on a run',
    path: '/threads/{thread}/runs',
    body: { assistant_id: 'a', tools: tools(21) },
    message:
      "Invalid 'tools': array too long. Expected an array with maximum length 20, but got an array with length 21 instead.",
    param: 'tools',
    code: 'array_above_max_length',
  },
  {
    what: '129 tools on an assistant',
    path: '/assistants',
    body: { model: 'm', tools: tools(129) },
    message:
      "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 129 instead.",
    param: 'tools',
    code: 'array_above_max_length',
  },
  {
    what: 'a tool that is none',
    path: '/assistants',
    body: { model: 'm', tools: [{ type: 'retrieval' }] },
    message:
      "Invalid value: 'retrieval'. Supported values are: 'code_interpreter', 'file_search', and 'function'.",
    param: 'tools[0].type',
    code: 'invalid_value',
  },
  {
    what: 'an assistant without a model',
    path: '/assistants',
    body: {},
    message: "Missing required parameter: 'model'.",
    param: 'model',
    code: 'missing_required_parameter',
  },
  {
    what: 'a long name',
    path: '/assistants',
    body: { model: 'm', name: long(257) },
    message:
      "Invalid 'name': string too long. Expected a string with maximum length 256, but got a string with length 257 instead.",
    param: 'name',
    code: 'string_above_max_length',
  },
  {
    what: 'a long description',
    path: '/assistants',
    body: { model: 'm', description: long(513) },
    message:
      "Invalid 'description': string too long. Expected a string with maximum length 512, but got a string with length 513 instead.",
    param: 'description',
    code: 'string_above_max_length',
  },
  {
    what: 'long instructions',
    path: '/assistants',
    body: { model: 'm', instructions: long(256_001) },
    message:
      "Invalid 'instructions': string too long. Expected a string with maximum length 256000, but got a string with length 256001 instead.",
    param: 'instructions',
    code: 'string_above_max_length',
  },
  {
    what: '21 file ids',
    path: '/threads',
    body: { tool_resources: { code_interpreter: { file_ids: Array(21).fill('f') } } },
    message:
      "Invalid 'tool_resources.code_interpreter.file_ids': array too long. Expected an array with maximum length 20, but got an array with length 21 instead.",
    param: 'tool_resources.code_interpreter.file_ids',
    code: 'array_above_max_length',
  },
  {
    what: 'a vector store to be made',
    path: '/threads',
    body: { tool_resources: { file_search: { vector_stores: [{}] } } },
    message: 'This service keeps no files; name an existing vector store in vector_store_ids.',
    param: 'tool_resources.file_search.vector_stores',
    code: 'invalid_value',
  },
  {
    what: 'a reasoning effort that is none',
    path: '/threads/{thread}/runs',
    body: { assistant_id: 'a', reasoning_effort: 'huge' },
    message:
      "Invalid value: 'huge'. Supported values are: 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'.",
    param: 'reasoning_effort',
    code: 'invalid_value',
  },
  {
    what: 'a schema nested beyond all reason',
    path: '/assistants',
    body: `{"model":"m","tools":[{"type":"function","function":{"name":"f","parameters":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}}]}`,
    message:
      "Invalid 'tools[0].function.parameters': object too deep. Expected an object with at most 100 levels of nesting.",
    param: 'tools[0].function.parameters',
    code: 'object_above_max_depth',
  },
  {
    what: 'a schema of 100,000 choices',
    path: '/threads/{thread}/runs',
    body: { assistant_id: 'a', response_format: formatOf({ anyOf: choices(100_000) }) },
    message:
      "Invalid 'response_format.json_schema.schema': object too large. Expected at most 512000 characters of JSON.",
    param: 'response_format.json_schema.schema',
    code: 'json_above_max_length',
  },
  {
    what: 'tools whose schemas are too large together',
    path: '/assistants',
    body: { model: 'm', tools: Array.from({ length: 100 }, (_, i) => functionOf(i, { enum: choices(500) })) },
    message: "Invalid 'tools': array too large. Expected at most 512000 characters of JSON.",
    param: 'tools',
    code: 'json_above_max_length',
  },
  {
    what: 'a response_format that is none',
    path: '/threads/{thread}/runs',
    body: { assistant_id: 'a', response_format: { type: 'xml' } },
    message: "Invalid value: 'xml'. Supported values are: 'text', 'json_object', and 'json_schema'.",
    param: 'response_format.type',
    code: 'invalid_value',
  },
  {
    what: 'last_messages 0',
    path: '/threads/{thread}/runs',
    body: { assistant_id: 'a', truncation_strategy: { type: 'last_messages', last_messages: 0 } },
    message:
      "Invalid 'truncation_strategy.last_messages': integer below minimum value. Expected a value >= 1, but got 0 instead.",
    param: 'truncation_strategy.last_messages',
    code: 'integer_below_min_value',
  },
  {
    what: 'half a token',
    path: '/threads/{thread}/runs',
    body: { assistant_id: 'a', max_prompt_tokens: 300.5 },
    message: "Invalid type for 'max_prompt_tokens': expected an integer, but got a decimal number instead.",
    param: 'max_prompt_tokens',
    code: 'invalid_type',
  },
  {
    what: 'tool outputs without a list',
    path: '/threads/{thread}/runs/{run}/submit_tool_outputs',
    body: {},
    message: "Missing required parameter: 'tool_outputs'.",
    param: 'tool_outputs',
    code: 'missing_required_parameter',
  },
  {
    what: 'an output that is no text',
    path: '/threads/{thread}/runs/{run}/submit_tool_outputs',
    body: { tool_outputs: [{ tool_call_id: 'x', output: 5 }] },
    message: "Invalid type for 'tool_outputs[0].output': expected a string, but got an integer instead.",
    param: 'tool_outputs[0].output',
    code: 'invalid_type',
  },
  {
    what: 'a body that is no object',
    path: '/threads',
    body: '[]',
    message: 'Invalid body: expected an object, but got an array instead.',
    param: null,
    code: 'invalid_type',
  },
  {
    what: 'a body that is no JSON',
    path: '/threads',
    body: '{"a":',
    message:
      "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
    param: null,
    code: null,
  },
  {
    what: 'more than metadata on a run',
    path: '/threads/{thread}/runs/{run}',
    body: { model: 'x' },
    message: "Unknown parameter: 'model'.",
    param: 'model',
    code: 'unknown_parameter',
  },
  {
    what: 'additional_messages with the thread',
    path: '/threads/runs',
    body: { assistant_id: 'a', additional_messages: [] },
    message: "Unknown parameter: 'additional_messages'.",
    param: 'additional_messages',
    code: 'unknown_parameter',
  },
  {
    what: 'a path id of another kind',
    method: 'GET',
    path: '/threads/undefined',
    message: "Invalid 'thread_id': 'undefined'. Expected an ID that begins with 'thread'.",
    param: 'thread_id',
    code: 'invalid_value',
  },
  {
    what: 'an assistant id of another kind',
    method: 'GET',
    path: '/assistants/new',
    message: "Invalid 'assistant_id': 'new'. Expected an ID that begins with 'asst'.",
    param: 'assistant_id',
    code: 'invalid_value',
  },
  {
    what: 'a run id of another kind',
    method: 'GET',
    path: '/threads/{thread}/runs/1234',
    message: "Invalid 'run_id': '1234'. Expected an ID that begins with 'run'.",
    param: 'run_id',
    code: 'invalid_value',
  },
  {
    what: 'an unknown thread',
    method: 'GET',
    path: '/threads/thread_x',
    status: 404,
    message: "No thread found with id 'thread_x'.",
  },
  {
    what: 'an unknown thread of messages',
    method: 'GET',
    path: '/threads/thread_x/messages',
    status: 404,
    message: "No thread found with id 'thread_x'.",
  },
  {
    what: 'a message for an unknown thread',
    path: '/threads/thread_x/messages',
    body: { role: 'user', content: 'x' },
    status: 404,
    message: "No thread found with id 'thread_x'.",
  },
  {
    what: 'an unknown run',
    method: 'GET',
    path: '/threads/{thread}/runs/run_x',
    status: 404,
    message: "No run found with id 'run_x'.",
  },
  {
    what: 'an unknown run to cancel',
    path: '/threads/{thread}/runs/run_x/cancel',
    status: 404,
    message: "No run found with id 'run_x'.",
  },
  {
    what: 'an unknown step',
    method: 'GET',
    path: '/threads/{thread}/runs/{run}/steps/step_123',
    status: 404,
    message: "No run step found with id 'step_123'.",
  },
  {
    what: 'an unknown message',
    method: 'GET',
    path: '/threads/{thread}/messages/msg_x',
    status: 404,
    message: "No message found with id 'msg_x'.",
  },
  {
    what: 'an unknown message to delete',
    method: 'DELETE',
    path: '/threads/{thread}/messages/msg_x',
    status: 404,
    message: "No message found with id 'msg_x'.",
  },
  {
    what: 'an unknown assistant',
    method: 'GET',
    path: '/assistants/asst_x',
    status: 404,
    message: "No assistant found with id 'asst_x'.",
  },
  {
    what: 'an unknown assistant of a run',
    path: '/threads/{thread}/runs',
    body: { assistant_id: 'nobody' },
    status: 404,
    message: "No assistant found with id 'nobody'.",
  },
  {
    what: 'a cursor that is nowhere',
    method: 'GET',
    path: '/threads/{thread}/messages?after=msg_x',
    status: 404,
    message: "No message found with id 'msg_x'.",
  },
  {
    what: 'a path that does not exist',
    method: 'GET',
    path: '/files',
    status: 404,
    message: 'Unknown request URL: GET /v1/files. Please check the URL for typos.',
    param: null,
    code: 'unknown_url',
  },
  {
    what: 'a list of threads',
    method: 'GET',
    path: '/threads',
    status: 405,
    message: 'Not allowed to GET on /v1/threads.',
    param: null,
    code: 'method_not_supported',
  },
  {
    what: 'a run to delete',
    method: 'DELETE',
    path: '/threads/{thread}/runs/{run}',
    status: 405,
    message: 'Not allowed to DELETE on /v1/threads/{thread}/runs/{run}.',
    param: null,
    code: 'method_not_supported',
  },
];

onEachDatabase('errors', () => {
  const workshop = new Workshop();
  after(() => workshop.cleanUp());

  describe('of bodies, queries and ids', () => {
    let bench: Bench;
    let ids: Record<string, string>;

    before(async () => {
      bench = await workshop.open(new ScriptedModel(says('Hello')));
      const { id: assistant } = await bench.client.beta.assistants.create({ model: 'm' });
      const messages = [{ role: 'user' as const, content: 'Hi' }];
      const run = await bench.client.beta.threads.createAndRunPoll(
        { assistant_id: assistant, thread: { messages } },
        { pollIntervalMs: 1 },
      );
      ids = { run: run.id, thread: run.thread_id, assistant };
    });

    const fill = (text: string) => text.replace(/\{(\w+)\}/g, (_, name) => ids[name]!);

    for (const {
      what,
      method = 'POST',
      path,
      body,
      status = 400,
      message,
      param = null,
      code = null,
    } of REFUSALS) {
      it(`refuses ${what}`, async () => {
        const response = await send(bench.engine, method, fill(path), body);
        const text = await response.text();
        assert.deepEqual(JSON.parse(text), {
          error: { message: fill(message), type: 'invalid_request_error', param, code },
        });
        assert.equal(response.status, status);
        assert(text.startsWith('{\n  "error": {'), 'pretty-printed, as on the wire');
        assert.match(response.headers.get('x-request-id')!, /^req_[0-9a-f]{32}$/);
        assert.equal(response.headers.get('content-type'), 'application/json');
        holdObject('ErrorResponse', JSON.parse(text));
      });
    }

    it('refuses the v1 header', async () => {
      const response = await bench.engine.fetch('http://engine.local/v1/assistants', {
        headers: { 'OpenAI-Beta': 'assistants=v1' },
      });
      assert.equal(response.status, 400);
      assert.equal(((await response.json()) as Json).error.code, 'invalid_beta');
    });

    it('needs no header at all', async () => {
      assert.equal((await bench.engine.fetch('http://engine.local/v1/assistants')).status, 200);
    });

    it('leaves nothing behind when a run is refused', async () => {
      const thread = await bench.client.beta.threads.create({ messages: [{ role: 'user', content: 'Hi' }] });
      const additional_messages = [{ role: 'user' as const, content: 'more' }];
      await assert.rejects(
        bench.client.beta.threads.runs.create(thread.id, { assistant_id: 'asst_x', additional_messages }),
      );
      assert.equal((await bench.client.beta.threads.messages.list(thread.id)).data.length, 1);
    });
  });

  describe('of states', () => {
    async function bench(...scripts: ConstructorParameters<typeof ScriptedModel>) {
      const opened = await workshop.open(new ScriptedModel(...scripts));
      const { id: assistant_id } = await opened.client.beta.assistants.create({ model: 'm' });
      const { id: thread } = await opened.client.beta.threads.create({
        messages: [{ role: 'user', content: 'Hi' }],
      });
      const { runs, messages } = opened.client.beta.threads;
      const reaches = (id: string, status: string) =>
        until(async () => (await runs.retrieve(id, { thread_id: thread })).status === status);
      return { ...opened, runs, messages, assistant_id, thread, reaches };
    }

    const refused = async (promise: Promise<unknown>, message: string) =>
      assert.rejects(promise, {
        status: 400,
        message: `400 ${message}`,
        type: 'invalid_request_error',
        param: null,
      });

    it('locks the thread while a run is active', async () => {
      const { runs, messages, assistant_id, thread, reaches } = await bench(calls(['f', {}]), hangs());
      const run = await runs.create(thread, { assistant_id });
      const locked = async () => {
        await refused(
          messages.create(thread, { role: 'user', content: 'x' }),
          `Can't add messages to ${thread} while a run ${run.id} is active.`,
        );
        await refused(
          runs.create(thread, { assistant_id }),
          `Thread ${thread} already has an active run ${run.id}.`,
        );
      };
      await locked();
      await reaches(run.id, 'requires_action');
      await locked();
    });

    it('lets exactly one of many runs onto a thread', async () => {
      const { runs, assistant_id, thread } = await bench(hangs());
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, () => runs.create(thread, { assistant_id })),
      );
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    });

    it('wants all outputs of a round, and only then', async () => {
      const { runs, assistant_id, thread, reaches } = await bench(calls(['f', {}], ['g', {}]), hangs());
      const { id } = await runs.create(thread, { assistant_id });
      await reaches(id, 'requires_action');
      const { required_action } = await runs.retrieve(id, { thread_id: thread });
      const [a, b] = required_action!.submit_tool_outputs.tool_calls.map((call) => call.id);
      const submit = (...ids: string[]) =>
        runs.submitToolOutputs(id, {
          thread_id: thread,
          tool_outputs: ids.map((tool_call_id) => ({ tool_call_id, output: '' })),
        });
      await refused(submit(a!), `Expected tool outputs for call_ids ['${a}', '${b}'], got ['${a}']`);
      await refused(
        submit(a!, 'call_x'),
        `Expected tool outputs for call_ids ['${a}', '${b}'], got ['${a}', 'call_x']`,
      );
      await refused(
        submit(a!, a!),
        `Expected tool outputs for call_ids ['${a}', '${b}'], got ['${a}', '${a}']`,
      );
      await refused(submit(), `Expected tool outputs for call_ids ['${a}', '${b}'], got []`);
      const both = await Promise.allSettled([submit(a!, b!), submit(b!, a!)]);
      assert.equal(both.filter(({ status }) => status === 'fulfilled').length, 1);
      await reaches(id, 'in_progress');
      await refused(submit(a!, b!), 'Runs in status "in_progress" do not accept tool outputs.');
      await refused(
        runs.update(id, { thread_id: thread, metadata: { a: 'b' } }),
        "Cannot update run with status 'in_progress'.",
      );
      await runs.cancel(id, { thread_id: thread });
      await reaches(id, 'cancelled');
      await refused(runs.cancel(id, { thread_id: thread }), "Cannot cancel run with status 'cancelled'.");
      const updated = await runs.update(id, { thread_id: thread, metadata: { a: 'b' } });
      assert.deepEqual(updated.metadata, { a: 'b' });
    });

    it('refuses a run that has nothing to go by', async () => {
      const { client, runs, assistant_id } = await bench(says('Hello'));
      const empty = await client.beta.threads.create({});
      await assert.rejects(runs.create(empty.id, { assistant_id }), {
        status: 400,
        code: 'invalid_thread',
        message: '400 Run creation requires a Thread with a user message or an assistant with instructions.',
      });
      await runs.create(empty.id, { assistant_id, instructions: 'Begin.' });
    });
  });
});
