/** How many requests a key may send: a minute, by a bucket that fills again as time goes by, and at once. */
import { ApiError } from '../../../engine/domain/errors.ts';

const MINUTE = 60_000;

export class RequestLimit {
  readonly #most: number;
  readonly #clock: () => number;
  readonly #buckets = new Map<string, { left: number; at: number }>();

  /** @param most a minute; 0 = no limit @param clock in milliseconds, for tests */
  constructor(most: number, clock: () => number = () => performance.now()) {
    this.#most = most;
    this.#clock = clock;
  }

  /**
   * Counts a request.
   * @returns the headers that say what is left
   * @throws ApiError 429 that says when to come back
   */
  take(id: string): Record<string, string> {
    if (this.#most <= 0) return {};
    const now = this.#clock();
    const bucket = this.#buckets.get(id) ?? { left: this.#most, at: now };
    this.#buckets.set(id, bucket);
    bucket.left = Math.min(this.#most, bucket.left + ((now - bucket.at) * this.#most) / MINUTE);
    bucket.at = now;
    const allowed = bucket.left >= 1;
    if (allowed) bucket.left -= 1;
    const headers = {
      'x-ratelimit-limit-requests': String(this.#most),
      'x-ratelimit-remaining-requests': String(Math.floor(bucket.left)),
      'x-ratelimit-reset-requests': `${Math.ceil(((this.#most - bucket.left) * MINUTE) / this.#most / 1000)}s`,
    };
    if (allowed) return headers;
    const seconds = Math.max(1, Math.ceil(((1 - bucket.left) * MINUTE) / this.#most / 1000));
    throw new ApiError(
      429,
      `Rate limit reached: ${this.#most} requests a minute. Please try again in ${seconds}s.`,
      { type: 'requests', code: 'rate_limit_exceeded' },
      { ...headers, 'retry-after': String(seconds) },
    );
  }
}

/** Seconds after which one who found no place may look again. */
const PLACE_S = 1;

export class PlaceLimit {
  readonly #most: number;
  readonly #inside = new Map<string, number>();

  /** @param most requests of a key whose answers have not ended, streams among them; 0 = no limit */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Takes a place.
   * @param headers sent along where there is none
   * @returns gives it back, once
   * @throws ApiError 429 that says when to come back
   */
  enter(id: string, headers: Record<string, string> = {}): () => void {
    if (this.#most <= 0) return () => {};
    const inside = this.#inside.get(id) ?? 0;
    if (inside >= this.#most) {
      throw new ApiError(
        429,
        `Rate limit reached: ${this.#most} requests at once. Please try again when one of them has ended.`,
        { type: 'requests', code: 'rate_limit_exceeded' },
        { ...headers, 'retry-after': String(PLACE_S) },
      );
    }
    this.#inside.set(id, inside + 1);
    return () => {
      const left = (this.#inside.get(id) ?? 1) - 1;
      if (left > 0) this.#inside.set(id, left);
      else this.#inside.delete(id);
    };
  }
}
