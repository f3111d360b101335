/** What the converter sees of `stream: true` before a node. */
import assert from 'node:assert/strict';
import type { FlowNode } from '../../../nodes/openai-runs/editor/convert/flow.ts';
import { asksForStream, Wiring } from '../../../nodes/openai-runs/editor/convert/streams.ts';

const to = (type: string, more: Record<string, unknown> = {}): FlowNode => ({
  id: 'before',
  type,
  wires: [['old']],
  ...more,
});
const OLD: FlowNode = { id: 'old', type: 'OpenAI API', wires: [[]] };
const seen = (flow: FlowNode[], property = 'payload') =>
  asksForStream('old', property, new Wiring([OLD, ...flow]));
const rule = (p: string, value: string, tot: string) =>
  to('change', { rules: [{ t: 'set', p, to: value, tot }] });

const ASKS: Record<string, FlowNode> = {
  'an inject node': to('inject', { props: [{ p: 'payload' }], payload: '{"a":1,"stream": true}' }),
  'a property of an inject node': to('inject', {
    props: [{ p: 'payload', v: '{"stream":true}', vt: 'json' }],
  }),
  'a flag of an inject node': to('inject', { props: [{ p: 'payload.stream', v: 'true', vt: 'bool' }] }),
  'a function': to('function', { func: 'msg.payload = { assistant_id: "asst_1", stream: true };' }),
  'a line of a function': to('function', { func: 'msg.payload.stream = true;\nreturn msg;' }),
  'a quoted line of a function': to('function', { func: "msg.payload['stream'] = true;" }),
  'a rule that sets the flag': rule('payload.stream', 'true', 'bool'),
  'a rule that sets the request': rule('payload', '{"stream": true, "thread_id": thread}', 'jsonata'),
  'a template': to('template', { template: '{"stream": true, "assistant_id": "{{payload}}"}' }),
};

const SILENT: Record<string, FlowNode> = {
  'an inject node': to('inject', { payload: '{"stream":false}' }),
  'a comment in a function': to('function', {
    func: '// stream: true\nmsg.payload.stream = false; /* stream = true */',
  }),
  'another word': to('function', { func: 'msg.payload.upstream = true; msg.streaming = true' }),
  'a comparison': to('function', { func: 'if (msg.payload.stream === true) return null;' }),
  'a rule for another property': rule('other.stream', 'true', 'bool'),
  'a node that can do anything': to('http request'),
  'a subflow': to('subflow:abc'),
};

describe('stream: true before a node', () => {
  for (const [name, node] of Object.entries(ASKS)) {
    it(`is seen in ${name}`, () => assert.equal(seen([node]), true));
  }
  for (const [name, node] of Object.entries(SILENT)) {
    it(`is not seen in ${name}`, () => assert.equal(seen([node]), false));
  }

  it('is seen through nodes that pass messages on, links and loops', () => {
    const inject = { ...(ASKS['an inject node'] as FlowNode), wires: [['delay']] };
    const flow = [
      inject,
      { id: 'delay', type: 'delay', wires: [['junction']] },
      { id: 'junction', type: 'junction', wires: [['out', 'delay']] },
      { id: 'out', type: 'link out', links: ['in'], wires: [] },
      { id: 'in', type: 'link in', links: ['out'], wires: [['old']] },
    ];
    assert.equal(seen(flow), true);
  });

  it('counts only where everything before the node asks for it', () => {
    const yes = ASKS['an inject node'] as FlowNode;
    assert.equal(seen([yes, { ...to('inject', { payload: '{}' }), id: 'other' }]), false);
    assert.equal(seen([yes, { id: 'sub', type: 'subflow', in: [{ wires: [{ id: 'old' }] }] }]), false);
    assert.equal(seen([]), false);
  });

  it('is looked for where the node reads its request', () => {
    assert.equal(seen([rule('request.stream', 'true', 'bool')], 'request'), true);
    assert.equal(seen([ASKS['an inject node'] as FlowNode], 'request'), false);
  });
});
