/** The engine from outside: its fetch, its start, its end. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createEngine } from '../../engine/index.ts';
import { eventStream } from '../../engine/wire/routes/sse.ts';
import { EventLog } from '../../engine/worker/event-log.ts';
import { onEachDatabase } from '../support/databases.ts';
import { until } from '../support/until.ts';
import {
  clientOf,
  framesOf,
  hangs,
  type Script,
  ScriptedModel,
  says,
  send,
  trouble,
  Workshop,
} from './support.ts';

onEachDatabase('the engine', () => {
  const workshop = new Workshop();
  afterEach(() => workshop.cleanUp());

  async function bench(script: Script, internals = {}, options = {}) {
    const opened = await workshop.open(new ScriptedModel(script), options, internals);
    const { id: assistant_id } = await opened.client.beta.assistants.create({
      model: 'm',
      instructions: 'x',
    });
    const { id: thread_id } = await opened.client.beta.threads.create();
    return { ...opened, assistant_id, thread_id };
  }

  it('runs the rehearsal model by itself, for a start', async () => {
    const engine = await createEngine({
      database: ':memory:',
      model: { provider: 'rehearsal', pace: 0 },
      assistants: [{ id: 'house' }],
    });
    const thread = { messages: [{ role: 'user' as const, content: 'Good morning' }] };
    const stream = clientOf(engine as never).beta.threads.createAndRunStream({
      assistant_id: 'house',
      thread,
    });
    assert.equal((await stream.finalRun()).status, 'completed');
    assert.equal((await stream.finalMessages()).length, 1);
    await engine.close();
  });

  describe('its fetch', () => {
    it('takes a string, a URL or a Request', async () => {
      const { engine, thread_id } = await bench(says('x'));
      const address = `http://engine.local/v1/threads/${thread_id}`;
      for (const input of [address, new URL(address), new Request(address)]) {
        assert.equal((await engine.fetch(input)).status, 200);
      }
      const created = await engine.fetch(
        new Request('http://engine.local/v1/threads', { method: 'POST', body: '{"metadata":{"a":"b"}}' }),
      );
      assert.deepEqual(((await created.json()) as { metadata: object }).metadata, { a: 'b' });
    });

    it('rejects as the platform’s does when it is aborted, before and while waiting', async () => {
      const { engine } = await bench(says('x'));
      const aborted = AbortSignal.abort();
      await assert.rejects(engine.fetch('http://engine.local/v1/assistants', { signal: aborted }), {
        name: 'AbortError',
      });
      const controller = new AbortController();
      const waiting = engine.fetch('http://engine.local/v1/assistants', { signal: controller.signal });
      controller.abort();
      await assert.rejects(waiting, { name: 'AbortError' });
      const request = new Request('http://engine.local/v1/assistants', { signal: aborted });
      await assert.rejects(engine.fetch(request), { name: 'AbortError' });
    });

    it('breaks a stream off when it is aborted, and the run goes on', async () => {
      const { promise: told, resolve: tell } = Promise.withResolvers<void>();
      const { engine, client, assistant_id, thread_id } = await bench(async function* (turn) {
        await told;
        yield* says('Done')(turn);
      });
      const controller = new AbortController();
      const response = await engine.fetch(`http://engine.local/v1/threads/${thread_id}/runs`, {
        method: 'POST',
        body: JSON.stringify({ assistant_id, stream: true }),
        signal: controller.signal,
      });
      const reading = response.text();
      controller.abort();
      await assert.rejects(reading, { name: 'AbortError' });
      tell();
      await until(
        async () => (await client.beta.threads.runs.list(thread_id)).data[0]?.status === 'completed',
      );
    });

    it('answers after the close, in the API’s form', async () => {
      const { engine } = await bench(says('x'));
      await engine.close();
      const response = await send(engine, 'POST', '/threads', {});
      assert.equal(response.status, 503);
      assert.equal(response.headers.get('x-should-retry'), 'false');
      assert.equal(((await response.json()) as { error: { code: string } }).error.code, 'service_closed');
    });

    it('rejects, as the platform’s does, when the body breaks off; nothing is done then', async () => {
      const { engine, thread_id } = await bench(says('x'));
      const reason = new Error('broken off');
      const url = `http://engine.local/v1/threads/${thread_id}`;
      const broken = new ReadableStream({ start: (controller) => controller.error(reason) });
      const init = { method: 'POST', body: broken, duplex: 'half' };
      await assert.rejects(engine.fetch(url, init as RequestInit), reason);

      const slow = new TransformStream<Uint8Array, Uint8Array>();
      const abort = new AbortController();
      const { signal } = abort;
      const answering = engine.fetch(url, { ...init, body: slow.readable, signal } as RequestInit);
      const writer = slow.writable.getWriter();
      await writer.write(new TextEncoder().encode('{"metadata":{"a":"b"}'));
      abort.abort();
      await assert.rejects(answering, { name: 'AbortError' });
      await writer.write(new TextEncoder().encode('}'));
      await writer.close();
      const thread = (await (await engine.fetch(url)).json()) as { metadata: object };
      assert.deepEqual(thread.metadata, {});
    });

    it('turns a fault of its own into a 500 that is not to be repeated', async () => {
      const { engine } = await bench(says('x'));
      await engine.service.store.db.schema.dropTable('assistants').execute();
      const response = await send(engine, 'POST', '/assistants', { model: 'm' });
      assert.equal(response.status, 500);
      assert.equal(response.headers.get('x-should-retry'), 'false');
      assert.equal(((await response.json()) as { error: { type: string } }).error.type, 'server_error');
    });
  });

  describe('its close', () => {
    it('ends streams with the failed run, aborts the model, and may be called twice', async () => {
      let signal: AbortSignal | undefined;
      const { engine, assistant_id, thread_id } = await bench((turn) => {
        signal = turn.signal;
        return hangs('Half')(turn);
      });
      const response = await send(engine, 'POST', `/threads/${thread_id}/runs`, {
        assistant_id,
        stream: true,
      });
      const reader = response.body!.getReader();
      const decoder = new TextDecoder();
      let text = '';
      while (!text.includes('message.delta')) text += decoder.decode((await reader.read()).value);
      await Promise.all([engine.close(), engine.close()]);
      assert(signal!.aborted);
      for (let next = await reader.read(); !next.done; next = await reader.read())
        text += decoder.decode(next.value);
      const names = text.match(/(?<=event: ).*/g)!;
      assert.deepEqual(names.slice(-4), [
        'thread.message.incomplete',
        'thread.run.step.failed',
        'thread.run.failed',
        'done',
      ]);
    });

    it('does not wait for a request that is still being sent', async () => {
      const { engine } = await bench(says('x'));
      const body = new TransformStream();
      const init = { method: 'POST', body: body.readable, duplex: 'half' };
      const answering = engine.fetch('http://engine.local/v1/threads', init as RequestInit);
      await engine.close();
      await body.writable.close();
      assert.equal((await answering).status, 503);
    });

    it('leaves nothing that keeps the process from ending', async () => {
      const support = new URL('support.ts', import.meta.url).href;
      const code = `
        const { hangs, ScriptedModel, send, Workshop } = await import('${support}');
        const workshop = new Workshop();
        const { engine, client } = await workshop.open(new ScriptedModel(hangs('x')));
        const { id: assistant_id } = await client.beta.assistants.create({ model: 'm', instructions: 'x' });
        await send(engine, 'POST', '/threads/runs', { assistant_id, stream: true });
        await engine.close();
        console.log('closed');`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.on('data', (text) => {
        output += text;
      });
      const [exitCode] = await once(child, 'exit');
      assert.deepEqual([exitCode, output.trim()], [0, 'closed']);
    });
  });

  it('keeps silent streams alive with comments, which are no events', async () => {
    const log = new EventLog();
    log.append({ event: 'thread.run.created', data: { id: 'run_1' } });
    const reader = eventStream(log, null, { keepAliveMs: 5 }).body!.getReader();
    let text = '';
    while (!text.includes(': keep-alive\n\n: keep-alive\n\n'))
      text += new TextDecoder().decode((await reader.read()).value);
    log.end();
    for (let next = await reader.read(); !next.done; next = await reader.read())
      text += new TextDecoder().decode(next.value);
    const frames = await framesOf(new Response(text));
    assert.deepEqual(
      frames.map(({ event }) => event),
      ['thread.run.created', 'done'],
    );
  });

  it('forgets a stream that nobody reads when its run has ended', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const { engine, assistant_id } = await bench(says('one two three'));
    const logs: WeakRef<EventLog>[] = [];
    const open = engine.service.hub.open.bind(engine.service.hub);
    engine.service.hub.open = (runId) => {
      const log = open(runId);
      logs.push(new WeakRef(log));
      return log;
    };
    for (let i = 0; i < 20; i++) await send(engine, 'POST', '/threads/runs', { assistant_id, stream: true });
    await until(async () => engine.service.executor.size === 0);
    await until(async () => {
      gc();
      return logs.filter((log) => log.deref()).length <= 1;
    });
    assert.equal(logs.length, 20);
  });

  it('has a thousand runs in flight at once', async () => {
    const COUNT = 1000;
    const { promise: told, resolve: tell } = Promise.withResolvers<void>();
    const model = new ScriptedModel(async function* (turn) {
      yield { type: 'text', delta: 'I ' };
      await told;
      yield* says('waited')(turn);
    });
    const { engine, client } = await workshop.open(model);
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'm', instructions: 'x' });
    const streams = await Promise.all(
      Array.from({ length: COUNT }, () =>
        send(engine, 'POST', '/threads/runs', { assistant_id, stream: true }),
      ),
    );
    await until(async () => model.turns.length === COUNT);
    assert.equal(engine.service.executor.size, COUNT);
    await engine.sweep();
    tell();
    const ended = await Promise.all(streams.map(framesOf));
    assert(ended.every((frames) => frames.at(-2)!.event === 'thread.run.completed'));
    assert.equal(new Set(ended.map((frames) => frames.at(-2)!.data.id)).size, COUNT);
  });

  describe('asks a model again', () => {
    const limited = trouble('Slow down.', {
      reason: 'provider_rate_limited',
      status: 429,
      retryAfter: 7000,
      beforeFirstByte: true,
    });
    const broken = trouble('Bad gateway.', { status: 502, beforeFirstByte: true });

    /** A model that throws these errors in turn, then answers; and the waits in between, which take no time. */
    async function trial(errors: Error[], { text = false, expirySeconds = 600 } = {}) {
      const left = [...errors];
      const waits: number[] = [];
      let now = 1_800_000_000_000;
      const sleep = async (ms: number) => {
        waits.push(ms);
        now += ms;
      };
      const script: Script = async function* (turn) {
        if (text) yield { type: 'text', delta: 'Half' };
        if (left.length > 0) throw left.shift();
        yield* says('Done')(turn);
      };
      const { client, assistant_id, thread_id } = await bench(
        script,
        { sleep },
        { clock: () => now, expirySeconds },
      );
      const run = await client.beta.threads.runs.stream(thread_id, { assistant_id }).finalRun();
      return { run, waits };
    }

    it('after the time that a rate limit names, as often as it takes', async () => {
      const { run, waits } = await trial(Array(20).fill(limited));
      assert.equal(run.status, 'completed');
      assert.deepEqual(waits, Array(20).fill(7000));
    });

    it('and says so where a provider asks for more time than the run has', async () => {
      const { run, waits } = await trial([
        trouble('Slow.', {
          reason: 'provider_rate_limited',
          retryAfter: 86_400_000,
          beforeFirstByte: true,
        }),
      ]);
      assert.deepEqual(waits, []);
      assert.deepEqual(run.last_error, {
        code: 'rate_limit_exceeded',
        message:
          'The provider failed in its answer: Slow. (test) It can be asked again in 86400 s, when the run has expired.',
      });
    });

    it('but not beyond the run’s expiry', async () => {
      const { run, waits } = await trial(Array(20).fill(limited), { expirySeconds: 30 });
      assert.equal(run.status, 'failed');
      assert.deepEqual(run.last_error, {
        code: 'rate_limit_exceeded',
        message:
          'The provider failed in its answer: Slow down. (test) It can be asked again in 7 s, when the run has expired.',
      });
      assert.deepEqual(waits, [7000, 7000, 7000, 7000]);
    });

    it('a few times after a fault, longer each time', async () => {
      assert.equal((await trial([broken, broken])).waits.length, 2);
      const { run, waits } = await trial(Array(9).fill(broken));
      assert.deepEqual(run.last_error, { code: 'server_error', message: broken.message });
      assert.equal(waits.length, 3);
      for (const [i, most] of [500, 1000, 2000].entries()) {
        assert.ok(waits[i]! >= 100 && waits[i]! <= most, `${waits}`);
      }
    });

    it('without a storm, where a server always says "at once"', async () => {
      for (const retryAfter of [0, 1]) {
        const eager = trouble('Now.', {
          reason: 'provider_rate_limited',
          retryAfter,
          beforeFirstByte: true,
        });
        const { run, waits } = await trial(Array(500).fill(eager), { expirySeconds: 36_000 });
        assert.equal(run.last_error?.code, 'rate_limit_exceeded');
        assert.equal(waits.length, 50);
        assert.ok(waits.every((wait) => wait >= 100));
      }
    });

    it('never once something of the answer has come, nor where it cannot help', async () => {
      assert.deepEqual((await trial([broken], { text: true })).waits, []);
      const prompt = trouble('No images.', {
        reason: 'provider_request_refused',
        beforeFirstByte: true,
      });
      const { run, waits } = await trial([prompt]);
      assert.deepEqual(run.last_error, { code: 'invalid_prompt', message: prompt.message });
      assert.deepEqual(waits, []);
      assert.equal(
        (await trial([new Error('A fault of ours')])).run.last_error!.message,
        'Sorry, something went wrong.',
      );
    });

    it('and stops waiting when the run is cancelled', async () => {
      const { client, assistant_id, thread_id } = await bench(async function* () {
        yield* [];
        throw limited;
      });
      const run = await client.beta.threads.runs.create(thread_id, { assistant_id });
      const look = () => client.beta.threads.runs.retrieve(run.id, { thread_id });
      await until(async () => (await look()).status === 'in_progress');
      await client.beta.threads.runs.cancel(run.id, { thread_id });
      await until(async () => (await look()).status === 'cancelled');
    });
  });
});
