/**
 * Plays clients of an engine on a database until it is killed. Arguments: database, journal; capacity and lease where
 * several share the database.
 * What a client was told goes to the journal before anything else is done; the kernel keeps it when we die.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineStartError } from '../../engine/domain/errors.ts';
import type { Run } from '../../engine/domain/types.ts';
import type { Model } from '../../engine/models/model.ts';
import { startEngine } from '../../engine/start.ts';
import { clientOf } from '../engine/client.ts';

const ACTORS = 6;
const [, , database, journal, capacity, leaseMs] = process.argv as [
  string,
  string,
  string,
  string,
  ...string[],
];

const note = (...words: (string | number)[]) => appendFileSync(journal, `${words.join(' ')}\n`);
const pick = (below: number) => Math.floor(Math.random() * below);

/** Answers after a few short pauses; calls a tool first where the tag says so. */
const model: Model = {
  async *run(turn) {
    const texts = turn.items.flatMap((item) =>
      item.type === 'message' && item.role === 'user' ? item.content : [],
    );
    const last = texts.at(-1);
    const tag = last?.type === 'text' ? last.text : '';
    const round = turn.items.at(-1)?.type === 'output' ? 1 : 0;
    note('turn', tag, round, process.pid, Date.now());
    if (pick(2)) await sleep(pick(6), undefined, { signal: turn.signal });
    if (tag.startsWith('tool') && round === 0) {
      yield { type: 'call', index: 0, id: 'c', name: 'f' };
      yield { type: 'call_arguments', index: 0, delta: '{}' };
      yield { type: 'call_done', index: 0 };
    } else {
      for (const delta of ['You ', 'said ', tag]) {
        yield { type: 'text', delta };
        if (pick(2)) await sleep(pick(6), undefined, { signal: turn.signal });
      }
    }
    yield { type: 'usage', usage: { prompt_tokens: 2, completion_tokens: 1, total_tokens: 3 } };
    yield { type: 'end', reason: 'stop' };
  },
};

const start = () =>
  startEngine(
    {
      database,
      model: { provider: 'rehearsal' },
      assistants: [{ id: 'actor', tools: [{ type: 'function', function: { name: 'f' } }] }],
      ...(capacity && { capacity: Number(capacity) }),
    },
    model,
    leaseMs ? { leaseMs: Number(leaseMs) } : {},
  ).catch((error: EngineStartError): ReturnType<typeof startEngine> => {
    // As the node does, while the server comes up again.
    if (error.fault !== 'unreachable') throw error;
    return start();
  });

const engine = await start();
const client = clientOf(engine);
const { runs } = client.beta.threads;

/** @returns false for a run that is left to wait for its tools */
async function finish(run: Run): Promise<boolean> {
  const ended = await runs.poll(run.id, { thread_id: run.thread_id }, { pollIntervalMs: pick(4) });
  if (ended.status !== 'requires_action') {
    note('ended', ended.id, ended.status);
    return true;
  }
  note('asked', ended.id);
  const asked = ended.required_action!.submit_tool_outputs.tool_calls;
  if (pick(4) === 0) return false;
  if (pick(3)) await sleep(pick(10));
  try {
    await runs.submitToolOutputs(ended.id, {
      thread_id: ended.thread_id,
      tool_outputs: asked.map(({ id }) => ({ tool_call_id: id, output: 'ok' })),
    });
    note('submitted', ended.id);
  } catch (error) {
    // Another process has answered it, or found it expired.
    if ((error as { status?: number }).status !== 400) throw error;
  }
  return finish(ended);
}

/** Runs that waited for their tools when the last process died are answered by the next. */
async function answerLeftOver(): Promise<void> {
  const rows = await engine.service.store.db
    .selectFrom('runs')
    .select(['id', 'thread_id'])
    .where('status', '=', 'requires_action')
    .execute();
  for (const { id, thread_id } of rows) await finish(await runs.retrieve(id, { thread_id }));
}

let count = 0;

async function act(): Promise<never> {
  const thread = await client.beta.threads.create();
  note('thread', thread.id);
  while (true) {
    const kind = ['text', 'tool', 'stop'][pick(3)]!;
    const tag = `${kind}-${process.pid}-${count++}`;
    const run = await runs.create(thread.id, {
      assistant_id: 'actor',
      additional_messages: [{ role: 'user', content: tag }],
    });
    note('created', run.id, tag, thread.id);
    process.send!({ id: run.id, thread_id: thread.id });
    if (kind === 'stop') {
      if (pick(2)) await sleep(pick(8));
      const cancelled = await runs.cancel(run.id, { thread_id: thread.id }).catch(() => undefined);
      if (cancelled) note('cancelling', run.id);
    }
    // A run left to wait locks its thread, and others may answer it: this actor begins another.
    if (!(await finish(run))) return act();
  }
}

process.send!('ready');
await Promise.all([answerLeftOver(), ...Array.from({ length: ACTORS }, () => act())]);
