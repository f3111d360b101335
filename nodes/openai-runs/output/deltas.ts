/** What a delta event adds, and the text so far. */
import type { RunEvent } from '../methods/method.ts';

/** What is being written: the reply, a refusal, the arguments of a function, the code of the interpreter. */
export type DeltaType = 'text' | 'refusal' | 'arguments' | 'code';

export interface Delta {
  type: DeltaType;
  /** The piece. */
  delta: string;
  /** The text of its message so far; of text deltas only. */
  snapshot?: string;
}

/** The text of a delta event; undefined if it is none or brings more than text (annotations, images). */
export function textDelta(event: RunEvent): string | undefined {
  if (event.event !== 'thread.message.delta') return undefined;
  const parts = event.data.delta.content ?? [];
  const texts = parts.map((part) => (part.type === 'text' ? (part.text?.value ?? '') : ''));
  return parts.some(({ type }) => type === 'text') ? texts.join('') : undefined;
}

function refusalDelta(event: RunEvent): string | undefined {
  if (event.event !== 'thread.message.delta') return undefined;
  const parts = (event.data.delta.content ?? []).filter((part) => part.type === 'refusal');
  return parts.length > 0 ? parts.map(({ refusal }) => refusal ?? '').join('') : undefined;
}

/** What a step's delta adds to one call: events carry one at a time. */
function callDelta(event: RunEvent): Delta | undefined {
  if (event.event !== 'thread.run.step.delta') return undefined;
  const details = event.data.delta.step_details;
  const [call] = details?.type === 'tool_calls' ? (details.tool_calls ?? []) : [];
  if (call?.type === 'function' && typeof call.function?.arguments === 'string') {
    return { type: 'arguments', delta: call.function.arguments };
  }
  if (call?.type === 'code_interpreter' && typeof call.code_interpreter?.input === 'string') {
    return { type: 'code', delta: call.code_interpreter.input };
  }
  return undefined;
}

/** Reads the deltas of one stream. */
export class Deltas {
  private message = '';
  private text = '';

  /** What an event adds; undefined for one that adds nothing. */
  of(event: RunEvent): Delta | undefined {
    const text = textDelta(event);
    if (text !== undefined) {
      const { id } = event.data as { id: string };
      this.text = id === this.message ? this.text + text : text;
      this.message = id;
      return { type: 'text', delta: text, snapshot: this.text };
    }
    const refusal = refusalDelta(event);
    return refusal === undefined ? callDelta(event) : { type: 'refusal', delta: refusal };
  }
}
