/** Messages that come back into the node as answers to its tool calls. */
import { setTimeout as delay } from 'node:timers/promises';
import type { NodeMessageInFlow } from 'node-red';
import { isObject } from '../../../engine/domain/is-object.ts';
import type { Connection } from '../../openai-runs-service/connection.ts';
import { RunsError } from '../../shared/errors.ts';
import type { SessionOptions } from '../follow/session.ts';
import type { Job } from '../job.ts';
import type { Run } from '../methods/method.ts';
import type { Connect, NodeParts, Work } from '../node-parts.ts';
import { isId } from '../request/check-field.ts';
import { callsOf } from './calls.ts';
import type { EarlierRound } from './collect.ts';
import { approvalOf, outputOf } from './output.ts';
import type { Tool } from './rounds.ts';

/** Milliseconds between two tries to give an answer to the Node-RED that has the run in hand. */
const LOOK_MS = 500;

type Answer = NodeMessageInFlow & { tool: Partial<Tool> & { call_id: string }; error?: unknown };

type ResumeRun = (options: SessionOptions, run: Run, earlier: EarlierRound) => Promise<void>;

export class Answers {
  private readonly parts: NodeParts;
  private readonly resumeRun: ResumeRun;
  /** Runs of an earlier process that are being taken up. */
  private readonly resuming = new Set<string>();
  /** Called when another answer has come in to a run whose answers are being given to another Node-RED. */
  private readonly onMore = new Map<string, () => void>();

  /** @param resumeRun takes up a run with the outputs that are known */
  constructor(parts: NodeParts, resumeRun: ResumeRun) {
    this.parts = parts;
    this.resumeRun = resumeRun;
  }

  /** Whether a message is an answer to a call of this node, and no new request. */
  isAnswer(msg: NodeMessageInFlow): msg is Answer {
    const { settings, method, node } = this.parts;
    if (!settings.tools || method.answers !== 'run' || !method.delivers) return false;
    const { tool } = msg as Partial<Answer>;
    if (!isObject(tool) || typeof tool.call_id !== 'string') return false;
    // A node that only starts runs has calls out only where a request asked for a stream; those name the node.
    return tool.node === undefined ? settings.delivery !== 'start' : tool.node === node.id;
  }

  /**
   * Takes an answer in. `done` is called here, unless work is returned.
   * @returns what there is to do for an answer to a run that this process has not followed so far
   */
  take(msg: Answer, done: (error?: Error) => void): Work | undefined {
    const { rounds, stored, node, t } = this.parts;
    const { tool } = msg;
    const found = rounds.find(tool);
    const type = found?.typeOf(tool.call_id) ?? tool.type;
    let output: string;
    try {
      output = type === 'approval' ? approvalOf(msg) : outputOf(msg);
    } catch (error) {
      const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
      done(
        this.error(
          'bad_tool_output',
          tool,
          t(`error.${type === 'approval' ? 'approval' : 'toolOutput'}`, {
            tool: tool.name ?? tool.call_id,
            reason,
          }),
        ),
      );
      return undefined;
    }
    if (found) {
      const taken = found.answer(tool.call_id, output);
      if (taken === 'taken') stored.keep(found.runId, tool.call_id, output);
      else node.debug(`${tool.call_id} was answered twice; the first answer counts`);
      done();
      return undefined;
    }
    if (rounds.isPast(tool)) {
      node.debug(`the answer to ${tool.call_id} came too late and is ignored`);
      done();
      return undefined;
    }
    if (rounds.isOpen(tool)) {
      done(this.unknown(tool));
      return undefined;
    }
    return this.resume(tool, output, done);
  }

