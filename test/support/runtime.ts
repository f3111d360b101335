/** Real Node-RED runtimes for tests of the built nodes: the same suite on 5 and on 4.1. */
import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import helper from 'node-red-node-test-helper';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '../..');

export const RUNTIMES = [
  { version: '5', module: 'node-red' },
  { version: '4.1', module: 'node-red-4' },
] as const;

const NODES = ['openai-runs', 'openai-runs-service'] as const;

/** The helper's `RED._` is the identity; users read the English catalogue. */
function translator(name: string) {
  const catalogue = JSON.parse(readFileSync(path.join(root, 'locales/en-US', `${name}.json`), 'utf8'));
  return (key: string, values: Record<string, unknown> = {}) => {
    // biome-ignore lint/suspicious/noExplicitAny: walks a catalogue
    const text = key.split('.').reduce((at: any, part) => at?.[part], catalogue);
    if (typeof text !== 'string') throw new Error(`the catalogue ${name} has no ${key}`);
    return text.replace(/__(\w+?)__/g, (_, value) => String(values[value] ?? ''));
  };
}

/** The built nodes, as Node-RED would load them. */
const registrations = () =>
  NODES.map((name) => (red: object) => {
    const register = require(path.join(root, 'dist', `${name}.js`));
    return (register.default ?? register)({ ...red, _: translator(name) });
  });

// biome-ignore lint/suspicious/noExplicitAny: messages are anything
export type Msg = Record<string, any>;

/** A flow that runs, and what has come out of its helper nodes. */
export interface Running {
  /** Sends a message into the node under test. */
  send(msg: Msg, node?: string): void;
  /** Everything a helper node has received. */
  out(id: string): Msg[];
  /** Waits for the n-th message (from 1) at a helper node. */
  wait(id: string, count?: number): Promise<Msg>;
  /** Statuses the node under test has shown. */
  statuses: Msg[];
  deploy(flow: Msg[], type?: 'full' | 'flows' | 'nodes'): Promise<void>;
  userDir: string;
}

/** Defines the same tests on every supported Node-RED. */
export function onEachRuntime(title: string, body: (start: Starter) => void): void {
  for (const { version, module } of RUNTIMES) {
    describe(`${title} (Node-RED ${version})`, () => {
      let userDir: string;
      before(() => helper.init(require.resolve(module)));
      beforeEach(async () => {
        userDir = mkdtempSync(path.join(os.tmpdir(), 'runs-'));
        helper.settings({ userDir } as never);
        await helper.startServer();
      });
      afterEach(async () => {
        await helper.unload();
        await helper.stopServer();
        rmSync(userDir, { recursive: true, force: true });
      });
      body((flow, credentials, core) => start({ flow, credentials, core: coreNodes(module, core), userDir }));
    });
  }
}

/** Starts a flow; `core` names core nodes it uses by their file, e.g. `network/10-mqtt`. */
export type Starter = (flow: Msg[], credentials?: Record<string, Msg>, core?: string[]) => Promise<Running>;

/** Core nodes of the very Node-RED that is tested. */
function coreNodes(module: string, files: string[] = []): unknown[] {
  const from = createRequire(require.resolve(module));
  return files.map((file) => from(`@node-red/nodes/core/${file}.js`));
}

interface StartOptions {
  flow: Msg[];
  credentials?: Record<string, Msg>;
  core: unknown[];
  userDir: string;
}

async function start({ flow, credentials = {}, core, userDir }: StartOptions): Promise<Running> {
  const bus = new EventEmitter();
  bus.setMaxListeners(0);
  const got = new Map<string, Msg[]>();
  const statuses: Msg[] = [];

  const listen = () => {
    for (const { id, type } of flow) {
      if (type === 'helper' && !got.has(id)) got.set(id, []);
      if (type === 'helper') {
        helper.getNode(id).on('input', (msg: Msg) => {
          got.get(id)?.push(msg);
          bus.emit(id);
        });
      }
    }
    helper
      .getNode('runs')
      ?.on('call:status' as never, (call: { args: Msg[] }) => statuses.push(call.args[0] as Msg));
  };
  await helper.load([...registrations(), ...core] as never, flow as never, credentials as never);
  listen();

  return {
    userDir,
    statuses,
    send: (msg, node = 'runs') => helper.getNode(node).receive(msg as never),
    out: (id) => got.get(id) ?? [],
    async wait(id, count = 1) {
      const list = got.get(id) as Msg[];
      while (list.length < count) await new Promise((resolve) => bus.once(id, resolve));
      return list[count - 1] as Msg;
    },
    async deploy(next, type = 'full') {
      flow = next;
      await helper.setFlows(next as never, type as never);
      listen();
    },
  };
}

/**
 * A flow with one node under test (`runs`), its service (`svc`), helper nodes at its outputs (`out`, `second`,
 * `third`), and Catch, Complete and Status nodes with a helper each (`caught`, `completed`, `state`).
 */
export function flowWith(runs: Msg, service: Msg): Msg[] {
  const base = { z: 'tab', x: 0, y: 0 };
  return [
    { id: 'tab', type: 'tab', label: 'test' },
    { id: 'svc', type: 'openai-runs-service', name: 'service', ...service },
    {
      id: 'runs',
      type: 'openai-runs',
      service: 'svc',
      property: 'payload',
      propertyType: 'msg',
      fields: {},
      wires: [['out'], ['second'], ['third']],
      ...base,
      ...runs,
    },
    { id: 'out', type: 'helper', ...base },
    { id: 'second', type: 'helper', ...base },
    { id: 'third', type: 'helper', ...base },
    { id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [['caught']], ...base },
    { id: 'caught', type: 'helper', ...base },
    { id: 'complete', type: 'complete', scope: ['runs'], wires: [['completed']], ...base },
    { id: 'completed', type: 'helper', ...base },
    { id: 'status', type: 'status', scope: ['runs'], wires: [['state']], ...base },
    { id: 'state', type: 'helper', ...base },
  ];
}
