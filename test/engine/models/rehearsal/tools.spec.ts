/** What the rehearsal model makes of people's words. */
import assert from 'node:assert/strict';
import { createModel } from '../../../../engine/models/index.ts';
import type { Turn } from '../../../../engine/models/model.ts';
import { called, collect, LAMP, SENSOR, tool, turn } from '../support.ts';

const object = (properties: Record<string, unknown>, required: string[] = []) => ({
  type: 'object',
  properties,
  required,
});
const string = { type: 'string' };
const WEATHER = tool(
  'get_weather',
  object({ city: string, unit: { type: 'string', enum: ['celsius', 'fahrenheit'], default: 'celsius' } }, [
    'city',
  ]),
  'The weather at a place',
);
const THERMOSTAT = tool(
  'setThermostat',
  object(
    {
      room: { type: 'string', enum: ['kitchen', 'bath', 'living room'] },
      target: { type: 'number', minimum: 5, maximum: 30 },
    },
    ['room', 'target'],
  ),
);
const TRANSLATE = tool(
  'translate',
  object({ text: string, target_language: string }, ['text', 'target_language']),
);
const MESSAGE = tool(
  'send_message',
  object({ to: { type: 'string', format: 'email' }, body: string }, ['to', 'body']),
);
const SUM = tool(
  'hue_ctl',
  object({ numbers: { type: 'array', items: { type: 'number' } } }, ['numbers']),
  'Calculates the total of given numbers',
);
const PAINT = tool(
  'paint',
  object({ colors: { type: 'array', items: { type: 'string', enum: ['red', 'green', 'blue'] } } }, [
    'colors',
  ]),
);
const CALCULATE = tool('calculate', object({ expression: string }, ['expression']));
const LAMPS = tool(
  'set_lamps',
  object({ names: { type: 'array', items: string }, on: { type: 'boolean' } }, ['names', 'on']),
);
const TIMER = tool(
  'start_timer',
  object(
    {
      duration: object({ minutes: { type: 'integer' }, label: string }, ['minutes']),
      repeat: { type: 'boolean' },
    },
    ['duration'],
  ),
);
const GET_LAMP = tool('get_lamp', object({ name: string }, ['name']));
/** As people write them in their own language: names in English, descriptions not. */
const SWITCH = object({ name: string, on: { type: 'boolean' } }, ['name', 'on']);
const LIGHT = object({ room: string, on: { type: 'boolean' } }, ['room', 'on']);
const JAPANESE = [
  tool('light', LIGHT, '部屋の照明をオンまたはオフにする'),
  tool('sensor', object({ kind: { enum: ['湿度', '温度'] } }, ['kind']), '温度や湿度のセンサーを読む'),
];
const CHINESE = [tool('light', LIGHT, '打开或关闭房间的灯')];
const RUSSIAN = [tool('set_lamp', SWITCH, 'Включи или выключи лампу')];
const KOREAN = [tool('set_lamp', SWITCH, '램프를 켜 또는 꺼')];
const light = (room: string, on: boolean): Expected[number] => ['light', { room, on }];
const ALL = [LAMP, SENSOR, WEATHER, THERMOSTAT, TRANSLATE, MESSAGE, SUM, PAINT, CALCULATE];

const model = createModel({ provider: 'rehearsal', pace: 0 });
const hear = (said: string, fields: Partial<Turn> = {}) =>
  collect(model, turn(said, { tools: ALL, ...fields }));
const calls = async (said: string, fields: Partial<Turn> = {}) => called(await hear(said, fields));

type Expected = [string, Record<string, unknown>][];
const lamp = (name: string, on: boolean): Expected[number] => ['set_lamp', { name, on }];
const sensor = (name: string): Expected[number] => ['read_sensor', { sensor: name }];

