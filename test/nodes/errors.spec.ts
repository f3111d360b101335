/** Every way a request can fail: the sentence a person reads, what a Catch node receives, and never the key. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import path from 'node:path';
import helper from 'node-red-node-test-helper';
import OpenAI from 'openai';
import { redactor } from '../../engine/domain/redact.ts';
import { explainer } from '../../nodes/openai-runs-service/explain.ts';
import { type Answer, apiError, json, sse, startServer, type TestServer } from '../support/http-server.ts';
import { run, textStream } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime } from '../support/runtime.ts';
import { until } from '../support/until.ts';

const KEY = 'sk-dummy "0123" +/=ü';
const ids = { thread_id: 'thread_1', run_id: 'run_1' };
const getRun = { method: 'getRun', delivery: 'start' };
const createRun = { method: 'createRun', delivery: 'wait' };
const asks: Record<string, Msg> = {
  getRun: ids,
  createRun: { thread_id: 'thread_1', assistant_id: 'asst_1' },
};

interface Failure {
  name: string;
  node: Msg;
  answer: Answer;
  sentence: RegExp;
  /** Everything in `error.cause`. */
  cause: Msg;
}

const html = '<html><head><title>502</title></head><body><h1>Bad Gateway</h1>\n<p>nginx</p></body></html>';
const failures: Failure[] = [
  {
    name: '401',
    node: getRun,
    answer: (_, response) =>
      apiError(response, 401, { message: 'Incorrect API key.', code: 'invalid_api_key' }),
    sentence: /^The key was refused \(401\)\. Check it in the service\. \(Incorrect API key\.\)$/,
    cause: { status: 401, code: 'invalid_api_key', type: 'invalid_request_error', ...ids },
  },
  {
    name: '403',
    node: getRun,
    answer: (_, response) => apiError(response, 403, { message: 'No access.', type: 'permission_error' }),
    sentence: /^The key may not do this \(403\)\. \(No access\.\)$/,
    cause: { status: 403, type: 'permission_error', ...ids },
  },
  {
    name: '404 for an object',
    node: getRun,
    answer: (_, response) => apiError(response, 404, { message: "No run found with id 'run_1'." }),
    sentence: /^No run found with id 'run_1'\.$/,
    cause: { status: 404, type: 'invalid_request_error', ...ids },
  },
  {
    name: '404 for an address without the API',
    node: getRun,
    answer: (_, response) =>
      void response.writeHead(404, { 'content-type': 'text/html' }).end('<p>Not here</p>'),
    sentence: /^There is no Runs API at this address \(404\)\. Not here \(http:\/\/127\.0\.0\.1:\d+\/v1\)$/,
    cause: { status: 404, ...ids },
  },
  {
    name: '400 with the field that is wrong',
    node: getRun,
    answer: (_, response) =>
      apiError(response, 400, { message: 'Invalid id.', code: 'invalid_value', param: 'run_id' }),
    sentence: /^Invalid id\.$/,
    cause: { status: 400, code: 'invalid_value', param: 'run_id', type: 'invalid_request_error', ...ids },
  },
  {
    name: '429 with retry-after',
    node: createRun,
    answer: (_, response) =>
      apiError(
        response,
        429,
        { message: 'Slow down.', type: 'requests', code: 'rate_limit_exceeded' },
        {
          'retry-after': '120',
        },
      ),
    sentence: /^The server asks for fewer requests \(429\)\. \(Slow down\.\)$/,
    cause: {
      status: 429,
      code: 'rate_limit_exceeded',
      type: 'requests',
      retry_after: 120,
      thread_id: 'thread_1',
    },
  },
  {
    name: '500',
    node: createRun,
    answer: (_, response) => apiError(response, 500, { message: 'Oops.', type: 'server_error' }),
    sentence: /^The server failed \(500\): Oops\.$/,
    cause: { status: 500, type: 'server_error', thread_id: 'thread_1' },
  },
  {
    name: '502 with a page of HTML',
    node: createRun,
    answer: (_, response) => void response.writeHead(502, { 'content-type': 'text/html' }).end(html),
    sentence: /^The server failed \(502\): 502 Bad Gateway nginx$/,
    cause: { status: 502, thread_id: 'thread_1' },
  },
  {
    name: 'event: error in mid-stream',
    node: createRun,
    answer: (_, response) => {
      const write = sse(response);
      for (const [event, data] of textStream(['x']).slice(0, 8)) write(event, data);
      write('error', { message: 'The model broke.', type: 'server_error', code: 'model_error', param: null });
      response.end();
    },
    sentence: /^The server reported an error in mid-stream: The model broke\.$/,
    cause: { code: 'model_error', type: 'server_error', ...ids },
  },
  {
    name: 'a login page instead of a run',
    node: { ...createRun, delivery: 'start' },
    answer: (_, response) =>
      void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Log in</h1>'),
    sentence: /^The server answered, but not .*run.* Log in$/,
    cause: { code: 'unexpected_answer', thread_id: 'thread_1' },
  },
  {
    name: 'a login page instead of a stream',
    node: createRun,
    answer: (_, response) =>
      void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Log in</h1>'),
    sentence: /^The server answered, but not .*run.* Log in$/,
    cause: { code: 'unexpected_answer', status: 200, thread_id: 'thread_1' },
  },
  {
    name: 'JSON that is no run',
    node: createRun,
    answer: (_, response) => json(response, { error: null, detail: 'busy' }),
    sentence: /^The server answered, but not .*run.*"detail":"busy"/,
    cause: { code: 'unexpected_answer', status: 200, thread_id: 'thread_1' },
  },
  {
    name: 'JSON that is none',
    node: getRun,
    answer: (_, response) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).end('{"id": "run_1", '),
    sentence: /^The answer is no JSON\..*\(http:\/\/127\.0\.0\.1:\d+\/v1\)$/,
    cause: { code: 'unexpected_answer', ...ids },
  },
  {
    name: 'an empty answer',
    node: { ...getRun, delivery: 'wait' },
    answer: (_, response) => void response.writeHead(204).end(),
    sentence: /^The server answered, but not .*run/,
    cause: { code: 'unexpected_answer', status: 204, ...ids },
  },
  {
    name: 'a list that is none',
    node: { method: 'listRuns' },
    answer: (_, response) => json(response, run()),
    sentence: /^The server answered, but not .*list/,
    cause: { code: 'unexpected_answer', thread_id: 'thread_1' },
  },
  {
    name: 'a connection broken off before the answer',
    node: createRun,
    answer: (_, response) => void response.destroy(),
    sentence: /^The connection was broken off\. \(http:\/\/127\.0\.0\.1:\d+\/v1\)$/,
    cause: { code: 'UND_ERR_SOCKET', thread_id: 'thread_1' },
  },
  {
    name: 'a stream broken off before it named the run',
    node: createRun,
    answer: (_, response) => {
      sse(response)('thread.created', { id: 'thread_1', object: 'thread' });
      setTimeout(() => response.destroy(), 20);
    },
    sentence: /A run may exist all the same; it was not started again\.$/,
    cause: { code: 'stream_broken', thread_id: 'thread_1' },
  },
  {
    name: 'no answer in time',
    node: createRun,
    answer: () => {},
    sentence: /^There was no answer within 0\.3 s\. \(http:\/\/127\.0\.0\.1:\d+\/v1\)$/,
    cause: { code: 'timeout', thread_id: 'thread_1' },
  },
];

