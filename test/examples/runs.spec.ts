/** Every example that needs no other palette in a real Node-RED: its buttons pressed, and what its debug nodes then show. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { Aedes } from 'aedes';
import { type NodeRed, RELEASES, type Release, startNodeRed } from '../support/node-red.ts';
import { type Example, type FlowNode, isRunnable, nodeOf, readExamples } from './files.ts';
import { Sidebar } from './sidebar.ts';

const MOVED = 'cafe000000000001';
const examples = readExamples().filter(isRunnable);

/** Example 12 tells how to move a flow: what it calls "before", changed as it says. */
function movedFlow(): FlowNode[] {
  const example = examples.find(({ name }) => name.startsWith('12')) as Example;
  const text = nodeOf(example, 'comment', 'Before and after (open me)').info;
  const before = /```json\n(.*?)```/s.exec(text)?.[1] ?? '';
  const service = example.nodes.find(({ type }) => type === 'openai-runs-service')?.id;
  const after = before
    .replaceAll('"type": "OpenAI API"', '"type": "openai-runs"')
    .replaceAll('"service": "a9"', `"service": "${service}"`);
  assert.notEqual(after, before);
  const nodes: FlowNode[] = JSON.parse(after).map((node: FlowNode) => ({ ...node, z: MOVED }));
  const { id: _id, wires: _wires, ...inject } = nodeOf(example, 'inject', 'payload as before');
  return [
    { id: MOVED, type: 'tab', label: 'moved' },
    ...nodes,
    { ...inject, id: 'a0', type: 'inject', z: MOVED, wires: [['a1']] },
    {
      id: 'a4',
      type: 'debug',
      z: MOVED,
      active: true,
      tosidebar: true,
      complete: 'payload',
      targetType: 'msg',
    },
  ];
}

/** Example 23 asks the Node-RED that it runs in, by the port that stands in its tab. */
const atPort = (node: FlowNode, port: number): FlowNode =>
  node.env?.[0]?.name === 'PORT' ? { ...node, env: [{ ...node.env[0], value: String(port) }] } : node;

/** An example under test: its buttons by their names, and its debug nodes by theirs. */
class Bench {
  readonly #example: Example;
  readonly #nodeRed: NodeRed;
  readonly #sidebar: Sidebar;

  constructor(number: string, nodeRed: NodeRed, sidebar: Sidebar) {
    this.#example = examples.find(({ name }) => name.startsWith(number)) as Example;
    this.#nodeRed = nodeRed;
    this.#sidebar = sidebar;
  }

