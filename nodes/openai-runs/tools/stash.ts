/**
 * Answers of rounds that are not complete yet, kept in the node's context: where the user's context store lasts,
 * a restart loses none of them.
 */
import type { Node } from 'node-red';

const PLACE = 'toolAnswers';

type Answers = Record<string, Record<string, string>>;

export class AnswerStash {
  private readonly node: Node;
  private last: Promise<unknown> = Promise.resolve();

  constructor(node: Node) {
    this.node = node;
  }

  /** The answers kept for a run, by call id. */
  async of(runId: string): Promise<Map<string, string>> {
    await this.last;
    return new Map(Object.entries((await this.read())[runId] ?? {}));
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

  private change(edit: (answers: Answers) => void): void {
    this.last = this.last
      .then(async () => {
        const answers = { ...(await this.read()) };
        edit(answers);
        await new Promise<void>((resolve, reject) =>
          this.node
            .context()
            .set(PLACE, answers, undefined as never, (error: unknown) => (error ? reject(error) : resolve())),
        );
      })
      .catch((error: unknown) => this.node.debug(`tool answers can't be kept: ${error}`));
  }

  private read(): Promise<Answers> {
    return new Promise((resolve, reject) => {
      this.node
        .context()
        .get(PLACE, undefined as never, (error: unknown, answers: unknown) =>
          error ? reject(error) : resolve((answers as Answers) ?? {}),
        );
    });
  }
}
