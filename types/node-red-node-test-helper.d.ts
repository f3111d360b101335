/** The test helper ships no types; this is what the tests use of it. */
declare module 'node-red-node-test-helper' {
  import type { EventEmitter } from 'node:events';

  interface TestNode extends EventEmitter {
    receive(msg: object): void;
  }

  const helper: {
    init(runtimePath: string): void;
    settings(settings: object): void;
    startServer(): Promise<void>;
    stopServer(): Promise<void>;
    load(nodes: unknown, flow: unknown, credentials?: unknown): Promise<void>;
    unload(): Promise<void>;
    getNode(id: string): TestNode;
    setFlows(flow: unknown, type?: string): Promise<void>;
  };
  export default helper;
}
