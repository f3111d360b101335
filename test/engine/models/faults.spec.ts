/** What goes wrong on the way, for both providers that have one: worded for people, rightly classed, without the key. */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { createModel } from '../../../engine/models/index.ts';
import { type FailureReason, ModelError, type ModelOptions } from '../../../engine/models/model.ts';
import { json } from '../../support/http-server.ts';
import { collect, type Far, failure, far, head, KEY, turn } from './support.ts';

interface Case {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
  code: ModelError['code'];
  message: RegExp;
  retryable: boolean;
  retryAfter?: number;
}

const CASES: Case[] = [
  {
    status: 401,
    body: { error: { message: `Incorrect API key provided: ${KEY}` } },
    code: 'server_error',
    message: /^The key was refused \(401\)/,
    retryable: false,
  },
  {
    status: 403,
    body: { error: { message: `${KEY} may not use this model` } },
    code: 'server_error',
    message: /\*\*\* may not use this model \(403,/,
    retryable: false,
  },
  {
    status: 404,
    body: { error: { message: 'model "x" not found, try pulling it first' } },
    code: 'server_error',
    message: /try pulling it/,
    retryable: false,
  },
  {
    status: 404,
    body: '<html>not found</html>',
    code: 'server_error',
    message: /nothing at this address \(404\).*\(http/,
    retryable: false,
  },
  {
    status: 400,
    body: { error: { message: 'bad temperature', param: 'temperature', type: 'invalid_request_error' } },
    code: 'invalid_prompt',
    message: /bad temperature .*\(400,/,
    retryable: false,
  },
  {
    status: 400,
    body: { error: { message: 'too long', code: 'context_length_exceeded' } },
    code: 'invalid_prompt',
    message: /too long/,
    retryable: false,
  },
  {
    status: 413,
    body: 'Payload too large',
    code: 'invalid_prompt',
    message: /Payload too large \(413,/,
    retryable: false,
  },
  {
    status: 422,
    body: { detail: [{ loc: ['body', 'model'], msg: 'field required' }] },
    code: 'invalid_prompt',
    message: /body\.model: field required/,
    retryable: false,
  },
  {
    status: 429,
    body: { error: { message: 'slow down', code: 'rate_limit_exceeded' } },
    headers: { 'retry-after': '7' },
    code: 'rate_limit_exceeded',
    message: /slow down/,
    retryable: true,
    retryAfter: 7000,
  },
  {
    status: 429,
    body: { message: 'slow' },
    headers: { 'retry-after-ms': '250', 'retry-after': '9' },
    code: 'rate_limit_exceeded',
    message: /slow/,
    retryable: true,
    retryAfter: 250,
  },
  { status: 429, body: '', code: 'rate_limit_exceeded', message: /\(429,/, retryable: true },
  {
    status: 429,
    body: { error: { message: 'You exceeded your current quota', code: 'insufficient_quota' } },
    code: 'rate_limit_exceeded',
    message: /current quota/,
    retryable: false,
  },
  {
    status: 402,
    body: { error: { message: 'pay first', type: 'insufficient_quota' } },
    code: 'rate_limit_exceeded',
    message: /pay first/,
    retryable: false,
  },
  {
    status: 500,
    body: { error: 'CUDA out of memory' },
    code: 'server_error',
    message: /CUDA/,
    retryable: true,
  },
  {
    status: 503,
    body: { error: { message: 'loading model' } },
    headers: { 'retry-after': '2' },
    code: 'server_error',
    message: /loading/,
    retryable: true,
    retryAfter: 2000,
  },
];

/** What providers say, and what it is called; the wire's own value follows from that. */
const REASONS: [status: number, body: unknown, reason: FailureReason, code: ModelError['code']][] = [
  [401, { error: { message: 'no', code: 'invalid_api_key' } }, 'provider_key_refused', 'server_error'],
  [400, { error: { message: 'no', code: 'invalid_api_key' } }, 'provider_key_refused', 'server_error'],
  [
    400,
    [
      {
        error: {
          code: 400,
          message: 'API key not valid. Please pass a valid API key.',
          status: 'INVALID_ARGUMENT',
        },
      },
    ],
    'provider_key_refused',
    'server_error',
  ],
  [403, 'Forbidden', 'provider_key_refused', 'server_error'],
  [404, { error: { message: 'no', code: 'model_not_found' } }, 'provider_model_unknown', 'server_error'],
  [
    404,
    { error: { message: 'model "llama9" not found, try pulling it first' } },
    'provider_model_unknown',
    'server_error',
  ],
  [400, { error: { message: 'The model `x` does not exist' } }, 'provider_model_unknown', 'server_error'],
  [404, '', 'provider_failed', 'server_error'],
  [
    400,
    { error: { message: 'no', code: 'context_length_exceeded' } },
    'context_length_exceeded',
    'invalid_prompt',
  ],
  [
    400,
    { error: { message: "This model's maximum context length is 4096 tokens." } },
    'context_length_exceeded',
    'invalid_prompt',
  ],
  [
    500,
    { error: { message: 'the request exceeds the available context size' } },
    'context_length_exceeded',
    'invalid_prompt',
  ],
  [429, { error: { message: 'slow' } }, 'provider_rate_limited', 'rate_limit_exceeded'],
  [429, { error: { message: 'pay', code: 'insufficient_quota' } }, 'provider_quota', 'rate_limit_exceeded'],
  [402, 'pay', 'provider_quota', 'rate_limit_exceeded'],
  [503, 'down', 'provider_failed', 'server_error'],
  [400, { error: { message: 'bad temperature' } }, 'provider_request_refused', 'invalid_prompt'],
];

for (const provider of ['chat', 'responses'] as const)
  describe(`${provider}: faults`, () => {
    let server: Far | undefined;
    afterEach(async () => {
      await server?.close();
      server = undefined;
    });

    const model = (options: Partial<ModelOptions> = {}) =>
      createModel({ provider, url: server?.url, apiKey: KEY, ...options });

    async function failed(options: Partial<ModelOptions> = {}): Promise<ModelError> {
      const error = await failure(() => model(options).run(turn('x')));
      assert.ok(error instanceof ModelError, inspect(error));
      assert.equal(inspect(error, { depth: 9, showHidden: true }).includes(KEY), false, 'holds the key');
      return error;
    }

    for (const [status, body, reason, code] of REASONS)
      it(`${status} ${JSON.stringify(body).slice(0, 60)} is ${reason}`, async () => {
        server = await far((response) => json(response, body, status));
        const error = await failed();
        assert.deepEqual([error.reason, error.code], [reason, code]);
      });

    it('says that no model is chosen, where the name that stands for none is not known', async () => {
      const far404 = (name: string) =>
        far((response) =>
          json(response, { error: { message: `model "${name}" not found, try pulling it` } }, 404),
        );
      server = await far404('default');
      const error = await failed();
      assert.deepEqual([error.fault.key, error.reason], ['noModel', 'provider_model_unknown']);
      await server.close();
      server = await far404('default-7b');
      assert.equal((await failed()).fault.key, 'said');
    });

    it('a redirect to another server: neither key nor question go there', async () => {
      const other = await far((response) => json(response, {}));
      server = await far((response) =>
        response.writeHead(307, { location: `${other.url}/chat/completions` }).end(),
      );
      const error = await failed();
      const { origin } = new URL(other.url);
      await other.close();
      assert.match(error.message, new RegExp(`redirects to ${origin}, which is another server`));
      assert.equal(error.retryable, false);
      assert.equal(other.asked.length, 0);
    });

    it('an error body without end, and an event without end', async () => {
      server = await far((response) => response.writeHead(500).end('<'.repeat(10_000_000)));
      assert.match((await failed()).message, /\(500, http/);
      await server.close();
      server = await far((response) => head(response).end(`data: "${'x'.repeat(17 * 2 ** 20)}`));
      assert.match((await failed()).message, /event of its stream is larger than 16 MB/);
    });

    for (const { status, body, headers, ...expected } of CASES)
      it(`${status} ${JSON.stringify(body).slice(0, 60).replace(KEY, '…')}`, async () => {
        server = await far((response) => json(response, body, status, headers));
        const error = await failed();
        assert.match(error.message, expected.message);
        assert.ok(error.message.includes(server.url), error.message);
        assert.equal(error.code, expected.code);
        assert.equal(error.status, status);
        assert.equal(error.beforeFirstByte, true);
        assert.equal(error.retryable, expected.retryable);
        assert.equal(error.retryAfter, expected.retryAfter);
      });

    it('retry-after as a date', async () => {
      const date = new Date(Date.now() + 60_000).toUTCString();
      server = await far((response) => json(response, {}, 429, { 'retry-after': date }));
      const { retryAfter = 0 } = await failed();
      assert.ok(retryAfter > 0 && retryAfter <= 61_000, String(retryAfter));
    });

    it('nothing listens', async () => {
      const closed = await far(() => {});
      await closed.close();
      const error = await failed({ url: `${closed.url}?token=hidden` });
      assert.match(error.message, /^Nothing listens there\. Is the model server running\?/);
      assert.ok(error.message.includes(closed.url));
      assert.equal(inspect(error, { depth: 9 }).includes('hidden'), false);
      assert.deepEqual([error.code, error.beforeFirstByte, error.retryable], ['server_error', true, true]);
      assert.equal(error.reason, 'provider_unreachable');
    });

    it('a host that is not known', async () => {
      assert.match(
        (await failed({ url: 'http://no-such-host.invalid/v1' })).message,
        /not known.*no-such-host\.invalid/,
      );
    });

    it('http where https is spoken, and the other way round', async () => {
      server = await far((response) => json(response, {}));
      assert.match(
        (await failed({ url: server.url.replace('http:', 'https:') })).message,
        /begin with http:\/\//,
      );
      const talker = createServer((socket) =>
        socket.on('error', () => {}).once('data', () => socket.end('\x15\x03\x01 hello')),
      ).listen(0, '127.0.0.1');
      await new Promise((done) => talker.once('listening', done));
      const { port } = talker.address() as AddressInfo;
      assert.match((await failed({ url: `http://127.0.0.1:${port}` })).message, /does not speak HTTP/);
      talker.close();
    });

    it('the connection is closed without an answer', async () => {
      server = await far((response) => response.destroy());
      const error = await failed();
      assert.match(error.message, /The connection was closed/);
      assert.deepEqual([error.beforeFirstByte, error.retryable], [true, true]);
    });

    it('silence before and in the middle of the answer', async () => {
      server = await far(() => {});
      const before = await failed({ timeout: 50 });
      assert.match(before.message, /stayed silent for 0\.05 s/);
      assert.deepEqual([before.beforeFirstByte, before.retryable], [true, false]);
      assert.equal(before.reason, 'provider_silent');
      await server.close();
      server = await far((response) => head(response).write(': hello\n\n'));
      const error = await failed({ timeout: 50 });
      assert.match(error.message, /stayed silent/);
      assert.equal(error.retryable, false);
      assert.equal(await server.gone, true);
    });

    it('signs of life keep a slow answer going', async () => {
      server = await far(async (response) => {
        head(response);
        for (let i = 0; i < 14; i++) {
          response.write(': still thinking\n\n');
          await new Promise((done) => setTimeout(done, 50));
        }
        response.end(`data: ${JSON.stringify({ error: { message: 'reached the end' } })}\n\n`);
      });
      assert.match((await failed({ timeout: 500 })).message, /reached the end/);
    });

    it('a URL that is none, a key that no header can carry', async () => {
      assert.match((await failed({ url: 'ftp://example.com' })).message, /no http or https address/);
      assert.match((await failed({ url: 'http://' })).message, /no http or https address/);
      assert.match((await failed({ apiKey: `${KEY}\nx` })).message, /character that HTTP can't carry/);
    });

    it('secrets in headers and in the address stay out of errors', async () => {
      server = await far((response, { headers }) =>
        json(response, { error: { message: `saw ${headers['x-api-key']} ${headers.authorization}` } }, 400),
      );
      const error = await failed({ headers: { 'x-api-key': 'another-secret' } });
      assert.match(error.message, /saw \*\*\* Bearer \*\*\*/);
    });

    it('a name and password in the address, echoed in any form, stay out too', async () => {
      server = await far((response, { headers }) => {
        const { authorization = '' } = headers;
        const plain = Buffer.from(authorization.slice(6), 'base64').toString();
        json(response, { error: { message: `saw ${authorization} which is ${plain}` } }, 400);
      });
      for (const [login, sent] of [
        ['operator:pass%20word-1', 'operator:pass word-1'],
        ['token-0123456789', 'token-0123456789:'],
      ] as const) {
        const { message } = await failed({ apiKey: '', url: server.url.replace('//', `//${login}@`) });
        assert.match(message, /saw Basic \*\*\* which is/);
        const [name, password] = sent.split(':');
        assert.equal(message.includes(password || (name ?? '')), false, message);
      }
      const { message } = await failed({ url: server.url.replace('//', '//name:50%@') });
      assert.match(message, /has a % that must be written as %25/);
    });

    it('a key in an error within the stream stays out too', async () => {
      server = await far((response) => {
        head(response).end(
          `data: ${JSON.stringify({ type: 'error', error: { message: `who is ${KEY}?` } })}\n\n`,
        );
      });
      assert.match((await failed()).message, /who is \*\*\*\?/);
    });

    it('abort before the request sends nothing', async () => {
      server = await far(() => {});
      const reason = new Error('cancelled');
      const error = await failure(() => model().run(turn('x', { signal: AbortSignal.abort(reason) })));
      assert.equal(error, reason);
      assert.equal(server.asked.length, 0);
    });

    it('abort while waiting closes the socket and throws the reason', async () => {
      const abort = new AbortController();
      const reason = new Error('cancelled');
      server = await far(() => abort.abort(reason));
      assert.equal(await failure(() => model().run(turn('x', { signal: abort.signal }))), reason);
      assert.equal(await server.gone, true);
    });

    it('abort in the middle of the answer, too', async () => {
      const abort = new AbortController();
      const reason = new Error('cancelled');
      server = await far((response) => {
        head(response).write(': begun\n\n');
        setTimeout(() => abort.abort(reason), 20);
      });
      assert.equal(await failure(() => model().run(turn('x', { signal: abort.signal }))), reason);
      assert.equal(await server.gone, true);
    });

    it('who stops reading closes the socket', async () => {
      const text =
        provider === 'chat'
          ? { choices: [{ delta: { content: 'x' } }] }
          : { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'x' };
      server = await far((response) => head(response).write(`data: ${JSON.stringify(text)}\n\n`));
      for await (const event of model().run(turn('x'))) {
        assert.deepEqual(event, { type: 'text', delta: 'x' });
        break;
      }
      assert.equal(await server.gone, true);
    });

    it('lists models, whatever the form of the list', async () => {
      const lists = [
        { data: [{ id: 'b' }, { id: 'a' }] },
        { models: [{ name: 'a' }, { name: 'b' }] },
        ['b', 'a'],
      ];
      for (const list of lists) {
        server = await far((response) => json(response, list));
        assert.deepEqual(await model().list?.(new AbortController().signal), ['a', 'b']);
        assert.equal(server.asked[0]?.path, '/v1/models');
        assert.equal(server.asked[0]?.headers.authorization, `Bearer ${KEY}`);
        await server.close();
      }
    });

    it('listing fails as running does', async () => {
      server = await far((response) => json(response, {}, 401));
      assert.match(
        (await failure(() => model().list!(new AbortController().signal))).message,
        /The key was refused/,
      );
    });
  });

describe('an answer of wrong types', () => {
  const item = { type: 'message', content: [{ type: 'output_text', text: 'Hi' }] };
  const wrong = {
    chat: [{ choices: [{ delta: { tool_calls: [null, { function: 5 }] }, finish_reason: 'stop' }] }],
    responses: [
      { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: [{}] },
      { type: 'response.output_item.added', output_index: 0, item: null },
      { type: 'response.output_item.done', output_index: 0, item: { ...item, content: null } },
      { type: 'response.output_item.done', output_index: 0, item: { type: 'function_call', name: [] } },
      { type: 'response.completed', response: null },
      { type: 5 },
    ],
  };
  for (const provider of ['chat', 'responses'] as const) {
    for (const said of wrong[provider]) {
      it(`fails as what it is: ${provider} ${JSON.stringify(said)}`, async () => {
        const server = await far((response) => {
          head(response);
          response.end(`data: ${JSON.stringify(said)}\n\n`);
        });
        const made = createModel({ provider, url: server.url });
        const error = await failure(() => collect(made, turn('Hi')));
        assert.match(error.message, provider === 'chat' ? /without naming it/ : /a form that can't be read/);
        assert.equal(error.retryable, false);
        await server.close();
      });
    }
  }
});

describe('createModel', () => {
  it('refuses a provider that does not exist', () => {
    assert.throws(() => createModel({ provider: 'magic' } as never), /no model provider 'magic'/);
  });

  it('opens no connection and needs no key', async () => {
    for (const provider of ['chat', 'responses', 'rehearsal'] as const)
      assert.equal(typeof createModel({ provider, url: ':' }).run, 'function');
    assert.equal(
      (await collect(createModel({ provider: 'rehearsal', pace: 0 }), turn('x'))).at(-1)?.type,
      'end',
    );
  });
});
