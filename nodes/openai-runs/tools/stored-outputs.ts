/**
 * Answers of rounds that are not complete yet, kept in the node's context: where the user's context store lasts,
 * a restart loses none of them.
 */
import type { Node } from 'node-red';
import { ContextRecord } from '../node-context.ts';

export class StoredToolOutputs {
  private readonly node: Node;
  private readonly answers: ContextRecord<Record<string, string>>;
  /** Runs that answers are kept for, as far as this process knows. */
  private readonly runs = new Set<string>();

  constructor(node: Node) {
    this.node = node;
    this.answers = new ContextRecord(node, 'toolAnswers');
  }

  /** The answers kept for a run, by call id. */
  async of(runId: string): Promise<Map<string, string>> {
    const kept = (await this.answers.read())[runId];
    // By an earlier process, maybe; whoever asks is the one to drop them.
    if (kept) this.runs.add(runId);
    return new Map(Object.entries(kept ?? {}));
  }

  keep(runId: string, callId: string, output: string): void {
    this.runs.add(runId);
    this.change((answers) => {
      answers[runId] = { ...answers[runId], [callId]: output };
    });
  }

  /** Forgets a run's answers, once they are submitted or nobody will ask for them. */
  drop(runId: string): void {
    if (!this.runs.delete(runId)) return;
    // Most runs have nothing kept; a store on disk then is not written.
    this.change((answers) => {
      if (!Object.hasOwn(answers, runId)) return false;
      delete answers[runId];
      return true;
    });
  }

  /** A context that can't be written costs only the memory of a restart. */
  private change(edit: (answers: Record<string, Record<string, string>>) => unknown): void {
    this.answers
      .change(edit)
      .catch((error: unknown) => this.node.debug(`tool answers can't be kept: ${error}`));
  }
}
