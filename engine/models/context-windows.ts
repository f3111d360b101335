/** How much each model reads: as the service says, or else as its provider tells, asked now and then. */
import type { Model } from './model.ts';

/** Tokens; where nothing is said and nobody can be asked. */
const DEFAULT_TOKENS = 128_000;
/** Milliseconds that an answer is good for: models are loaded anew with other windows. */
const GOOD_FOR_MS = 300_000;

export class ContextWindows {
  readonly #model: Model;
  readonly #fixed: number;
  readonly #known = new Map<string, { tokens: number; at: number }>();

  /** @param fixed tokens for all models; 0 to ask the provider */
  constructor(model: Model, fixed: number) {
    this.#model = model;
    this.#fixed = fixed;
  }

  /** Tokens that a model reads. @throws the signal's reason */
  async of(name: string, signal: AbortSignal): Promise<number> {
    if (this.#fixed > 0) return this.#fixed;
    if (!this.#model.contextWindow) return DEFAULT_TOKENS;
    const known = this.#known.get(name);
    if (known && performance.now() - known.at < GOOD_FOR_MS) return known.tokens;
    const tokens = await this.#model.contextWindow(name, signal);
    this.#known.set(name, { tokens, at: performance.now() });
    return tokens;
  }
}
