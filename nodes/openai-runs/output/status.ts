/** The node's status line: what is in flight, at most two updates a second. */

import type { Node, NodeStatus } from 'node-red';
import type { Below, RunsText, RunsTranslate } from '../../shared/texts.ts';
import type { Job, JobState } from '../job.ts';

/** Milliseconds between two updates. */
const PACE = 500;
/** Milliseconds that the figures of a finished run are shown. */
const LINGER = 5_000;
/** Longest error text that is shown below a node. */
const LONGEST = 60;

const LOOKS: Readonly<Record<JobState, Pick<NodeStatus, 'fill' | 'shape'>>> = {
  requesting: { fill: 'blue', shape: 'dot' },
  waiting: { fill: 'blue', shape: 'ring' },
  queued: { fill: 'blue', shape: 'dot' },
  in_progress: { fill: 'blue', shape: 'dot' },
  streaming: { fill: 'green', shape: 'dot' },
  tools: { fill: 'yellow', shape: 'ring' },
};

/** Waiting for a place in the service and waiting for a thread read differently. */
function wordFor({ state, ahead, retry, progress }: Job): Below<RunsText, 'status'> {
  if (retry && retry.at > Date.now()) return retry.limited ? 'rateLimited' : 'askedAgain';
  if (state === 'tools' && progress.count === 1) return 'tool';
  return state === 'waiting' && ahead > 0 ? 'waitingAhead' : state;
}

/** What a finished job is summed up with. */
export interface Figures {
  /** Milliseconds. */
  took: number;
  tokens: number | undefined;
}

export class Status {
  private readonly node: Node;
  private readonly jobs: ReadonlySet<Job>;
  private readonly t: RunsTranslate;
  private timer: NodeJS.Timeout | undefined;
  private ticker: NodeJS.Timeout | undefined;
  private lingering: NodeJS.Timeout | undefined;
  private last = 0;
  private shown = '';
  private resting: NodeStatus = {};
  private noted: NodeStatus = {};
  private closed = false;

  private readonly onUpdate: () => void;

  /**
   * @param jobs the live set of what is in flight
   * @param onUpdate hears of every change, however fast they come
   */
  constructor(node: Node, jobs: ReadonlySet<Job>, t: RunsTranslate, onUpdate: () => void = () => {}) {
    this.onUpdate = onUpdate;
    this.node = node;
    this.jobs = jobs;
    this.t = t;
  }

  /** Something changed; shown now, or when the pace allows. */
  update(): void {
    this.onUpdate();
    if (this.closed || this.timer) return;
    const wait = this.last + PACE - Date.now();
    if (wait <= 0) this.show();
    else this.timer = setTimeout(() => this.show(), wait);
  }

  /**
   * Shown once nothing is in flight, until the next message: an error, or for a while what the last run took; given
   * nothing, no status at all.
   */
  rest(error?: string, figures?: Figures): void {
    clearTimeout(this.lingering);
    const text = error && error.length > LONGEST ? `${error.slice(0, LONGEST - 1)}…` : error;
    this.resting = text ? { fill: 'red', shape: 'ring', text } : this.noted;
    if (!text && !this.noted.text && figures) {
      this.resting = { fill: 'green', shape: 'ring', text: this.summed(figures) };
      this.lingering = setTimeout(() => this.rest(), LINGER).unref();
    }
    this.noted = {};
    this.update();
  }

  private summed({ took, tokens }: Figures): string {
    const seconds = (took / 1000).toFixed(took < 9_950 ? 1 : 0);
    return tokens ? this.t('status.done', { seconds, tokens }) : this.t('status.doneIn', { seconds });
  }

  /** Shown like an error, in yellow: something worth knowing about the last result. */
  note(text: string): void {
    this.noted = { fill: 'yellow', shape: 'ring', text };
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    clearInterval(this.ticker);
    clearTimeout(this.lingering);
    this.node.status({});
  }

  private show(): void {
    this.timer = undefined;
    const status = this.current();
    const text = JSON.stringify(status);
    if (text !== this.shown) this.node.status(status);
    this.shown = text;
    this.last = Date.now();
    this.tick(this.jobs.size > 0);
  }

  /** The seconds of a run go on by themselves. */
  private tick(on: boolean): void {
    if (on && !this.ticker) this.ticker = setInterval(() => this.update(), PACE * 2).unref();
    if (on || !this.ticker) return;
    clearInterval(this.ticker);
    this.ticker = undefined;
  }

  private current(): NodeStatus {
    const newest = [...this.jobs].at(-1);
    if (!newest) return this.resting;
    if (this.jobs.size > 1) {
      const waiting = [...this.jobs].filter(({ state }) => state === 'waiting').length;
      const key = waiting > 0 ? 'status.severalWaiting' : 'status.several';
      return { ...LOOKS[newest.state], text: this.t(key, { count: this.jobs.size, waiting }) };
    }
    const seconds = Math.floor((Date.now() - newest.since) / 1000);
    const { attempt = 0, at = 0 } = newest.retry ?? {};
    const again = Math.max(0, Math.ceil((at - Date.now()) / 1000));
    return {
      ...LOOKS[newest.state],
      text: this.t(`status.${wordFor(newest)}`, {
        seconds,
        ahead: newest.ahead,
        attempt,
        again,
        ...newest.progress,
      }),
    };
  }
}