  private resume(
    { call_id, run_id, thread_id }: Answer['tool'],
    output: string,
    done: () => void,
  ): Work | undefined {
    const { rounds, stored, served, method } = this.parts;
    if (!isId(run_id) || !isId(thread_id)) {
      return () => Promise.reject(this.unknown({ call_id, run_id, thread_id }));
    }
    stored.keep(run_id, call_id, output);
    rounds.addEarly(run_id, call_id, output);
    // Whoever has it in hand is about to ask.
    if (this.resuming.has(run_id) || served.has(run_id)) {
      this.onMore.get(run_id)?.();
      done();
      return undefined;
    }
    this.resuming.add(run_id);
    return (job, connect) => {
      const takeUp = () => this.takeUp(job, connect, { call_id, run_id, thread_id });
      const isServed = method.answers === 'run' && method.serves;
      return (isServed ? served.hold(run_id, takeUp) : takeUp()).finally(() => {
        this.resuming.delete(run_id);
        rounds.dropEarly(run_id);
      });
    };
  }

  /** Goes on with a run that still waits for this call. */
  private async takeUp(
    job: Job,
    connect: Connect,
    tool: { call_id: string; run_id: string; thread_id: string },
  ): Promise<void> {
    const { parts } = this;
    const { method, settings, stored, node } = parts;
    if (method.answers !== 'run') return;
    const { call_id, run_id, thread_id } = tool;
    const connection = await connect();
    let isOurs = true;
    while (true) {
      if (await this.handOver(job, connection, run_id)) return;
      isOurs = !method.serves || (await connection.takeCalls?.(run_id)) !== false;
      if (isOurs || !connection.together) break;
      // Another Node-RED has just begun with it, and takes the answer once it has asked.
      await delay(LOOK_MS, undefined, { signal: job.signal, ref: false });
    }
    const run = await connection.client.beta.threads.runs
      .retrieve(run_id, { thread_id }, { signal: job.signal })
      .catch((error: unknown) => {
        if ((error as { status?: number }).status === 404) throw this.unknown(tool);
        throw error;
      });
    if (!callsOf(run, this.parts.t).some(({ id }) => id === call_id)) {
      stored.drop(run_id);
      node.debug(`run ${run_id} (${run.status}) does not wait for ${call_id}; the answer is ignored`);
      return;
    }
    delete (job.msg as Partial<Answer>).tool;
    delete (job.msg as Partial<Answer>).error;
    const delivery = settings.delivery === 'stream' ? 'stream' : 'wait';
    const request = { params: { run_id, thread_id }, delivery } as const;
    const outputs = await stored.of(run_id);
    // Of a run of another program nothing else is known of what became of its calls: those not answered are sent again.
    const earlier = { outputs, sends: method.serves === true && isOurs, again: true };
    await this.resumeRun({ parts, job, connection, method, request }, run, earlier);
  }

  /**
   * Gives what is known of a run to the Node-RED that asked, where that is another and lives; the result leaves there.
   * @returns whether that has taken it
   */
  private async handOver(job: Job, { together }: Connection, runId: string): Promise<boolean> {
    const { stored, node } = this.parts;
    if (!together) return false;
    const given = new Set<string>();
    try {
      for (;;) {
        const more = new AbortController();
        this.onMore.set(runId, () => more.abort());
        const fresh = [...(await stored.of(runId))].filter(([callId]) => !given.has(callId));
        for (const [callId, output] of fresh) {
          if (!(await together.answers.give(runId, callId, output))) return false;
          given.add(callId);
        }
        if (given.size === 0) return false;
        const signal = AbortSignal.any([job.signal, more.signal]);
        const isTaken = await together.answers.isTaken(runId, signal).catch((error: unknown) => {
          if (more.signal.aborted && !job.signal.aborted) return undefined;
          throw error;
        });
        if (isTaken === false) return false;
        // What came in meanwhile goes there, too.
        if (more.signal.aborted) continue;
        node.debug(`the answers to run ${runId} went to the Node-RED that asked`);
        stored.drop(runId);
        return true;
      }
    } finally {
      this.onMore.delete(runId);
    }
  }

  private unknown(tool: Partial<Tool>): RunsError {
    return this.error('unknown_call', tool, this.parts.t('error.unknownCall', { call: tool.call_id }));
  }

  private error(code: string, { run_id, thread_id }: Partial<Tool>, message: string): RunsError {
    return new RunsError(message, { code, run_id, thread_id });
  }
}
