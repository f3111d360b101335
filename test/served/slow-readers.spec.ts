/** Programs that open streams and take nothing: what they cost is bounded, and nobody keeps it for ever. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Model } from '../../engine/models/model.ts';
import type { StartedEngine } from '../../engine/start.ts';
import { Served } from '../../nodes/openai-runs-service/serve/server.ts';
import { Workshop } from '../engine/support.ts';
import { until } from '../support/until.ts';
import { newKey } from './support.ts';

const READERS = 20;
const WORDS = 2000;
const WORD = 'word'.repeat(250);
/** Bytes of an answer: ten times what a socket of the machine's own takes on its way; TCP may take megabytes. */
const ANSWER = WORDS * WORD.length;
/** Bytes that may wait for one reader: one piece of the engine's, and what a socket takes before it says so. */
const MOST = 256 * 1024;

const model: Model = {
  async *run() {
    for (let i = 0; i < WORDS; i++) {
      yield { type: 'text', delta: WORD };
      if (i % 50 === 0) await new Promise(setImmediate);
    }
    yield { type: 'end', reason: 'stop' };
  },
};

const thread = { messages: [{ role: 'user', content: 'Hi' }] };
const PATHS = {
  '/v1/threads/runs': { assistant_id: 'asst_home', stream: true, thread },
  '/v1/chat/completions': { model: 'asst_home', stream: true, messages: thread.messages },
};

for (const [target, body] of Object.entries(PATHS)) {
  describe(`readers that take nothing, at ${target}`, function () {
    this.timeout(60_000);
    const { key, kept } = newKey('a slow program');
    const workshop = new Workshop();
    let engine: StartedEngine;
    let server: Server;
    let responses: ServerResponse[];
    let sockets: Socket[];

    const open = async (patienceMs?: number) => {
      const assistants = [{ id: 'asst_home', instructions: 'x' }];
      engine = (await workshop.open(model, { assistants })).engine;
      const served = new Served({
        access: 'keys',
        keys: [kept],
        origins: [],
        fetch: engine.fetch,
        ...{ requestsPerMinute: 0, requestsAtOnce: 0, runsAtOnce: 0, patienceMs },
        onUse() {},
        warn: assert.fail,
      });
      responses = [];
      server = createServer((request, response) => {
        responses.push(response);
        void served.handle(request, response);
      });
      const socketPath = path.join(tmpdir(), `runs-${randomBytes(8).toString('hex')}.sock`);
      await once(server.listen(socketPath), 'listening');
      const text = JSON.stringify(body);
      sockets = Array.from({ length: READERS }, () => {
        const socket = connect(socketPath).pause();
        socket.on('error', () => {});
        socket.write(
          `POST ${target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
        );
        return socket;
      });
    };

    /** All answers have begun, and the models have said all they had to say. */
    const allSaid = async () => {
      await until(() => responses.length === READERS && responses.every(({ headersSent }) => headersSent));
      await until(() => engine.service.executor.size === 0);
    };

    afterEach(async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await workshop.cleanUp();
    });

    it('no more waits for each than a piece, however much there is to read, and whoever reads on misses nothing', async () => {
      await open();
      await allSaid();
      await until(() => responses.every(({ writableLength }) => writableLength > 0));
      for (const { writableLength } of responses) {
        assert.ok(writableLength <= MOST, `${writableLength} of ${ANSWER} bytes wait`);
      }
      let read = '';
      sockets[0]!.setEncoding('utf8').on('data', (text: string) => {
        read += text;
      });
      sockets[0]!.resume();
      await until(() => read.includes('data: [DONE]'));
      assert.ok(read.split(WORD).length - 1 >= WORDS);
    });

    it('lets go of them after a while; their runs have ended well', async () => {
      await open(50);
      await until(() => responses.length === READERS && responses.every(({ destroyed }) => destroyed));
      await allSaid();
      const runs = await engine.service.store.db.selectFrom('runs').select('status').execute();
      assert.ok(runs.every(({ status }) => status === 'completed'));
    });
  });
}
