/** Tells the service of a followed run: what it came from, what happened when, what was said. */
import { isObject } from '../../../engine/domain/is-object.ts';
import { isActive } from '../../../engine/domain/run-states.ts';
import type { ServiceNode } from '../../openai-runs-service/connection.ts';
import type { Job } from '../job.ts';
import type { Message, Params, Run, RunEvent, RunMethod } from '../methods/method.ts';
import type { Round } from '../tools/round.ts';
import { hasSettled, isRunEvent, messageText, type RunView } from './run-view.ts';

/** Marks of one run at most: a run of many rounds keeps its first ones. */
const MOST_MARKS = 300;

export class RunTrace {
  /** Whether the run was begun by an earlier process, which has told where it came from. */
  isLater = false;
  private readonly activity: ServiceNode['activity'];
  private readonly job: Job;
  private readonly view: RunView;
  private readonly makes: boolean;
  private readonly question: string | undefined;
  /** Messages whose first words have come. */
  private readonly begun = new Set<string>();
  private last: string | undefined;

  constructor(activity: ServiceNode['activity'], job: Job, method: RunMethod, view: RunView, params: Params) {
    this.activity = activity;
    this.job = job;
    this.view = view;
    this.makes = method.delivers && !method.repeatable && method.id !== 'submitToolOutputsToRun';
    this.question = questionOf(params);
  }

  /** Takes in an event of the run. */
  event(event: RunEvent): void {
    if (isRunEvent(event)) this.run(event.data as Run);
    else if (event.event === 'thread.message.delta') this.firstWords(event.data.id);
    this.activity.heard(event, this.job);
  }

  /** Takes in the run as it is now. */
  run(run: Run): void {
    if (typeof run?.id !== 'string' || run.status === this.last) return;
    const isFirst = this.last === undefined;
    this.last = run.status;
    this.mark(run.status);
    const words = { question: this.question, answer: this.view.reply };
    this.activity.saw(run, isFirst || hasSettled(run) ? this.originOf(run) : undefined, words);
  }

  /** Takes in that a tool has answered. */
  answered({ answeredIds }: Round): void {
    this.mark(`answer:${answeredIds.at(-1)}`);
  }

  /** What the run came from, if this message has made it. */
  private originOf(run: Run): Job['origin'] | undefined {
    if (!this.makes || this.isLater) return undefined;
    const { origin, marks, since } = this.job;
    const took = isActive(run.status) ? undefined : Date.now() - since;
    return { ...origin, took, marks: [[since, 'asked'], ...marks] };
  }

  private firstWords(messageId: string): void {
    if (this.begun.has(messageId)) return;
    this.begun.add(messageId);
    this.mark('text');
  }

  private mark(what: string): void {
    if (this.job.marks.length < MOST_MARKS) this.job.marks.push([Date.now(), what]);
  }
}

/** What the user says in a request: the text of its last message. */
function questionOf({ additional_messages, thread }: Params): string | undefined {
  const messages = additional_messages ?? (isObject(thread) ? thread.messages : undefined);
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  if (!isObject(last)) return undefined;
  if (typeof last.content === 'string') return last.content;
  return Array.isArray(last.content) ? messageText(last as unknown as Message) : undefined;
}
