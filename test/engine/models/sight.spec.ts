/** Whether a model looks at pictures: told by each kind of server in its own way, over real HTTP. */
import assert from 'node:assert/strict';
import { createModel } from '../../../engine/models/index.ts';
import { json, startServer, type TestServer } from '../../support/http-server.ts';
import { Workshop } from '../support.ts';

const never = new AbortController().signal;
const listed = (row: object) => ({ '/v1/models': { data: [{ id: 'small', ...row }] } });

describe('whether a model looks at pictures', () => {
  const workshop = new Workshop();
  let server: TestServer;
  afterEach(async () => {
    await workshop.cleanUp();
    await server?.close();
  });

  const serve = async (answers: Record<string, object>) => {
    server = await startServer(({ path }, response) => {
      const answer = answers[path];
      json(response, answer ?? { error: 'not found' }, answer ? 200 : 404);
    });
    return `${server.url}/v1`;
  };

  const servers: [kind: string, answers: Record<string, object>, sees: boolean | undefined][] = [
    ['OpenRouter', listed({ architecture: { input_modalities: ['text', 'image'] } }), true],
    ['OpenRouter, text only', listed({ architecture: { input_modalities: ['text'] } }), false],
    ['Mistral', listed({ capabilities: { vision: true } }), true],
    ['Mistral, text only', listed({ capabilities: { vision: false } }), false],
    ['llama.cpp', { ...listed({}), '/props': { modalities: { vision: true, audio: false } } }, true],
    ['Ollama', { '/api/show': { capabilities: ['completion', 'vision'] } }, true],
    ['Ollama, text only', { '/api/show': { capabilities: ['completion', 'tools'] } }, false],
    ['LM Studio', { '/api/v0/models': { data: [{ id: 'small', type: 'vlm' }] } }, true],
    ['LM Studio, text only', { '/api/v0/models': { data: [{ id: 'small', type: 'llm' }] } }, false],
    ['a server that does not tell', listed({ owned_by: 'vllm', type: 'chat' }), undefined],
    ['a server that has no list either', {}, undefined],
  ];
  for (const [kind, answers, sees] of servers) {
    it(`is found at ${kind}`, async () => {
      const url = await serve(answers);
      for (const provider of ['chat', 'responses'] as const) {
        const model = createModel({ provider, url, model: 'small' });
        assert.equal(await model.seesPictures?.('', never), sees);
      }
    });
  }

  it('is told by the engine, of the service\u2019s model or of another; nobody knows of a server that is away', async () => {
    const url = await serve({
      '/v1/models': {
        data: [
          { id: 'small', capabilities: { vision: false } },
          { id: 'big', capabilities: { vision: true } },
        ],
      },
    });
    const options = { provider: 'chat' as const, url, model: 'small' };
    const { engine } = await workshop.open(createModel(options), { model: options });
    assert.deepEqual([await engine.seesPictures(), await engine.seesPictures('big')], [false, true]);
    await server.close();
    assert.equal(await engine.seesPictures(), undefined);
    const rehearsal = await workshop.open(createModel({ provider: 'rehearsal' }));
    assert.equal(await rehearsal.engine.seesPictures(), undefined);
  });
});
