/** What is known of one run while it is followed: the latest run object, and the messages it produced. */
import { isActive } from '../../../engine/domain/run-states.ts';
import type { Message, Run, RunEvent } from '../methods/method.ts';

/** Whether following a run is over: it has ended, or it waits for tool outputs. */
export function hasSettled({ status }: Run): boolean {
  return status === 'requires_action' || !isActive(status);
}

/** Whether an event carries the run itself, not one of its steps or messages. */
export function isRunEvent({ event }: { event: string }): boolean {
  return event.startsWith('thread.run.') && !event.startsWith('thread.run.step.');
}

export class RunView {
  run: Run | undefined;
  private readonly byId = new Map<string, Message>();

  /** Takes in one event of the run's stream. */
  apply({ event, data }: RunEvent): void {
    // An event without its object tells nothing.
    if (typeof (data as Run | null)?.id !== 'string') return;
    if (isRunEvent({ event })) this.run = data as Run;
    if (event === 'thread.message.completed' || event === 'thread.message.incomplete') {
      this.byId.set((data as Message).id, data as Message);
    }
  }

  /** Takes in messages that were read from the thread. */
  addMessages(messages: readonly Message[]): void {
    for (const message of messages) this.byId.set(message.id, message);
  }

  /** The assistant's messages, oldest first. */
  get messages(): Message[] {
    return [...this.byId.values()].filter(({ role }) => role === 'assistant');
  }

  /** What the assistant said last, as text; undefined if it said nothing. */
  get reply(): string | undefined {
    const last = this.messages.at(-1);
    return last && messageText(last);
  }

  /** For an error's details. */
  get ids(): { thread_id?: string; run_id?: string } {
    return this.run ? { thread_id: this.run.thread_id, run_id: this.run.id } : {};
  }
}

/** The text of a message: its text parts, and a refusal's words, one after the other. */
export function messageText(message: Message): string {
  return (message.content ?? [])
    .map((part) =>
      part.type === 'text' ? (part.text?.value ?? '') : part.type === 'refusal' ? part.refusal : '',
    )
    .join('');
}