/** All that was logged, at every level. */
// biome-ignore lint/suspicious/noExplicitAny: the helper's types leave the log out
const logged = (): Msg[] => (helper as any).log().args.flat();

onEachRuntime('errors', (start) => {
  let server: TestServer;
  const service = (more: Msg = {}) => ({
    backend: 'server',
    url: `${server.url}/v1`,
    retries: 0,
    timeout: 0.3,
    ...more,
  });
  const ask = (node: Msg) => ({ payload: asks[node.method] ?? ids, topic: 'kept' });

  beforeEach(async () => {
    server = await startServer((_request, response) => json(response, run()));
  });
  afterEach(() => server.close());

  for (const { name, node, answer, sentence, cause } of failures) {
    it(`${name}: one sentence, and the details for Catch`, async () => {
      server.answer = answer;
      const flow = await start(flowWith(node, service()));
      const msg = ask(node);
      flow.send(msg);
      const caught = await flow.wait('caught');
      assert.match(caught.error.message, sentence);
      const { request_id, ...rest } = caught.error.cause;
      assert.deepEqual(rest, cause);
      if (/json|event/.test(name) && cause.status) assert.equal(request_id, 'req_test');
      assert.equal(caught.error.code, cause.code);
      assert.equal(caught.error.source.id, 'runs');
      assert.equal(caught.topic, 'kept');
      assert.deepEqual(caught.payload, msg.payload);
      assert.deepEqual(flow.out('out'), []);
      assert.deepEqual(flow.out('completed'), []);
    });
  }

  it('the status shows the beginning of the sentence in red', async () => {
    server.answer = (_, response) => apiError(response, 403, { message: `No ${'really '.repeat(20)}no.` });
    const flow = await start(flowWith(getRun, service()));
    flow.send(ask(getRun));
    const { error } = await flow.wait('caught');
    await until(() => flow.statuses.at(-1)?.fill === 'red');
    const text = flow.statuses.at(-1)?.text as string;
    assert.ok(text.length <= 60 && text.endsWith('…'));
    assert.ok(error.message.startsWith(text.slice(0, -1)));
  });

  it('a refused connection, an unknown host and a TLS fault are each said with the address', async () => {
    const gone = server.url;
    await server.close();
    // Speaks no TLS: closes whoever greets it with it.
    const plain = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const { port } = plain.address() as { port: number };
    const rows: [string, RegExp, RegExp][] = [
      [gone, /connection was refused\. Is the server running/, /ECONNREFUSED/],
      [
        'http://nowhere.invalid',
        /^The host can't be found\..*\(http:\/\/nowhere\.invalid\)$/,
        /ENOTFOUND|EAI_AGAIN/,
      ],
      [`https://127.0.0.1:${port}`, /^There is no secure connection: .*\(https:/, /SSL|EPROTO/],
    ];
    const flow = await start(flowWith(getRun, service()));
    for (const [index, [url, sentence, code]] of rows.entries()) {
      await flow.deploy(flowWith(getRun, service({ url, timeout: 10 })));
      flow.send(ask(getRun));
      const { error } = await flow.wait('caught', index + 1);
      assert.match(error.message, sentence);
      assert.match(error.code, code);
      assert.equal(error.cause.run_id, 'run_1');
    }
    plain.close();
  });

  const echoes: [string, Msg, Answer][] = [
    ['a body', getRun, (_, response) => apiError(response, 401, { message: `No: Bearer ${KEY}` })],
    [
      'other fields of a body',
      getRun,
      (_, response) => apiError(response, 400, { message: 'No.', code: KEY, type: KEY, param: `a ${KEY}` }),
    ],
    [
      'a header',
      getRun,
      (_, response) =>
        apiError(response, 500, { message: 'No.' }, { 'x-request-id': encodeURIComponent(KEY) }),
    ],
    [
      'a body, url-encoded, form-encoded and as JSON',
      getRun,
      (_, response) =>
        apiError(response, 400, {
          message: [encodeURIComponent(KEY), new URLSearchParams({ key: KEY }), JSON.stringify({ KEY })].join(
            ' ',
          ),
        }),
    ],
    [
      'a page that is cut within the key',
      getRun,
      (_, response) => void response.writeHead(500).end(`${'x'.repeat(190)}${KEY}`),
    ],
    [
      'a reply that is cut within the key',
      { ...createRun, result: 'json' },
      (_, response) => {
        const write = sse(response);
        for (const [event, data] of textStream(['x'.repeat(190), KEY])) write(event, data);
        write();
      },
    ],
    ['a page of HTML', getRun, (_, response) => void response.writeHead(500).end(`<p>Bearer ${KEY}</p>`)],
    ['JSON that is no run', getRun, (_, response) => json(response, { authorization: KEY })],
    [
      'JSON that is none',
      getRun,
      (_, response) =>
        void response.writeHead(200, { 'content-type': 'application/json' }).end(`${KEY} is the key`),
    ],
    [
      "a run's last_error",
      createRun,
      (_, response) =>
        json(
          response,
          run({ status: 'failed', last_error: { code: KEY, message: KEY }, metadata: { [KEY]: KEY } }),
        ),
    ],
    [
      'event: error',
      createRun,
      (_, response) => {
        sse(response)('error', { message: `Bearer ${KEY}`, code: KEY });
        response.end();
      },
    ],
    [
      'a reply that is no JSON',
      { ...createRun, result: 'json' },
      (_, response) => {
        const write = sse(response);
        for (const [event, data] of textStream([KEY])) write(event, data);
        write();
      },
    ],
    [
      'a message list that fails after a broken stream',
      createRun,
      ({ method, path: at }, response) => {
        if (at.endsWith('/messages')) return apiError(response, 400, { message: KEY });
        if (method === 'GET') return json(response, run({ status: 'expired' }));
        const write = sse(response);
        write('thread.run.created', run());
        response.write(`event: thread.message.delta\ndata: {"${KEY}\n\n`);
        response.end();
      },
    ],
  ];
  for (const [place, node, answer] of echoes) {
    it(`the key never comes out when the server echoes it in ${place}`, async () => {
      server.answer = answer;
      const flow = await start(flowWith(node, service({ auth: 'query', authName: 'key' })), {
        svc: { apiKey: KEY },
      });
      flow.send(ask(node));
      const caught = await flow.wait('caught');
      assert.equal(new URLSearchParams(server.received[0]?.query).get('key'), KEY, 'the key was sent');
      const log = logged();
      assert.ok(log.length > 0);
      const texts = [
        caught.error,
        flow.statuses,
        log.map(({ msg }) => [String(msg), msg?.stack, msg?.cause]),
      ];
      const all = texts.map((text) => JSON.stringify(text)).join('\n');
      assert.match(all, /\*\*\*|messages of run_1 can't be read|is no JSON/);
      for (const form of ['sk-dummy', 'c2stZHVtbXk'])
        assert.ok(!all.includes(form), all.slice(all.indexOf(form) - 80));
    });
  }

  it('a key that no header can carry is an error that does not show it', async () => {
    const apiKey = 'sk-dummy…0123';
    const flow = await start(flowWith(getRun, service()), { svc: { apiKey } });
    flow.send(ask(getRun));
    const caught = await flow.wait('caught');
    assert.equal(server.received.length, 0);
    const log = logged().map(({ msg }: Msg) => [String(msg), msg?.stack]);
    assert.ok(!JSON.stringify([caught.error, log]).includes('sk-dummy'), caught.error.message);
  });
});

describe('explain', () => {
  const root = path.resolve(import.meta.dirname, '../..');
  const catalogue = createRequire(import.meta.url)(path.join(root, 'locales/en-US/openai-runs-service.json'));
  const translate = (key: string, values: Record<string, unknown> = {}) =>
    // biome-ignore lint/suspicious/noExplicitAny: walks a catalogue
    (key.split('.').reduce((at: any, part) => at[part], catalogue['openai-runs-service']) as string).replace(
      /__(\w+?)__/g,
      (_, name) => String(values[name] ?? ''),
    );
  const at = (url: string) => explainer({ url, redact: redactor([]), timeout: 1, translate });
  const notFound = (message?: string) =>
    OpenAI.APIError.generate(404, message ? { error: { message } } : undefined, message, new Headers());

  it('says of a 404 from OpenAI that the service ended, and what to choose instead', () => {
    for (const error of [notFound('Unknown path.'), notFound()]) {
      const { message, cause } = at('https://api.openai.com/v1')(error);
      assert.match(
        message,
        /^OpenAI ended its Runs service on 2026-08-26\. Choose the embedded engine, or another/,
      );
      assert.equal(cause.status, 404);
    }
  });

  it('says nothing of the kind for other hosts', () => {
    for (const url of ['https://api.openai.com.example/v1', 'https://example.com/api.openai.com', '']) {
      assert.doesNotMatch(at(url)(notFound('No run.')).message, /ended/);
    }
  });

  it('tells apart why the embedded engine can’t use its database, with what to do', () => {
    for (const [code, words] of [
      ['database_locked', /held by another program.*End that/],
      ['database_full', /Free some space/],
      ['database_read_only', /the right to write/],
      ['database_damaged', /Restore the file/],
    ] as const) {
      const body = { error: { message: 'x', code } };
      const error = at('')(OpenAI.APIError.generate(503, body, 'x', new Headers()));
      assert.match(error.message, words);
      assert.equal(error.code, code);
    }
  });

  it('reads retry-after as seconds, as milliseconds and as a date', () => {
    const waits = (headers: Record<string, string>) =>
      at('')(OpenAI.APIError.generate(429, { error: { message: 'x' } }, 'x', new Headers(headers))).cause
        .retry_after;
    assert.equal(waits({ 'retry-after': '7' }), 7);
    assert.equal(waits({ 'retry-after-ms': '1500' }), 1.5);
    const date = new Date(Date.now() + 60_000).toUTCString();
    const seconds = waits({ 'retry-after': date }) as number;
    assert.ok(seconds > 0 && seconds <= 60);
    assert.equal(waits({ 'retry-after': 'soon' }), undefined);
    assert.equal(waits({}), undefined);
  });

  it('never throws, whatever was thrown', () => {
    for (const thrown of [undefined, null, 'text', 7, {}, new Error(''), Object.create(null), Symbol('s')]) {
      assert.equal(at('http://x')(thrown).name, 'RunsError');
    }
  });
});
