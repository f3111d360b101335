/** The rounds of tool calls that are open in a node, and the answers that come back into it. */
import type { ToolCall } from '../../shared/waiting-calls.ts';
import { Round } from './round.ts';

/** Answered calls that are remembered, so that a late or second answer is known for what it is. */
const REMEMBERED = 10_000;

/** What `msg.tool` of a tool call holds; an answer needs `call_id`, the rest makes it certain. */
export interface Tool {
  /** Whether a function is to be called, or a word is wanted whether a server's own tool may be. */
  type: ToolCall['type'];
  /** Name of the function or tool. */
  name: string;
  call_id: string;
  run_id: string;
  thread_id: string;
  /** As the model wrote them: JSON text. */
  arguments: string;
  /** Place among the calls of this round, from 0, and how many there are. */
  index: number;
  count: number;
  /** Unix time in seconds after which the run no longer waits; null if it does not expire. */
  expires_at: number | null;
  /** Id of the node that asked, so that an assistant may be another assistant's tool. */
  node: string;
  /** Of an approval: whose tool it is. */
  server?: string;
  /** Of a run of another program: the call may have been handed out before, by a Node-RED that has stopped since. */
  again?: true;
}

export class ToolRounds {
  private readonly open = new Map<string, Round>();
  private readonly past = new Set<string>();
  /** Answers to runs that are still being taken up. */
  private readonly early = new Map<string, Map<string, string>>();

  /** Begins a round; answers count from now on, and those that came too early count now. */
  begin(runId: string, calls: readonly ToolCall[], onAnswer: (round: Round) => void): Round {
    const round = new Round(runId, calls, onAnswer);
    this.open.set(runId, round);
    for (const [callId, output] of this.early.get(runId) ?? []) round.answer(callId, output);
    this.early.delete(runId);
    return round;
  }

  /** Keeps an answer for a round that is about to begin. */
  addEarly(runId: string, callId: string, output: string): void {
    const answers = this.early.get(runId) ?? new Map<string, string>();
    this.early.set(runId, answers.set(callId, answers.get(callId) ?? output));
  }

  dropEarly(runId: string): void {
    this.early.delete(runId);
  }

  /** Ends a round: further answers to it come late. */
  end(round: Round): void {
    if (this.open.get(round.runId) === round) this.open.delete(round.runId);
    for (const { id } of round.calls) this.past.add(callKey(round.runId, id));
    for (const key of this.past) {
      if (this.past.size <= REMEMBERED) break;
      this.past.delete(key);
    }
  }

  /** The open round an answer belongs to: by run and call, or by the call's id alone if that is unmistakable. */
  find({ run_id, call_id }: Partial<Tool>): Round | undefined {
    if (!call_id) return undefined;
    if (run_id) {
      const round = this.open.get(run_id);
      return round?.has(call_id) ? round : undefined;
    }
    const found = [...this.open.values()].filter((round) => round.has(call_id));
    return found.length === 1 ? found[0] : undefined;
  }

  /** Whether the run that an answer names waits for tools just now. */
  isOpen({ run_id }: Partial<Tool>): boolean {
    return run_id !== undefined && this.open.has(run_id);
  }

  /** Whether a call was answered before. */
  isPast({ run_id, call_id }: Partial<Tool>): boolean {
    if (run_id) return this.past.has(callKey(run_id, String(call_id)));
    return [...this.past].some((key) => key.endsWith(`/${call_id}`));
  }
}

const callKey = (runId: string, callId: string) => `${runId}/${callId}`;
