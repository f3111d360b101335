/** What every piece of a node's work shares. */

import type { Node, NodeAPI } from 'node-red';
import type { Connection, ServiceNode } from '../openai-runs-service/connection.ts';
import type { RunsTranslate } from '../shared/texts.ts';
import type { Conversations } from './conversations.ts';
import type { Job, JobState } from './job.ts';
import type { Method } from './methods/method.ts';
import type { Status } from './output/status.ts';
import type { Settings } from './settings.ts';
import type { ToolRounds } from './tools/rounds.ts';
import type { ServedRuns } from './tools/served-runs.ts';
import type { StoredToolOutputs } from './tools/stored-outputs.ts';

export interface NodeParts {
  readonly RED: NodeAPI;
  readonly node: Node;
  readonly settings: Settings;
  readonly method: Method;
  readonly service: ServiceNode;
  readonly t: RunsTranslate;
  readonly status: Status;
  readonly rounds: ToolRounds;
  readonly stored: StoredToolOutputs;
  readonly served: ServedRuns;
  readonly conversations: Conversations;
}

/** Opens the service's connection, when a job first needs it. */
export type Connect = () => Promise<Connection>;

/** What a job does, from its message to its last send. */
export type Work = (job: Job, connect: Connect) => Promise<void>;

/** A job's state changed. */
export function setState({ status }: NodeParts, job: Job, state: JobState): void {
  job.state = state;
  status.update();
}

/**
 * A place among the runs of the service, to be given back and taken again. Only what sets a run going needs one:
 * a cancel must not wait until the run it should end is over.
 */
export class Slot {
  private readonly parts: NodeParts;
  private readonly job: Job;
  private release: (() => void) | undefined;

  constructor(parts: NodeParts, job: Job) {
    this.parts = parts;
    this.job = job;
  }

  async take(): Promise<void> {
    this.job.ahead = 0;
    const { delivers, repeatable } = this.parts.method;
    if (!delivers || repeatable) return;
    this.release = await this.parts.service.enter(this.job.signal, () =>
      setState(this.parts, this.job, 'waiting'),
    );
  }

  give(): void {
    this.release?.();
    this.release = undefined;
  }
}
