/** A chat program's Stop at a real Node-RED: its connection is closed, and nobody pays for the rest. */
import assert from 'node:assert/strict';
import { Agent, request as httpRequest } from 'node:http';
import { threadIdOf } from '../../engine/wire/chat/request.ts';
import { type Received, startServer, type TestServer } from '../support/http-server.ts';
import { RELEASES, type Release } from '../support/node-red.ts';
import { until } from '../support/until.ts';
import { ASSISTANT, ask, newKey, type ServingNodeRed, service, startServing } from './support.ts';
import { answeringByHttp, flowAt } from './waiting-support.ts';

const CALL = { id: 'c0', type: 'function', function: { name: 'switch_lamp', arguments: '{}' } };

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`chat programs that stop at Node-RED ${release}`, function () {
    this.timeout(60_000);
    const { key, kept } = newKey('a chat program');
    let model: TestServer;
    /** Answers of the model that are being written. */
    let speaking = 0;
    let red: ServingNodeRed;
    let flows: object[];

    before(async () => {
      // Talks on until nobody listens where it is asked to, calls the lamp where it is asked to, else says yes.
      model = await startServer(({ path, body }: Received, response) => {
        if (!path.endsWith('/chat/completions')) return void response.writeHead(404).end();
        const { content } = body.messages.at(-1);
        const send = (delta: object, finish_reason: string | null = null) =>
          response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`);
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        if (/talk/.test(content)) {
          const timer = setInterval(() => send({ content: 'word ' }), 20);
          speaking += 1;
          response.once('close', () => {
            clearInterval(timer);
            speaking -= 1;
          });
          return;
        }
        if (/lamp/.test(content)) send({ tool_calls: [{ index: 0, ...CALL }] }, 'tool_calls');
        else send({ content: 'yes' }, 'stop');
        response.end('data: [DONE]\n\n');
      });
      const svc = service([{ kept }], { database: '', provider: 'chat', url: `${model.url}/v1`, model: 'm' });
      flows = [svc, ...answeringByHttp()];
      red = await startServing(flows, { release });
    });
    after(async () => {
      await red?.stop();
      await model?.close();
    });

    const bodyOf = (content: string, more: object = {}) => ({
      model: ASSISTANT,
      messages: [{ role: 'user', content }],
      ...more,
    });
    /** A request that is closed by `close`; with `stream`, once its first chunk is here. */
    const begin = (body: object) => {
      const connection = new AbortController();
      const answered = fetch(`${red.base}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: connection.signal,
      });
      answered.catch(() => {});
      return { answered, close: () => connection.abort() };
    };
    const statuses = async (user: string): Promise<string[]> => {
      const thread = threadIdOf(kept.id, ASSISTANT, user);
      const { body } = await ask('GET', `${red.base}/threads/${thread}/runs?order=asc`, { key });
      return (body.data ?? []).map(({ status }: { status: string }) => status);
    };
    const reach = (user: string, ...wanted: string[]) =>
      until(async () => (await statuses(user)).join() === wanted.join());

    for (const stream of [true, false]) {
      const user = `anna-${stream}`;

      it(`end the model's work and go on with the next question, ${stream ? '' : 'not '}streaming`, async () => {
        const request = begin(bodyOf('talk', { stream, user }));
        if (stream) await (await request.answered).body!.getReader().read();
        await until(() => speaking === 1);
        request.close();
        await until(() => speaking === 0);
        const next = await ask('POST', `${red.base}/chat/completions`, { key, body: bodyOf('Hi', { user }) });
        assert.equal(next.body.choices[0].message.content, 'yes', next.text);
        await reach(user, 'cancelled', 'completed');
      });
    }

    it('and close a connection that they have kept after an answer end nothing', async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const tools = [{ type: 'function', function: { name: 'switch_lamp' } }];
      const body = JSON.stringify(bodyOf('lamp', { user: 'ben', tools, stream: true }));
      const post = () =>
        new Promise<string>((resolve, reject) => {
          const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
          httpRequest(`${red.base}/chat/completions`, { method: 'POST', agent, headers }, (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (piece) => {
              text += piece;
            });
            response.on('end', () => resolve(text));
          })
            .on('error', reject)
            .end(body);
        });
      assert.match(await post(), /"tool_calls"/);
      agent.destroy();
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.deepEqual(await statuses('ben'), ['requires_action']);
    });

    it('end a run that waits for a flow, which hears of it', async () => {
      const request = begin(bodyOf('lamp', { user: 'cleo', stream: true }));
      const [call] = await flowAt(red).called(1);
      request.close();
      // What waits looks as going on to the program.
      await reach('cleo', 'cancelled');
      await until(async () => (await flowAt(red).ended()).join() === 'cancelled');
      await flowAt(red).answer(call!, 'too late');
      assert.deepEqual(await statuses('cleo'), ['cancelled']);
    });

    it('are no service that is deployed again', async () => {
      const request = begin(bodyOf('talk', { user: 'dora', stream: true }));
      const response = await request.answered;
      await until(() => speaking === 1);
      await red.deploy(flows);
      assert.match(await response.text(), /service_closed/);
      request.close();
      await until(() => speaking === 0);
      await reach('dora', 'failed');
    });
  });
}
