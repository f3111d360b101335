/** One input message on its way: its abort signal, its sends, and its one `done`. */
import type { NodeMessage, NodeMessageInFlow } from 'node-red';
import type { Mark, Origin } from '../../engine/index.ts';
import type { Connection } from '../openai-runs-service/connection.ts';
import type { RunView } from './follow/run-view.ts';
import type { Params } from './methods/method.ts';

/** What the status line shows of a job. */
export type JobState = 'requesting' | 'waiting' | 'queued' | 'in_progress' | 'streaming' | 'tools';

type Send = (msg: NodeMessage | (NodeMessage | null)[]) => void;
type Done = (error?: Error) => void;

export class Job {
  readonly msg: NodeMessageInFlow;
  /** Milliseconds since 1970, for the seconds in the status. */
  readonly since = Date.now();
  state: JobState = 'requesting';
  /** Tools answered of tools asked, and the name of the first, while in state `tools`. */
  progress = { answered: 0, count: 0, tool: '' };
  /** Messages that stand before this one on its thread, while in state `waiting`. */
  ahead = 0;
  /** The next attempt: its number, when it comes, in milliseconds since 1970, and whether a rate limit is why. */
  retry: { attempt: number; at: number; limited: boolean } | undefined;
  /** What happened when, for those who look at the run. */
  readonly marks: Mark[] = [];
  /** What its run comes from. */
  readonly origin: Origin;
  /** The request, for the ids in it. */
  request: Params = {};
  /** Made for its message; all that becomes of its run goes this way. */
  connection: Connection | undefined;
  /** The run being followed, so that stopping the job can cancel it. */
  view: RunView | undefined;
  private readonly controller = new AbortController();
  private readonly sendOn: Send;
  private readonly doneOn: Done;
  /** Tells the debug log what is no failure but worth knowing. */
  readonly note: (text: string) => void;
  private over = false;

  /** @param place ids of the node and its flow, and what the node is called */
  constructor(
    msg: NodeMessageInFlow,
    send: Send,
    done: Done,
    note: (text: string) => void,
    place: Pick<Origin, 'node' | 'flow' | 'name'>,
  ) {
    this.origin = { ...place, msgId: String(msg._msgid ?? ''), key: undefined };
    // A frozen message can't carry the result; a copy of it can.
    this.msg = Object.isExtensible(msg) ? msg : { ...msg };
    this.sendOn = send;
    this.doneOn = done;
    this.note = note;
  }

  /** The conversation it belongs to. */
  get key(): string | undefined {
    return this.origin.key;
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Thread and run as far as known: named in the request, or seen. */
  get ids(): { thread_id?: string; run_id?: string } {
    const { thread_id, run_id } = this.request;
    return { thread_id, run_id, ...this.view?.ids };
  }

  /** Sends, unless the job is over: nothing comes out after close. */
  send(out: (NodeMessage | null)[]): void {
    if (!this.over && !this.signal.aborted) this.sendOn(out);
  }

  /** Ends the job; only the first call counts. */
  finish(error?: Error): void {
    if (this.over) return;
    this.over = true;
    if (error) this.doneOn(error);
    else this.doneOn();
  }

  /** Ends what the job is waiting for; it then fails with the reason. */
  abort(reason: Error): void {
    this.controller.abort(reason);
  }

  /** Ends the job at once and for good, without a failure: the node stops or was reset. */
  stop(reason: Error): void {
    this.abort(reason);
    this.finish();
  }
}
