/** A message on its way: asked, its calls answered, until its run has ended. */
import { converse, get, type Line, post } from '../api.ts';
import { bubble, contentOf } from '../conversation.ts';
import { statusName } from '../names.ts';
import type { Run, RunDetail } from '../types.ts';
import { askForAnswers, closeForms, type WaitingCall } from './answers.ts';
import type { Mocks } from './mocks.ts';
import { Turn } from './turn.ts';

/** Milliseconds that the end of a cancelled run is waited for. */
const PATIENCE = 2000;
const ENDED = ['completed', 'failed', 'cancelled', 'expired', 'incomplete'];

export interface ExchangeOptions {
  service: string;
  /** Whether a deployed node is asked, whose own flow answers its calls. */
  byNode: boolean;
  /** Where what is said is shown. */
  place: HTMLElement;
  hasPictures: boolean;
  mocks: Mocks | undefined;
  mocksChanged(): void;
  /** The run is known. */
  begun(run: Run): void;
}

export class Exchange {
  private readonly options: ExchangeOptions;
  private readonly turn: Turn;
  private readonly request = new AbortController();
  private run: Run | undefined;
  /** Rounds that mocks alone have answered, one after the other. */
  private mocked = 0;
  private isStopping = false;
  /** Ends the wait for answers. */
  private giveUp: (() => void) | undefined;

  constructor(options: ExchangeOptions) {
    this.options = options;
    this.turn = new Turn(options.place, options.hasPictures);
  }

  /** Asks, and goes on with answers, until nothing more comes of it. @param body of the route `chat` */
  async go(body: object): Promise<void> {
    for (let next: object | undefined = body; next; ) {
      const isHeard = await this.ask(next);
      const isWaiting = isHeard && this.run?.status === 'requires_action' && !this.options.byNode;
      next = isWaiting && !this.isStopping ? await this.answers(this.run!) : undefined;
    }
    closeForms(this.options.place);
  }

  /** Ends the run, as soon as there is one; asked again, waits for nothing. */
  async stop(): Promise<void> {
    if (this.isStopping) return this.request.abort();
    this.isStopping = true;
    if (!this.run) return;
    await this.cancel();
    if (!this.giveUp) return;
    this.giveUp();
    this.turn.fail(statusName('cancelled'));
  }

  /** Looks whether the calls that wait here have been answered elsewhere, or the run has ended. */
  async refresh(): Promise<void> {
    const { run, giveUp } = this;
    if (!run || !giveUp) return;
    const found = await get<RunDetail>(this.pathOf(run)).catch(() => undefined);
    if (!found || giveUp !== this.giveUp || !ENDED.includes(found.run.status)) return;
    this.giveUp = undefined;
    for (const message of found.messages)
      if (message.run_id === run.id && message.role === 'assistant')
        this.options.place.append(bubble('assistant', contentOf(message)));
    this.turn.take({ event: `thread.run.${found.run.status}`, data: found.run });
    giveUp();
  }

  /** @returns whether all that came of it was heard */
  private async ask(body: object): Promise<boolean> {
    const { service } = this.options;
    const { signal } = this.request;
    let isHeard = true;
    const hear = (line: Line) => {
      if (line.event === 'error') isHeard = false;
      this.hear(line);
    };
    try {
      await converse(`${encodeURIComponent(service)}/chat`, body, hear, signal);
    } catch (error) {
      isHeard = false;
      if (!signal.aborted) this.turn.fail((error as Error).message);
    }
    this.turn.end();
    return isHeard;
  }

  private hear(line: Line): void {
    if (/^thread\.run\.(?!step)/.test(line.event)) this.meet(line.data);
    this.turn.take(line);
  }

  private meet(run: Run): void {
    const isNew = this.run === undefined;
    this.run = run;
    if (isNew) this.options.begun(run);
    if (isNew && this.isStopping) void this.cancel();
    // A node answers by itself meanwhile; a person may be faster.
    if (run.status === 'requires_action' && this.options.byNode)
      this.offer(run, (output) => this.give(run, output));
  }

  /** Waits for all answers of a round. @returns what the run goes on with; undefined where nobody answers any more */
  private answers(run: Run): Promise<object | undefined> {
    return new Promise((resolve) => {
      this.giveUp = () => resolve(undefined);
      const outputs: Record<string, string> = {};
      const count = callsOf(run).length;
      this.offer(run, (output) => {
        Object.assign(outputs, output);
        if (Object.keys(outputs).length < count) return;
        this.giveUp = undefined;
        resolve({ thread_id: run.thread_id, run_id: run.id, outputs });
      });
    });
  }

  private offer(run: Run, take: (output: Record<string, string>) => void): void {
    const { place, mocks, mocksChanged } = this.options;
    const answer = (callId: string, output: string) => take({ [callId]: output });
    const isAsked = askForAnswers(place, callsOf(run), { mocks, mocked: this.mocked, mocksChanged, answer });
    this.mocked = isAsked ? 0 : this.mocked + 1;
  }

  private give(run: Run, outputs: Record<string, string>): void {
    post(`${this.pathOf(run)}/answer`, { outputs }).catch((error: Error) => this.turn.fail(error.message));
  }

  private async cancel(): Promise<void> {
    // What can't be cancelled is heard to its end.
    await post(`${this.pathOf(this.run!)}/cancel`, {}).catch(() => {});
    setTimeout(() => this.request.abort(), PATIENCE);
  }

  private pathOf(run: Run): string {
    return runPath(this.options.service, run);
  }
}

/** The route of a run. */
export function runPath(service: string, { thread_id, id }: Pick<Run, 'id' | 'thread_id'>): string {
  const [of, thread, run] = [service, thread_id, id].map(encodeURIComponent);
  return `${of}/runs/${thread}/${run}`;
}

const callsOf = (run: Run): WaitingCall[] => run.required_action?.submit_tool_outputs?.tool_calls ?? [];
