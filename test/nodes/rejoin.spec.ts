/** A run that goes on is joined in mid-stream: behind the event that was seen last. */
import assert from 'node:assert/strict';
import { json, startServer, type TestServer } from '../support/http-server.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';

onEachRuntime('joining a run', (start) => {
  let server: TestServer;
  let goOn = () => {};

  beforeEach(async () => {
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    server = await startServer(async ({ path }, response) => {
      if (!path.endsWith('/chat/completions')) return json(response, { object: 'list', data: [{ id: 'm' }] });
      const piece = (content: string, finish_reason: string | null = null) =>
        response.write(
          `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason }] })}\n\n`,
        );
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      piece('One ');
      piece('two ');
      await held;
      piece('three', 'stop');
      response.end('data: [DONE]\n\n');
    });
  });
  afterEach(() => server.close());

  it('goes on behind starting_after, and numbers what follows', async () => {
    const runs = { method: 'createThreadAndRun', delivery: 'stream', result: 'text' };
    const flow = flowWith(runs, {
      backend: 'embedded',
      provider: 'chat',
      url: `${server.url}/v1`,
      model: 'm',
      database: ':memory:',
      assistants: [{ id: 'asst_one', name: 'One', instructions: 'Count.' }],
    });
    const own = flow.find(({ id }) => id === 'runs') as Msg;
    flow.push(
      { ...own, id: 'joiner', method: 'getRun', wires: [['joined'], ['more']] },
      { id: 'joined', type: 'helper', z: 'tab', x: 0, y: 0 },
      { id: 'more', type: 'helper', z: 'tab', x: 0, y: 0 },
    );
    const running = await start(flow);
    running.send({
      payload: { assistant_id: 'asst_one', thread: { messages: [{ role: 'user', content: 'Go' }] } },
    });
    const seen = () => running.out('second').filter(({ event }) => event === 'thread.message.delta');
    await running.wait('second', 9);
    while (seen().length < 2) await running.wait('second', running.out('second').length + 1);
    const last = running.out('second').at(-1) as Msg;
    const run = running.out('second').find(({ event }) => event === 'thread.run.created')?.payload as Msg;
    const { thread_id, id: run_id } = run;
    running.send({ payload: { thread_id, run_id, starting_after: last.seq } }, 'joiner');
    setTimeout(goOn, 200);
    const joined = await running.wait('joined');
    const first = running.out('more')[0] as Msg;
    assert.equal(first.seq, last.seq + 1);
    assert.equal(first.delta, 'three');
    assert.equal(joined.payload, 'One two three');
    assert.equal((await running.wait('out')).payload, 'One two three');
    // Both tell the same from there on.
    const rest = running.out('second').filter(({ seq }) => seq > last.seq);
    assert.deepEqual(
      running.out('more').map(({ event, seq }) => [event, seq]),
      rest.map(({ event, seq }) => [event, seq]),
    );
  });

  it('refuses a number that is none', async () => {
    const running = await start(
      flowWith({ method: 'getRun' }, { backend: 'server', url: `${server.url}/v1` }),
    );
    running.send({ payload: { thread_id: 'thread_1', run_id: 'run_1', starting_after: 'x' } });
    assert.equal((await running.wait('caught')).error.cause.param, 'starting_after');
  });
});