describe('rehearsal: tools', () => {
  const cases: [string, Expected, Turn['tools']?][] = [
    // none asked for
    ['Hello there', []],
    ['What is 3 times 4?', []],
    ['', []],
    // one, by name, words of the name, description, choices
    ['call set_lamp', [lamp('rehearsal', true)]],
    ['Please switch on the kitchen lamp.', [lamp('kitchen', true)]],
    ['Turn lamp B off', [lamp('B', false)]],
    ['set_lamp name=desk on=true', [lamp('desk', true)]],
    ['set_lamp name: desk, on: no', [lamp('desk', false)]],
    ['total of the numbers -1, 2 and 3.5', [['hue_ctl', { numbers: [-1, 2, 3.5] }]]],
    ['hue 1', [['hue_ctl', { numbers: [1] }]]],
    ['what is the total of 1 and 2?', []],
    ['Is it dry? Read the humidity sensor', [sensor('humidity')]],
    // JSON in the text is taken as it stands
    [
      'set_lamp {"name":"x","on":false,"extra":{"a":"}"}}',
      [['set_lamp', { name: 'x', on: false, extra: { a: '}' } }]],
    ],
    ['set_lamp {"name":"x"} and read_sensor {"sensor":"y"}', [['set_lamp', { name: 'x' }], sensor('y')]],
    // arguments by place, quotes, form and name
    ['What is the weather in Paris?', [['get_weather', { city: 'Paris', unit: 'celsius' }]]],
    ['weather in New York, in fahrenheit', [['get_weather', { city: 'New York', unit: 'fahrenheit' }]]],
    ['weather in "a b c"', [['get_weather', { city: 'a b c', unit: 'celsius' }]]],
    [
      'translate "good and bad" to French',
      [['translate', { text: 'good and bad', target_language: 'French' }]],
    ],
    [
      'translate text: hello world, target language: Swiss German',
      [['translate', { text: 'hello world', target_language: 'Swiss German' }]],
    ],
    [
      'translate text=hello target_language="a b" now',
      [['translate', { text: 'hello', target_language: 'a b' }]],
    ],
    [
      'send a message to bob@example.com, body: I am late',
      [['send_message', { to: 'bob@example.com', body: 'I am late' }]],
    ],
    ['calculate 2+3*4', [['calculate', { expression: '2+3*4' }]]],
    ['paint it red, green and blue', [['paint', { colors: ['red', 'green', 'blue'] }]]],
    [
      'set the thermostat in the living room to 21.5 degrees',
      [['setThermostat', { room: 'living room', target: 21.5 }]],
    ],
    ['thermostat bath 99', [['setThermostat', { room: 'bath', target: 30 }]]],
    // several
    ['switch on the lamp and read the sensor', [lamp('rehearsal', true), sensor('temperature')]],
    ['lamp a on and lamp b off', [lamp('a', true), lamp('b', false)]],
    ['lamp a on, lamp b off; then lamp c on', [lamp('a', true), lamp('b', false), lamp('c', true)]],
    ['read the temperature sensor and the humidity sensor', [sensor('temperature'), sensor('humidity')]],
    [
      'Set the thermostat in the kitchen to 21,5 and the thermostat in the bath to 19',
      [
        ['setThermostat', { room: 'kitchen', target: 21.5 }],
        ['setThermostat', { room: 'bath', target: 19 }],
      ],
    ],
    // other languages
    ['Schalte die Lampe im Wohnzimmer aus', [lamp('Wohnzimmer', false)]],
    ['Lies den Sensor humidity und schalte die Lampe „Flur“ ein', [sensor('humidity'), lamp('Flur', true)]],
    ['Allume la lampe du salon', [lamp('salon', true)]],
    [
      'Enciende la lampara "cocina" y lee el sensor temperature',
      [lamp('cocina', true), sensor('temperature')],
    ],
    ['set_lamp を {"name":"居間","on":true} で呼んで', [lamp('居間', true)]],
    [
      '居間の照明をオンにして、温度センサーを読んで。',
      [
        ['light', { room: '居間', on: true }],
        ['sensor', { kind: '温度' }],
      ],
      JAPANESE,
    ],
    ['关闭“客厅”的灯，然后打开卧室的灯', [light('客厅', false), light('卧室', true)], CHINESE],
    ['Включи лампу "зал" и выключи лампу "кухня"', [lamp('зал', true), lamp('кухня', false)], RUSSIAN],
    ['"거실" 램프를 켜 그리고 "주방" 램프를 꺼', [lamp('거실', true), lamp('주방', false)], KOREAN],
    ['Ligue a lâmpada do quarto e leia o sensor humidity', [lamp('quarto', true), sensor('humidity')]],
    ['Schalte Lampe a ein und Lampe b aus', [lamp('a', true), lamp('b', false)]],
    ['set_lamp a on, set_lamp b off', [lamp('a', true), lamp('b', false)]],
    // lists and objects
    ['lamps desk, door and wall on', [['set_lamps', { names: ['desk', 'door', 'wall'], on: true }]], [LAMPS]],
    [
      'start a timer of 5 minutes, label "tea"',
      [['start_timer', { duration: { minutes: 5, label: 'tea' } }]],
      [TIMER],
    ],
    [
      'start a 10min timer with repeat',
      [['start_timer', { duration: { minutes: 10 }, repeat: true }]],
      [TIMER],
    ],
    [
      'start a 10min timer without repeat',
      [['start_timer', { duration: { minutes: 10 }, repeat: false }]],
      [TIMER],
    ],
    [
      'start a 5min timer for tea',
      [['start_timer', { duration: { minutes: 5, label: 'tea' } }]],
      [
        tool(
          'start_timer',
          object(
            { duration: object({ minutes: { type: 'integer' }, label: string }, ['minutes', 'label']) },
            ['duration'],
          ),
        ),
      ],
    ],
    // of two that fit, the verb decides
    ['Switch the lamp "x" on', [lamp('x', true)], [GET_LAMP, LAMP]],
    ['Get lamp "x"', [['get_lamp', { name: 'x' }]], [LAMP, GET_LAMP]],
  ];
  for (const [said, expected, tools = ALL] of cases)
    it(`${said || '(nothing)'}`, async () => {
      assert.deepEqual(await calls(said, { tools }), expected);
    });

  it('the same words give the same calls', async () => {
    const said = 'lamp a on and weather in Rome';
    assert.deepEqual(await calls(said), await calls(said));
  });

  it('a tool without parameters gets none', async () => {
    assert.deepEqual(await calls('ping please', { tools: [tool('ping')] }), [['ping', {}]]);
  });

  it('recursive and referring schemas', async () => {
    const node = {
      type: 'object',
      properties: { label: string, child: { $ref: '#/$defs/node' } },
      required: ['label'],
    };
    const tree = tool('plant_tree', {
      type: 'object',
      properties: { root: { $ref: '#/$defs/node' } },
      required: ['root'],
      $defs: { node },
    });
    assert.deepEqual(await calls('plant the tree, label oak', { tools: [tree] }), [
      ['plant_tree', { root: { label: 'oak' } }],
    ]);
  });

  describe('tool_choice', () => {
    it('none calls nothing', async () => {
      assert.deepEqual(await calls('lamp a on', { toolChoice: 'none' }), []);
    });

    it('required calls the first where nothing fits, what fits otherwise', async () => {
      assert.equal((await calls('hello', { toolChoice: 'required' }))[0]?.[0], 'set_lamp');
      assert.deepEqual(await calls('read the sensor humidity', { toolChoice: 'required' }), [
        sensor('humidity'),
      ]);
    });

    it('a name calls that function and no other', async () => {
      const named = { type: 'function', function: { name: 'read_sensor' } } as const;
      assert.deepEqual(await calls('lamp a on', { toolChoice: named }), [sensor('temperature')]);
      assert.deepEqual(await calls('lamp a on and read the sensor humidity', { toolChoice: named }), [
        sensor('humidity'),
      ]);
    });

    it('a forced call is made once, not for ever', async () => {
      const { items } = turn('hello');
      const after: Turn['items'] = [
        ...items,
        { type: 'call', id: 'c', name: 'set_lamp', arguments: '{}' },
        { type: 'output', id: 'c', output: 'ok' },
      ];
      for (const toolChoice of ['required', { type: 'function', function: { name: 'set_lamp' } }] as const)
        assert.deepEqual(await calls('hello', { items: after, toolChoice }), []);
    });
  });

  it('one call at a time, the next in the next round', async () => {
    const fields = { tools: ALL, parallelToolCalls: false };
    let { items } = turn('lamp a on and lamp b off');
    const made: unknown[] = [];
    for (let round = 0; round < 5; round++) {
      const [next, ...more] = await calls('', { ...fields, items });
      assert.deepEqual(more, []);
      if (!next) break;
      made.push(next);
      items = [
        ...items,
        { type: 'call', id: `c${round}`, name: String(next[0]), arguments: '{}' },
        { type: 'output', id: `c${round}`, output: 'ok' },
      ];
    }
    assert.deepEqual(made, [lamp('a', true), lamp('b', false)]);
  });

  it('only the latest message counts, not what was asked for before', async () => {
    const before: Turn['items'] = [
      ...turn('lamp a on').items,
      { type: 'call', id: 'c', name: 'set_lamp', arguments: '{}' },
      { type: 'output', id: 'c', output: 'ok' },
      { type: 'message', role: 'assistant', content: [{ type: 'text', text: 'done' }] },
    ];
    assert.deepEqual(await calls('', { items: [...before, ...turn('read the sensor humidity').items] }), [
      sensor('humidity'),
    ]);
  });

  it('two messages since the last reply count both', async () => {
    assert.deepEqual(
      await calls('', { items: [...turn('lamp a on').items, ...turn('read the sensor humidity').items] }),
      [lamp('a', true), sensor('humidity')],
    );
  });
});
