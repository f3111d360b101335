/** The estimate of tokens, against what real vocabularies make of the same texts. */
import assert from 'node:assert/strict';
import { countQuarters, countTokens, firstTokens } from '../../engine/domain/tokens.ts';
import { createModel } from '../../engine/models/index.ts';
import { onEachDatabase } from '../support/databases.ts';
import { collect, endOf, textOf, turn, usageOf } from './models/support.ts';
import { ScriptedModel, says, Workshop } from './support.ts';

/** Tokens as counted with o200k_base and with the older cl100k_base. */
const COUNTED: [language: string, o200k: number, cl100k: number, text: string][] = [
  [
    'English',
    31,
    31,
    'A thread holds the messages of one conversation. A run lets the assistant answer what was said last, and may call the tools that you have given it.',
  ],
  [
    'German',
    30,
    40,
    'Ein Thread enthält die Nachrichten einer Unterhaltung. Ein Run lässt den Assistenten auf das zuletzt Gesagte antworten und kann die Werkzeuge aufrufen.',
  ],
  [
    'Russian',
    33,
    57,
    'Поток содержит сообщения одного разговора. Запуск позволяет ассистенту ответить на сказанное последним и вызвать инструменты, которые ему даны.',
  ],
  [
    'Greek',
    35,
    82,
    'Ένα νήμα περιέχει τα μηνύματα μιας συνομιλίας. Η εκτέλεση επιτρέπει στον βοηθό να απαντήσει.',
  ],
  [
    'Arabic',
    30,
    68,
    'يحتوي الموضوع على رسائل محادثة واحدة. يتيح التشغيل للمساعد الرد على ما قيل أخيرا واستدعاء الأدوات.',
  ],
  ['Hindi', 25, 88, 'एक थ्रेड में एक बातचीत के संदेश होते हैं। रन सहायक को उत्तर देने और उपकरण बुलाने देता है।'],
  ['Thai', 34, 84, 'เธรดเก็บข้อความของการสนทนาหนึ่งครั้ง การรันให้ผู้ช่วยตอบสิ่งที่พูดล่าสุดและเรียกใช้เครื่องมือ'],
  [
    'Chinese',
    38,
    59,
    '线程保存一次对话的消息。运行让助手回答最后所说的内容，并可以调用您提供的工具。请打开厨房的灯，然后读取温度传感器。',
  ],
  [
    'Japanese',
    55,
    67,
    'スレッドは一つの会話のメッセージを保持します。実行は、アシスタントが最後に言われたことに答え、与えられたツールを呼び出すことを可能にします。',
  ],
  [
    'Korean',
    35,
    52,
    '스레드는 하나의 대화 메시지를 보관합니다. 실행은 어시스턴트가 마지막 말에 답하고 주어진 도구를 호출하게 합니다.',
  ],
  ['emoji', 13, 20, '😀🚀👩‍💻🔥🎉💡'],
  [
    'JSON',
    35,
    34,
    '{"type":"object","properties":{"room":{"type":"string","enum":["kitchen","hall"]},"on":{"type":"boolean"}},"required":["room","on"]}',
  ],
];

onEachDatabase('tokens', () => {
  for (const [language, newer, older, text] of COUNTED)
    it(`are never far off in ${language}: ${newer} and ${older}`, () => {
      const estimate = countTokens(text);
      assert.ok(estimate >= newer * 0.9 && estimate >= older * 0.4, `${estimate}`);
      assert.ok(estimate <= Math.max(newer * 1.6, older * 1.25), `${estimate}`);
    });

  it('of a picture do not grow with its bytes', async () => {
    const model = createModel({ provider: 'rehearsal', pace: 0 });
    const promptOf = async (url: string) => {
      const content = [
        { type: 'text' as const, text: 'Look' },
        { type: 'image_url' as const, url },
      ];
      const items = [{ type: 'message' as const, role: 'user' as const, content }];
      return usageOf(await collect(model, turn('', { items })))?.prompt_tokens ?? 0;
    };
    const small = await promptOf('data:image/png;base64,AAAA');
    assert.equal(await promptOf(`data:image/png;base64,${'A'.repeat(400_000)}`), small);
    assert(small > 80 && small < 1200, `${small}`);
  });

  it('of pieces are those of the whole', () => {
    for (const [, , , text] of COUNTED) {
      const pieces = text.match(/.{1,3}/gsu) ?? [];
      assert.equal(
        pieces.reduce((sum, piece) => sum + countQuarters(piece), 0),
        countQuarters(text),
      );
    }
    assert.equal(countTokens(''), 0);
    assert.equal(countTokens('a'), 1);
  });

  it('cut a text where the next character is too much', () => {
    for (const [, , , text] of COUNTED)
      for (const room of [0, 1, 5, 1000]) {
        const cut = firstTokens(text, room);
        assert.ok(countTokens(cut) <= room && text.startsWith(cut));
        assert.ok(cut === text || countQuarters(text.slice(0, cut.length + 1)) > room * 4);
      }
  });

  it('weigh the same for the room in a prompt as for usage, in Chinese too', async () => {
    const text = '请打开厨房的灯'.repeat(20);
    const model = createModel({ provider: 'rehearsal', pace: 0 });
    const used = usageOf(await collect(model, turn(text)))?.prompt_tokens;
    assert.equal(used, 140);
    // role and separators of a message are four more (prompt-items.ts)
    const each = used + 4;
    const messages = Array.from({ length: 10 }, () => ({ role: 'user' as const, content: text }));
    const workshop = new Workshop();
    try {
      const scripted = new ScriptedModel(says('ok'));
      const { client } = await workshop.open(scripted, { assistants: [{ id: 'a' }] });
      for (const max_prompt_tokens of [10 * each, 10 * each - 1])
        await client.beta.threads.createAndRunPoll(
          { assistant_id: 'a', thread: { messages }, max_prompt_tokens },
          { pollIntervalMs: 5 },
        );
      const [all, fewer] = scripted.turns.map(({ items }) => items.length);
      assert.equal(all, 10);
      assert.ok(fewer !== undefined && fewer < 10, `${fewer}`);
    } finally {
      await workshop.cleanUp();
    }
  });

  it('end a reply at its limit', async () => {
    const model = createModel({ provider: 'rehearsal', pace: 0 });
    const events = await collect(model, turn('打开厨房的灯', { maxCompletionTokens: 10 }));
    assert.equal(endOf(events), 'length');
    assert.equal(countTokens(textOf(events)), 10);
  });
});
