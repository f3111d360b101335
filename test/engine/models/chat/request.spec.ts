/** What goes out to a chat server. */
import assert from 'node:assert/strict';
import { createModel } from '../../../../engine/models/index.ts';
import type { ModelOptions, Turn } from '../../../../engine/models/model.ts';
import { assistant, collect, type Far, failure, far, KEY, LAMP, stream, turn, user } from '../support.ts';

const ANSWER = [{ choices: [{ delta: { content: 'ok' }, finish_reason: 'stop' }] }, 'data: [DONE]\n\n'];
const call = (id: string, name = 'set_lamp', args = '{"on":true}'): Turn['items'][number] => ({
  type: 'call',
  id,
  name,
  arguments: args,
});
const output = (id: string, text = 'done'): Turn['items'][number] => ({ type: 'output', id, output: text });

describe('chat: requests', () => {
  let server: Far;
  beforeEach(async () => {
    server = await far((response) => stream(response, ANSWER));
  });
  afterEach(() => server.close());

  async function sent(fields: Partial<Turn>, options: Partial<ModelOptions> = {}) {
    await collect(createModel({ provider: 'chat', url: server.url, ...options }), turn('hello', fields));
    return server.asked.at(-1)!.body;
  }

  it('only what was asked for', async () => {
    assert.deepEqual(await sent({}), {
      model: 'test-model',
      messages: [{ role: 'user', content: 'hello' }],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it('every option under its own name', async () => {
    const schema = { name: 's', schema: { type: 'object' } };
    const body = await sent({
      instructions: 'Be kind.',
      tools: [LAMP],
      toolChoice: { type: 'function', function: { name: 'set_lamp' } },
      parallelToolCalls: false,
      temperature: 0,
      topP: 0.5,
      reasoningEffort: 'low',
      maxCompletionTokens: 77,
      responseFormat: { type: 'json_schema', json_schema: schema },
    });
    assert.deepEqual(body.messages[0], { role: 'system', content: 'Be kind.' });
    assert.deepEqual(body.tools, [LAMP]);
    assert.deepEqual(body.tool_choice, { type: 'function', function: { name: 'set_lamp' } });
    assert.equal(body.parallel_tool_calls, false);
    assert.equal(body.temperature, 0);
    assert.equal(body.top_p, 0.5);
    assert.equal(body.reasoning_effort, 'low');
    assert.equal(body.max_tokens, 77);
    assert.deepEqual(body.response_format, { type: 'json_schema', json_schema: schema });
  });

  it('no tool_choice and no parallel_tool_calls without tools, no response_format for text', async () => {
    for (const responseFormat of ['auto', { type: 'text' }] as const) {
      const body = await sent({ toolChoice: 'auto', parallelToolCalls: false, responseFormat });
      for (const field of ['tools', 'tool_choice', 'parallel_tool_calls', 'response_format'])
        assert.equal(field in body, false, field);
    }
  });

  it("OpenAI's own hosts get max_completion_tokens, Azure its own header for the key", async () => {
    const seen: { url: string; body: Record<string, unknown>; headers: Headers }[] = [];
    const play: typeof fetch = async (url, init) => {
      seen.push({
        url: String(url),
        body: JSON.parse(String(init?.body)),
        headers: new Headers(init?.headers),
      });
      return new Response(`data: ${JSON.stringify(ANSWER[0])}\n\n`);
    };
    for (const url of [undefined, 'https://x.openai.azure.com/openai/v1?api-version=preview'])
      await collect(
        createModel({ provider: 'chat', url, apiKey: KEY, fetch: play }),
        turn('x', { maxCompletionTokens: 5 }),
      );
    assert.deepEqual(
      seen.map(({ url }) => url),
      [
        'https://api.openai.com/v1/chat/completions',
        'https://x.openai.azure.com/openai/v1/chat/completions?api-version=preview',
      ],
    );
    for (const { body } of seen) assert.equal(body.max_completion_tokens, 5);
    assert.equal(seen[0]?.headers.get('authorization'), `Bearer ${KEY}`);
    assert.deepEqual([seen[1]?.headers.get('api-key'), seen[1]?.headers.get('authorization')], [KEY, null]);
  });

  it('parallel calls in one message with the text before them, their outputs after it', async () => {
    const items = [
      user('do it'),
      assistant('Doing it.'),
      call('c1'),
      call('c2', 'read_sensor', ''),
      output('c1', 'one'),
      output('c2', 'two'),
      call('c3'),
      output('c3', ''),
    ];
    assert.deepEqual((await sent({ items })).messages.slice(1), [
      {
        role: 'assistant',
        content: 'Doing it.',
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'set_lamp', arguments: '{"on":true}' } },
          { id: 'c2', type: 'function', function: { name: 'read_sensor', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'one' },
      { role: 'tool', tool_call_id: 'c2', content: 'two' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'c3', type: 'function', function: { name: 'set_lamp', arguments: '{"on":true}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c3', content: '' },
    ]);
  });

  it('the next round only adds to the end', async () => {
    const first = [user('a'), assistant('b'), user('c')];
    const before = (await sent({ instructions: 'i', items: first, tools: [LAMP] })).messages;
    const after = (
      await sent({ instructions: 'i', items: [...first, call('c1'), output('c1')], tools: [LAMP] })
    ).messages;
    assert.deepEqual(after.slice(0, before.length), before);
    assert.equal(after.length, before.length + 2);
  });

  it('calls without output, outputs without call and what other providers carry are left out', async () => {
    const items = [
      user('a'),
      call('gone'),
      output('lost'),
      { type: 'carry' as const, provider: 'responses', data: {} },
      call('c1'),
      output('c1'),
    ];
    assert.deepEqual(
      (await sent({ items })).messages.map(({ role }: { role: string }) => role),
      ['user', 'assistant', 'tool'],
    );
  });

  it('pictures by address', async () => {
    const content = [
      { type: 'text' as const, text: 'what is it?' },
      { type: 'image_url' as const, url: 'https://example.com/a.png', detail: 'low' as const },
    ];
    const body = await sent({ items: [{ type: 'message', role: 'user', content }] });
    assert.deepEqual(body.messages[0].content, [
      { type: 'text', text: 'what is it?' },
      { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } },
    ]);
  });

  it('a picture the assistant made is left out of its words', async () => {
    const content = [
      { type: 'image_file' as const, file_id: 'file-1' },
      { type: 'text' as const, text: 'See above.' },
    ];
    assert.deepEqual(
      (await sent({ items: [user('a'), { type: 'message', role: 'assistant', content }, user('b')] }))
        .messages[1],
      { role: 'assistant', content: 'See above.' },
    );
  });

  const refusals: [string, Partial<Turn>, RegExp][] = [
    [
      'image_file',
      { items: [{ type: 'message', role: 'user', content: [{ type: 'image_file', file_id: 'file-1' }] }] },
      /can't open files \(file-1\)/,
    ],
    [
      'attachments',
      { items: [{ type: 'message', role: 'user', content: [{ type: 'file', file_id: 'file-2' }] }] },
      /can't open files \(file-2\)/,
    ],
    ['code_interpreter', { tools: [{ type: 'code_interpreter' }] }, /has no code_interpreter/],
    ['file_search', { tools: [LAMP, { type: 'file_search' }] }, /has no file_search/],
    [
      'a choice of file_search',
      { tools: [LAMP], toolChoice: { type: 'file_search' } },
      /tool choice names file_search/,
    ],
  ];
  for (const [name, fields, message] of refusals)
    it(`${name} is refused before anything is sent`, async () => {
      const error = await failure(() =>
        createModel({ provider: 'chat', url: server.url }).run(turn('x', fields)),
      );
      assert.match(error.message, message);
      assert.equal(error.code, 'invalid_prompt');
      assert.equal(server.asked.length, 0);
    });

  it('the address with and without slash, path, scheme or endpoint', async () => {
    const { host } = new URL(server.url);
    const model = (url: string) => createModel({ provider: 'chat', url });
    for (const url of [
      `http://${host}`,
      `http://${host}/`,
      `http://${host}/v1`,
      `http://${host}/v1/`,
      `http://${host}/v1/chat/completions`,
      host,
      ` ${host}/v1 `,
    ])
      await collect(model(url), turn('x'));
    assert.deepEqual([...new Set(server.asked.map(({ path }) => path))], ['/v1/chat/completions']);
    await collect(model(`http://${host}/some/api/v3/?api-version=1`), turn('x'));
    const { path, query } = server.asked.at(-1)!;
    assert.equal(`${path}?${query}`, '/some/api/v3/chat/completions?api-version=1');
  });

  it('key, own headers, and name and password of the address as headers', async () => {
    await sent({}, { apiKey: ` ${KEY}\n`, headers: { 'x-title': 'me' } });
    const { headers } = server.asked.at(-1)!;
    assert.deepEqual([headers.authorization, headers['x-title']], [`Bearer ${KEY}`, 'me']);
    await sent({});
    assert.equal(server.asked.at(-1)?.headers.authorization, undefined);
    await sent({}, { url: server.url.replace('http://', 'http://me:p%40ss@') });
    assert.equal(
      server.asked.at(-1)?.headers.authorization,
      `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
    );
  });

  it('the default model for a turn that names none', async () => {
    assert.equal((await sent({ model: '' }, { model: 'llama3' })).model, 'llama3');
  });
});
