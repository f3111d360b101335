/**
 * What chat programs send, after their sources of 2026: Extended OpenAI Conversation for Home Assistant (Python's
 * `openai`), and Open WebUI (aiohttp, with its user's headers switched on). Written for these tests.
 */

const DAY = 'Current time: 2026-12-01 08:00\nAvailable devices:\nlight.desk,Desk,off';

const EXECUTE_SERVICES = {
  type: 'function',
  function: {
    name: 'execute_services',
    description: 'Use this function to execute service of devices in Home Assistant.',
    parameters: {
      type: 'object',
      properties: {
        list: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              domain: { type: 'string', description: 'The domain of the service' },
              service: { type: 'string', description: 'The service to be called' },
              service_data: { type: 'object', properties: { entity_id: { type: 'string' } } },
            },
            required: ['domain', 'service', 'service_data'],
          },
        },
      },
    },
  },
};

/** A call as the answer before has made it. */
export interface Call {
  id: string;
  function: { name: string; arguments: string };
}

const callsOf = (calls: Call[]) =>
  calls.map(({ id, function: named }) => ({ id, type: 'function', function: named }));

/** Extended OpenAI Conversation. */
export const homeAssistant = {
  headers: {
    accept: 'application/json',
    'user-agent': 'AsyncOpenAI/Python 2.15.0',
    'x-stainless-lang': 'python',
    'x-stainless-async': 'async:asyncio',
    'x-stainless-retry-count': '0',
  },
  /** A sentence of the user's; `user` is the conversation in its releases before 2. */
  asks: (model: string, text: string, user?: string) => ({
    model,
    messages: [
      { role: 'system', content: DAY },
      { role: 'user', content: text },
    ],
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: 150,
    top_p: 1,
    temperature: 0.5,
    tools: [EXECUTE_SERVICES],
    tool_choice: 'auto',
    ...(user && { user }),
  }),
  /** The round after its calls, the last in which functions may be called. */
  answers(model: string, text: string, calls: Call[], result: object, user?: string) {
    const asked = homeAssistant.asks(model, text, user);
    return {
      ...asked,
      messages: [
        ...asked.messages,
        { role: 'assistant', tool_calls: callsOf(calls) },
        ...calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: JSON.stringify(result) })),
      ],
      tool_choice: 'none',
    };
  },
  /** An AI task: an answer in a form. */
  asksForForm: (model: string, text: string) => ({
    model,
    messages: [{ role: 'user', content: text }],
    stream: true,
    stream_options: { include_usage: true },
    max_completion_tokens: 150,
    reasoning_effort: 'low',
    service_tier: 'auto',
    response_format: {
      type: 'json_schema',
      json_schema: {
        name: 'lamp_state',
        strict: true,
        schema: {
          type: 'object',
          properties: { lamp: { type: 'string' }, on: { type: ['boolean', 'null'] } },
          required: ['lamp', 'on'],
          strict: true,
          additionalProperties: false,
        },
      },
    },
  }),
};

const WEB_SEARCH = {
  type: 'function',
  function: {
    name: 'search_web',
    description: 'Search the public web for information.',
    parameters: {
      type: 'object',
      properties: { query: { type: 'string' }, count: { type: 'integer', default: 5 } },
      required: ['query'],
    },
  },
};

const IMAGE = `data:image/png;base64,${'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='}`;

/** Open WebUI. */
export const openWebUi = {
  headers: {
    'content-type': 'application/json',
    'user-agent': 'Python/3.11 aiohttp/3.13.2',
    'x-openwebui-user-name': 'Anna',
    'x-openwebui-user-id': '0c4f0c52-9a5d-4d1c-bf7e-3b2d7a8f6e10',
    'x-openwebui-user-email': 'anna@example.com',
    'x-openwebui-user-role': 'user',
    'x-openwebui-chat-id': '7d6c1f3e-2f64-4c0d-8f0a-b6f2f6f3c9aa',
  },
  /** What the user has typed, with what its own releases and filters leave in the body. */
  asks: (model: string, text: string) => ({
    stream: true,
    model,
    messages: [
      { role: 'system', content: 'You talk to Anna.' },
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Hello Anna.', reasoning_content: 'A greeting.' },
      {
        role: 'user',
        content: [
          { type: 'text', text, cache_control: { type: 'ephemeral' } },
          { type: 'image_url', image_url: { url: IMAGE } },
        ],
      },
    ],
    stream_options: { include_usage: true },
    params: {},
    features: { web_search: false, image_generation: false, code_interpreter: false, memory: false },
    variables: { '{{USER_NAME}}': 'Anna' },
    session_id: 'cS1b4kZ1mC2',
    chat_id: '7d6c1f3e-2f64-4c0d-8f0a-b6f2f6f3c9aa',
    id: 'b2a1c0de-5a3d-4b8e-9f3a-0e6a5d4c3b2a',
    background_tasks: { title_generation: true, tags_generation: true, follow_up_generation: true },
    metadata: { chat_id: '7d6c1f3e-2f64-4c0d-8f0a-b6f2f6f3c9aa', task: null, files: [] },
    stop: null,
    seed: 42,
    frequency_penalty: 0,
    reasoning: { effort: 'low' },
    max_tokens: 1000,
  }),
  /** A title for the chat, and tags for it: requests of their own to the same model, of which the user sees nothing. */
  asksForTitle: (model: string, said: string) => ({
    model,
    messages: [
      {
        role: 'user',
        content: `### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.\n### Output:\nJSON format: { "title": "your concise title here" }\n### Chat History:\n<chat_history>\nUSER: ${said}\n</chat_history>`,
      },
    ],
    stream: false,
    max_completion_tokens: 1000,
  }),
  asksForTags: (model: string, said: string) => ({
    model,
    messages: [
      {
        role: 'user',
        content: `### Task:\nGenerate 1-3 broad tags categorizing the main themes of the chat history.\n### Output:\nJSON format: { "tags": ["tag1", "tag2"] }\n### Chat History:\n<chat_history>\nUSER: ${said}\n</chat_history>`,
      },
    ],
    stream: false,
    metadata: { task: 'tags_generation', task_body: { model }, chat_id: null },
  }),
  /** Its own functions, called natively. */
  asksWithTools: (model: string, text: string) => ({
    stream: true,
    model,
    messages: [{ role: 'user', content: text }],
    tools: [WEB_SEARCH],
    stream_options: { include_usage: true },
  }),
  /** The round after; a picture that a function has found follows as something that the user shows. */
  answers(model: string, text: string, calls: Call[], output: string, isShown = false) {
    const asked = openWebUi.asksWithTools(model, text);
    return {
      ...asked,
      messages: [
        ...asked.messages,
        {
          role: 'assistant',
          content: '',
          tool_calls: callsOf(calls).map((call, index) => ({ index, ...call })),
        },
        ...calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: output })),
        ...(isShown ? [{ role: 'user', content: [{ type: 'image_url', image_url: { url: IMAGE } }] }] : []),
      ],
    };
  },
};
