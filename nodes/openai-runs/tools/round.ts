/** One round of tool calls of one run: what was asked, and what has been answered. */

import type { ToolCall } from '../../shared/waiting-calls.ts';

export interface ToolOutput {
  tool_call_id: string;
  output: string;
}

export interface ToolApproval {
  tool_call_id: string;
  approve: boolean;
}

/** What a round submits. */
export type Submission = { tool_outputs: ToolOutput[] } | { tool_approvals: ToolApproval[] };

/** The output that stands for an approval. */
export const APPROVED = '{"approve":true}';

/** How an answer was taken: it counts, it came a second time, or nobody asked for it. */
export type Taken = 'taken' | 'again' | 'unknown';

export class Round {
  readonly runId: string;
  readonly calls: readonly ToolCall[];
  private readonly outputs = new Map<string, string>();
  private readonly onAnswer: (round: Round) => void;

  constructor(runId: string, calls: readonly ToolCall[], onAnswer: (round: Round) => void) {
    this.runId = runId;
    this.calls = calls;
    this.onAnswer = onAnswer;
  }

  has(callId: string): boolean {
    return this.typeOf(callId) !== undefined;
  }

  typeOf(callId: string): ToolCall['type'] | undefined {
    return this.calls.find(({ id }) => id === callId)?.type;
  }

  answer(callId: string, output: string): Taken {
    if (!this.has(callId)) return 'unknown';
    if (this.outputs.has(callId)) return 'again';
    this.outputs.set(callId, output);
    this.onAnswer(this);
    return 'taken';
  }

  isAnswered(callId: string): boolean {
    return this.outputs.has(callId);
  }

  /** Ids of the calls that are answered, in the order of their answers. */
  get answeredIds(): string[] {
    return [...this.outputs.keys()];
  }

  get answered(): number {
    return this.outputs.size;
  }

  get complete(): boolean {
    return this.calls.every(({ id }) => this.outputs.has(id));
  }

  /** Answers every call that is still open. */
  fill(output: string): void {
    for (const { id } of this.calls) this.answer(id, output);
  }

  /** In the order of the calls; whatever is not plainly a yes is a no. */
  get submission(): Submission {
    const outputs = this.calls.map(({ id }) => ({ tool_call_id: id, output: this.outputs.get(id) ?? '' }));
    if (this.calls[0]?.type !== 'approval') return { tool_outputs: outputs };
    return {
      tool_approvals: outputs.map(({ tool_call_id, output }) => ({
        tool_call_id,
        approve: output === APPROVED,
      })),
    };
  }
}
