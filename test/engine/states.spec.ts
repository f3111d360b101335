/** The table of states: every status by every change, in memory and in the database. */
import assert from 'node:assert/strict';
import {
  ACTIVE_STATUSES,
  isActive,
  TRANSITIONS,
  type TransitionName,
} from '../../engine/domain/run-states.ts';
import type { Run, RunStatus } from '../../engine/domain/types.ts';
import { changesOf, transition } from '../../engine/store/runs.ts';
import { onEachDatabase } from '../support/databases.ts';
import { until } from '../support/until.ts';
import { type Bench, calls, hangs, type Script, ScriptedModel, says, trouble, Workshop } from './support.ts';

const STATUSES: RunStatus[] = [
  'queued',
  'in_progress',
  'requires_action',
  'cancelling',
  'cancelled',
  'failed',
  'completed',
  'incomplete',
  'expired',
];
const TERMINAL: RunStatus[] = ['cancelled', 'failed', 'completed', 'incomplete', 'expired'];
const NAMES = Object.keys(TRANSITIONS) as TransitionName[];

const cut: Script = async function* () {
  yield { type: 'text', delta: 'Half' };
  yield { type: 'end', reason: 'length' };
};
const fails: Script = async function* () {
  yield { type: 'text', delta: 'Half' };
  throw trouble('No.');
};

/** How each status is reached by a client, with a model that plays along. */
const WAYS: Record<RunStatus, Script> = {
  queued: hangs(),
  in_progress: hangs(),
  requires_action: calls(['f', {}]),
  cancelling: hangs(),
  cancelled: hangs(),
  failed: fails,
  completed: says('Done'),
  incomplete: cut,
  expired: hangs(),
};

