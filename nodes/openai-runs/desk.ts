/** What every piece of a node's work shares. */
import type { Node, NodeAPI } from 'node-red';
import type { Connection, ServiceNode, Translate } from '../openai-runs-service/connection.ts';
import type { Conversations } from './conversation.ts';
import type { Job, JobState } from './job.ts';
import type { Method } from './methods/method.ts';
import type { Settings } from './settings.ts';
import type { Status } from './status.ts';
import type { ToolRounds } from './tools/rounds.ts';
import type { AnswerStash } from './tools/stash.ts';

export interface Desk {
  readonly RED: NodeAPI;
  readonly node: Node;
  readonly settings: Settings;
  readonly method: Method;
  readonly service: ServiceNode;
  readonly t: Translate;
  readonly status: Status;
  readonly rounds: ToolRounds;
  readonly stash: AnswerStash;
  readonly conversations: Conversations;
}

/** Opens the service's connection, when a job first needs it. */
export type Connect = () => Promise<Connection>;

/** What a job does, from its message to its last send. */
export type Work = (job: Job, connect: Connect) => Promise<void>;

/** A job's state changed. */
export function setState({ status }: Desk, job: Job, state: JobState): void {
  job.state = state;
  status.update();
}

/**
 * A place among the runs of the service, to be given back and taken again. Only what sets a run going needs one:
 * a cancel must not wait until the run it should end is over.
 */
export class Slot {
  private readonly desk: Desk;
  private readonly job: Job;
  private release: (() => void) | undefined;

  constructor(desk: Desk, job: Job) {
    this.desk = desk;
    this.job = job;
  }

  async take(): Promise<void> {
    this.job.ahead = 0;
    const { delivers, repeatable } = this.desk.method;
    if (!delivers || repeatable) return;
    this.release = await this.desk.service.enter(this.job.signal, () =>
      setState(this.desk, this.job, 'waiting'),
    );
  }

  give(): void {
    this.release?.();
    this.release = undefined;
  }
}
