/** Objects of the API as a server sends them, for the far side of the wire. */
// biome-ignore lint/suspicious/noExplicitAny: test data is bent at will
type Fields = Record<string, any>;

export const run = (fields: Fields = {}) => ({
  id: 'run_1',
  object: 'thread.run',
  created_at: 1_700_000_000,
  thread_id: 'thread_1',
  assistant_id: 'asst_1',
  status: 'queued',
  required_action: null,
  last_error: null,
  expires_at: 1_700_000_600,
  started_at: null,
  cancelled_at: null,
  failed_at: null,
  completed_at: null,
  incomplete_details: null,
  model: 'model-x',
  instructions: null,
  tools: [],
  metadata: {},
  usage: null,
  temperature: 1,
  top_p: 1,
  max_prompt_tokens: null,
  max_completion_tokens: null,
  truncation_strategy: { type: 'auto', last_messages: null },
  tool_choice: 'auto',
  parallel_tool_calls: true,
  response_format: 'auto',
  ...fields,
});

export const message = (text: string, fields: Fields = {}) => ({
  id: 'msg_1',
  object: 'thread.message',
  created_at: 1_700_000_001,
  thread_id: 'thread_1',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'text', text: { value: text, annotations: [] } }],
  assistant_id: 'asst_1',
  run_id: 'run_1',
  attachments: [],
  metadata: {},
  completed_at: 1_700_000_002,
  incomplete_at: null,
  incomplete_details: null,
  ...fields,
});

export const delta = (value: string) => ({
  id: 'msg_1',
  object: 'thread.message.delta',
  delta: { content: [{ index: 0, type: 'text', text: { value } }] },
});

export const step = (fields: Fields = {}) => ({
  id: 'step_1',
  object: 'thread.run.step',
  created_at: 1_700_000_001,
  run_id: 'run_1',
  thread_id: 'thread_1',
  assistant_id: 'asst_1',
  type: 'message_creation',
  status: 'completed',
  step_details: { type: 'message_creation', message_creation: { message_id: 'msg_1' } },
  last_error: null,
  expires_at: null,
  cancelled_at: null,
  failed_at: null,
  completed_at: 1_700_000_002,
  usage: null,
  ...fields,
});

/** The events of a run that answers with `words`, as recorded streams have them. */
export function textStream(words: string[], last: Fields = { status: 'completed' }): [string, unknown][] {
  return [
    ['thread.run.created', run()],
    ['thread.run.queued', run()],
    ['thread.run.in_progress', run({ status: 'in_progress' })],
    ['thread.run.step.created', step({ status: 'in_progress' })],
    ['thread.run.step.in_progress', step({ status: 'in_progress' })],
    ['thread.message.created', message('', { status: 'in_progress', content: [] })],
    ['thread.message.in_progress', message('', { status: 'in_progress', content: [] })],
    ...words.map((word): [string, unknown] => ['thread.message.delta', delta(word)]),
    ['thread.message.completed', message(words.join(''))],
    ['thread.run.step.completed', step()],
    [`thread.run.${last.status}`, run(last)],
  ];
}
