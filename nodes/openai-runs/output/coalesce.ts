/** Merges text deltas, so that at most one goes out per interval. */
import type OpenAI from 'openai';
import type { RunEvent } from '../methods/method.ts';

type DeltaEvent = OpenAI.Beta.AssistantStreamEvent.ThreadMessageDelta;
type TextPart = OpenAI.Beta.Threads.TextDeltaBlock;

/** Whether two deltas may become one: plain text of the same part of the same message. */
function mergeable(event: RunEvent): event is DeltaEvent {
  if (event.event !== 'thread.message.delta') return false;
  const [part, ...more] = event.data.delta.content ?? [];
  return more.length === 0 && part?.type === 'text' && !part.text?.annotations?.length;
}

export class Coalescer {
  private held: DeltaEvent | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly interval: number;
  private readonly pass: (event: RunEvent) => void;
  private readonly onFault: (error: Error) => void;

  /**
   * @param interval milliseconds; 0 passes everything on as it comes
   * @param pass gets the events, in order
   * @param onFault hears what `pass` threw when nobody was there to catch it
   */
  constructor(interval: number, pass: (event: RunEvent) => void, onFault: (error: Error) => void) {
    this.interval = interval;
    this.pass = pass;
    this.onFault = onFault;
  }

  add(event: RunEvent): void {
    if (this.interval <= 0) {
      this.pass(event);
    } else if (!mergeable(event)) {
      this.flush();
      this.pass(event);
    } else if (this.held && sameText(this.held, event)) {
      this.held = merged(this.held, event);
    } else {
      this.flush();
      this.held = event;
      this.timer = setTimeout(() => this.flushInTime(), this.interval);
    }
  }

  /** Sends what is held; to be called when the stream has ended. */
  flush(): void {
    clearTimeout(this.timer);
    const event = this.held;
    this.held = undefined;
    if (event) this.pass(event);
  }

  /** A timer's throw would end the whole process. */
  private flushInTime(): void {
    try {
      this.flush();
    } catch (error) {
      this.onFault(error as Error);
    }
  }

  /** Forgets what is held: nothing may go out any more. */
  stop(): void {
    clearTimeout(this.timer);
    this.held = undefined;
  }
}

const textPart = ({ data }: DeltaEvent) => data.delta.content?.[0] as TextPart;

function sameText(a: DeltaEvent, b: DeltaEvent): boolean {
  return a.data.id === b.data.id && textPart(a).index === textPart(b).index;
}

function merged(a: DeltaEvent, b: DeltaEvent): DeltaEvent {
  const part = textPart(a);
  const value = `${part.text?.value ?? ''}${textPart(b).text?.value ?? ''}`;
  const content = [{ ...part, text: { ...part.text, value } }];
  return { ...a, data: { ...a.data, delta: { ...a.data.delta, content } } };
}
