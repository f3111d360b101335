/** What a server can do to the node: send it elsewhere, flood it, say nothing, never come to an end. */
import assert from 'node:assert/strict';
import helper from 'node-red-node-test-helper';
import { apiError, json, sse, startServer, type TestServer } from '../support/http-server.ts';
import { message, run, textStream } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';
import { until } from '../support/until.ts';

const KEY = 'sk-dummy-0123456789';
const OWN = 'own-header-secret-42';
const ids = { thread_id: 'thread_1', run_id: 'run_1' };
const ask = { thread_id: 'thread_1', assistant_id: 'asst_1' };
const list = (data: Msg[]) => ({ object: 'list', data, has_more: false });

onEachRuntime('hostile servers', (start) => {
  let server: TestServer;
  const service = (more: Msg = {}) => ({ backend: 'server', url: `${server.url}/v1`, retries: 0, ...more });
  let running = false;
  /** One flow at a time: the next takes the place of the last. */
  const flowOf = async (node: Msg, more: Msg = {}) => {
    if (running) await helper.unload();
    running = true;
    return start(flowWith(node, service(more)), { svc: { apiKey: KEY } });
  };

  beforeEach(async () => {
    server = await startServer((_request, response) => json(response, run()));
  });
  afterEach(async () => {
    running = false;
    await server.close();
  });

  it('another server gets neither key nor own headers nor the body, and its run is no result', async () => {
    const other = await startServer((_, response) => json(response, run({ status: 'completed' })));
    try {
      const headers = [{ name: 'x-gateway-token', value: OWN }];
      for (const [method, payload] of [
        ['createRun', ask],
        ['getRun', ids],
      ] as const) {
        for (const status of [302, 307]) {
          server.answer = ({ path }, response) => {
            response.writeHead(status, { location: `${other.url}${path}` }).end();
          };
          const flow = await flowOf({ method, delivery: 'start' }, { headers, auth: 'header' });
          flow.send({ payload });
          const { error } = await flow.wait('caught');
          assert.match(error.message, /redirects to another server/);
          assert.ok(error.message.includes(other.url), error.message);
          assert.deepEqual(flow.out('out'), []);
        }
      }
      assert.equal(other.received.length, 0);
    } finally {
      await other.close();
    }
  });

  it('a redirect in a circle, and one of a request that creates something, say what they are', async () => {
    server.answer = (_, response) => void response.writeHead(307, { location: '/v1/again' }).end();
    let flow = await flowOf({ method: 'getRun', delivery: 'start' });
    flow.send({ payload: ids });
    assert.match((await flow.wait('caught')).error.message, /in a circle/);
    server.answer = (_, response) => void response.writeHead(302, { location: '/v1/again' }).end();
    flow = await flowOf({ method: 'createRun', delivery: 'start' });
    flow.send({ payload: ask });
    assert.match((await flow.wait('caught')).error.message, /redirects a request that creates something/);
  });

  it('no secret comes back in an error: key, own header, pieces of them', async () => {
    const echo = `no: ${KEY} ${OWN} ${KEY.slice(0, 12)}… …${OWN.slice(-9)} ${Buffer.from(KEY).toString('base64')}`;
    server.answer = (_, response) => apiError(response, 403, { message: echo, param: OWN });
    const headers = [{ name: 'authorization-extra', value: `Bearer ${OWN}` }];
    const flow = await flowOf({ method: 'getRun', delivery: 'start' }, { headers });
    flow.send({ payload: ids });
    const { error } = await flow.wait('caught');
    const told = JSON.stringify([error, flow.statuses]);
    for (const piece of ['sk-dummy-0', '23456789', OWN.slice(0, 9), OWN.slice(-9), 'c2stZHVt'])
      assert.ok(!told.includes(piece), `${piece} in ${told}`);
  });

  it('an error page of nothing but < takes no time', async () => {
    server.answer = (_, response) => void response.writeHead(502).end('<'.repeat(300_000));
    const flow = await flowOf({ method: 'getRun', delivery: 'start' });
    const begin = performance.now();
    flow.send({ payload: ids });
    assert.match((await flow.wait('caught')).error.message, /502/);
    // It was 74 s.
    assert.ok(performance.now() - begin < 5000);
  });

  it('an event or an answer without end is an error that says so', async () => {
    server.answer = (_, response) => {
      if (_.method === 'GET') return apiError(response, 404, { message: 'No run.' });
      sse(response);
      response.end(`event: thread.run.created\ndata: {"x":"${'x'.repeat(17 * 2 ** 20)}"}\n\n`);
    };
    const flow = await flowOf({ method: 'createRun' });
    flow.send({ payload: ask });
    assert.match(
      (await flow.wait('caught')).error.message,
      /larger than 16 MB|before the server named the run/,
    );
  });

  it('a rate limit that says "at once" for ever is asked a few times, and the status says when', async () => {
    server.answer = (_, response) => {
      response.setHeader('retry-after', '0');
      apiError(response, 429, { message: 'Slow down.', code: 'rate_limit_exceeded' });
    };
    for (const [method, payload] of [
      ['createRun', ask],
      ['getRun', ids],
    ] as const) {
      server.received.length = 0;
      const flow = await flowOf({ method, delivery: 'start' }, { retries: 2 });
      const begin = performance.now();
      flow.send({ payload });
      assert.match((await flow.wait('caught')).error.message, /Slow down/);
      assert.equal(server.received.length, 3);
      assert.ok(performance.now() - begin >= 200);
    }
    server.answer = (_, response) => {
      response.setHeader('retry-after', '1');
      apiError(response, 429, { message: 'Slow down.' });
    };
    const flow = await flowOf({ method: 'createRun', delivery: 'start' }, { retries: 1 });
    flow.send({ payload: ask });
    await flow.wait('caught');
    assert.ok(flow.statuses.some(({ text }) => text === 'rate limited, again in 1 s, try 2'));
  });

  it('a list that begins anew ends', async () => {
    server.answer = (_, response) =>
      json(response, { object: 'list', data: [run({ id: 'run_a' }), run({ id: 'run_b' })], has_more: true });
    const flow = await flowOf({ method: 'listRuns', paging: 'all', maxItems: 1000 });
    flow.send({ payload: { thread_id: 'thread_1' } });
    assert.match((await flow.wait('caught')).error.message, /begins the list anew after 4 items \(run_b\)/);
    assert.equal(server.received.length, 2);
  });

  it('an address with a bad % or a password in it has a sentence of its own', async () => {
    for (const [url, words] of [
      ['http://127.0.0.1:9/%zz/v1', /a % must be followed by two hexadecimal digits/],
      ['http://me:secret@127.0.0.1:9/v1', /can't hold a name and a password/],
    ] as const) {
      const flow = await flowOf({ method: 'getRun', delivery: 'start' }, { url });
      flow.send({ payload: ids });
      const { error } = await flow.wait('caught');
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /secret/);
    }
  });

  it('a silent stream is looked after: the run that has ended meanwhile comes out', async () => {
    let looks = 0;
    server.answer = ({ method, path }, response) => {
      if (path.endsWith('/messages')) return json(response, list([message('Hello')]));
      if (method === 'GET') {
        looks += 1;
        return json(response, run({ status: 'completed' }));
      }
      const write = sse(response);
      for (const [event, data] of textStream(['Hel', 'lo']).slice(0, 6)) write(event, data);
      // Nothing more, and the connection stays.
    };
    const flow = await flowOf({ method: 'createRun' }, { timeout: 1 });
    flow.send({ payload: ask });
    const out = await flow.wait('out');
    assert.deepEqual([out.run.status, out.reply], ['completed', 'Hello']);
    assert.ok(looks >= 1);
    assert.equal(server.received.filter(({ method }) => method === 'POST').length, 1);
  });

  it('a stream that goes on after a silence loses and doubles nothing', async () => {
    server.answer = ({ method }, response) => {
      if (method === 'GET') return json(response, run({ status: 'in_progress' }));
      const write = sse(response);
      const events = textStream(['Hel', 'lo']);
      for (const [event, data] of events.slice(0, 6)) write(event, data);
      setTimeout(() => {
        for (const [event, data] of events.slice(6)) write(event, data);
        write();
      }, 2500);
    };
    const flow = await flowOf({ method: 'createRun', delivery: 'stream' }, { timeout: 1 });
    flow.send({ payload: ask });
    assert.equal((await flow.wait('out')).reply, 'Hello');
    const deltas = flow.out('second').flatMap((msg) => msg.delta ?? []);
    assert.deepEqual(deltas, ['Hel', 'lo']);
  });

  it('a run that goes on long after its expiry is given up', async () => {
    const now = Date.now;
    server.answer = (_, response) => {
      const seconds = Math.floor(now() / 1000);
      response.setHeader('date', new Date(now() + 700_000).toUTCString());
      json(response, run({ status: 'in_progress', created_at: seconds, expires_at: seconds + 600 }));
    };
    const flow = await flowOf({ method: 'getRun' });
    flow.send({ payload: ids });
    await until(() => server.received.length > 0);
    Date.now = () => now() + 700_000;
    try {
      const { error } = await flow.wait('caught');
      assert.equal(error.cause.code, 'run_overdue');
    } finally {
      Date.now = now;
    }
  });

  it('requires_action of an unknown type, or a broken one, is called what it is', async () => {
    const broken: [unknown, RegExp][] = [
      [{ type: 'submit_tool_approval', submit_tool_approval: {} }, /\(submit_tool_approval\)/],
      [
        { type: 'submit_tool_outputs', submit_tool_outputs: { tool_calls: { a: 1 } } },
        /function calls and approvals/,
      ],
      [{ type: 'submit_tool_outputs' }, /function calls and approvals/],
      [null, /function calls and approvals/],
      [
        { type: 'submit_tool_outputs', submit_tool_outputs: { tool_calls: [null] } },
        /function calls and approvals/,
      ],
    ];
    for (const [required_action, words] of broken) {
      server.answer = (_, response) => json(response, run({ status: 'requires_action', required_action }));
      const flow = await flowOf({ method: 'getRun', tools: true });
      flow.send({ payload: ids });
      assert.match((await flow.wait('caught')).error.message, words);
    }
  });

  it('a message that can’t even be read ends in an error, not in the process', async () => {
    await flowOf({ method: 'createRun', tools: true });
    const thrower = () => {
      throw new Error('not to be read');
    };
    const bad = [
      Object.defineProperty({}, 'tool', { get: thrower, enumerable: true }),
      { tool: new Proxy({}, { get: thrower, has: thrower, ownKeys: thrower }) },
      Object.defineProperty({}, 'payload', { get: thrower, enumerable: true }),
    ];
    const node = helper.getNode('runs') as unknown as {
      _inputCallback(msg: object, send: () => void, done: (error?: Error) => void): void;
    };
    for (const msg of bad) {
      const error = await new Promise<Error | undefined>((done) => node._inputCallback(msg, () => {}, done));
      assert.match(String(error), /not to be read/);
    }
  });

  it('the embedded engine tells apart why a provider failed, and when it is asked again', async () => {
    const chat = { backend: 'embedded', provider: 'chat', model: 'm', database: ':memory:' };
    const assistants = [{ id: 'asst_1', name: 'Helper', instructions: 'Help.' }];
    const answers: [status: number, body: { message: string; code: string }, code: string, wire: string][] = [
      [401, { message: 'no', code: 'invalid_api_key' }, 'provider_key_refused', 'server_error'],
      [404, { message: 'no', code: 'model_not_found' }, 'provider_model_unknown', 'server_error'],
      [400, { message: 'no', code: 'context_length_exceeded' }, 'context_length_exceeded', 'invalid_prompt'],
      [429, { message: 'no', code: 'insufficient_quota' }, 'provider_quota', 'rate_limit_exceeded'],
    ];
    const flow = await flowOf({ method: 'createThreadAndRun' }, { ...chat, assistants });
    const question = { assistant_id: 'asst_1', thread: { messages: [{ role: 'user', content: 'Hi' }] } };
    for (const [index, [status, error, code, wire]] of answers.entries()) {
      server.answer = (_, response) => apiError(response, status, error);
      flow.send({ payload: question });
      const { error: caught } = await flow.wait('caught', index + 1);
      assert.deepEqual([caught.cause.code, caught.cause.run.last_error.code], [code, wire]);
    }
    let asked = 0;
    server.answer = (_, response) => {
      asked += 1;
      if (asked === 1) {
        response.setHeader('retry-after', '1');
        return apiError(response, 429, { message: 'slow' });
      }
      json(response, { choices: [{ message: { content: 'Here' }, finish_reason: 'stop' }] });
    };
    flow.send({ payload: question });
    assert.equal((await flow.wait('out')).reply, 'Here');
    assert.ok(flow.statuses.some(({ text }) => /^rate limited, again in 1 s, try 2$/.test(text)));
    asked = 0;
    server.answer = (_, response) => {
      asked += 1;
      response.setHeader('retry-after', '1');
      if (asked === 1) return apiError(response, 503, { message: 'loading' });
      json(response, { choices: [{ message: { content: 'There' }, finish_reason: 'stop' }] });
    };
    flow.send({ payload: question });
    assert.equal((await flow.wait('out', 2)).reply, 'There');
    assert.ok(flow.statuses.some(({ text }) => text === 'failed, again in 1 s, try 2'));
  });

  it('limits beyond 24.8 days end nothing at once', async () => {
    server.answer = (_, response) => {
      const write = sse(response);
      const [first, ...rest] = textStream(['Hi']);
      write(...(first as [string, unknown]));
      setTimeout(() => {
        for (const [event, data] of rest) write(event, data);
        write();
      }, 50);
    };
    const flow = await flowOf({ method: 'createRun', deadline: 3_000_000 }, { timeout: 3_000_000 });
    flow.send({ payload: ask });
    assert.equal((await flow.wait('out')).reply, 'Hi');
    assert.deepEqual(flow.out('caught'), []);
  });

  it('timeout 0 sets no limit, and a short one is named as it is', async () => {
    server.answer = (_, response) =>
      void setTimeout(() => json(response, run({ status: 'completed' })), 1500);
    let flow = await flowOf({ method: 'getRun', delivery: 'start' }, { timeout: 0 });
    flow.send({ payload: ids });
    assert.equal((await flow.wait('out')).payload.status, 'completed');
    flow = await flowOf({ method: 'getRun', delivery: 'start' }, { timeout: 1 });
    flow.send({ payload: ids });
    assert.match((await flow.wait('caught')).error.message, /within 1 s/);
  });
});
