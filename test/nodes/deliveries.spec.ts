/** Every delivery, to every end a run can come to, over every way a server may answer. Never a second run. */
import assert from 'node:assert/strict';
import { apiError, json, sse, startServer, type TestServer } from '../support/http-server.ts';
import { delta, message, run, step, textStream } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';
import { until } from '../support/until.ts';

const ids = { thread_id: 'thread_1', run_id: 'run_1' };
const requests: Record<string, Msg> = {
  createRun: { thread_id: 'thread_1', assistant_id: 'asst_1' },
  createThreadAndRun: { assistant_id: 'asst_1' },
  submitToolOutputsToRun: { ...ids, tool_outputs: [{ tool_call_id: 'call_1', output: '21' }] },
  getRun: ids,
};
const ends: Record<string, Msg> = {
  completed: {},
  failed: { last_error: { code: 'server_error', message: 'Sorry.' } },
  cancelled: {},
  expired: {},
  incomplete: { incomplete_details: { reason: 'max_completion_tokens' } },
  requires_action: {
    required_action: { type: 'submit_tool_outputs', submit_tool_outputs: { tool_calls: [] } },
  },
};
const isFailure = (status: string) => !['completed', 'requires_action'].includes(status);
const list = (data: Msg[]) => ({ object: 'list', data, has_more: false });

