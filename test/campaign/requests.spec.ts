/** Hostile requests to the embedded engine: every one is answered, in the API's own form. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Bench, type Json, ScriptedModel, says, send, Workshop } from '../engine/support.ts';
import { onEachDatabase } from '../support/databases.ts';
import { limit, report, tries } from './sizes.ts';

const names = [
  'assistant_id',
  'model',
  'name',
  'instructions',
  'tools',
  'tool_resources',
  'metadata',
  'temperature',
  'top_p',
  'response_format',
  'tool_choice',
  'truncation_strategy',
  'max_prompt_tokens',
  'additional_messages',
  'thread',
  'messages',
  'role',
  'content',
  'attachments',
  'tool_outputs',
  'stream',
  'type',
  'text',
  'function',
  'file_search',
  'code_interpreter',
  'file_ids',
  'json_schema',
  'last_messages',
  '__proto__',
  '',
];
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(
      null,
      true,
      0,
      -1,
      1.5,
      1e300,
      '',
      'user',
      'auto',
      'text',
      'function',
      'json_schema',
      'asst_none',
    ),
    fc.string(),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...names), tie('json'), { maxKeys: 4 }),
  ),
}));
const paths = [
  '/assistants',
  '/assistants/{assistant}',
  '/threads',
  '/threads/runs',
  '/threads/{thread}',
  '/threads/{thread}/messages',
  '/threads/{thread}/runs',
  '/threads/{thread}/runs/{run}',
  '/threads/{thread}/runs/{run}/submit_tool_outputs',
];

/** Bodies that are no JSON at all, or hardly. */
const raw = fc.oneof(
  fc.string(),
  fc.constantFrom('{', '[]', 'null', '"x"', '{"a":1}}', '\u0000', '{"a":"\\ud800"}', '['.repeat(5000)),
);
const methods = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS');
const target = fc.oneof(
  fc.constantFrom(...paths),
  fc.string().map((text) => `/${text}`),
  fc.constantFrom(
    '/threads/..%2f..',
    '/threads/%',
    '/threads/%ff',
    '/threads?limit=x',
    '//',
    '/threads/{thread}/runs?limit=-1',
  ),
);

onEachDatabase('hostile requests', function () {
  this.timeout(limit(60_000));
  const workshop = new Workshop();
  let bench: Bench;
  let ids: Record<string, string>;

  before(async () => {
    bench = await workshop.open(new ScriptedModel(says('Hello')));
    const { id: assistant } = await bench.client.beta.assistants.create({ model: 'm' });
    const run = await bench.client.beta.threads.createAndRunPoll(
      { assistant_id: assistant, thread: { messages: [{ role: 'user', content: 'Hi' }] } },
      { pollIntervalMs: 1 },
    );
    ids = { run: run.id, thread: run.thread_id, assistant };
  });
  after(() => workshop.cleanUp());

  const fill = (text: string) => text.replace(/\{(\w+)\}/g, (all, name) => ids[name] ?? all);
  const met: Record<number, number> = {};

  it('bodies of the right words in wrong places', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), json, async (path, body) => {
        const response = await send(bench.engine, 'POST', fill(path), JSON.stringify(body));
        met[response.status] = (met[response.status] ?? 0) + 1;
        assert([200, 400, 404].includes(response.status), `${response.status} to ${JSON.stringify(body)}`);
        if (response.status === 200) return response.body?.cancel();
        const { error } = (await response.json()) as Json;
        assert.match(error.message, /^(Missing|Unknown|Invalid|No |Run|This|Thread|Can't|The model)/);
        assert.equal(error.type, 'invalid_request_error');
        assert(!error.message.includes('undefined'), error.message);
      }),
      tries(1000, 5000),
    );
    assert(met[200] && met[400]);
  });

  it('bodies that are none, on paths and with methods that are none', async () => {
    await fc.assert(
      fc.asyncProperty(methods, target, raw, async (method, path, body) => {
        const hasBody = !['GET', 'HEAD'].includes(method);
        let url: string;
        try {
          url = new URL(`http://engine.local/v1${fill(path)}`).href;
        } catch {
          return;
        }
        const response = await bench.engine.fetch(url, { method, ...(hasBody && { body }) });
        met[response.status] = (met[response.status] ?? 0) + 1;
        assert(response.status < 500, `${response.status} to ${method} ${url}`);
        if (response.status === 200 || method === 'HEAD') return response.body?.cancel();
        const { error } = (await response.json()) as Json;
        assert.equal(typeof error.message, 'string');
      }),
      tries(500, 5000),
    );
    report('requests', met);
  });
});
