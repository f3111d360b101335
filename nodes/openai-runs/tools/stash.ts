/**
 * Answers of rounds that are not complete yet, kept in the node's context: where the user's context store lasts,
 * a restart loses none of them.
 */
import type { Node } from 'node-red';
import { Kept } from '../kept.ts';

export class AnswerStash {
  private readonly node: Node;
  private readonly answers: Kept<Record<string, string>>;

  constructor(node: Node) {
    this.node = node;
    this.answers = new Kept(node, 'toolAnswers');
  }

  /** The answers kept for a run, by call id. */
  async of(runId: string): Promise<Map<string, string>> {
    return new Map(Object.entries((await this.answers.read())[runId] ?? {}));
  }

  keep(runId: string, callId: string, output: string): void {
    this.change((answers) => {
      answers[runId] = { ...answers[runId], [callId]: output };
    });
  }

  drop(runId: string): void {
    this.change((answers) => {
      delete answers[runId];
    });
  }

  /** A context that can't be written costs only the memory of a restart. */
  private change(edit: (answers: Record<string, Record<string, string>>) => void): void {
    this.answers
      .change(edit)
      .catch((error: unknown) => this.node.debug(`tool answers can't be kept: ${error}`));
  }
}