onEachRuntime('deliveries', (start) => {
  let server: TestServer;
  const service = () => ({ backend: 'server', url: `${server.url}/v1`, retries: 0 });
  const posts = () => server.received.filter(({ method }) => method === 'POST').length;
  const gets = () =>
    server.received.filter(({ method, path }) => method === 'GET' && !/messages/.test(path)).length;
  const flowOf = (more: Msg) => start(flowWith(more, service()));

  beforeEach(async () => {
    server = await startServer((_request, response) => json(response, run()));
  });
  afterEach(() => server.close());

  for (const [method, payload] of Object.entries(requests)) {
    it(`${method} starts: answers with what the endpoint answers, whatever it is`, async () => {
      const flow = await flowOf({ method, delivery: 'start', result: 'text' });
      for (const [index, status] of ['queued', 'in_progress', ...Object.keys(ends)].entries()) {
        server.answer = (_, response) => json(response, run({ status, ...ends[status] }));
        flow.send({ payload });
        const out = await flow.wait('out', index + 1);
        assert.deepEqual([out.payload.status, out.run.status], [status, status]);
        assert.equal('reply' in out, false);
      }
      assert.deepEqual(flow.out('caught'), []);
      assert.equal(server.received.length, 8);
    });

    for (const delivery of ['wait', 'stream']) {
      for (const way of ['stream', 'breaks', 'json', 'refused']) {
        // getRun has no stream: all its ways are one.
        if (method === 'getRun' && way !== 'json') continue;
        it(`${method}, ${delivery}, server ${way}: comes to every end with one request that starts`, async () => {
          const flow = await flowOf({ method, delivery });
          let expected = 0;
          for (const [status, fields] of Object.entries(ends)) {
            let looks = 0;
            server.received.length = 0;
            const events = textStream(['Hel', 'lo'], { status, ...fields });
            server.answer = (request, response) => {
              if (request.path.endsWith('/messages')) return json(response, list([message('Hello')]));
              if (request.method === 'GET') {
                looks += 1;
                const now = looks > 1 ? { status, ...fields } : { status: 'in_progress' };
                return json(response, run(now), 200, { 'openai-poll-after-ms': '50' });
              }
              if (way === 'refused' && request.body.stream)
                return apiError(response, 400, { message: 'No streams here.', param: 'stream' });
              if (way === 'refused' || way === 'json') return json(response, run());
              const write = sse(response);
              for (const [event, data] of way === 'breaks' ? events.slice(0, 8) : events) write(event, data);
              if (way === 'stream') write();
              else setTimeout(() => response.destroy(), 5);
            };
            expected += 1;
            const seen = flow.out('second').length;
            flow.send({ payload, status });
            await until(() => flow.out('out').length + flow.out('caught').length === expected);
            const msg = [...flow.out('out'), ...flow.out('caught')].find(
              (one) => one.status === status,
            ) as Msg;
            const ended = isFailure(status) ? msg.error.cause.run : msg.run;
            assert.equal(ended.status, status);
            assert.equal('error' in msg, isFailure(status));
            assert.equal(isFailure(status) ? msg.error.cause.reply : msg.reply, 'Hello');
            assert.equal(posts(), method === 'getRun' ? 0 : way === 'refused' ? 2 : 1);
            assert.equal(gets(), way === 'stream' ? 0 : 2);
            const names = flow
              .out('second')
              .slice(seen)
              .map(({ event }) => event);
            assert.equal(names.at(-1), delivery === 'stream' ? `thread.run.${status}` : undefined);
            if (delivery === 'stream') assert.ok(names.includes('thread.message.completed'));
          }
          await until(() => flow.out('completed').length + flow.out('caught').length === expected);
        });
      }
    }
  }

  it('polls no sooner than the server asks, and as soon as it lets', async () => {
    const times: number[] = [];
    server.answer = ({ path }, response) => {
      if (path.endsWith('/messages')) return json(response, list([]));
      times.push(performance.now());
      const after: Record<string, string> =
        times.length === 1 ? { 'openai-poll-after-ms': '1500' } : { 'openai-poll-after-ms': '60' };
      json(response, run({ status: times.length < 4 ? 'in_progress' : 'completed' }), 200, after);
    };
    const flow = await flowOf({ method: 'getRun' });
    flow.send({ payload: ids });
    await flow.wait('out');
    const pauses = times.slice(1).map((time, index) => time - (times[index] as number));
    assert.ok((pauses[0] as number) >= 1495, String(pauses));
    assert.ok(
      (pauses[1] as number) < (pauses[0] as number) && (pauses[2] as number) < (pauses[0] as number),
      String(pauses),
    );
  });

  it('takes thread.run.completed with the status incomplete for what it is', async () => {
    server.answer = (_, response) => {
      const write = sse(response);
      const last = run({ status: 'incomplete', incomplete_details: { reason: 'max_completion_tokens' } });
      for (const [event, data] of textStream(['x']).slice(0, -1)) write(event, data);
      write('thread.run.completed', last);
      write();
    };
    const flow = await flowOf({ method: 'createRun' });
    flow.send({ payload: requests.createRun });
    assert.match((await flow.wait('caught')).error.message, /incomplete: max_completion_tokens/);
  });

  it('reads the messages of a run that the server answers finished at once', async () => {
    server.answer = ({ method }, response) =>
      json(response, method === 'POST' ? run({ status: 'completed' }) : list([message('At once.')]));
    const flow = await flowOf({ method: 'createRun', result: 'text' });
    flow.send({ payload: requests.createRun });
    assert.equal((await flow.wait('out')).payload, 'At once.');
    assert.equal(gets(), 0);
  });

  it('keeps annotations, images and files of messages, and only text in the reply', async () => {
    const annotation = {
      type: 'file_citation',
      text: '[1]',
      start_index: 0,
      end_index: 3,
      file_citation: { file_id: 'file_1' },
    };
    const content = [
      { type: 'image_file', image_file: { file_id: 'file_2', detail: 'auto' } },
      { type: 'text', text: { value: 'See [1].', annotations: [annotation] } },
      { type: 'refusal', refusal: ' Not more.' },
    ];
    const whole = message('', { content, attachments: [{ file_id: 'file_3', tools: [] }] });
    server.answer = (_, response) => {
      const write = sse(response);
      write('thread.run.created', run());
      write('thread.message.created', message('', { id: 'msg_0', content: [], status: 'in_progress' }));
      write('thread.message.completed', message('First.', { id: 'msg_0' }));
      write('thread.message.completed', whole);
      write('thread.run.completed', run({ status: 'completed' }));
      write();
    };
    const flow = await flowOf({ method: 'createRun', result: 'text' });
    flow.send({ payload: requests.createRun });
    const out = await flow.wait('out');
    assert.deepEqual(out.messages, [message('First.', { id: 'msg_0' }), whole]);
    assert.equal(out.reply, 'See [1]. Not more.');
    assert.equal(out.payload, out.reply);
  });

  it('is not upset by comments, unknown events, events without data, and a missing end', async () => {
    server.answer = ({ method, path }, response) => {
      if (path.endsWith('/messages')) return json(response, list([message('Hello')]));
      if (method === 'GET') return json(response, run({ status: 'completed' }));
      const write = sse(response);
      response.write(': keep-alive\r\n\r\n');
      write('thread.run.created', run());
      write('thread.run.paused', { id: 7 });
      write('thread.run.in_progress', null);
      write('thread.message.delta', {});
      write('thread.message.completed', null);
      write('something.else', { a: 1 });
      response.end();
    };
    const flow = await flowOf({ method: 'createRun', delivery: 'stream' });
    flow.send({ payload: requests.createRun });
    const out = await flow.wait('out');
    assert.deepEqual([out.run.status, out.reply], ['completed', 'Hello']);
    assert.equal(posts(), 1);
  });

  it('start sends the events alone, by its one output, where the message asks for a stream', async () => {
    const flow = await flowOf({ method: 'createRun', delivery: 'start', failures: 'output' });
    for (const [index, status] of ['completed', 'failed'].entries()) {
      server.answer = (_, response) => {
        const write = sse(response);
        write('thread.run.created', run());
        write(`thread.run.${status}`, run({ status, ...ends[status] }));
        write();
      };
      flow.send({ payload: { ...requests.createRun, stream: true } });
      await flow.wait('completed', index + 1);
      const events = flow.out('out').map(({ event }) => event);
      assert.deepEqual(events.slice(index * 2), ['thread.run.created', `thread.run.${status}`]);
    }
    assert.deepEqual([flow.out('second'), flow.out('caught')], [[], []]);
  });

  it('coalesce sends far fewer messages, in order, and loses nothing', async () => {
    const words = Array.from({ length: 500 }, (_, nr) => `w${nr} `);
    server.answer = (_, response) => {
      const write = sse(response);
      for (const [event, data] of textStream(words)) {
        write(event, data);
        if ((data as Msg).delta?.content[0].text.value === 'w250 ') {
          // What is no plain text of the same part goes out at once and in its place.
          write('thread.run.step.delta', { id: 'step_1', delta: {} });
          write('thread.message.delta', {
            ...delta(''),
            delta: { content: [{ index: 1, type: 'image_file' }] },
          });
        }
      }
      write();
    };
    const flow = await flowOf({ method: 'createRun', delivery: 'stream', coalesce: 10_000 });
    flow.send({ payload: requests.createRun });
    const out = await flow.wait('out');
    const events = flow.out('second');
    const texts = events.filter((event) => 'delta' in event).map((event) => event.delta);
    assert.deepEqual(texts, [words.slice(0, 251).join(''), words.slice(251).join('')]);
    assert.equal(texts.join(''), out.reply);
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, index) => index),
    );
  });

  it('updates the status at most twice a second, however much happens', async () => {
    const begin = Date.now();
    server.answer = async (_, response) => {
      const write = sse(response);
      for (let nr = 0; nr < 300; nr++) {
        write(nr % 2 ? 'thread.run.queued' : 'thread.message.delta', nr % 2 ? run() : delta('x'));
        if (nr % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 50));
      }
      write('thread.run.step.created', step());
      write('thread.run.completed', run({ status: 'completed' }));
      write();
    };
    const flow = await flowOf({ method: 'createRun' });
    flow.send({ payload: requests.createRun });
    await flow.wait('completed');
    await until(() => Object.keys(flow.statuses.at(-1) ?? { none: 1 }).length === 0);
    const most = Math.ceil((Date.now() - begin) / 500) + 1;
    assert.ok(
      flow.statuses.length >= 2 && flow.statuses.length <= most,
      `${flow.statuses.length} of ${most}`,
    );
  });
});
