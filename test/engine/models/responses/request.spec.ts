/** What goes out to a Responses server. */
import assert from 'node:assert/strict';
import { createModel } from '../../../../engine/models/index.ts';
import type { Turn } from '../../../../engine/models/model.ts';
import { json } from '../../../support/http-server.ts';
import { assistant, collect, failure, far, LAMP, stream, textOf, tool, turn, user } from '../support.ts';
import { completed, responsesSide, say } from './side.ts';

describe('responses: requests', () => {
  const side = responsesSide();
  const { sent } = side;

  it('stateless, with encrypted reasoning', async () => {
    assert.deepEqual(await sent({}), {
      model: 'test-model',
      input: [{ role: 'user', content: [{ type: 'input_text', text: 'hello' }] }],
      include: ['reasoning.encrypted_content'],
      store: false,
      stream: true,
    });
  });

  it('every option under its own name', async () => {
    const schema = { type: 'object', properties: {} };
    const body = await sent({
      instructions: 'Be kind.',
      tools: [LAMP],
      toolChoice: { type: 'function', function: { name: 'set_lamp' } },
      parallelToolCalls: false,
      temperature: 0,
      topP: 1,
      reasoningEffort: 'low',
      maxCompletionTokens: 400,
      responseFormat: { type: 'json_schema', json_schema: { name: 'n', schema, strict: true } },
    });
    assert.equal(body.instructions, 'Be kind.');
    assert.deepEqual(body.tools, [
      {
        type: 'function',
        name: 'set_lamp',
        description: 'Switch a lamp on or off',
        parameters: LAMP.type === 'function' && LAMP.function.parameters,
        strict: false,
      },
    ]);
    assert.deepEqual(body.tool_choice, { type: 'function', name: 'set_lamp' });
    assert.deepEqual(
      [body.parallel_tool_calls, body.temperature, body.top_p, body.max_output_tokens],
      [false, 0, 1, 400],
    );
    assert.deepEqual(body.reasoning, { effort: 'low' });
    assert.deepEqual(body.text, { format: { type: 'json_schema', name: 'n', schema, strict: true } });
  });

  it('a limit of at least 16 tokens, json_object, parameters for a function without', async () => {
    const body = await sent({
      maxCompletionTokens: 3,
      responseFormat: { type: 'json_object' },
      tools: [tool('f')],
      toolChoice: 'required',
    });
    assert.equal(body.max_output_tokens, 16);
    assert.deepEqual(body.text, { format: { type: 'json_object' } });
    assert.deepEqual(body.tools[0].parameters, { type: 'object', properties: {} });
    assert.equal(body.tool_choice, 'required');
  });

  it('hosted tools with their resources', async () => {
    const body = await sent({
      tools: [
        { type: 'code_interpreter' },
        {
          type: 'file_search',
          file_search: { max_num_results: 3, ranking_options: { score_threshold: 0.5 } },
        },
      ],
      toolResources: {
        code_interpreter: { file_ids: ['file-1'] },
        file_search: { vector_store_ids: ['vs_1'] },
      },
      toolChoice: { type: 'file_search' },
    });
    assert.deepEqual(body.tools, [
      { type: 'code_interpreter', container: { type: 'auto', file_ids: ['file-1'] } },
      {
        type: 'file_search',
        vector_store_ids: ['vs_1'],
        max_num_results: 3,
        ranking_options: { ranker: 'auto', score_threshold: 0.5 },
      },
    ]);
    assert.deepEqual(body.include, [
      'reasoning.encrypted_content',
      'file_search_call.results',
      'code_interpreter_call.outputs',
    ]);
    assert.deepEqual(body.tool_choice, { type: 'file_search' });
  });

  it('a file search without files is left out, and cannot be chosen', async () => {
    assert.equal('tools' in (await sent({ tools: [{ type: 'file_search' }] })), false);
    const model = createModel({ provider: 'responses', url: 'http://127.0.0.1:1' });
    const error = await failure(() =>
      model.run(turn('x', { tools: [LAMP, { type: 'file_search' }], toolChoice: { type: 'file_search' } })),
    );
    assert.match(error.message, /tool choice names file_search/);
    assert.equal(error.code, 'invalid_prompt');
  });

  it('the whole conversation: words, pictures, files, reasoning, calls and outputs, in order', async () => {
    const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'xyz' };
    const body = await sent({
      items: [
        user('a'),
        assistant('b'),
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'image_url', url: 'https://example.com/a.png' },
            { type: 'image_file', file_id: 'file-1', detail: 'high' },
            { type: 'file', file_id: 'file-2' },
          ],
        },
        { type: 'carry', provider: 'other', data: { no: 1 } },
        { type: 'carry', provider: 'responses', data: reasoning },
        { type: 'call', id: 'call_1', name: 'set_lamp', arguments: '{}' },
        { type: 'output', id: 'call_1', output: 'done' },
        { type: 'carry', provider: 'responses', data: { type: 'reasoning', id: 'of a call that is gone' } },
        { type: 'call', id: 'call_2', name: 'set_lamp', arguments: '{}' },
      ],
    });
    assert.deepEqual(body.input.slice(1), [
      { role: 'assistant', content: 'b' },
      {
        role: 'user',
        content: [
          { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'auto' },
          { type: 'input_image', file_id: 'file-1', detail: 'high' },
          { type: 'input_file', file_id: 'file-2' },
        ],
      },
      reasoning,
      { type: 'function_call', call_id: 'call_1', name: 'set_lamp', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'done' },
    ]);
  });

  it('the next round only adds to the end', async () => {
    const first = [user('a'), assistant('b'), user('c')];
    const round: Turn['items'] = [
      { type: 'carry', provider: 'responses', data: { type: 'reasoning', id: 'rs_1', summary: [] } },
      { type: 'call', id: 'call_1', name: 'set_lamp', arguments: '{}' },
      { type: 'output', id: 'call_1', output: 'done' },
    ];
    const before = await sent({ instructions: 'i', tools: [LAMP], items: first });
    const after = await sent({ instructions: 'i', tools: [LAMP], items: [...first, ...round] });
    assert.deepEqual(after.input.slice(0, 3), before.input);
    assert.equal(after.input.length, 6);
    assert.deepEqual([after.instructions, after.tools], [before.instructions, before.tools]);
  });

  it('a model without reasoning is asked again without it, and remembered', async () => {
    side.server = await far((response, { body }) =>
      body.include.includes('reasoning.encrypted_content')
        ? json(
            response,
            {
              error: { message: 'Encrypted content is not supported with this model.', param: 'include' },
            },
            400,
          )
        : stream(response, [say('ok'), completed]),
    );
    const model = createModel({ provider: 'responses', url: side.server.url });
    assert.equal(textOf(await collect(model, turn('x'))), 'ok');
    await collect(model, turn('x'));
    assert.equal(side.server.asked.length, 3);
    await collect(model, turn('x', { model: 'another' }));
    assert.equal(side.server.asked.length, 5);
  });
});