  async press(inject: string): Promise<void> {
    await press(this.#nodeRed, nodeOf(this.#example, 'inject', inject).id);
  }

  /** The n-th value (from 1) that a debug node shows. */
  shown<Value = string>(debug: string, count = 1): Promise<Value> {
    return this.#sidebar.nth<Value>(nodeOf(this.#example, 'debug', debug).id, count);
  }

  /** All that a debug node has shown, once a condition holds for it. */
  async until(debug: string, condition: (all: string[]) => boolean): Promise<string[]> {
    while (!condition(this.all(debug))) await this.shown(debug, this.all(debug).length + 1);
    return this.all(debug);
  }

  /** All that a debug node has shown so far. */
  all<Value = string>(debug: string): Value[] {
    return this.#sidebar.all<Value>(nodeOf(this.#example, 'debug', debug).id);
  }
}

/** As the button of an inject node does it. */
async function press({ address }: NodeRed, id: string): Promise<void> {
  const response = await fetch(`${address}/inject/${id}`, { method: 'POST' });
  assert.equal(response.status, 200, `inject ${id}`);
}

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`every example runs on Node-RED ${release}`, () => {
    let broker: Aedes;
    let server: Server;
    let nodeRed: NodeRed;
    let sidebar: Sidebar;
    const subscribed = new EventEmitter();
    let subscriptions = 0;
    const bench = (number: string) => new Bench(number, nodeRed, sidebar);

    before(async function () {
      this.timeout(40_000);
      broker = await Aedes.createBroker();
      broker.on('subscribe', (topics) => {
        subscriptions += topics.length;
        subscribed.emit('more');
      });
      server = createServer(broker.handle).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const port = String((server.address() as AddressInfo).port);
      const flows = [...examples.flatMap(({ nodes }) => nodes), ...movedFlow()].map((node) =>
        node.type === 'mqtt-broker' ? { ...node, port } : node,
      );
      nodeRed = await startNodeRed({ release, flows: (own) => flows.map((node) => atPort(node, own)) });
      sidebar = await Sidebar.open(nodeRed.address);
    });

    after(async () => {
      sidebar?.close();
      await nodeRed?.stop();
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      server.close();
    });

    it('01 shows a reply, and the events on the way to it', async () => {
      const flow = bench('01');
      await flow.press('ask');
      assert.match(
        await flow.shown('reply'),
        /^\[rehearsal\] You said: Hello! What can you do for my flows\? /,
      );
      const events = await flow.until('events', (all) => all.at(-1) === 'thread.run.completed');
      assert.equal(events[0], 'thread.created');
      assert(events.some((event) => /^thread\.message\.delta: \S/.test(event)));
    });

    it('02 sorts events by name, joins pieces of text, and merges them to fewer', async () => {
      const flow = bench('02');
      await flow.press('ask');
      const reply = await flow.shown('reply');
      const parts = await flow.until('text so far', (all) => all.at(-1) === reply);
      parts.forEach((part, index) => {
        assert(part.length > (parts[index - 1]?.length ?? 0) && reply.startsWith(part), part);
      });
      const progress = await flow.until('progress', (all) => all.at(-1)?.includes('completed') === true);
      assert.deepEqual(
        progress.map((line) => line.replace(/ \(\d+\)$/, '')),
        ['thread.run.created', 'thread.run.queued', 'thread.run.in_progress', 'thread.run.completed'],
      );
      await flow.press('ask again');
      assert.equal(await flow.shown('reply to compare'), reply);
      const merged = await flow.until('merged pieces', (all) => all.join('') === reply);
      assert(merged.length < parts.length / 2, `${merged.length} merged of ${parts.length}`);
    });

    it('03 keeps a conversation for each topic, until it is told to forget', async () => {
      const flow = bench('03');
      const threads: (string | undefined)[] = [];
      const ask = async (who: string, turns: string) => {
        await flow.press(who);
        const count = threads.length + 1;
        threads.push(/thread_\w+/.exec(await flow.shown('reply', count))?.[0]);
        assert.equal(await flow.shown('how many turns', count), turns);
      };
      await ask('Anna says her name', 'anna: 1');
      await ask('Anna asks', 'anna: 2');
      await ask('Ben asks', 'ben: 1');
      await flow.press('forget Anna');
      await ask('Anna asks', 'anna: 1');
      await ask('Ben asks', 'ben: 2');
      await flow.press('forget all');
      await ask('Ben asks', 'ben: 1');
      const [anna, again, ben, newAnna, stillBen, newBen] = threads;
      assert.equal(again, anna);
      assert.equal(stillBen, ben);
      assert.equal(new Set([anna, ben, newAnna, newBen]).size, 4);
    });

    it('04 switches the lamp, reads the sensor, and tells the assistant of a failure', async () => {
      const flow = bench('04');
      await flow.press('kitchen lamp on');
      assert.equal(await flow.shown('lamp'), 'kitchen lamp on');
      assert.match(await flow.shown('reply'), /set_lamp answered: kitchen lamp on\.$/);
      await flow.press('kitchen sensor');
      assert.match(
        await flow.shown('reply', 2),
        /read_sensor answered: \{"room":"kitchen","celsius":21\.5\}$/,
      );
      await flow.press('both at once');
      assert.equal(await flow.shown('lamp', 2), 'hall lamp off');
      assert.match(await flow.shown('reply', 3), /hall lamp off\. read_sensor answered: .*21\.5/);
      await flow.press('broken sensor');
      assert.equal(await flow.shown('tool error'), 'The sensor in the hall does not answer.');
      assert.match(
        await flow.shown('reply', 4),
        /answered: \{"error":"The sensor in the hall does not answer\."\}$/,
      );
    });

    it('05 does the same over MQTT, with a conversation for each person', async () => {
      const flow = bench('05');
      while (subscriptions < 4) await once(subscribed, 'more');
      await flow.press('21.5 °C in the kitchen');
      assert.equal(await flow.shown('measured'), 'kitchen: 21.5 °C');
      await flow.press('Anna: lamp and sensor');
      assert.equal(await flow.shown('lamp'), 'house/kitchen/lamp: ON');
      assert.match(
        await flow.shown('answer'),
        /^house\/anna\/answer: .*kitchen lamp on\. .*\{"room":"kitchen","celsius":21\.5\}$/,
      );
      await flow.press('Ben: sensor of the hall');
      assert.match(
        await flow.shown('answer', 2),
        /^house\/ben\/answer: .*"Nothing was measured there yet\."\}$/,
      );
    });

