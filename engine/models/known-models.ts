/** Which models the provider offers: asked now and then, and never in the way of a run. */
import type { Model } from './model.ts';

/** Milliseconds that a list is good for, and after which a name that is missing from it may have come. */
const GOOD_FOR_MS = 300_000;
const LOOK_AGAIN_MS = 10_000;
/** Milliseconds that a run waits for the list; a provider that takes longer is not asked for a while. */
const PATIENCE_MS = 3_000;

export class KnownModels {
  readonly #model: Model;
  readonly #default: string;
  #names: string[] = [];
  #asked = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  /** @param defaultModel is always among them */
  constructor(model: Model, defaultModel: string) {
    this.#model = model;
    this.#default = defaultModel;
  }

  /** The names, the default model first; what was known before where the provider can't be asked. */
  async names(): Promise<string[]> {
    await this.#refresh(GOOD_FOR_MS);
    return [...new Set([this.#default, ...this.#names])];
  }

  /**
   * Whether the provider certainly has no model of that name. Providers that list none, or take names beyond their
   * list, are believed to have it; so is whoever set the default model: gateways route names that they don't list.
   */
  async lacks(name: string): Promise<boolean> {
    if (name === this.#default) return false;
    await this.#refresh(GOOD_FOR_MS);
    if (this.#has(name)) return false;
    await this.#refresh(LOOK_AGAIN_MS);
    return !this.#has(name);
  }

  #has(name: string): boolean {
    // Ollama's names go on after a colon, and so do OpenRouter's variants.
    const [base = name] = name.split(':');
    return (
      this.#names.length === 0 ||
      this.#model.takesAnyName?.() ||
      this.#names.some(
        (known) => known === name || known === `${name}:latest` || known === base || known.includes('*'),
      )
    );
  }

  async #refresh(age: number): Promise<void> {
    if (!this.#model.list || performance.now() - this.#asked < age) return;
    this.#asking ??= this.#ask(this.#model.list).finally(() => {
      this.#asked = performance.now();
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #ask(list: NonNullable<Model['list']>): Promise<void> {
    try {
      this.#names = await list(AbortSignal.timeout(PATIENCE_MS));
    } catch {
      // What is wrong with the provider is the run's to say.
    }
  }
}
