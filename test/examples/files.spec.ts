/** The example flows as files: what an import needs, and what keeps them worth reading. */
import assert from 'node:assert/strict';
import { outputKinds } from '../../nodes/openai-runs/editor/outputs.ts';
import { everyMethod, findMethod } from '../../nodes/openai-runs/methods/index.ts';
import { type FlowNode, isRunnable, readExamples } from './files.ts';

const examples = readExamples();
const all = examples.flatMap(({ nodes }) => nodes);
const isRuns = ({ type }: FlowNode) => type === 'openai-runs';
const isService = ({ type }: FlowNode) => type === 'openai-runs-service';

/** Properties in which nodes name other nodes by their id. */
const references = ({ service, broker, links, scope, wires, type, ...other }: FlowNode): string[] => [
  ...(wires ?? []).flat(),
  ...[service, other.group, other.page, other.ui, other.theme].filter(Boolean),
  ...(links ?? []),
  ...(Array.isArray(scope) ? scope : []),
  ...(broker && type !== 'mqtt-broker' ? [broker] : []),
];

describe('the example flows', () => {
  it('are numbered without a gap, twenty-three of them', () => {
    assert.deepEqual(
      examples.map(({ name }) => name.slice(0, 5)),
      Array.from({ length: 23 }, (_, index) => `${String(index + 1).padStart(2, '0')} - `),
    );
  });

  it('have ids in the form of the editor, each once in all of them', () => {
    const ids = all.map(({ id }) => id);
    for (const id of ids) assert.match(id, /^[0-9a-f]{16}$/);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('use every method', () => {
    const used = new Set(all.filter(isRuns).map(({ method }) => method));
    assert.deepEqual([...used].sort(), everyMethod.map(({ id }) => id).sort());
  });

  it('need no other palette, but for the dashboard, and that says so at once', () => {
    const own = new Set(examples.filter(isRunnable).flatMap(({ nodes }) => nodes.map(({ type }) => type)));
    const [dashboard, ...more] = examples.filter((example) => !isRunnable(example));
    assert(dashboard && more.length === 0);
    assert.match(dashboard.name, /^18/);
    const types = dashboard.nodes.map(({ type }) => type).filter((type) => !own.has(type));
    assert.deepEqual(types.sort(), ['ui-base', 'ui-group', 'ui-page', 'ui-template', 'ui-theme']);
    const [tab, comment] = dashboard.nodes;
    for (const said of [tab?.info, comment?.name, comment?.info]) {
      assert.match(said, /@flowfuse\/node-red-dashboard/);
    }
  });

  it('say on the canvas and in the information what they lack without a broker', () => {
    for (const { name, nodes } of examples) {
      if (!nodes.some(({ type }) => type === 'mqtt-broker')) continue;
      assert.match(nodes[0]?.info, /Needs an MQTT broker/, name);
      assert(
        nodes.some((node) => node.type === 'comment' && /^Without an MQTT broker/.test(node.name ?? '')),
        name,
      );
    }
  });

  for (const { name, nodes, text } of examples) {
    describe(name, () => {
      const ids = new Set(nodes.map(({ id }) => id));
      const tab = nodes.find(({ type }) => type === 'tab') as FlowNode;

      it('is one tab of its own name, and every wire and reference ends within it', () => {
        assert.equal(tab.label, name.replace(' - ', ' '));
        for (const node of nodes) {
          assert(node.z === tab.id || node.z === undefined, node.id);
          for (const id of references(node)) assert(ids.has(id), `${node.name || node.type}: ${id}`);
        }
      });

      it('runs on one embedded rehearsal service, with the assistants it asks for', () => {
        const [service, ...more] = nodes.filter(isService);
        assert(service && more.length === 0);
        assert.equal(service.backend, 'embedded');
        assert.equal(service.provider, 'rehearsal');
        const known = service.assistants.map(({ id }: { id: string }) => id);
        for (const node of nodes.filter(isRuns)) {
          const { type, value } = node.fields.assistant_id ?? {};
          assert(type !== 'str' || known.includes(value), value);
        }
        for (const assistant of text.match(/\basst_\w+/g) ?? []) assert(known.includes(assistant), assistant);
      });

      it('saves every property of our nodes, as the editor would', () => {
        for (const isOne of [isRuns, isService]) {
          const model = examples[0]?.nodes.find(isOne) as FlowNode;
          for (const node of nodes.filter(isOne)) {
            // A service that serves nobody says nothing about it.
            const keys = Object.keys(node).filter((key) => node.serve || !/^serve/.test(key));
            const served = node.serve ? keys.filter((key) => /^serve/.test(key)) : [];
            assert.deepEqual(keys, [...Object.keys(model), ...served], node.name);
          }
        }
        for (const node of nodes.filter(isRuns)) {
          assert.equal(node.outputs, outputKinds(node as never).length, node.name);
          assert.equal(node.wires?.length, node.outputs, node.name);
          const known = Object.keys(findMethod(node.method)?.parameters ?? {});
          for (const field of Object.keys(node.fields)) assert(known.includes(field), field);
        }
      });

      it('explains itself, and says how to go on with a real model', () => {
        const [first, ...more] = nodes.filter(({ type }) => type === 'comment');
        for (const comment of [first, ...more]) {
          assert(comment && comment.info.length > 40 && comment.name && comment.name.length < 60);
        }
        assert.match(first?.info, /\*\*To use a real model\*\*, open (the|a) runs node/);
        for (const node of nodes.filter(({ type }) => type === 'debug')) assert(node.name, node.id);
      });

      it('holds no key and reaches for no machine but this one', () => {
        assert.doesNotMatch(text, /credentials|apiKey|password"|Bearer|\bsk-/);
        assert.doesNotMatch(text, /https?:\/\//);
        for (const { broker } of nodes.filter(({ type }) => type === 'mqtt-broker')) {
          assert.equal(broker, '127.0.0.1');
        }
      });
    });
  }
});
