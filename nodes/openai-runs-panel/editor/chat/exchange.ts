/** A message on its way: asked, its calls answered, until its run has ended. */
import { type ToolCall, waitingCalls } from '../../../shared/waiting-calls.ts';
import type { Answer } from '../answer-form.ts';
import { converse, get, type Line, post } from '../api.ts';
import { bubble, contentOf } from '../conversation.ts';
import { statusName } from '../names.ts';
import { callsOf } from '../timeline.ts';
import type { Run, RunDetail } from '../types.ts';
import { askForAnswers, closeForms, takeAnswers } from './answers.ts';
import type { Mocks } from './mocks.ts';
import { Turn } from './turn.ts';

/** Milliseconds that the end of a cancelled run is waited for, and until one that goes on elsewhere is looked at again. */
const PATIENCE = 2000;
const GOING_ON = ['queued', 'in_progress', 'cancelling'];
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

/** While the answers of a round are waited for. */
interface Waiting {
  /** Nobody answers any more. */
  end(): void;
  /** The run asks something else by now. */
  goOn(run: Run): void;
}

type Answers = Record<string, Answer>;

export class Exchange {
  private readonly options: ExchangeOptions;
  private readonly turn: Turn;
  private readonly request = new AbortController();
  private run: Run | undefined;
  /** Rounds that mocks alone have answered, one after the other. */
  private mocked = 0;
  private isStopping = false;
  private waiting: Waiting | undefined;
  private timer = 0;
  /** Ids of the messages that were heard. */
  private readonly heard = new Set<string>();

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
    if (!this.waiting) return;
    this.waiting.end();
    this.turn.fail(statusName('cancelled'));
  }

  /** Looks whether the calls that wait here have been answered elsewhere: the run asks for others then, or has ended. */
  async refresh(): Promise<void> {
    const { run, waiting } = this;
    if (!run || !waiting) return;
    const found = await get<RunDetail>(this.pathOf(run)).catch(() => undefined);
    if (waiting !== this.waiting || run !== this.run) return;
    // Answered elsewhere, it goes on: of a server's nobody may tell how.
    clearTimeout(this.timer);
    if (GOING_ON.includes((found?.run ?? run).status))
      this.timer = window.setTimeout(() => void this.refresh(), PATIENCE);
    if (!found) return;
    const now = found.run;
    if (now.status === run.status && roundOf(now) === roundOf(run)) return;
    this.run = now;
    this.showNews(found);
    if (now.status === 'requires_action') waiting.goOn(now);
    if (!ENDED.includes(now.status)) return;
    this.turn.take({ event: `thread.run.${now.status}`, data: now });
    waiting.end();
  }

  /** What was answered and said while nobody here listened. */
  private showNews({ run, steps, messages }: RunDetail): void {
    const { place } = this.options;
    takeAnswers(
      place,
      callsOf(steps).map(({ call }) => call),
    );
    closeForms(place);
    for (const message of messages) {
      if (message.run_id !== run.id || message.role !== 'assistant' || this.heard.has(message.id)) continue;
      this.heard.add(message.id);
      place.append(bubble('assistant', contentOf(message)));
    }
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
    const { event, data } = line;
    if (/^thread\.run\.(?!step)/.test(event)) this.meet(data);
    if (event === 'thread.run.step.completed')
      takeAnswers(
        this.options.place,
        callsOf([data]).map(({ call }) => call),
      );
    if (event === 'thread.message.created') this.heard.add(data.id);
    this.turn.take(line);
  }

  private meet(run: Run): void {
    const isNew = this.run === undefined;
    this.run = run;
    if (isNew) this.options.begun(run);
    if (isNew && this.isStopping) void this.cancel();
    if (!this.options.byNode) return;
    // What a round asked for is answered once the run goes on, by whomever.
    closeForms(this.options.place);
    // A node answers by itself meanwhile; a person may be faster.
    if (run.status === 'requires_action') this.offer(run, (answers) => this.give(run, answers));
  }

  /** Waits for all answers of a round. @returns what the run goes on with; undefined where nobody answers any more */
  private answers(run: Run): Promise<object | undefined> {
    return new Promise((resolve) => {
      const done = (body?: object) => {
        this.waiting = undefined;
        resolve(body);
      };
      const goOn = (now: Run) => this.askRound(now, done);
      this.waiting = { end: done, goOn };
      goOn(run);
    });
  }

  private askRound(run: Run, done: (body: object) => void): void {
    const outputs: Answers = {};
    const count = callsIn(run).length;
    this.offer(run, (answers) => {
      Object.assign(outputs, answers);
      if (Object.keys(outputs).length === count) done({ thread_id: run.thread_id, run_id: run.id, outputs });
    });
  }

  private offer(run: Run, take: (answers: Answers) => void): void {
    const { place, mocks, mocksChanged } = this.options;
    const answer = (callId: string, given: Answer) => take({ [callId]: given });
    const isAsked = askForAnswers(place, callsIn(run), { mocks, mocked: this.mocked, mocksChanged, answer });
    this.mocked = isAsked ? 0 : this.mocked + 1;
  }

  private give(run: Run, outputs: Answers): void {
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

const callsIn = (run: Run): ToolCall[] => waitingCalls(run) ?? [];

/** What tells one round from another. */
const roundOf = (run: Run): string =>
  callsIn(run)
    .map(({ id }) => id)
    .join();