    it('06 does nothing until a person says yes, and nothing at all after a no', async () => {
      const flow = bench('06');
      await flow.press('unlock the front door');
      const waiting = /^unlock_door \{"door":"front"\}, until (.*)$/.exec(
        await flow.shown('waits for a decision'),
      );
      const minutes = (Date.parse(waiting?.[1] ?? '') - Date.now()) / 60_000;
      assert(minutes > 55 && minutes <= 60, `${minutes} minutes to decide`);
      assert.deepEqual([flow.all('door'), flow.all('reply')], [[], []]);
      await flow.press('yes');
      assert.equal(await flow.shown('door'), 'The front door is unlocked.');
      assert.match(await flow.shown('reply'), /unlock_door answered: The front door is unlocked\.$/);
      await flow.press('unlock the front door');
      await flow.shown('waits for a decision', 2);
      await flow.press('no');
      assert.match(await flow.shown('reply', 2), /answered: \{"error":"The owner of the house refused\."\}$/);
      assert.equal(flow.all('door').length, 1);
      assert.deepEqual(flow.all('failure'), []);
    });

    it('07 sends JSON where it belongs, and what is none to the Catch node', async () => {
      const flow = bench('07');
      for (const letter of ['a bill', 'a broken pump', 'a question', 'a refusal']) await flow.press(letter);
      const expected = {
        billing: { department: 'billing', urgent: false, order: 1042 },
        support: { department: 'support', urgent: true, order: 77 },
        sales: { department: 'sales', urgent: false, order: null },
      };
      for (const [department, letter] of Object.entries(expected)) {
        assert.deepEqual(await flow.shown<object>(department), letter);
      }
      assert.match(await flow.shown('not sorted'), /JSON.*This is a rehearsed refusal/);
      for (const debug of Object.keys(expected)) assert.equal(flow.all(debug).length, 1, debug);
      assert.deepEqual(flow.all('sorted'), []);
    });

    it('08 pages through runs, counts what they cost, and shows which tools were called', async () => {
      const flow = bench('08');
      for (const count of [1, 2, 3]) {
        await flow.press('read the meter');
        assert.match(await flow.shown('reply', count), /read_meter answered: \{"kWh":4711\.5\}$/);
      }
      for (const pages of ['2 runs, more: true', '1 runs, more: false', '2 runs, more: true']) {
        const count = flow.all('page').length + 1;
        await flow.press(count === 2 ? 'next page' : 'first page');
        assert.equal(await flow.shown('page', count), pages);
      }
      await flow.press('all runs');
      const [, runs, tokens] = /^(\d+) runs, (\d+) tokens$/.exec(await flow.shown('all runs')) ?? [];
      assert.equal(runs, '3');
      await flow.press('audit');
      const table = await flow.shown<{ run: string; status: string; tokens: number }[]>('audit');
      assert.deepEqual(
        table.map(({ status }) => status),
        ['completed', 'completed', 'completed'],
      );
      assert.equal(
        table.reduce((sum, line) => sum + line.tokens, 0),
        Number(tokens),
      );
      assert(Number(tokens) > 0 && new Set(table.map(({ run }) => run)).size === 3);
      await flow.press('steps');
      await flow.shown('step', 2);
      assert.deepEqual(flow.all('step'), [
        'tool_calls: read_meter {"meter":"house"} → {"kWh":4711.5}',
        'message_creation',
      ]);
    });

