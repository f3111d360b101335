/** Both providers against a fake that is not ours: @copilotkit/aimock over HTTP. */
import assert from 'node:assert/strict';
import { LLMock } from '@copilotkit/aimock';
import { createModel } from '../../../engine/models/index.ts';
import { ModelError, type Turn } from '../../../engine/models/model.ts';
import {
  called,
  callsOf,
  collect,
  endOf,
  failure,
  KEY,
  LAMP,
  SENSOR,
  textOf,
  turn,
  usageOf,
  user,
} from './support.ts';

for (const provider of ['chat', 'responses'] as const)
  describe(`${provider} against aimock`, () => {
    const mock = new LLMock({ port: 0, chunkSize: 5 });
    before(() => mock.start());
    after(() => mock.stop());
    afterEach(() => {
      mock.clearFixtures();
      mock.clearChaos();
    });

    const model = () => createModel({ provider, url: `${mock.url}/v1`, apiKey: KEY });

    it('streams text', async () => {
      mock.onMessage('hello', {
        content: 'Good morning to you.',
        usage: {
          prompt_tokens: 5,
          completion_tokens: 6,
          total_tokens: 11,
          input_tokens: 5,
          output_tokens: 6,
        },
      } as never);
      const events = await collect(model(), turn('hello'));
      assert.equal(textOf(events), 'Good morning to you.');
      assert.ok(events.filter(({ type }) => type === 'text').length > 2);
      assert.equal(endOf(events), 'stop');
      assert.equal(usageOf(events)?.total_tokens, 11);
    });

    it('calls two functions, gives the outputs back, reads the answer', async () => {
      mock.on({ userMessage: 'lamp and sensor', hasToolResult: false } as never, {
        toolCalls: [
          { name: 'set_lamp', arguments: '{"name":"a","on":true}' },
          { name: 'read_sensor', arguments: '{"sensor":"humidity"}' },
        ],
      });
      mock.on({ userMessage: 'lamp and sensor', hasToolResult: true } as never, { content: 'Both done.' });
      const asked: Turn = turn('lamp and sensor', { tools: [LAMP, SENSOR] });
      const first = await collect(model(), asked);
      assert.deepEqual(called(first), [
        ['set_lamp', { name: 'a', on: true }],
        ['read_sensor', { sensor: 'humidity' }],
      ]);
      assert.equal(endOf(first), 'stop');
      const calls = callsOf(first);
      const items: Turn['items'] = [
        ...asked.items,
        ...calls.map(({ id, name, arguments: given }) => ({
          type: 'call' as const,
          id,
          name,
          arguments: JSON.stringify(given),
        })),
        ...calls.map(({ id }) => ({ type: 'output' as const, id, output: '{"ok":true}' })),
      ];
      assert.equal(textOf(await collect(model(), { ...asked, items })), 'Both done.');
      const body = mock.getLastRequest()?.body as { messages: { tool_call_id?: string }[] };
      assert.deepEqual(
        body.messages.slice(-2).map((message) => message.tool_call_id),
        calls.map(({ id }) => id),
      );
    });

    it('reasons without showing it', async () => {
      mock.onMessage('think', { content: 'Yes.', reasoning: 'Let me see' });
      assert.equal(textOf(await collect(model(), turn('think'))), 'Yes.');
    });

    it('waits for its turn: 429 with retry-after', async () => {
      mock.setChaos({ rateLimitRate: 1 });
      const error = await failure(() => model().run(turn('hello')));
      assert.ok(error instanceof ModelError);
      assert.equal(error.code, 'rate_limit_exceeded');
      assert.equal(typeof error.retryAfter, 'number');
      assert.equal(error.retryable, true);
    });

    for (const [fault, chaos] of [
      ['a dropped request', { dropRate: 1 }],
      ['a malformed answer', { malformedRate: 1 }],
      ['a lost connection', { disconnectRate: 1 }],
    ] as const)
      it(`survives ${fault}`, async () => {
        mock.onMessage('hello', { content: 'x' });
        mock.setChaos(chaos);
        const error = await failure(() => model().run(turn('hello')));
        assert.ok(error instanceof ModelError, String(error));
        assert.equal(error.code, 'server_error');
      });

    it('survives a stream that is cut after two chunks', async () => {
      mock.onMessage('hello', { content: 'This would be a long answer, if it came.' }, {
        latency: 20,
        truncateAfterChunks: 3,
      } as never);
      const error = await failure(() => model().run(turn('hello')));
      assert.ok(error instanceof ModelError, String(error));
      assert.equal(error.code, 'server_error');
    });

    it('tells the error of a refused request', async () => {
      mock.nextRequestError(400, { message: 'no such option', type: 'invalid_request_error' });
      const error = await failure(() => model().run(turn('hello', { items: [user('hello')] })));
      assert.match(error.message, /no such option/);
      assert.equal(error.code, 'invalid_prompt');
    });
  });
