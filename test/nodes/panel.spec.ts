/** The routes behind the tab "Runs": what they give, what they do, and to whom. */
import assert from 'node:assert/strict';
import { json, startServer } from '../support/http-server.ts';
import { type NodeRed, RELEASES, type Release, startNodeRed } from '../support/node-red.ts';
import { run } from '../support/objects.ts';
import { until } from '../support/until.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Json = any;

const TOOL = {
  type: 'function',
  function: {
    name: 'open_valve',
    parameters: { type: 'object', properties: { litres: { type: 'number' } } },
  },
};
const service = (id: string, more: object = {}) => ({
  id,
  type: 'openai-runs-service',
  name: `service ${id}`,
  backend: 'embedded',
  provider: 'rehearsal',
  database: ':memory:',
  assistants: [{ id: 'asst_1', name: 'Helper', tools: [TOOL] }],
  ...more,
});
const node = (id: string, of: string, more: object = {}) => ({
  id,
  type: 'openai-runs',
  z: 'tab',
  service: of,
  method: 'createRun',
  conversation: 'topic',
  conversationType: 'msg',
  fields: { assistant_id: { type: 'str', value: 'asst_1' } },
  x: 300,
  y: 100,
  wires: [[]],
  ...more,
});
const FLOWS = [
  { id: 'tab', type: 'tab', label: 'test' },
  service('open'),
  service('closed', { showContents: false }),
  node('asker', 'open'),
  node('quiet', 'closed', { delivery: 'start' }),
  {
    id: 'press',
    type: 'inject',
    z: 'tab',
    name: '',
    props: [{ p: 'payload' }, { p: 'topic', vt: 'str' }],
    topic: 'ann',
    payload: 'secret: open_valve with 3 litres',
    payloadType: 'str',
    repeat: '',
    crontab: '',
    once: false,
    x: 100,
    y: 100,
    wires: [['quiet']],
  },
  // Nobody answers by itself: the link leads nowhere.
  node('waiter', 'open', { tools: true, outputs: 2, toolTimeout: 0, wires: [[], ['nowhere']] }),
  { id: 'nowhere', type: 'junction', z: 'tab', x: 500, y: 100, wires: [[]] },
];

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`the panel's routes on Node-RED ${release}`, function () {
    this.timeout(60_000);
    let red: NodeRed;
    before(async () => {
      red = await startNodeRed({ release, flows: FLOWS });
    });
    after(() => red?.stop());

    const get = async (route: string): Promise<Json> => {
      const response = await fetch(`${red.address}/openai-runs-panel/${route}`);
      return { status: response.status, ...(await response.json().then((body: Json) => ({ body }))) };
    };
    const post = (route: string, body: object) =>
      fetch(`${red.address}/openai-runs-panel/${route}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const chat = async (of: string, body: object): Promise<Json[]> => {
      const response = await post(`${of}/chat`, body);
      const text = await response.text();
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    };

    it('names the services and the nodes', async () => {
      const { body } = await get('services');
      assert.deepEqual(
        body.services.map(({ id, contents }: Json) => [id, contents]),
        [
          ['open', true],
          ['closed', false],
        ],
      );
      assert.deepEqual(
        body.nodes.map(({ id }: Json) => id),
        ['asker', 'quiet', 'waiter'],
      );
    });

    it('chats with an assistant, on one thread, and lists the runs with figures', async () => {
      const first = await chat('open', { assistant_id: 'asst_1', text: 'Hello <b>you</b>' });
      const { thread_id } = first.at(-1).data ?? first.at(-2).data;
      const again = await chat('open', { assistant_id: 'asst_1', thread_id, text: 'And now?' });
      assert.ok(again.some(({ event }) => event === 'thread.message.delta'));
      const { body } = await get('runs?service=open');
      assert.deepEqual(
        body.rows.map(({ question }: Json) => question),
        ['And now?', 'Hello <b>you</b>'],
      );
      assert.deepEqual(
        [body.more, body.rows[0].origin.node, body.rows[0].status],
        [false, 'panel', 'completed'],
      );
      const [sums] = (await get('sums?service=open')).body;
      assert.deepEqual([sums.runs, sums.failures], [2, 0]);
      const { body: found } = await get('runs?text=b%3Eyou');
      assert.equal(found.rows.length, 1);
      const detail = (await get(`open/runs/${thread_id}/${body.rows[0].id}`)).body;
      assert.equal(detail.messages.length, 4);
      assert.equal(detail.run.id, body.rows[0].id);
    });

    it('chats with a node as a wire would, and knows what the run came from', async () => {
      const lines = await chat('open', { node: 'asker', key: 'bob', text: 'Hi' });
      assert.equal(lines.at(-1).event, 'end');
      const { body } = await get('runs?node=asker');
      assert.deepEqual([body.rows[0].origin.node, body.rows[0].origin.key], ['asker', 'bob']);
    });

    it('shows a waiting call as going on, and answers it by way of the node', async () => {
      const talk = chat('open', { node: 'waiter', key: 'eve', text: 'open_valve with 5 litres' });
      let row: Json;
      await until(async () => {
        const [live] = (await get('live?service=open')).body;
        row = live.active.find(({ status }: Json) => status === 'requires_action');
        return row !== undefined && live.flights.some(({ state }: Json) => state === 'tools');
      });
      const { run } = (await get(`open/runs/${row.threadId}/${row.id}`)).body;
      const [call] = run.required_action.submit_tool_outputs.tool_calls;
      assert.equal(call.function.name, 'open_valve');
      const answer = await post(`open/runs/${row.threadId}/${row.id}/answer`, {
        outputs: { [call.id]: 'done it' },
      });
      assert.deepEqual(await answer.json(), { by: 'node' });
      const lines = await talk;
      assert.match(JSON.stringify(lines), /done it/);
    });

    it('tells what has changed since a version, and no more', async () => {
      const [{ version }] = (await get('live?service=open')).body;
      const since = (at: number) =>
        get(`live?service=open&since=${encodeURIComponent(JSON.stringify({ open: at }))}`);
      assert.deepEqual((await since(version)).body[0].changed, []);
      await chat('open', { node: 'asker', key: 'bob', text: 'Once more' });
      const [live] = (await since(version)).body;
      assert.deepEqual(
        live.changed.map(({ question }: Json) => question),
        ['Once more'],
      );
      assert.equal(live.reload, false);
    });

    it('cancels, copies a thread up to a message, deletes one', async () => {
      const talk = chat('open', { node: 'waiter', key: 'dan', text: 'open_valve with 7 litres' });
      let row: Json;
      await until(async () => {
        [row] = (await get('live?service=open')).body[0].active.filter(
          ({ status }: Json) => status === 'requires_action',
        );
        return row !== undefined;
      });
      const { messages } = (await get(`open/runs/${row.threadId}/${row.id}`)).body;
      const copied = (await (await post('open/copy', { thread_id: row.threadId })).json()) as Json;
      assert.notEqual(copied.thread_id, row.threadId);
      const empty = (await (
        await post('open/copy', { thread_id: row.threadId, before: messages[0].id })
      ).json()) as Json;
      assert.match(empty.thread_id, /^thread_/);
      assert.equal((await post(`open/runs/${row.threadId}/${row.id}/cancel`, {})).status, 200);
      await talk;
      const again = await post(`open/runs/${row.threadId}/${row.id}/cancel`, {});
      assert.deepEqual([again.status, await again.json()], [200, { status: 'cancelled' }]);
      assert.equal((await post(`open/threads/${row.threadId}/delete`, {})).status, 200);
      assert.equal((await get(`open/runs/${row.threadId}/${row.id}`)).status, 404);
    });

    it('times a run of its own over the answers to its calls', async () => {
      const lines = await chat('open', { assistant_id: 'asst_1', text: 'open_valve with 9 litres' });
      const { id, thread_id, required_action } = lines.find(
        ({ event }) => event === 'thread.run.requires_action',
      ).data;
      const [call] = required_action.submit_tool_outputs.tool_calls;
      await new Promise((done) => setTimeout(done, 50));
      await chat('open', { thread_id, run_id: id, outputs: { [call.id]: 'poured' } });
      const { row, run } = (await get(`open/runs/${thread_id}/${id}`)).body;
      assert.equal(run.status, 'completed');
      const marks: [number, string][] = row.origin.marks;
      const names = marks.map(([, name]) => name);
      assert.deepEqual([names[0], names.at(-1)], ['asked', 'completed']);
      assert(names.indexOf('requires_action') < names.indexOf(`answer:${call.id}`), names.join());
      assert.equal(row.question, 'open_valve with 9 litres');
      assert(row.took >= 50 && row.took >= marks.at(-1)![0] - marks[0]![0] - 1, `${row.took}`);
    });

    it('takes pictures beside the words, by an assistant and by a node, and onto a copy of the thread', async () => {
      const picture = `data:image/png;base64,${Buffer.from('no real picture').toString('base64')}`;
      const asked = { text: 'What is this?', pictures: [picture] };
      for (const whom of [{ assistant_id: 'asst_1' }, { node: 'asker', key: 'pia' }]) {
        const lines = await chat('open', { ...whom, ...asked });
        assert.match(JSON.stringify(lines), /Pictures and files were not looked at/);
        const [row] = (await get('runs?service=open')).body.rows;
        assert.equal(row.question, 'What is this?');
        const { messages } = (await get(`open/runs/${row.threadId}/${row.id}?whole=true`)).body;
        assert.deepEqual(
          messages[0].content.map(({ type }: Json) => type),
          ['text', 'image_url'],
        );
        const copied = (await (
          await post('open/copy', { thread_id: row.threadId, before: messages[1].id })
        ).json()) as Json;
        const more = await chat('open', { assistant_id: 'asst_1', ...copied, text: 'And now?' });
        const run = more.find(({ event }) => event === 'thread.run.completed').data;
        const copy = (await get(`open/runs/${run.thread_id}/${run.id}?whole=true`)).body.messages;
        assert.deepEqual(copy[0].content, messages[0].content);
      }
      const odd = await post('open/chat', { assistant_id: 'asst_1', text: 'x', pictures: 'one' });
      assert.equal(odd.status, 400);
      assert.deepEqual((await get('open/sight')).body, { sees: null });
    });

    it('tells what an assistant is set to, and changes it', async () => {
      const { body } = await get('open/assistants/asst_1');
      assert.deepEqual(
        [body.name, body.model, body.instructions, body.temperature, body.functions[0].name],
        ['Helper', 'rehearsal', null, 1, 'open_valve'],
      );
      const changes = { instructions: 'Be <brief>.', temperature: 0.5, name: 'not this' };
      assert.equal((await post('open/assistants/asst_1', changes)).status, 200);
      const after = (await get('open/assistants/asst_1')).body;
      assert.deepEqual([after.name, after.instructions, after.temperature], ['Helper', 'Be <brief>.', 0.5]);
      assert.equal((await post('open/assistants/asst_1', { name: 'x' })).status, 400);
      assert.equal((await post('open/assistants/asst_1', { temperature: 'warm' })).status, 502);
      assert.equal((await get('open/assistants/asst_none')).status, 404);
      assert.equal((await get('closed/assistants/asst_1')).status, 403);
      assert.equal((await post('closed/assistants/asst_1', changes)).status, 403);
    });

    it('keeps texts back where the service says so, and lets nobody find them by searching', async () => {
      assert.equal((await post('closed/chat', { node: 'quiet' })).status, 403);
      assert.equal((await post('open/chat', { node: 'quiet', text: 'of another service' })).status, 404);
      // A wire's message: the node is asked by its button.
      assert.equal((await fetch(`${red.address}/inject/press`, { method: 'POST' })).status, 200);
      let row: Json;
      await until(async () => {
        [row] = (await get('runs?service=closed')).body.rows;
        return row?.status === 'requires_action';
      });
      assert.deepEqual([row.question, row.answer, row.calls], [undefined, undefined, 1]);
      const detail = (await get(`closed/runs/${row.threadId}/${row.id}`)).body;
      assert.doesNotMatch(JSON.stringify(detail), /secret|litres/);
      assert.match(JSON.stringify(detail), /open_valve/);
      assert.deepEqual((await get('runs?service=closed&text=secret')).body.rows, []);
    });

    it('refuses other pages, other forms, and what is not there', async () => {
      const foreign = { headers: { origin: 'https://evil.example' } };
      assert.equal((await fetch(`${red.address}/openai-runs-panel/runs`, foreign)).status, 403);
      const form = {
        method: 'POST',
        body: 'a=b',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      };
      assert.equal((await fetch(`${red.address}/openai-runs-panel/open/copy`, form)).status, 415);
      assert.equal((await get('runs?service=none')).status, 404);
      assert.equal((await get('asker/assistants')).status, 404);
    });
  });

  it(`gives a reader the runs and no more, on Node-RED ${release}`, async function () {
    this.timeout(60_000);
    const settings = { adminAuth: { type: 'credentials', users: [], default: { permissions: 'read' } } };
    const red = await startNodeRed({ release, flows: FLOWS, settings });
    try {
      const base = `${red.address}/openai-runs-panel`;
      assert.equal((await fetch(`${base}/runs`)).status, 200);
      assert.equal((await fetch(`${base}/panel.js`)).status, 200);
      for (const route of [
        'open/chat',
        'open/copy',
        'open/runs/t/r/cancel',
        'open/runs/t/r/answer',
        'open/threads/t/delete',
        'open/assistants/asst_1',
      ]) {
        const headers = { 'content-type': 'application/json' };
        const { status } = await fetch(`${base}/${route}`, { method: 'POST', headers, body: '{}' });
        assert.equal(status, 401, route);
      }
    } finally {
      await red.stop();
    }
  });

  it(`asks a server for runs that nobody follows, once somebody looks, on Node-RED ${release}`, async function () {
    this.timeout(60_000);
    const asked: string[] = [];
    const server = await startServer(({ method = '', path = '' }, response) => {
      asked.push(`${method} ${path}`);
      json(response, method === 'POST' ? run() : run({ status: 'completed', completed_at: 1_700_000_003 }));
    });
    const remote = { id: 'remote', type: 'openai-runs-service', backend: 'server', url: `${server.url}/v1` };
    const starter = node('starter', 'remote', {
      method: 'createThreadAndRun',
      delivery: 'start',
      conversation: '',
    });
    const red = await startNodeRed({ release, flows: [FLOWS[0], remote, starter] });
    try {
      const base = `${red.address}/openai-runs-panel`;
      const post = { method: 'POST', headers: { 'content-type': 'application/json' } };
      await (await fetch(`${base}/remote/chat`, { ...post, body: '{"node":"starter","text":"Hi"}' })).text();
      const rows = async () => ((await (await fetch(`${base}/runs`)).json()) as Json).rows;
      assert.equal((await rows())[0].status, 'queued');
      await fetch(`${base}/live`);
      await until(async () => (await rows())[0].status === 'completed');
      assert.equal((await rows())[0].took, 3000);
      await fetch(`${base}/live`);
      assert.equal(asked.filter((line) => line.startsWith('GET')).length, 1);
    } finally {
      await red.stop();
      await server.close();
    }
  });
}