    it('09 ends a slow run at the deadline, and another by hand', async () => {
      const flow = bench('09');
      await flow.press('cancel it');
      assert.match(await flow.shown('not cancelled'), /thread_id/);
      await flow.press('a slow question');
      await flow.press('a quick question');
      assert.match(await flow.shown('in time'), /You said: Good morning\. /);
      await flow.press('start a slow run');
      assert.match(await flow.shown('started'), /^run_\w+ is queued$/);
      assert.deepEqual(flow.all('ended'), []);
      await flow.press('cancel it');
      assert.match(await flow.shown('cancel was answered'), /^cancell(ing|ed)$/);
      assert.equal(await flow.shown('ended'), 'cancelled');
      assert.match(await flow.shown('too late'), /^deadline: .*2 s/);
      assert.equal(flow.all('in time').length, 1);
    });

    it('10 shows what a run asks for, and takes the outputs made by hand', async () => {
      const flow = bench('10');
      await flow.press('ask for nothing');
      assert.match(await flow.shown('no tool was asked for'), /You said: Good morning! /);
      await flow.press('ask for the weather');
      assert.equal(await flow.shown('the run asks'), 'get_temperature {"city":"Oslo"}');
      await flow.press('it is 4.5 degrees');
      assert.match(await flow.shown('reply'), /get_temperature answered: \{"celsius":4\.5\}$/);
      await flow.press('it is 4.5 degrees');
      assert.match(await flow.shown('not taken'), /completed/);
    });

    it('11 sets notes with a run, changes one, and reads them again', async () => {
      const flow = bench('11');
      await flow.press('order 1042');
      assert.deepEqual(await flow.shown<object>('notes at the start'), { order: '1042', reviewed: 'no' });
      await flow.press('reviewed');
      const changed = { order: '1042', reviewed: 'yes' };
      assert.deepEqual(await flow.shown<object>('notes changed'), changed);
      await flow.press('read');
      assert.deepEqual(await flow.shown<object>('notes'), changed);
    });

    it('12 runs as before, shorter, and as the flow that it tells how to change', async () => {
      const flow = bench('12');
      await Promise.all([flow.press('payload as before'), flow.press('the same payload')]);
      await press(nodeRed, 'a0');
      assert.match(await flow.shown('reply'), /You said: Good morning /);
      assert.equal(await flow.shown('run as before'), 'completed');
      const { object, status } = await sidebar.nth<{ object: string; status: string }>('a4', 1);
      assert.deepEqual({ object, status }, { object: 'thread.run', status: 'completed' });
    });