onEachDatabase('the states of a run', () => {
  const workshop = new Workshop();
  let seconds: number;
  beforeEach(() => {
    seconds = 1_800_000_000;
  });
  afterEach(() => workshop.cleanUp());

  it('are a table in which every status but the last ones leads somewhere, and the last ones nowhere', () => {
    const sources = new Set<string>(NAMES.flatMap((name) => TRANSITIONS[name].from));
    assert.deepEqual([...sources].sort(), [...ACTIVE_STATUSES].sort());
    for (const status of TERMINAL) assert(!sources.has(status) && !isActive(status), status);
    const reached = new Set<string>(['queued', ...NAMES.map((name) => TRANSITIONS[name].to)]);
    assert.deepEqual([...reached].sort(), [...STATUSES].sort());
  });

  it('change in the database exactly as the table says, from every status by every transition', async () => {
    const { engine, client } = await workshop.open(new ScriptedModel(hangs()), {
      clock: () => seconds * 1000,
    });
    const { db } = engine.service.store;
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'm', instructions: 'x' });
    // The sweep leaves the runs of another machine alone.
    await db
      .insertInto('workers')
      .values({ id: 'elsewhere', host: 'another machine', pid: 1, seen_at: Number.MAX_SAFE_INTEGER })
      .execute();
    let walked = 0;
    for (const from of STATUSES) {
      for (const name of NAMES) {
        const { id: thread } = await client.beta.threads.create();
        const { id } = await client.beta.threads.runs.create(thread, { assistant_id });
        engine.service.executor.stop(id, 'shutdown');
        await until(async () => !engine.service.executor.has(id));
        const fresh = {
          started_at: null,
          completed_at: null,
          failed_at: null,
          cancelled_at: null,
          last_error: null,
          worker: 'elsewhere',
        };
        await db
          .updateTable('runs')
          .set({
            ...fresh,
            active: isActive(from) ? 1 : 0,
            status: from,
            expires_at: seconds + 5,
            required_action: '{}',
          })
          .where('id', '=', id)
          .execute();
        const changed = await transition(db, id, name, seconds + 1);
        const allowed = (TRANSITIONS[name].from as readonly string[]).includes(from);
        assert.equal(changed !== undefined, allowed, `${from} ${name}`);
        const row = await db.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
        if (allowed) assert.deepEqual({ ...row }, { ...row, ...changesOf(name, seconds + 1) });
        else assert.equal(row.status, from);
        walked++;
      }
    }
    assert.equal(walked, STATUSES.length * NAMES.length);
  });

  /** A run brought to a status the way a client would bring it there. */
  async function reach(status: RunStatus): Promise<Bench & { run: Run; look: () => Promise<Run> }> {
    const bench = await workshop.open(new ScriptedModel(WAYS[status]), {
      clock: () => seconds * 1000,
      expirySeconds: 60,
    });
    const { client, engine } = bench;
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'm', instructions: 'x' });
    const { id: thread_id } = await client.beta.threads.create();
    const created = await client.beta.threads.runs.create(thread_id, { assistant_id });
    const look = () => client.beta.threads.runs.retrieve(created.id, { thread_id });
    if (status === 'queued' || status === 'cancelling') {
      // Both pass too quickly to be met from outside: the run is taken out of the executor's hands.
      await until(async () => (await look()).status === 'in_progress');
      engine.service.executor.stop(created.id, 'shutdown');
      await until(async () => (await look()).status === 'failed');
      const back = {
        status,
        active: 1 as const,
        worker: 'elsewhere',
        failed_at: null,
        last_error: null,
        expires_at: created.expires_at,
      };
      await engine.service.store.db.updateTable('runs').set(back).where('id', '=', created.id).execute();
      await engine.service.store.db
        .insertInto('workers')
        .values({ id: 'elsewhere', host: 'another machine', pid: 1, seen_at: Number.MAX_SAFE_INTEGER })
        .execute();
    } else if (status === 'cancelled' || status === 'expired') {
      await until(async () => (await look()).status === 'in_progress');
      seconds += status === 'expired' ? 60 : 1;
      if (status === 'cancelled') await client.beta.threads.runs.cancel(created.id, { thread_id });
      else await engine.sweep();
    }
    const run = await until(async () => {
      const found = await look();
      return found.status === status && found;
    });
    return { ...bench, run, look };
  }

  for (const status of STATUSES) {
    it(`shows its times, usage and errors as the wire does: ${status}`, async () => {
      const start = seconds;
      const { run } = await reach(status);
      const ended = TERMINAL.includes(status);
      assert.equal(run.usage === null, !ended, 'usage');
      const expiresKept = !['completed', 'incomplete', 'failed', 'cancelled'].includes(status);
      assert.equal(run.expires_at, expiresKept ? start + 60 : null, 'expires_at');
      assert.equal(
        run.completed_at !== null,
        status === 'completed' || status === 'incomplete',
        'completed_at',
      );
      assert.equal(run.failed_at !== null, status === 'failed', 'failed_at');
      assert.equal(run.cancelled_at !== null, status === 'cancelled', 'cancelled_at');
      assert.equal(run.last_error !== null, status === 'failed', 'last_error');
      assert.equal(run.required_action !== null, status === 'requires_action', 'required_action');
      assert.equal(run.incomplete_details !== null, status === 'incomplete', 'incomplete_details');
    });

    it(`takes or refuses cancelling: ${status}`, async () => {
      const { client, run, look } = await reach(status);
      const cancel = client.beta.threads.runs.cancel(run.id, { thread_id: run.thread_id });
      if (!(TRANSITIONS.cancel.from as readonly string[]).includes(status)) {
        await assert.rejects(cancel, {
          status: 400,
          message: `400 Cannot cancel run with status '${status}'.`,
        });
        assert.equal((await look()).status, status);
        return;
      }
      assert.equal((await cancel).status, 'cancelling');
      const ended = await until(async () => {
        const found = await look();
        return found.status === 'cancelled' && found;
      });
      assert.equal(ended.expires_at, null);
      const { data: steps } = await client.beta.threads.runs.steps.list(run.id, { thread_id: run.thread_id });
      assert(steps.every((step) => step.status === 'cancelled'));
      assert.equal(steps.length, status === 'requires_action' ? 1 : 0);
      // The thread is free again.
      await client.beta.threads.messages.create(run.thread_id, { role: 'user', content: 'x' });
    });

    it(`takes or refuses tool outputs: ${status}`, async () => {
      const { client, run, look } = await reach(status);
      const tool_outputs = (run.required_action?.submit_tool_outputs.tool_calls ?? []).map(({ id }) => ({
        tool_call_id: id,
        output: '1',
      }));
      const submit = client.beta.threads.runs.submitToolOutputs(run.id, {
        thread_id: run.thread_id,
        tool_outputs,
      });
      if (status !== 'requires_action') {
        await assert.rejects(submit, {
          status: 400,
          message: `400 Runs in status "${status}" do not accept tool outputs.`,
        });
        assert.equal((await look()).status, status);
        return;
      }
      const queued = await submit;
      assert.equal(queued.status, 'queued');
      assert.equal(queued.required_action, null);
      assert.equal(queued.started_at, run.started_at);
      assert.equal(queued.expires_at, run.expires_at);
    });

    it(`expires or stays: ${status}`, async () => {
      const { engine, run, look } = await reach(status);
      seconds = 1_800_000_060;
      await engine.sweep();
      const expires = (TRANSITIONS.expire.from as readonly string[]).includes(status);
      const ended = await until(async () => {
        const found = await look();
        return found.status !== 'in_progress' && found;
      });
      assert.equal(ended.status, expires ? 'expired' : status);
      if (!expires) assert.deepEqual(ended, run);
    });

    it(`modifies metadata unless in progress: ${status}`, async () => {
      const { client, run } = await reach(status);
      const update = client.beta.threads.runs.update(run.id, {
        thread_id: run.thread_id,
        metadata: { a: 'b' },
      });
      if (status === 'in_progress') await assert.rejects(update, { status: 400 });
      else assert.deepEqual((await update).metadata, { a: 'b' });
    });
  }

  it('refuses outputs that come after the expiry, though no sweep has been there', async () => {
    const { client, run, look } = await reach('requires_action');
    seconds += 61;
    const tool_outputs = run.required_action!.submit_tool_outputs.tool_calls.map(({ id }) => ({
      tool_call_id: id,
      output: '1',
    }));
    await assert.rejects(
      client.beta.threads.runs.submitToolOutputs(run.id, { thread_id: run.thread_id, tool_outputs }),
      {
        status: 400,
        message: '400 Runs in status "expired" do not accept tool outputs.',
      },
    );
    assert.equal((await look()).status, 'expired');
    const { data: steps } = await client.beta.threads.runs.steps.list(run.id, { thread_id: run.thread_id });
    assert.equal(steps[0]!.status, 'expired');
    assert.equal((steps[0] as unknown as { expired_at: number }).expired_at, seconds);
  });

  it('overwrites started_at when the run goes on after its tools', async () => {
    const { client, run, look } = await reach('requires_action');
    const tool_outputs = run.required_action!.submit_tool_outputs.tool_calls.map(({ id }) => ({
      tool_call_id: id,
      output: '1',
    }));
    seconds += 7;
    await client.beta.threads.runs.submitToolOutputs(run.id, { thread_id: run.thread_id, tool_outputs });
    const again = await until(async () => {
      const found = await look();
      return found.status === 'requires_action' && found;
    });
    assert.equal(again.started_at, run.started_at! + 7);
    assert.equal(again.expires_at, run.expires_at);
  });

  it('lets no late completion overwrite a cancelled run', async () => {
    const { promise: told, resolve: tell } = Promise.withResolvers<void>();
    const late: Script = async function* () {
      yield { type: 'text', delta: 'x' };
      await told;
      yield { type: 'end', reason: 'stop' };
    };
    const { engine, client } = await workshop.open(new ScriptedModel(late));
    const { id: assistant_id } = await client.beta.assistants.create({ model: 'm', instructions: 'x' });
    const { id: thread_id } = await client.beta.threads.create();
    const run = await client.beta.threads.runs.create(thread_id, { assistant_id });
    const look = () => client.beta.threads.runs.retrieve(run.id, { thread_id });
    await until(async () => (await look()).status === 'in_progress');
    // As another process would: the row is cancelling, our executor does not know yet.
    await transition(engine.service.store.db, run.id, 'cancel', engine.service.now());
    tell();
    await until(async () => (await look()).status === 'cancelled');
    const { data } = await client.beta.threads.messages.list(thread_id);
    assert.deepEqual(
      data.map((message) => message.incomplete_details),
      [{ reason: 'run_cancelled' }],
    );
  });
});
