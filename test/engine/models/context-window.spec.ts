/** How much a model reads: told by each kind of server in its own way, over real HTTP. */
import assert from 'node:assert/strict';
import { ContextWindows } from '../../../engine/models/context-windows.ts';
import { createModel } from '../../../engine/models/index.ts';
import type { Model } from '../../../engine/models/model.ts';
import { json, startServer, type TestServer } from '../../support/http-server.ts';

const never = new AbortController().signal;

describe('the context window', () => {
  let server: TestServer;
  afterEach(() => server?.close());

  /** A model whose server answers at these places, and with 404 elsewhere. */
  async function modelAt(answers: Record<string, object>): Promise<Model> {
    server = await startServer(({ path }, response) => {
      const answer = answers[path];
      json(response, answer ?? { error: 'not found' }, answer ? 200 : 404);
    });
    return createModel({ provider: 'chat', url: `${server.url}/v1`, model: 'small' });
  }

  const servers: [kind: string, answers: Record<string, object>, tokens: number][] = [
    ['vLLM', { '/v1/models': { data: [{ id: 'small', max_model_len: 32768 }] } }, 32768],
    ['OpenRouter', { '/v1/models': { data: [{ id: 'small', context_length: 200000 }] } }, 200000],
    ['Groq', { '/v1/models': { data: [{ id: 'small', context_window: 131072 }] } }, 131072],
    [
      'llama.cpp',
      { '/v1/models': { data: [{ id: 'x' }] }, '/props': { default_generation_settings: { n_ctx: 16384 } } },
      16384,
    ],
    [
      'Ollama, the model loaded',
      { '/api/ps': { models: [{ name: 'small:latest', context_length: 4096 }] } },
      4096,
    ],
    ['Ollama, set in the model', { '/api/show': { parameters: 'stop "x"\nnum_ctx    24576\n' } }, 24576],
    [
      'LM Studio',
      {
        '/api/v0/models': {
          data: [{ id: 'small', max_context_length: 65536, loaded_context_length: 12288 }],
        },
      },
      12288,
    ],
    ['a server of this machine that tells nothing', { '/v1/models': { data: [{ id: 'small' }] } }, 4096],
    ['a server that has no list either', {}, 4096],
    ['numbers that are none', { '/v1/models': { data: [{ id: 'small', max_model_len: 'many' }] } }, 4096],
  ];
  for (const [kind, answers, tokens] of servers) {
    it(`is found at ${kind}`, async () => {
      const model = await modelAt(answers);
      assert.equal(await model.contextWindow?.('small', never), tokens);
    });
  }

  it('is asked for once, and not at all where the service says it', async () => {
    const model = await modelAt({ '/v1/models': { data: [{ id: 'small', max_model_len: 1000 }] } });
    const windows = new ContextWindows(model, 0);
    assert.deepEqual([await windows.of('small', never), await windows.of('small', never)], [1000, 1000]);
    assert.equal(server.received.length, 1);
    assert.equal(await new ContextWindows(model, 5000).of('small', never), 5000);
    assert.equal(server.received.length, 1);
  });

  it('is not waited for after an abort', async () => {
    const model = await modelAt({});
    server.answer = () => {};
    const signal = AbortSignal.timeout(50);
    await assert.rejects(async () => model.contextWindow?.('small', signal), { name: 'TimeoutError' });
  });
});
