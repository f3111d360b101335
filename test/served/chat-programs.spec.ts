/** Chat programs of homes and people at the chat face: the requests that they really send. */
import assert from 'node:assert/strict';
import { RELEASES, type Release } from '../support/node-red.ts';
import { type Call, homeAssistant, openWebUi } from './chat-bodies.ts';
import { ASSISTANT, ask, newKey, type ServingNodeRed, service, startServing } from './support.ts';

/** What a chunk may hold, as far as these programs look. */
interface Chunk {
  choices: {
    delta: { content?: string; tool_calls?: (Call & { index: number })[] };
    finish_reason?: string;
  }[];
  usage?: { total_tokens: number } | null;
}

/** Puts the chunks of a stream together as these programs do: line by line, calls by their index. */
function read(text: string) {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith(':'));
  assert.equal(lines.at(-1), 'data: [DONE]', text);
  const chunks = lines.slice(0, -1).map((line): Chunk => {
    assert.match(line, /^data: \{/);
    return JSON.parse(line.slice('data: '.length));
  });
  const calls: Call[] = [];
  for (const { index, ...call } of chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])) {
    calls[index] = call;
  }
  return {
    text: chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''),
    calls,
    finish: chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? []),
    used: chunks.at(-1)?.usage?.total_tokens ?? 0,
  };
}

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`chat programs at Node-RED ${release}`, function () {
    this.timeout(60_000);
    const { key, kept } = newKey('a chat program', { ownThreads: true });
    let red: ServingNodeRed;

    before(async () => {
      red = await startServing([service([{ kept }])], { release });
    });
    after(() => red?.stop());

    const post = async (body: object, headers: Record<string, string>) => {
      const answer = await ask('POST', `${red.base}/chat/completions`, { key, body, headers });
      assert.equal(answer.status, 200, answer.text);
      return answer;
    };
    const stream = async (body: object, headers: Record<string, string>) =>
      read((await post(body, headers)).text);

    describe('Home Assistant (Extended OpenAI Conversation)', () => {
      const { headers } = homeAssistant;
      const ASKED = 'Please execute_services for the light on the desk';

      it('looks whether it may come in, by the list of models', async () => {
        const { body } = await ask('GET', `${red.base}/models`, { key, headers });
        assert.deepEqual([body.object, body.data[0].id, body.data[0].object], ['list', ASSISTANT, 'model']);
        assert.equal((await ask('GET', `${red.base}/models`, { key: 'wrong', headers })).status, 401);
      });

      for (const user of [undefined, '01KC9Z3V5Q']) {
        it(`answers a sentence, calls its functions and goes on, ${user ? 'with' : 'without'} a conversation`, async () => {
          const first = await stream(homeAssistant.asks(ASSISTANT, ASKED, user), headers);
          assert.deepEqual([first.finish, first.calls.length], [['tool_calls'], 1]);
          const [call] = first.calls as [Call];
          assert.equal(call.function.name, 'execute_services');
          assert.ok(Array.isArray(JSON.parse(call.function.arguments).list));
          const body = homeAssistant.answers(
            ASSISTANT,
            ASKED,
            first.calls,
            { result: 'the desk is lit' },
            user,
          );
          const second = await stream(body, headers);
          assert.deepEqual(second.finish, ['stop']);
          assert.match(second.text, /the desk is lit/);
          assert.ok(second.used > 0);
        });
      }

      it('goes on with ids of calls that it has shortened', async () => {
        const { calls } = await stream(homeAssistant.asks(ASSISTANT, ASKED), headers);
        const short = calls.map((call) => ({ ...call, id: call.id.slice(-9) }));
        const body = homeAssistant.answers(ASSISTANT, ASKED, short, { result: 'the desk is lit' });
        assert.deepEqual((await stream(body, headers)).finish, ['stop']);
      });

      it('gets an answer in a form', async () => {
        const { text, finish } = await stream(
          homeAssistant.asksForForm('Other', 'Is the lamp "desk" on?'),
          headers,
        );
        assert.deepEqual(finish, ['stop']);
        assert.deepEqual(Object.keys(JSON.parse(text)), ['lamp', 'on']);
      });
    });

    describe('Open WebUI', () => {
      const { headers } = openWebUi;

      it('lists the assistants by their names', async () => {
        const { body } = await ask('GET', `${red.base}/models`, { key, headers });
        const names = body.data.map(({ id, name }: { id: string; name?: string }) => name ?? id);
        assert.deepEqual(names.slice(0, 2), ['Home', 'Other']);
      });

      it('streams an answer to words and a picture, and keeps nothing', async () => {
        const { text, finish, used } = await stream(openWebUi.asks(ASSISTANT, 'What is this?'), headers);
        assert.ok(text);
        assert.deepEqual(finish, ['stop']);
        assert.ok(used > 0);
      });

      it('asks for a title and for tags beside', async () => {
        for (const body of [
          openWebUi.asksForTitle('Other', 'Hello'),
          openWebUi.asksForTags('Other', 'Hello'),
        ]) {
          const { choices, usage } = (await post(body, headers)).body;
          assert.equal(choices[0].message.role, 'assistant');
          assert.ok(choices[0].message.content && usage.total_tokens > 0);
        }
      });

      it('calls its own functions, with a picture that one has found', async () => {
        const asked = 'Please search_web with query "lamps"';
        for (const isShown of [false, true]) {
          const { calls, finish } = await stream(openWebUi.asksWithTools('Other', asked), headers);
          assert.deepEqual(finish, ['tool_calls']);
          assert.deepEqual(JSON.parse(calls[0]!.function.arguments).query, 'lamps');
          const body = openWebUi.answers('Other', asked, calls, 'three lamps', isShown);
          const answer = await stream(body, headers);
          assert.equal(answer.finish.length, 1);
          if (!isShown) assert.match(answer.text, /three lamps/);
        }
      });

      it('is told what went wrong in words that it shows', async () => {
        const { body } = await ask('POST', `${red.base}/chat/completions`, {
          key,
          headers,
          body: openWebUi.asks('nobody', 'Hello'),
        });
        assert.match(body.error.message, /'nobody' does not exist/);
      });
    });
  });
}
