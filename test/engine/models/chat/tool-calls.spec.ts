/** Chat servers lie about tool calls. Each lie that is known, told over real HTTP. */
import assert from 'node:assert/strict';
import { createModel } from '../../../../engine/models/index.ts';
import { called, callsOf, collect, endOf, far, stream, textOf, turn } from '../support.ts';
import { chatSide, DONE, delta, finish, piece, TOOLS } from './side.ts';

describe('chat', () => {
  const side = chatSide();
  const { hear, hearFailure } = side;

  describe('tool calls', () => {
    const lampA = '{"name":"a","on":true}';
    const lampB = '{"name":"b","on":false}';
    const bothLamps = [
      ['set_lamp', { name: 'a', on: true }],
      ['set_lamp', { name: 'b', on: false }],
    ];

    it('as OpenAI sends them, arguments streamed on as they come', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: 'call_1', type: 'function', function: { name: 'set_lamp', arguments: '' } }),
          piece({ index: 0, function: { arguments: '{"name":' } }),
          piece({ index: 0, function: { arguments: '"a","on":true}' } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(callsOf(events), [
        { id: 'call_1', name: 'set_lamp', arguments: { name: 'a', on: true } },
      ]);
      assert.deepEqual(
        events.map(({ type }) => type),
        ['call', 'call_arguments', 'call_arguments', 'call_done', 'usage', 'end'],
      );
    });

    for (const reason of ['stop', 'length', '', 'function_call'])
      it(`decided by the calls, not by finish_reason "${reason}"`, async () => {
        const events = await hear(
          [
            piece({ index: 0, id: 'c', function: { name: 'set_lamp', arguments: lampA } }),
            finish(reason),
            DONE,
          ],
          TOOLS,
        );
        assert.equal(called(events).length, 1);
        assert.equal(endOf(events), 'stop');
      });

    it('without index', async () => {
      const events = await hear(
        [
          piece({ id: 'c1', function: { name: 'set_lamp', arguments: '{"name":"a",' } }),
          piece({ function: { arguments: '"on":true}' } }),
          piece({ id: 'c2', function: { name: 'set_lamp', arguments: lampB } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(called(events), bothLamps);
    });

    it('every call with index 0', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: 'c1', function: { name: 'set_lamp', arguments: lampA } }),
          piece({ index: 0, id: 'c2', function: { name: 'set_lamp', arguments: lampB } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(called(events), bothLamps);
      assert.deepEqual(
        callsOf(events).map(({ id }) => id),
        ['c1', 'c2'],
      );
    });

    for (const index of [0, undefined])
      it(`every call with index ${index} and no id, whole`, async () => {
        const events = await hear(
          [
            piece({ index, function: { name: 'set_lamp', arguments: lampA } }),
            piece({ index, function: { name: 'set_lamp', arguments: lampB } }),
            piece({ index, function: { name: 'read_sensor', arguments: '{"sensor":"humidity"}' } }),
            finish('tool_calls'),
            DONE,
          ],
          TOOLS,
        );
        assert.deepEqual(called(events), [...bothLamps, ['read_sensor', { sensor: 'humidity' }]]);
        for (const { id } of callsOf(events)) assert.match(id, /^call_[A-Za-z0-9]{24}$/);
      });

    it('two functions announced with index 0 and no id, arguments missing', async () => {
      const events = await hear(
        [
          piece({ index: 0, function: { name: 'set_lamp' } }),
          piece({ index: 0, function: { name: 'read_sensor' } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(called(events), [
        ['set_lamp', {}],
        ['read_sensor', {}],
      ]);
    });

    it('an empty id, and one id for two calls', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: '', function: { name: 'set_lamp', arguments: lampA } }),
          piece({ index: 1, id: 'same', function: { name: 'set_lamp', arguments: lampB } }),
          piece({ index: 2, id: 'same', function: { name: 'read_sensor', arguments: '{}' } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.equal(called(events).length, 3);
      assert.equal(callsOf(events)[1]?.id, 'same');
    });

    it('id and name repeated in every piece', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: 'c1', function: { name: 'set_lamp', arguments: '{"name":"a"' } }),
          piece({ index: 0, id: 'c1', function: { name: 'set_lamp', arguments: ',"on":true}' } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(callsOf(events), [{ id: 'c1', name: 'set_lamp', arguments: { name: 'a', on: true } }]);
    });

    it('a new id in every piece', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: 'c1', function: { name: 'set_lamp', arguments: '{"name":"a"' } }),
          piece({ index: 0, id: 'c2', function: { arguments: ',"on":true}' } }),
          piece({ index: 1, id: 'c3', function: { name: 'set_lamp', arguments: '' } }),
          piece({ index: 1, id: 'c4', function: { arguments: lampB } }),
          finish('tool_calls'),
        ],
        TOOLS,
      );
      assert.deepEqual(called(events), bothLamps);
      assert.deepEqual(
        callsOf(events).map(({ id }) => id),
        ['c1', 'c3'],
      );
    });

    it('an id that comes late', async () => {
      const events = await hear(
        [
          piece({ index: 0, function: { name: 'set_' } }),
          piece({ index: 0, id: 'late', function: { name: 'lamp', arguments: lampA } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(callsOf(events), [
        { id: 'late', name: 'set_lamp', arguments: { name: 'a', on: true } },
      ]);
    });

    it('a name in pieces, and one that grows', async () => {
      const inPieces = await hear(
        [
          piece({ index: 0, id: 'c', function: { name: 'set' } }),
          piece({ index: 0, function: { name: '_la' } }),
          piece({ index: 0, function: { name: 'mp', arguments: lampA } }),
          finish('stop'),
        ],
        TOOLS,
      );
      assert.deepEqual(called(inPieces), bothLamps.slice(0, 1));
      await side.server?.close();
      const growing = await hear(
        [
          piece({ index: 0, id: 'c', function: { name: 'set' } }),
          piece({ index: 0, function: { name: 'set_lamp' } }),
          piece({ index: 0, function: { arguments: lampA } }),
          finish('stop'),
        ],
        TOOLS,
      );
      assert.deepEqual(called(growing), bothLamps.slice(0, 1));
    });

    it('arguments as an object', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: 'c', function: { name: 'set_lamp', arguments: { name: 'a', on: true } } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(called(events), bothLamps.slice(0, 1));
    });

    it('arguments as an object in a string, and sent twice', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: 'c', function: { name: 'set_lamp', arguments: JSON.stringify(lampA) } }),
          piece({ index: 1, id: 'd', function: { name: 'set_lamp', arguments: lampB } }),
          piece({ index: 1, id: 'd', function: { arguments: lampB } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(called(events), bothLamps);
    });

    for (const given of ['', null, undefined, 'null', ' '])
      it(`arguments ${JSON.stringify(given)} are none`, async () => {
        const events = await hear(
          [
            piece({ index: 0, id: 'c', function: { name: 'set_lamp', arguments: given } }),
            finish('tool_calls'),
            DONE,
          ],
          TOOLS,
        );
        assert.deepEqual(called(events), [['set_lamp', {}]]);
      });

    it('pieces of two calls mixed', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: 'c1', function: { name: 'set_lamp', arguments: '{"name":' } }),
          piece({ index: 1, id: 'c2', function: { name: 'set_lamp', arguments: '{"name":"b",' } }),
          piece({ index: 0, function: { arguments: '"a","on":true}' } }),
          piece({ index: 1, function: { arguments: '"on":false}' } }),
          finish('tool_calls'),
          DONE,
        ],
        TOOLS,
      );
      assert.deepEqual(called(events), bothLamps);
    });

    it('several calls in one chunk, the finish reason with them', async () => {
      const events = await hear(
        [
          delta(
            {
              content: 'Doing it.',
              tool_calls: [
                { index: 0, id: 'c1', function: { name: 'set_lamp', arguments: lampA } },
                { index: 1, id: 'c2', function: { name: 'set_lamp', arguments: lampB } },
              ],
            },
            'tool_calls',
          ),
        ],
        TOOLS,
      );
      assert.equal(textOf(events), 'Doing it.');
      assert.deepEqual(called(events), bothLamps);
    });

    it('one call not in a list, and the old function_call', async () => {
      const bare = await hear(
        [
          delta({ tool_calls: { id: 'c', function: { name: 'set_lamp', arguments: lampA } } }),
          finish('tool_calls'),
        ],
        TOOLS,
      );
      assert.deepEqual(called(bare), bothLamps.slice(0, 1));
      await side.server?.close();
      const old = await hear(
        [
          delta({ function_call: { name: 'set_lamp', arguments: '{"name":"a",' } }),
          delta({ function_call: { arguments: '"on":true}' } }),
          finish('function_call'),
        ],
        TOOLS,
      );
      assert.deepEqual(called(old), bothLamps.slice(0, 1));
    });

    for (const given of ['{"name":', '{"name":"a"}}', '[1]', '"text"', 'on'])
      it(`arguments ${given} fail the run with a clear sentence`, async () => {
        const error = await hearFailure(
          [
            piece({ index: 0, id: 'c', function: { name: 'set_lamp', arguments: given } }),
            finish('tool_calls'),
            DONE,
          ],
          TOOLS,
        );
        assert.match(error.message, /set_lamp with arguments that are not a JSON object/);
        assert.equal(error.code, 'server_error');
      });

    it('a call without a name fails', async () => {
      assert.match(
        (
          await hearFailure(
            [piece({ index: 0, id: 'c', function: { arguments: '{}' } }), finish('stop')],
            TOOLS,
          )
        ).message,
        /without naming/,
      );
    });

    it('a call cut off by the token limit ends as length', async () => {
      side.server = await far((response) =>
        stream(response, [
          piece({ index: 0, id: 'c', function: { name: 'set_lamp', arguments: '{"name":' } }),
          finish('length'),
          DONE,
        ]),
      );
      const events = await collect(createModel({ provider: 'chat', url: side.server.url }), turn('x', TOOLS));
      assert.equal(endOf(events), 'length');
      assert.equal(
        events.some(({ type }) => type === 'call_done'),
        false,
      );
    });

    it('several calls though one was asked for: the first counts', async () => {
      const events = await hear(
        [
          piece({ index: 0, id: 'c1', function: { name: 'set_lamp', arguments: lampA } }),
          piece({ index: 1, id: 'c2', function: { name: 'set_lamp', arguments: lampB } }),
          finish('tool_calls'),
          DONE,
        ],
        { ...TOOLS, parallelToolCalls: false },
      );
      assert.deepEqual(called(events), bothLamps.slice(0, 1));
    });
  });
});
