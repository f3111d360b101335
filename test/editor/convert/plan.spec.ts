/** The converter's plan, without an editor: old flows of every release in, nodes of this package out. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { FlowNode } from '../../../nodes/openai-runs/editor/convert/flow.ts';
import { left, survey } from '../../../nodes/openai-runs/editor/convert/survey.ts';
import { methods } from '../../../nodes/openai-runs/methods/index.ts';
import { added, convert, env, HOST, node, TAB } from './flows.ts';

const one = (more: Record<string, unknown>, host: FlowNode = HOST) => {
  const change = convert([TAB, HOST.id === host.id ? host : HOST, node(more)]);
  return added(change, 'old');
};

describe('the plan of a conversion', () => {
  it('keeps id, place, name, wires, group, notes and looks of a node', () => {
    const kept = {
      g: 'group',
      d: true,
      info: 'why',
      l: false,
      icon: 'node-red/cog.svg',
      inputLabels: ['in'],
    };
    const result = one({ ...kept, outputLabels: ['out'] });
    assert.deepEqual({ ...result, ...node({ ...kept, outputLabels: ['out'], type: 'openai-runs' }) }, result);
  });

  it('makes nodes that do what the old ones did', () => {
    const { delivery, result, tools, busy, failures, outputs, fields, version } = one({});
    const settings = { delivery, result, tools, busy, failures, outputs, fields };
    assert.deepEqual(settings, {
      delivery: 'start',
      result: 'run',
      tools: false,
      busy: 'error',
      failures: 'output',
      outputs: 1,
      fields: {},
    });
    assert.equal(typeof version, 'number');
    const read = one({ property: 'asked.run', propertyType: 'flow', method: 'getRun' });
    assert.deepEqual([read.property, read.propertyType, read.delivery], ['asked.run', 'flow', 'start']);
  });

  it('takes every method of the package, under its own id', () => {
    for (const { id, answers, delivers } of methods) {
      const result = one({ method: id });
      assert.equal(result.method, id);
      assert.equal(result.paging, answers === 'list' ? 'items' : 'page');
      assert.equal(result.delivery === 'start', delivers, id);
    }
  });

  it('reads nodes of the 0.x releases: no property, a method misspelled, lists as pages', () => {
    const { property: _p, propertyType: _t, ...old } = node({ type: 'openai-api', service: 'sh' });
    const host = { id: 'sh', type: 'service-host', apiBase: 'https://api.openai.com/v1', name: '' };
    const flow = [
      TAB,
      host,
      { ...old, method: 'submitToolOuputsToRun' },
      { ...old, id: 'l', method: 'listRuns' },
    ];
    const change = convert(flow);
    const result = added(change, 'old');
    assert.deepEqual(
      [result.type, result.method, result.property, result.propertyType, result.service],
      ['openai-runs', 'submitToolOutputsToRun', 'payload', 'msg', 'sh'],
    );
    assert.equal(added(change, 'l').paging, 'page');
    assert.equal(added(change, 'sh').type, 'openai-runs-service');
  });

  it('leaves nodes alone that have no method here, none at all, or stand in a locked flow', () => {
    const locked = { ...TAB, id: 'locked', locked: true };
    const flow = [
      TAB,
      locked,
      HOST,
      node({ id: 'a', method: 'createChatCompletion' }),
      node({ id: 'b', method: '' }),
      node({ id: 'c', method: 'constructor' }),
      node({ id: 'd', z: 'locked' }),
      node({ id: 'e' }),
    ];
    const found = survey(flow);
    assert.deepEqual(
      left(found).map(({ id, reason }) => [id, reason]),
      [
        ['a', 'method'],
        ['b', 'noMethod'],
        ['c', 'method'],
        ['d', 'locked'],
      ],
    );
    const change = convert(flow);
    // The host is still needed: it stays, and the service beside it has an id of its own.
    assert.deepEqual(change.remove, ['e']);
    assert.deepEqual(
      change.add.map(({ id, service }) => [id, service]),
      [
        ['new1', undefined],
        ['e', 'new1'],
      ],
    );
  });

  it('makes nothing of a host whose nodes all stay, and a service of one that nothing uses', () => {
    assert.deepEqual(convert([TAB, HOST, node({ method: 'createImage' })]), { remove: [], add: [] });
    const { remove, add } = convert([TAB, HOST]);
    assert.deepEqual(
      [remove, add.map(({ id, type }) => [id, type])],
      [['host'], [['host', 'openai-runs-service']]],
    );
    assert.equal(survey([TAB]).found, false);
  });

  it('gives nodes without a host a service of their own, and keeps one that is a variable', () => {
    const change = convert([TAB, node({ service: 'gone' }), node({ id: 'v', service: env('HOST') })]);
    assert.equal(added(change, 'old').service, 'new1');
    assert.equal(added(change, 'v').service, env('HOST'));
    assert.equal(added(change, 'new1').backend, 'embedded');
  });

  it('takes a service that is there, where one is chosen, and drops the host', () => {
    const there = { id: 'svc', type: 'openai-runs-service', name: 'mine' };
    const change = convert([TAB, HOST, there, node()], { host: 'svc' });
    assert.deepEqual(change.remove, ['host', 'old']);
    assert.deepEqual(
      change.add.map(({ id }) => id),
      ['old'],
    );
    assert.equal(added(change, 'old').service, 'svc');
    assert.deepEqual(survey([there, { ...there, id: 'inner', z: 'tab' }]).services, ['svc']);
  });

  it('never changes the flow that it reads', () => {
    for (const file of ['old-flow', 'old-mixed']) {
      const text = readFileSync(path.join(import.meta.dirname, '..', 'fixtures', `${file}.json`), 'utf8');
      const flow = JSON.parse(text);
      assert.ok(convert(flow).add.length > 0);
      assert.deepEqual(flow, JSON.parse(text));
    }
  });

  it('bears flows that hold anything at all', () => {
    for (const odd of [null, 7, {}, [], [null], [[null, {}]], 'text', true]) {
      const more = Object.fromEntries(
        ['wires', 'name', 'property', 'service', 'props', 'rules', 'info', 'z'].map((name) => [name, odd]),
      );
      const flow = [TAB, { ...HOST, apiBase: odd, organizationId: odd, name: odd }, node(more)];
      flow.push({ id: 'i', type: 'inject', ...more }, { id: 's', type: 'subflow', in: odd });
      assert.equal(convert(flow as FlowNode[]).add.length > 0, true, JSON.stringify(odd));
    }
  });
});
