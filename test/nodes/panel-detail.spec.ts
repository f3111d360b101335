/** What the panel's routes tell of one run: whom it came from, pictures by their addresses, questions of a server. */
import assert from 'node:assert/strict';
import { isServed, servedPicture } from '../../nodes/shared/held-picture.ts';
import { newKey, ask as request, service, startServing } from '../served/support.ts';
import { type ApprovingServer, startApproving } from '../support/approving-server.ts';
import { type NodeRed, RELEASES, type Release, startNodeRed } from '../support/node-red.ts';
import { until } from '../support/until.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Json = any;

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64',
);
const picture = (type: string, bytes: Buffer = PNG) => `data:${type};base64,${bytes.toString('base64')}`;
const TAB = { id: 'tab', type: 'tab', label: 'test' };
const node = (id: string, of: string, more: object = {}) => ({
  id,
  type: 'openai-runs',
  z: 'tab',
  name: '',
  service: of,
  method: 'createThreadAndRun',
  fields: { assistant_id: { type: 'str', value: 'asst_home' } },
  x: 300,
  y: 100,
  wires: [[]],
  ...more,
});

const get = async (red: NodeRed, route: string): Promise<Json> =>
  (await fetch(`${red.address}/openai-runs-panel/${route}`)).json();
const post = (red: NodeRed, route: string, body: object) =>
  fetch(`${red.address}/openai-runs-panel/${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const chat = async (red: NodeRed, of: string, body: object): Promise<Json[]> =>
  (await (await post(red, `${of}/chat`, body)).text())
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

describe('the address of a picture that the panel serves', () => {
  it('is known from those that lead elsewhere, however they are written', () => {
    assert.ok(isServed(servedPicture('a.b', 'thread_1', "msg'/../(2)", 3)));
    for (const dots of ['.', '..', '%2e', '%2E%2e', '.%2e', '%2E.']) {
      assert.equal(isServed(`openai-runs-panel/${dots}/pictures/a/b/1`), false, dots);
      assert.equal(isServed(`openai-runs-panel/a/pictures/${dots}/b/1`), false, dots);
      assert.equal(isServed(`openai-runs-panel/a/pictures/b/${dots}/1`), false, dots);
    }
    for (const url of ['/openai-runs-panel/a/pictures/b/c/1', 'openai-runs-panel/a/pictures/b/c/1?x', 'x'])
      assert.equal(isServed(url), false, url);
  });
});

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`one run in the panel's routes on Node-RED ${release}`, function () {
    this.timeout(60_000);

    it('tells what a node was called that is deleted, and which key a program had that is revoked', async () => {
      const alice = newKey('Alice <b>');
      const open = { database: '' };
      const red = await startServing(
        [service([alice], open), node('asker', 'svc', { name: 'Ask <b>' }), node('nameless', 'svc')],
        { release },
      );
      try {
        for (const id of ['asker', 'nameless']) await chat(red, 'svc', { node: id, text: 'Hi' });
        const body = {
          assistant_id: 'asst_home',
          thread: { messages: [{ role: 'user', content: 'From Python' }] },
        };
        assert.equal(
          (await request('POST', `${red.base}/threads/runs`, { key: alice.key, body })).status,
          200,
        );
        const chats = { model: 'asst_other', messages: [{ role: 'user', content: 'From a chat program' }] };
        const said = await request('POST', `${red.base}/chat/completions`, {
          key: alice.key,
          body: { ...chats, user: 'one' },
        });
        assert.equal(said.status, 200);
        await red.deploy([service([], { ...open, serve: false })]);
        let rows: Json[] = [];
        await until(async () => {
          ({ rows } = await get(red, 'runs'));
          return rows.length === 4 && rows.every(({ status }) => status === 'completed');
        });
        assert.deepEqual(
          rows.map(({ question, origin }) => [question, origin?.node, origin?.name]),
          [
            ['From a chat program', '', 'Alice <b>'],
            ['From Python', '', 'Alice <b>'],
            ['Hi', 'nameless', undefined],
            ['Hi', 'asker', 'Ask <b>'],
          ],
        );
      } finally {
        await red.stop();
      }
    });

    describe('with pictures', () => {
      let red: NodeRed;
      let path: string;
      let urls: string[];
      before(async () => {
        const more = { id: 'closed', showContents: false, serve: false };
        red = await startNodeRed({
          release,
          flows: [TAB, service([], { serve: false }), service([], more)],
        });
        const pictures = [
          picture('image/png'),
          picture('text/html', Buffer.from('<script>alert(1)</script>')),
          'https://elsewhere.example/a.png',
        ];
        const lines = await chat(red, 'svc', { assistant_id: 'asst_home', text: 'What is this?', pictures });
        const run = lines.find(({ event }) => event === 'thread.run.completed').data;
        path = `svc/runs/${run.thread_id}/${run.id}`;
        const { messages } = await get(red, path);
        urls = messages[0].content.slice(1).map((part: Json) => part.image_url.url);
      });
      after(() => red?.stop());

      it('gives addresses in their place, and all of them to whoever asks for the whole', async () => {
        assert.match(urls[0]!, /^openai-runs-panel\/svc\/pictures\/thread_\w+\/msg_\w+\/1$/);
        assert.match(urls[1]!, /^data:text\/html;.{0,50}…?$/);
        assert.equal(urls[2], 'https://elsewhere.example/a.png');
        const { messages } = await get(red, `${path}?whole=true`);
        assert.equal(messages[0].content[1].image_url.url, picture('image/png'));
      });

      it('serves one as what it is, to be kept by the browser and by nobody between', async () => {
        const answer = await fetch(`${red.address}/${urls[0]}`);
        assert.deepEqual(
          [
            answer.status,
            ...['content-type', 'x-content-type-options', 'cache-control', 'vary'].map((name) =>
              answer.headers.get(name)?.toLowerCase(),
            ),
          ],
          [200, 'image/png', 'nosniff', 'private, max-age=86400, immutable', 'authorization'],
        );
        assert.deepEqual(Buffer.from(await answer.arrayBuffer()), PNG);
      });

      it('serves nothing else: no other kind, no other part, no page of another site, no hidden service', async () => {
        const address = `${red.address}/${urls[0]}`;
        const status = async (url: string, headers = {}) => (await fetch(url, { headers })).status;
        for (const index of ['0', '2', '3', '4', '-1', 'x', '__proto__', 'length'])
          assert.equal(await status(address.replace(/1$/, index)), 404, index);
        assert.equal(await status(address.replace('/msg_', '/msg_x')), 404);
        assert.equal(await status(address, { origin: 'https://evil.example' }), 403);
        assert.equal(await status(address, { 'sec-fetch-site': 'cross-site' }), 403);
        assert.equal(await status(address.replace('/svc/', '/closed/')), 403);
      });
    });

    it('keeps pictures from those who may not read', async () => {
      const settings = { adminAuth: { type: 'credentials', users: [] } };
      const red = await startNodeRed({ release, flows: [TAB, service([], { serve: false })], settings });
      try {
        const { status } = await fetch(`${red.address}/openai-runs-panel/svc/pictures/thread_1/msg_1/0`);
        assert.equal(status, 401);
      } finally {
        await red.stop();
      }
    });

    describe('that a server asks about', () => {
      let server: ApprovingServer;
      let red: NodeRed;
      before(async () => {
        server = await startApproving();
        const remote = {
          id: 'remote',
          type: 'openai-runs-service',
          backend: 'server',
          url: `${server.url}/v1`,
        };
        const waiter = node('waiter', 'remote', {
          tools: true,
          toolTimeout: 0,
          outputs: 2,
          fields: { assistant_id: { type: 'str', value: 'asst_1' } },
          wires: [[], ['nowhere']],
        });
        const nowhere = { id: 'nowhere', type: 'junction', z: 'tab', x: 500, y: 100, wires: [[]] };
        red = await startNodeRed({ release, flows: [TAB, remote, waiter, nowhere] });
      });
      after(async () => {
        await red?.stop();
        await server?.close();
      });
      const approvals = [
        { tool_call_id: 'call_a', approve: true },
        { tool_call_id: 'call_b', approve: false },
      ];

      it('sends yes and no as approvals, from the chat', async () => {
        const lines = await chat(red, 'remote', { assistant_id: 'asst_1', text: 'Tidy up' });
        assert.equal(lines.at(-1).event, 'thread.run.requires_action');
        const [row] = (await get(red, 'runs')).rows;
        assert.deepEqual([row.status, row.calls], ['requires_action', 2]);
        const answers = { thread_id: 'thread_1', run_id: 'run_1', outputs: { call_a: true, call_b: false } };
        const after = await chat(red, 'remote', answers);
        assert.ok(after.some(({ event }) => event === 'thread.run.completed'));
        assert.deepEqual(server.submitted(), [{ tool_approvals: approvals, stream: true }]);
        const mixed = { ...answers, outputs: { call_a: true, call_b: 'no' } };
        assert.equal((await post(red, 'remote/chat', mixed)).status, 400);
      });

      it('sends them by way of the list, and tells how the run went on', async () => {
        server.received.length = 0;
        await chat(red, 'remote', { assistant_id: 'asst_1', text: 'Tidy up again' });
        const outputs = { call_a: true, call_b: false };
        const answer = await post(red, 'remote/runs/thread_1/run_1/answer', { outputs });
        assert.deepEqual(await answer.json(), { by: 'panel' });
        assert.deepEqual(server.submitted(), [{ tool_approvals: approvals }]);
        const { row, byNode } = await get(red, 'remote/runs/thread_1/run_1');
        assert.deepEqual([row.status, byNode], ['in_progress', false]);
      });

      it('gives them to the node that asked, one by one, as a wire would', async () => {
        server.received.length = 0;
        const talk = chat(red, 'remote', { node: 'waiter', text: 'Tidy up once more' });
        await until(async () => {
          const { row, byNode } = await get(red, 'remote/runs/thread_1/run_1');
          return byNode === true && row.status === 'requires_action';
        });
        for (const [id, approve] of [
          ['call_b', false],
          ['call_a', true],
        ] as const) {
          const answer = await post(red, 'remote/runs/thread_1/run_1/answer', { outputs: { [id]: approve } });
          assert.deepEqual(await answer.json(), { by: 'node' });
        }
        assert.equal((await talk).at(-1).event, 'end');
        assert.deepEqual(server.submitted(), [{ tool_approvals: approvals, stream: true }]);
      });
    });
  });
}
