/** JSON that arrives in pieces: what it is so far is known from the pieces alone, never by reading it again. */

/** Pieces that are kept apart before they are joined: millions of tiny strings take many times their text. */
const PIECES = 1024;

const BLANK = /\s/;

export class JsonText {
  readonly #blocks: string[] = [];
  #pieces: string[] = [];
  /** Not taken yet. */
  #fresh: string[] = [];
  #length = 0;
  /** The first character that is no white space. */
  #first = '';
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The object has been closed, and nothing but white space came after it. */
  #closed = false;

  get length(): number {
    return this.#length;
  }

  /** Whether it begins as an object does. */
  get isObject(): boolean {
    return this.#first === '{';
  }

  /** Whether it may be a whole object: closed, and nothing after it. Its inside is not judged. */
  get isClosed(): boolean {
    return this.#closed;
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
      const letter = piece[at] as string;
      if (this.#first === '') {
        if (BLANK.test(letter)) continue;
        this.#first = letter;
      }
      if (this.#first !== '{') return;
      this.#see(letter);
    }
  }

  #see(letter: string): void {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (letter === '\\') this.#escaped = true;
      else if (letter === '"') this.#inString = false;
      return;
    }
    if (letter === '"') this.#inString = true;
    else if (letter === '{' || letter === '[') this.#depth++;
    else if (letter === '}' || letter === ']') this.#depth--;
    if (this.#depth === 0 && letter === '}') this.#closed = true;
    else if (!BLANK.test(letter)) this.#closed = false;
  }
}
