/** An assistant on MQTT, end to end through a real broker: question in, lamp switched, sensor read, answer out. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { Aedes } from 'aedes';
import { type Msg, onEachRuntime } from '../support/runtime.ts';

const tool = (name: string, description: string, properties: Msg) => ({
  type: 'function',
  function: {
    name,
    description,
    parameters: { type: 'object', properties, required: Object.keys(properties) },
  },
});

const assistants = [
  {
    id: 'asst_house',
    name: 'House',
    tools: [
      tool('set_lamp', 'Switch a lamp on or off.', {
        room: { type: 'string', enum: ['kitchen', 'hall'] },
        on: { type: 'boolean' },
      }),
      tool('read_sensor', 'Read the temperature sensor of a room.', {
        room: { type: 'string', enum: ['kitchen', 'hall'] },
      }),
    ],
  },
];

/** The flow as a user wires it: MQTT in and out, a Switch by tool, Function and Change nodes, a Catch for the tools. */
function house(port: number): Msg[] {
  const at = { z: 'tab', x: 0, y: 0 };
  const mqtt = { broker: 'broker', qos: '1', retain: '', ...at };
  const back = [['runs']];
  return [
    { id: 'tab', type: 'tab', label: 'house' },
    { id: 'svc', type: 'openai-runs-service', backend: 'embedded', provider: 'rehearsal', assistants },
    {
      id: 'broker',
      type: 'mqtt-broker',
      broker: '127.0.0.1',
      port: String(port),
      clientid: '',
      autoConnect: true,
      usetls: false,
      protocolVersion: '4',
      keepalive: '60',
      cleansession: true,
    },
    {
      id: 'questions',
      type: 'mqtt in',
      topic: 'house/+/ask',
      datatype: 'auto-detect',
      inputs: 0,
      rh: 0,
      nl: false,
      rap: true,
      wires: [['runs']],
      ...mqtt,
    },
    {
      id: 'runs',
      type: 'openai-runs',
      service: 'svc',
      method: 'createRun',
      fields: { assistant_id: { value: 'asst_house', type: 'str' } },
      conversation: 'topic',
      conversationType: 'msg',
      result: 'text',
      tools: true,
      toolTimeout: 10,
      wires: [['answer'], ['which']],
      ...at,
    },
    {
      id: 'which',
      type: 'switch',
      property: 'tool.name',
      propertyType: 'msg',
      rules: [
        { t: 'eq', v: 'set_lamp', vt: 'str' },
        { t: 'eq', v: 'read_sensor', vt: 'str' },
      ],
      checkall: 'false',
      outputs: 2,
      wires: [['lamp', 'switched'], ['sensor']],
      ...at,
    },
    {
      id: 'lamp',
      type: 'function',
      func: 'return { topic: "house/" + msg.payload.room + "/lamp", payload: msg.payload.on ? "ON" : "OFF" };',
      outputs: 1,
      wires: [['lamp out']],
      ...at,
    },
    { id: 'lamp out', type: 'mqtt out', topic: '', wires: [], ...mqtt },
    {
      id: 'switched',
      type: 'change',
      rules: [{ t: 'set', p: 'payload', pt: 'msg', to: 'switched', tot: 'str' }],
      wires: back,
      ...at,
    },
    {
      id: 'sensor',
      type: 'function',
      func: 'if (msg.payload.room === "hall") throw new Error("The sensor does not answer."); msg.payload = { celsius: 21.5 }; return msg;',
      outputs: 1,
      wires: back,
      ...at,
    },
    { id: 'catch', type: 'catch', scope: ['sensor'], uncaught: false, wires: back, ...at },
    {
      id: 'answer',
      type: 'function',
      func: 'return { topic: msg.topic.replace("/ask", "/answer"), payload: { text: msg.payload, thread: msg.run.thread_id, status: msg.run.status } };',
      outputs: 1,
      wires: [['answers']],
      ...at,
    },
    { id: 'answers', type: 'mqtt out', topic: '', wires: [], ...mqtt },
  ];
}

onEachRuntime('an assistant on MQTT', (start) => {
  let broker: Aedes;
  let server: Server;
  const published: { topic: string; payload: string }[] = [];

  beforeEach(async () => {
    published.length = 0;
    broker = await Aedes.createBroker();
    broker.on('publish', ({ topic, payload }, client) => {
      if (client) published.push({ topic, payload: payload.toString() });
    });
    server = createServer(broker.handle).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    await new Promise<void>((resolve) => broker.close(() => resolve()));
    server.close();
  });

  const publish = (topic: string, payload: string) =>
    broker.publish(
      { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, retain: false, dup: false },
      () => {},
    );

  /** Waits for the n-th message (from 1) on a topic. */
  async function received(topic: string, count = 1): Promise<string> {
    for (;;) {
      const found = published.filter((one) => one.topic === topic)[count - 1];
      if (found) return found.payload;
      await once(broker, 'publish');
    }
  }

  it('switches the lamp, reads the sensor, answers, and keeps a conversation a topic', async () => {
    const { port } = server.address() as { port: number };
    const subscribed = once(broker, 'subscribe');
    const core = ['network/10-mqtt', 'function/10-function', 'function/10-switch', 'function/15-change'];
    await start(house(port), {}, core);
    await subscribed;

    publish('house/anna/ask', 'Please set the lamp in the kitchen on and read the sensor of the kitchen');
    const first = JSON.parse(await received('house/anna/answer'));
    assert.equal(first.status, 'completed');
    assert.equal(await received('house/kitchen/lamp'), 'ON');
    assert.match(first.text, /switched/);
    assert.match(first.text, /21\.5/);

    publish('house/anna/ask', 'Set the lamp in the hall off');
    const second = JSON.parse(await received('house/anna/answer', 2));
    assert.equal(await received('house/hall/lamp'), 'OFF');
    assert.equal(second.thread, first.thread);

    publish('house/ben/ask', 'Read the sensor of the hall');
    const third = JSON.parse(await received('house/ben/answer'));
    assert.match(third.text, /The sensor does not answer/);
    assert.notEqual(third.thread, first.thread);
  });
});
