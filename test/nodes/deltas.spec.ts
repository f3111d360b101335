/** What a delta event adds to its message: the piece, its kind, and the text so far. */
import assert from 'node:assert/strict';
import type { RunEvent } from '../../nodes/openai-runs/methods/method.ts';
import { Deltas } from '../../nodes/openai-runs/output/deltas.ts';

const of = (event: string, data: object) => ({ event, data }) as unknown as RunEvent;
const text = (id: string, value: string) =>
  of('thread.message.delta', { id, delta: { content: [{ index: 0, type: 'text', text: { value } }] } });
const call = (details: object) =>
  of('thread.run.step.delta', {
    id: 'step_1',
    delta: { step_details: { type: 'tool_calls', tool_calls: [details] } },
  });

describe('deltas', () => {
  it('carry the text so far, anew for each message', () => {
    const deltas = new Deltas();
    assert.deepEqual(deltas.of(text('msg_1', 'Good ')), { type: 'text', delta: 'Good ', snapshot: 'Good ' });
    assert.deepEqual(deltas.of(text('msg_1', 'day')), { type: 'text', delta: 'day', snapshot: 'Good day' });
    assert.deepEqual(deltas.of(text('msg_2', 'So')), { type: 'text', delta: 'So', snapshot: 'So' });
  });

  it('tell refusals, arguments and code apart', () => {
    const deltas = new Deltas();
    const refused = { id: 'msg_1', delta: { content: [{ index: 0, type: 'refusal', refusal: 'No' }] } };
    assert.deepEqual(deltas.of(of('thread.message.delta', refused)), { type: 'refusal', delta: 'No' });
    assert.deepEqual(deltas.of(call({ index: 0, type: 'function', function: { arguments: '{"a"' } })), {
      type: 'arguments',
      delta: '{"a"',
    });
    assert.deepEqual(
      deltas.of(call({ index: 0, type: 'code_interpreter', code_interpreter: { input: 'x=1' } })),
      {
        type: 'code',
        delta: 'x=1',
      },
    );
  });

  it('are none where an event brings no piece', () => {
    const deltas = new Deltas();
    for (const event of [
      of('thread.run.queued', { id: 'run_1' }),
      of('thread.message.delta', { id: 'msg_1', delta: {} }),
      of('thread.message.delta', { id: 'msg_1', delta: { content: [{ index: 0, type: 'image_file' }] } }),
      of('thread.run.step.delta', { id: 'step_1', delta: {} }),
      call({ index: 0, type: 'function', function: { name: 'lamp', output: null } }),
    ])
      assert.equal(deltas.of(event), undefined);
  });
});
