/** What a user gets from createRun, createThreadAndRun and getRun, over real HTTP. */
import assert from 'node:assert/strict';
import { apiError, json, sse, startServer, type TestServer } from '../support/http-server.ts';
import { message, run, textStream } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime, until } from '../support/runtime.ts';

onEachRuntime('openai-runs', (start) => {
  let server: TestServer;
  const service = (more: Msg = {}) => ({ backend: 'server', url: `${server.url}/v1`, ...more });
  const streamed = (words = ['Hel', 'lo'], last?: Msg) => {
    server.answer = (_request, response) => {
      const write = sse(response);
      for (const [event, data] of textStream(words, last as never)) write(event, data);
      write();
    };
  };

  beforeEach(async () => {
    server = await startServer((_request, response) => json(response, run()));
  });
  afterEach(() => server.close());

  describe('requests', () => {
    it('puts the thread id in the path and nowhere else', async () => {
      const flow = await start(flowWith({ method: 'createRun', delivery: 'start' }, service()));
      flow.send({
        payload: { thread_id: 'thread_1', run_id: 'run_x', assistant_id: 'asst_1', instructions: 'short' },
      });
      await flow.wait('out');
      const [request] = server.received;
      assert.equal(`${request?.method} ${request?.path}`, 'POST /v1/threads/thread_1/runs');
      assert.deepEqual(request?.body, { assistant_id: 'asst_1', instructions: 'short', stream: false });
      assert.equal(request?.query, '');
      assert.equal(request?.headers['openai-beta'], 'assistants=v2');
    });

    it('sends include as include[] in the query', async () => {
      const flow = await start(flowWith({ method: 'createRun', delivery: 'start' }, service()));
      const include = ['step_details.tool_calls[*].file_search.results[*].content'];
      flow.send({ payload: { thread_id: 'thread_1', assistant_id: 'asst_1', include } });
      await flow.wait('out');
      const [request] = server.received;
      assert.equal(new URLSearchParams(request?.query).get('include[]'), include[0]);
      assert.deepEqual(request?.body, { assistant_id: 'asst_1', stream: false });
    });

    it('takes an object of the API for its ids: nodes can be chained', async () => {
      const flow = await start(flowWith({ method: 'getRun', delivery: 'start' }, service()));
      flow.send({ payload: run({ id: 'run_7', thread_id: 'thread_7' }) });
      await flow.wait('out');
      assert.equal(
        `${server.received[0]?.method} ${server.received[0]?.path}`,
        'GET /v1/threads/thread_7/runs/run_7',
      );
      const metadata = { value: '{"room":"hall"}', type: 'json' };
      await flow.deploy(flowWith({ method: 'modifyRun', fields: { metadata } }, service()));
      flow.send({ payload: run({ id: 'run_7', thread_id: 'thread_7' }) });
      await flow.wait('out', 2);
      assert.equal(server.received[1]?.path, '/v1/threads/thread_7/runs/run_7');
      assert.deepEqual(server.received[1]?.body, { metadata: { room: 'hall' } });
    });

    it("takes a text as the user's message", async () => {
      const fields = { assistant_id: { value: 'asst_1', type: 'str' } };
      const flow = await start(
        flowWith({ method: 'createThreadAndRun', delivery: 'start', fields }, service()),
      );
      flow.send({ payload: 'Good morning' });
      await flow.wait('out');
      const [request] = server.received;
      assert.equal(`${request?.method} ${request?.path}`, 'POST /v1/threads/runs');
      assert.deepEqual(request?.body, {
        assistant_id: 'asst_1',
        thread: { messages: [{ role: 'user', content: 'Good morning' }] },
        stream: false,
      });
    });

    it('lets a field of the form win, and takes an empty one from the payload', async () => {
      const fields = { assistant_id: { value: 'asst_form', type: 'str' }, model: { value: '', type: 'str' } };
      const flow = await start(flowWith({ method: 'createRun', delivery: 'start', fields }, service()));
      flow.send({ payload: { thread_id: 'thread_1', assistant_id: 'asst_payload', model: 'm' } });
      await flow.wait('out');
      assert.deepEqual(server.received[0]?.body, { assistant_id: 'asst_form', model: 'm', stream: false });
    });

    it('sends the key as a bearer token, and no Authorization without one', async () => {
      const withKey = flowWith({ method: 'getRun', delivery: 'start' }, service());
      const flow = await start(withKey, { svc: { apiKey: 'dummy-key' } });
      flow.send({ payload: { thread_id: 'thread_1', run_id: 'run_1' } });
      await flow.wait('out');
      assert.equal(server.received[0]?.headers.authorization, 'Bearer dummy-key');
      assert.equal(
        `${server.received[0]?.method} ${server.received[0]?.path}`,
        'GET /v1/threads/thread_1/runs/run_1',
      );
    });

    it('sends no Authorization header without a key', async () => {
      const flow = await start(flowWith({ method: 'getRun', delivery: 'start' }, service()));
      flow.send({ payload: { thread_id: 'thread_1', run_id: 'run_1' } });
      await flow.wait('out');
      assert.equal(server.received[0]?.headers.authorization, undefined);
    });
  });

  describe('deliveries', () => {
    const payload = { thread_id: 'thread_1', assistant_id: 'asst_1' };

    it('start returns what the endpoint returns, and touches nothing else of the message', async () => {
      const flow = await start(flowWith({ method: 'createRun', delivery: 'start' }, service()));
      flow.send({ payload, topic: 'kitchen' });
      const out = await flow.wait('out');
      assert.equal(out.payload.status, 'queued');
      assert.equal(out.run.id, 'run_1');
      assert.deepEqual(Object.keys(out).sort(), ['_msgid', 'payload', 'run', 'topic']);
      assert.equal((await flow.wait('completed')).topic, 'kitchen');
    });

    it('wait reads one event stream and answers with run, reply and messages', async () => {
      streamed();
      const flow = await start(flowWith({ method: 'createRun', delivery: 'wait' }, service()));
      flow.send({ payload });
      const out = await flow.wait('out');
      assert.equal(out.payload.status, 'completed');
      assert.equal(out.reply, 'Hello');
      assert.equal(out.messages.length, 1);
      await flow.wait('completed');
      assert.equal(server.received.length, 1);
      assert.equal(flow.out('second').length, 0);
      assert.deepEqual(flow.out('caught'), []);
    });

    it('stream sends every event, named and numbered, and then the result', async () => {
      streamed();
      const flow = await start(
        flowWith({ method: 'createRun', delivery: 'stream', result: 'text' }, service()),
      );
      flow.send({ payload, topic: 'kitchen' });
      const out = await flow.wait('out');
      await flow.wait('completed');
      const events = flow.out('second');
      assert.deepEqual(
        events.map(({ event }) => event),
        textStream(['Hel', 'lo']).map(([event]) => event),
      );
      assert.deepEqual(
        events.map(({ seq }) => seq),
        events.map((_, index) => index),
      );
      assert.deepEqual(
        events.filter((event) => 'delta' in event).map(({ delta }) => delta),
        ['Hel', 'lo'],
      );
      assert.ok(events.every(({ topic }) => topic === 'kitchen'));
      assert.equal(out.payload, 'Hello');
      assert.equal(out.event, undefined);
      assert.equal(out.seq, undefined);
    });

    it('stream: true in the payload asks for the stream; its events leave by the only output', async () => {
      streamed();
      const flow = await start(flowWith({ method: 'createRun', delivery: 'wait' }, service()));
      flow.send({ payload: { ...payload, stream: true } });
      await flow.wait('completed');
      const all = flow.out('out');
      assert.equal(all.filter(({ event }) => event).length, 12);
      assert.equal(all.at(-1)?.payload.status, 'completed');
    });

    it('coalesce merges the text deltas of an interval and loses none', async () => {
      streamed(['a', 'b', 'c', 'd']);
      const flow = await start(
        flowWith({ method: 'createRun', delivery: 'stream', coalesce: 200 }, service()),
      );
      flow.send({ payload });
      await flow.wait('completed');
      const deltas = flow.out('second').filter((event) => 'delta' in event);
      assert.deepEqual(
        deltas.map(({ delta }) => delta),
        ['abcd'],
      );
    });

    it('getRun waits by polling until the run has ended, then brings its messages', async () => {
      let looks = 0;
      server.answer = ({ path }, response) => {
        if (path.endsWith('/messages'))
          return json(response, { object: 'list', data: [message('Done.')], has_more: false });
        looks += 1;
        json(response, run({ status: looks < 3 ? 'in_progress' : 'completed' }), 200, {
          'openai-poll-after-ms': '50',
        });
      };
      const flow = await start(flowWith({ method: 'getRun', delivery: 'wait' }, service()));
      flow.send({ payload: { thread_id: 'thread_1', run_id: 'run_1' } });
      const out = await flow.wait('out');
      assert.equal(out.payload.status, 'completed');
      assert.equal(out.reply, 'Done.');
      assert.equal(looks, 3);
      assert.equal(server.received[0]?.path, '/v1/threads/thread_1/runs/run_1');
      assert.match(server.received.at(-1)?.query ?? '', /run_id=run_1/);
    });

    it('a stream that breaks off is followed by polling, and no second run is made', async () => {
      server.answer = ({ method, path }, response) => {
        if (path.endsWith('/messages'))
          return json(response, { object: 'list', data: [message('Hi')], has_more: false });
        if (method === 'GET') return json(response, run({ status: 'completed' }));
        const write = sse(response);
        for (const [event, data] of textStream(['H']).slice(0, 7)) write(event, data);
        setTimeout(() => response.destroy(), 20);
      };
      const flow = await start(flowWith({ method: 'createRun', delivery: 'wait' }, service()));
      flow.send({ payload });
      const out = await flow.wait('out');
      assert.equal(out.payload.status, 'completed');
      assert.equal(out.reply, 'Hi');
      assert.equal(server.received.filter(({ method }) => method === 'POST').length, 1);
    });

    it('a server that answers a stream request with the run itself is polled', async () => {
      server.answer = ({ method, path }, response) => {
        if (path.endsWith('/messages'))
          return json(response, { object: 'list', data: [message('Hi')], has_more: false });
        json(response, run({ status: method === 'GET' ? 'completed' : 'queued' }));
      };
      const flow = await start(flowWith({ method: 'createRun', delivery: 'stream' }, service()));
      flow.send({ payload });
      const out = await flow.wait('out');
      assert.equal(out.reply, 'Hi');
      assert.deepEqual(
        flow.out('second').map(({ event }) => event),
        ['thread.run.queued', 'thread.message.completed', 'thread.run.completed'],
      );
      assert.equal(server.received.filter(({ method }) => method === 'POST').length, 1);
    });

    it('result json parses the reply; a reply that is no JSON is an error that carries the text', async () => {
      streamed(['{"on":', 'true}']);
      const flow = await start(flowWith({ method: 'createRun', result: 'json' }, service()));
      flow.send({ payload });
      assert.deepEqual((await flow.wait('out')).payload, { on: true });
      streamed(['no ', 'JSON']);
      flow.send({ payload });
      const { error } = await flow.wait('caught');
      assert.match(error.message, /^The reply is not JSON: no JSON/);
      assert.equal(error.cause.reply, 'no JSON');
      assert.equal(error.cause.run_id, 'run_1');
    });
  });

  describe('ends', () => {
    const payload = { thread_id: 'thread_1', assistant_id: 'asst_1' };
    const ends: [string, Msg, RegExp][] = [
      [
        'failed',
        { last_error: { code: 'server_error', message: 'Sorry.' } },
        /^The run failed: Sorry\. \(server_error\)/,
      ],
      ['expired', {}, /expired/],
      ['cancelled', {}, /cancelled/],
      ['incomplete', { incomplete_details: { reason: 'max_completion_tokens' } }, /max_completion_tokens/],
    ];
    for (const [status, fields, wording] of ends) {
      it(`a run that ends ${status} reaches Catch with its ids, or the output where that is wanted`, async () => {
        streamed(['x'], { status, ...fields });
        const flow = await start(flowWith({ method: 'createRun' }, service()));
        flow.send({ payload, topic: 't' });
        const caught = await flow.wait('caught');
        assert.match(caught.error.message, wording);
        assert.equal(caught.error.cause.run_id, 'run_1');
        assert.equal(caught.error.cause.thread_id, 'thread_1');
        assert.equal(caught.error.cause.run.status, status);
        assert.equal(caught.topic, 't');
        assert.deepEqual(caught.payload, payload);
        assert.deepEqual(flow.out('completed'), []);
        assert.deepEqual(flow.out('out'), []);
      });

      it(`a run that ends ${status} leaves by the output with failures: output`, async () => {
        streamed(['x'], { status, ...fields });
        const flow = await start(flowWith({ method: 'createRun', failures: 'output' }, service()));
        flow.send({ payload });
        assert.equal((await flow.wait('out')).payload.status, status);
        await flow.wait('completed');
        assert.deepEqual(flow.out('caught'), []);
      });
    }

    it('a run that needs tool outputs is a result, not a failure', async () => {
      streamed(['x'], { status: 'requires_action' });
      const flow = await start(flowWith({ method: 'createRun', result: 'text' }, service()));
      flow.send({ payload });
      assert.equal((await flow.wait('out')).payload.status, 'requires_action');
    });

    it('deadline cancels the run and fails the message', async () => {
      server.answer = ({ path }, response) => {
        if (path.endsWith('/cancel')) return json(response, run({ status: 'cancelling' }));
        const write = sse(response);
        for (const [event, data] of textStream(['x']).slice(0, 3)) write(event, data);
      };
      const flow = await start(flowWith({ method: 'createRun', deadline: 1 }, service()));
      flow.send({ payload });
      const { error } = await flow.wait('caught');
      assert.match(error.message, /longer than 1 s/);
      assert.equal(error.code, 'deadline');
      assert.equal(error.cause.run_id, 'run_1');
      await until(() =>
        server.received.some(({ path }) => path === '/v1/threads/thread_1/runs/run_1/cancel'),
      );
    });

    it('closing aborts what is in flight, sends nothing more and cancels only where asked', async () => {
      server.answer = (_request, response) => {
        const write = sse(response);
        for (const [event, data] of textStream(['x']).slice(0, 3)) write(event, data);
      };
      const flow = await start(flowWith({ method: 'createRun', delivery: 'stream' }, service()));
      flow.send({ payload });
      await flow.wait('second', 3);
      await flow.deploy([{ id: 'tab', type: 'tab', label: 'empty' }]);
      await until(() => server.open() === 0);
      assert.equal(server.received.length, 1);
    });

    it('cancelOnClose cancels the remote run', async () => {
      server.answer = ({ path }, response) => {
        if (path.endsWith('/cancel')) return json(response, run({ status: 'cancelling' }));
        const write = sse(response);
        for (const [event, data] of textStream(['x']).slice(0, 3)) write(event, data);
      };
      const flow = await start(
        flowWith({ method: 'createRun', delivery: 'stream', cancelOnClose: true }, service()),
      );
      flow.send({ payload });
      await flow.wait('second', 3);
      await flow.deploy([{ id: 'tab', type: 'tab', label: 'empty' }]);
      assert.equal(server.received.at(-1)?.path, '/v1/threads/thread_1/runs/run_1/cancel');
    });

    it('msg.reset ends what is in flight and cancels the runs', async () => {
      server.answer = ({ path }, response) => {
        if (path.endsWith('/cancel')) return json(response, run({ status: 'cancelling' }));
        const write = sse(response);
        for (const [event, data] of textStream(['x']).slice(0, 3)) write(event, data);
      };
      const flow = await start(flowWith({ method: 'createRun', delivery: 'stream' }, service()));
      flow.send({ payload });
      await flow.wait('second', 3);
      flow.send({ reset: true });
      await flow.wait('completed', 2);
      assert.equal(server.received.at(-1)?.path, '/v1/threads/thread_1/runs/run_1/cancel');
      assert.equal(flow.out('out').length, 0);
    });
  });

  describe('bad input', () => {
    const refused: [string, Msg, unknown, RegExp, string | undefined][] = [
      [
        'no payload',
        { method: 'createThreadAndRun' },
        undefined,
        /^assistant_id is missing: createThreadAndRun needs it, in the form or in msg\.payload \(which is undefined/,
        'assistant_id',
      ],
      [
        'no thread',
        { method: 'createRun' },
        { assistant_id: 'a' },
        /^thread_id is missing: createRun needs it, in the form or in msg\.payload\./,
        'thread_id',
      ],
      [
        'a wrong type',
        { method: 'createRun' },
        { thread_id: 't', assistant_id: 'a', temperature: 'hot' },
        /^temperature in msg\.payload must be number, but is string/,
        'temperature',
      ],
      [
        'a path trick',
        { method: 'getRun' },
        { thread_id: 't', run_id: '../../x' },
        /^run_id in msg\.payload is no id/,
        'run_id',
      ],
      [
        'a value that is none of an enum',
        { method: 'createRun' },
        { thread_id: 't', assistant_id: 'a', tool_choice: 'bogus' },
        /none, auto, required/,
        'tool_choice',
      ],
      [
        'stream that is no boolean',
        { method: 'createRun' },
        { thread_id: 't', assistant_id: 'a', stream: 'yes' },
        /^stream in msg\.payload must be boolean/,
        'stream',
      ],
    ];
    for (const [name, runs, payload, wording, param] of refused) {
      it(`refuses ${name} before any request, naming field and place`, async () => {
        const flow = await start(flowWith(runs, service()));
        flow.send({ payload });
        const { error } = await flow.wait('caught');
        assert.match(error.message, wording);
        assert.equal(error.cause.param, param);
        assert.equal(server.received.length, 0);
      });
    }

    it('refuses what JSON cannot carry', async () => {
      const circle: Msg = {};
      circle.self = circle;
      const flow = await start(flowWith({ method: 'createRun' }, service()));
      flow.send({ payload: { thread_id: 't', assistant_id: 'a', metadata: circle } });
      assert.match(
        (await flow.wait('caught')).error.message,
        /^metadata in msg\.payload can't be sent as JSON/,
      );
    });

    it('says that no service is chosen', async () => {
      const flow = await start(flowWith({ method: 'createRun', service: '' }, service()));
      flow.send({ payload: {} });
      const { error } = await flow.wait('caught');
      assert.match(error.message, /^No service is chosen/);
    });

    it('says that no address is set, and what is none', async () => {
      const flow = await start(flowWith({ method: 'getRun' }, service({ url: '' })));
      flow.send({ payload: { thread_id: 't', run_id: 'r' } });
      assert.match((await flow.wait('caught')).error.message, /^No address is set/);
    });

    it('says that the server refused the connection, with its address', async () => {
      const url = `${server.url}/v1`;
      await server.close();
      const flow = await start(flowWith({ method: 'createRun' }, service({ url })));
      flow.send({ payload: { thread_id: 't', assistant_id: 'a' } });
      const { error } = await flow.wait('caught');
      assert.ok(error.message.startsWith(`${url} refused the connection`), error.message);
      assert.equal(error.cause.code, 'ECONNREFUSED');
    });

    it('says that the key is wrong, and never shows it', async () => {
      server.answer = ({ headers }, response) =>
        apiError(response, 401, {
          message: `Incorrect API key provided: ${headers.authorization}.`,
          code: 'invalid_api_key',
        });
      const flow = await start(flowWith({ method: 'createRun' }, service()), {
        svc: { apiKey: 'sk-dummy-0123' },
      });
      flow.send({ payload: { thread_id: 't', assistant_id: 'a' } });
      const caught = await flow.wait('caught');
      assert.match(
        caught.error.message,
        /Incorrect API key provided: Bearer \*\*\*\. The server refused the key/,
      );
      assert.deepEqual(
        {
          status: caught.error.cause.status,
          code: caught.error.code,
          request_id: caught.error.cause.request_id,
        },
        { status: 401, code: 'invalid_api_key', request_id: 'req_test' },
      );
      assert.ok(!JSON.stringify(caught).includes('sk-dummy'));
      assert.equal(server.received.length, 1);
    });
  });

  it('shows what is going on, and clears it when nothing is in flight', async () => {
    streamed();
    const flow = await start(flowWith({ method: 'createRun' }, service()));
    flow.send({ payload: { thread_id: 'thread_1', assistant_id: 'asst_1' } });
    await flow.wait('completed');
    await until(() => Object.keys(flow.statuses.at(-1) ?? { none: 1 }).length === 0);
    assert.equal(flow.statuses[0]?.fill, 'blue');
  });
});