    it('13 serves a page, and streams each page its own conversation', async () => {
      const page = await fetch(`${nodeRed.address}/chat`);
      assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
      assert.match(await page.text(), /<form>/);
      const say = async (topic: string, text: string) => {
        const response = await fetch(`${nodeRed.address}/chat`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ topic, text }),
        });
        assert.equal(response.headers.get('content-type'), 'text/event-stream');
        const frames = (await response.text()).split('\n\n').filter(Boolean);
        return frames.map((frame) => JSON.parse(frame.slice('data: '.length))).join('');
      };
      assert.match(await say('a', 'Good morning'), /^\[rehearsal\] You said: Good morning/);
      const [one, other] = await Promise.all([say('a', 'And now?'), say('b', 'Hello')]);
      assert.match(one, /And now\?/);
      assert.match(other, /You said: Hello/);
      assert.match(await say('a', ''), /^There is nothing to say/);
    });

    it('14 asks a question made from the day and a number', async () => {
      const flow = bench('14');
      await flow.press('at 7 on weekdays');
      assert.match(
        await flow.shown('report'),
        /You said: Write the report for \w+day, \d+ \w+\. The night's lowest temperature was 3\.5 °C\./,
      );
    });

    it('15 answers what is harmless, refuses what is beyond the limits, and asks a person for the rest', async () => {
      const flow = bench('15');
      await flow.press('how warm is it?');
      assert.match(
        await flow.shown('reply'),
        /read_temperature answered: \{"place":"boiler","celsius":61\.5\}$/,
      );
      await flow.press('valve to 95 %');
      assert.match(
        await flow.shown('reply', 2),
        /open_valve answered: \{"error":"Beyond the limits: boiler valve to 95 %\."\}$/,
      );
      assert.deepEqual([flow.all('waits'), flow.all('valve')], [[], []]);
      await flow.press('valve to 40 %');
      assert.match(await flow.shown('waits'), /^open_valve \{"valve":"boiler","percent":40\}, until \d{4}-/);
      await flow.press('both at once');
      assert.match(await flow.shown('waits', 2), /^open_valve \{"valve":"garden","percent":80\}/);
      assert.deepEqual([flow.all('valve'), flow.all('reply').length], [[], 2]);
      await flow.press('allow');
      assert.equal(await flow.shown('valve'), 'The boiler valve is open to 40 %.');
      assert.match(await flow.shown('reply', 3), /open_valve answered: The boiler valve is open to 40 %\.$/);
      await flow.press('refuse');
      assert.match(
        await flow.shown('reply', 4),
        /answered: \{"place":"garden","celsius":18\} open_valve answered: \{"error":"A person refused to/,
      );
      assert.equal(flow.all('valve').length, 1);
      assert.deepEqual(flow.all('failure'), []);
    });

    it('16 hands over to another assistant, who goes on in the same thread', async () => {
      const flow = bench('16');
      const threadOf = (said: string) => /^(thread_\w+): /.exec(said)?.[1] ?? assert.fail(said);
      await flow.press('when do you come?');
      assert.match(await flow.shown('failure'), /thread_id/);
      await flow.press('a question');
      assert.match(await flow.shown('Reception says'), /You said: When is breakfast\? /);
      await flow.press('broken heating');
      const reception = await flow.shown('Reception says', 2);
      assert.match(reception, /hand_over answered: The Technician takes over\.$/);
      const technician = await flow.shown('Technician says');
      assert.match(technician, /You said: Reception hands this guest over to you\. Reason: E4, no flame /);
      await flow.press('when do you come?');
      const later = await flow.shown('Technician goes on');
      assert.match(later, /You said: When will you be here\? /);
      assert.deepEqual([technician, later].map(threadOf), Array(2).fill(threadOf(reception)));
      assert.equal(flow.all('Technician says').length, 1);
    });

    it('17 puts a picture beside the question, and only there', async () => {
      const flow = bench('17');
      const notSeen = /\(Pictures and files were not looked at\.\)$/;
      await flow.press('what do you see?');
      const reply = await flow.shown('reply');
      assert.match(reply, /You said: What does this picture show\? /);
      assert.match(reply, notSeen);
      await flow.press('and what colour is it?');
      assert.match(await flow.shown('reply', 2), /You said: And what colour is it\? /);
      assert.doesNotMatch(await flow.shown('reply', 2), notSeen);
      await flow.press('forget the picture');
      assert.deepEqual(flow.all('failure'), []);
    });

    it('19 makes a conversation step by step, then looks at it, changes it and takes it apart', async () => {
      const flow = bench('19');
      await flow.press('get thread');
      assert.match(await flow.shown('failure'), /thread_id/);
      await flow.press('ask');
      const [asked, answered, ...more] = await flow.shown<string[]>('conversation');
      assert.equal(asked, 'user: When does the library open on Saturday?');
      assert.match(
        answered ?? '',
        /^assistant: \[rehearsal\] You said: When does the library open on Saturday\? /,
      );
      assert.deepEqual(more, []);
      type Thread = { object: string; metadata: object };
      await flow.press('get thread');
      const { object, metadata } = await flow.shown<Thread>('thread');
      assert.deepEqual({ object, metadata }, { object: 'thread', metadata: { reader: '1042' } });
      await flow.press('solved');
      const solved = { reader: '1042', solved: 'yes' };
      assert.deepEqual(await flow.shown<object>('thread notes'), solved);
      await flow.press('get thread');
      assert.deepEqual((await flow.shown<Thread>('thread', 2)).metadata, solved);
      await flow.press('get message');
      assert.equal(await flow.shown('message'), asked);
      await flow.press('seen');
      const { seen } = await flow.shown<{ seen: string }>('seen');
      assert.match(seen, /^\d{4}-\d\d-\d\d$/);
      await flow.press('delete message');
      assert.deepEqual(await flow.shown<string[]>('what is left'), [answered]);
      await flow.press('get message');
      assert.match(await flow.shown('failure', 2), /msg_/);
      await flow.press('delete thread');
      assert.equal(await flow.shown<boolean>('thread is gone'), true);
      await flow.press('solved');
      assert.match(await flow.shown('failure', 3), /thread_id/);
      assert.equal(flow.all('failure').length, 3);
    });

    it('20 makes an assistant, asks it, changes it, finds it in the list, and deletes it', async () => {
      const flow = bench('20');
      await flow.press('list models');
      assert.deepEqual(await flow.shown<string[]>('models'), ['rehearsal']);
      await flow.press('ask again');
      assert.match(await flow.shown('failure'), /assistant_id/);
      await flow.press('make it');
      assert.match(await flow.shown('reply'), /^\[rehearsal\] You said: When do I sow radishes\? /);
      await flow.press('answer as JSON');
      assert.equal(await flow.shown('changed'), 'Gardener: json_schema');
      await flow.press('ask again');
      assert.match(await flow.shown('reply', 2), /^\{"answer":"[^"]+"\}$/);
      await flow.press('get assistant');
      const { name, instructions, model, metadata } = await flow.shown<Record<string, string>>('assistant');
      assert.deepEqual([name, model, metadata], ['Gardener', 'rehearsal', { garden: 'behind the house' }]);
      assert.match(instructions ?? '', /one word/);
      await flow.press('list assistants');
      assert.deepEqual(await flow.shown<string[]>('assistants'), ['Gardener', 'Caretaker']);
      await flow.press('delete it');
      assert.equal(await flow.shown<boolean>('it is gone'), true);
      await flow.press('list assistants');
      assert.deepEqual(await flow.shown<string[]>('assistants', 2), ['Caretaker']);
      await flow.press('get assistant');
      assert.match(await flow.shown('failure', 2), /assistant_id/);
      assert.equal(flow.all('failure').length, 2);
    });

    it('21 tells of the run that failed, and only of that', async () => {
      const example = bench('21');
      await example.press('ask');
      await example.press('ask, and fail');
      assert.match(await example.shown('alarm'), /^A run of node \w+ failed: /);
    });

    it('22 adds up the tokens of the day', async () => {
      const example = bench('22');
      await example.press('ask');
      const first = await example.shown<number>('tokens');
      await example.press('ask');
      assert.equal(Number(await example.shown('tokens', 2)), 2 * Number(first));
    });

    it('23 lets a flow switch the lamp for another program, which sees an answer', async () => {
      const flow = bench('23');
      await flow.press('desk lamp on');
      assert.match(await flow.shown('answer'), /switch_lamp answered: The desk lamp is on now\.$/);
      await flow.press('desk lamp off');
      assert.match(await flow.shown('answer', 2), /The desk lamp is off now\.$/);
      assert.deepEqual(flow.all('lamp'), ['The desk lamp is on now.', 'The desk lamp is off now.']);
      assert.equal(await flow.shown('run ended', 2), 'completed');
    });

    it('leaves no error in the log but those that examples are about', () => {
      const errors = nodeRed.log().match(/\[error\].*/g) ?? [];
      assert.deepEqual(errors, []);
    });
  });
}
