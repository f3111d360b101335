/** JSON that arrives in pieces: what it is so far is known from the pieces alone, never by reading it again. */

/** Pieces that are kept apart before they are joined: millions of tiny strings take many times their text. */
const PIECES = 1024;

const [QUOTE, BACKSLASH, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = Array.from('"\\{}[]', (letter) =>
  letter.charCodeAt(0),
);

/** White space between the parts of JSON. */
const isBlank = (code: number) => code === 32 || code === 10 || code === 13 || code === 9;

export class JsonText {
  readonly #blocks: string[] = [];
  #pieces: string[] = [];
  /** Not taken yet. */
  #fresh: string[] = [];
  #length = 0;
  /** Code of the first character that is no white space. */
  #first: number | undefined;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #scanned = 0;
  #closedAt: number | undefined;

  get length(): number {
    return this.#length;
  }

  /** Whether it begins as an object does. */
  get isObject(): boolean {
    return this.#first === OPEN;
  }

  /** Its length where it may be a whole object: closed, and nothing but white space after. Its inside is not judged. */
  get closedAt(): number | undefined {
    return this.#closedAt;
  }

  /** All of it; joins what has come, so not for every piece. */
  get text(): string {
    if (this.#pieces.length > 0) this.#join();
    if (this.#blocks.length > 1) this.#blocks.splice(0, Number.POSITIVE_INFINITY, this.#blocks.join(''));
    return this.#blocks[0] ?? '';
  }

  add(piece: string): void {
    if (piece === '') return;
    this.#length += piece.length;
    this.#pieces.push(piece);
    this.#fresh.push(piece);
    if (this.#pieces.length >= PIECES) this.#join();
    this.#scan(piece);
  }

  /** What has come since the last call of this. */
  takeNew(): string {
    const text = this.#fresh.join('');
    this.#fresh = [];
    return text;
  }

  #join(): void {
    this.#blocks.push(this.#pieces.join(''));
    this.#pieces = [];
  }

  #scan(piece: string): void {
    for (let at = 0; at < piece.length; at++) {
      this.#scanned++;
      const code = piece.charCodeAt(at);
      if (this.#first === undefined) {
        if (isBlank(code)) continue;
        this.#first = code;
      }
      if (this.#first !== OPEN) return;
      this.#see(code);
    }
  }

  #see(code: number): void {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (code === BACKSLASH) this.#escaped = true;
      else if (code === QUOTE) this.#inString = false;
      return;
    }
    if (code === QUOTE) this.#inString = true;
    else if (code === OPEN || code === OPEN_LIST) this.#depth++;
    else if (code === CLOSE || code === CLOSE_LIST) this.#depth--;
    if (this.#depth === 0 && code === CLOSE) this.#closedAt = this.#scanned;
    else if (!isBlank(code)) this.#closedAt = undefined;
  }
}
