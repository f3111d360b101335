/** An engine that asks the chat server of the first argument, in a process with little memory; tells how long the call's arguments were. */
import { createEngine } from '../../../engine/index.ts';

const engine = await createEngine({
  database: ':memory:',
  model: { provider: 'chat', url: process.argv[2] ?? '', model: 'm' },
  assistants: [{ id: 'asst_1', tools: [{ type: 'function', function: { name: 'store' } }] }],
});
const response = await engine.fetch('http://engine/v1/threads/runs', {
  method: 'POST',
  body: JSON.stringify({
    assistant_id: 'asst_1',
    stream: true,
    thread: { messages: [{ role: 'user', content: 'Go' }] },
  }),
});
const [, data = ''] = /event: thread\.run\.requires_action\ndata: (.*)/.exec(await response.text()) ?? [];
const [call] = JSON.parse(data).required_action.submit_tool_outputs.tool_calls;
await engine.close();
console.log(JSON.parse(call.function.arguments).data.length);
