/** What the editor's debug sidebar gets to show, over the websocket that the editor uses. */
import { EventEmitter, once } from 'node:events';

/** A debug message on the wire: values that are no text are written as one, `format` says what they were. */
interface DebugMessage {
  id: string;
  msg: string;
  format: string;
}

export class Sidebar {
  readonly #socket: WebSocket;
  readonly #shown = new Map<string, unknown[]>();
  readonly #bus = new EventEmitter();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#bus.setMaxListeners(0);
    socket.addEventListener('message', ({ data }) => {
      for (const { topic, data: message } of [JSON.parse(String(data))].flat()) {
        if (topic === 'debug') this.#add(message);
      }
    });
  }

  /** @param address of Node-RED, e.g. http://127.0.0.1:1880 */
  static async open(address: string): Promise<Sidebar> {
    const socket = new WebSocket(`${address.replace('http', 'ws')}/comms`);
    const sidebar = new Sidebar(socket);
    await once(socket, 'open');
    socket.send(JSON.stringify({ subscribe: 'debug' }));
    return sidebar;
  }

  /** Everything that a debug node has shown so far. */
  all<Value = unknown>(id: string): Value[] {
    return (this.#shown.get(id) ?? []) as Value[];
  }

  /** The n-th value (from 1) that a debug node shows, waited for if need be. */
  async nth<Value = unknown>(id: string, count: number): Promise<Value> {
    while (this.all(id).length < count) await once(this.#bus, id);
    return this.all<Value>(id)[count - 1] as Value;
  }

  close(): void {
    this.#socket.close();
  }

  #add({ id, msg, format }: DebugMessage): void {
    const value = /^(string|error|undefined)/.test(format) ? msg : JSON.parse(msg);
    this.#shown.set(id, [...this.all(id), value]);
    this.#bus.emit(id);
  }
}
