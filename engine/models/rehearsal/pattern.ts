/** A short text for a regular expression of the everyday kind (`^[A-Z]{3}-\d+$`). */

const CLASSES: Record<string, string> = { d: '0', w: 'a', s: ' ', D: 'a', W: '-', S: 'a' };

/** A text that the pattern matches if it is made of letters, classes, groups and counts; else a plain word. */
export function sampleOf(pattern: string): string {
  try {
    const text = new Sampler(pattern).all();
    return new RegExp(pattern, 'u').test(text) ? text : 'rehearsal';
  } catch {
    return 'rehearsal';
  }
}

class Sampler {
  #at = 0;
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  /** One alternative after the other up to the end or the closing bracket; the first is taken. */
  all(): string {
    const first = this.#sequence();
    while (this.#peek() === '|') {
      this.#at++;
      this.#sequence();
    }
    return first;
  }

  #peek(): string | undefined {
    return this.#source[this.#at];
  }

  #sequence(): string {
    let text = '';
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek())
      text += this.#counted(this.#atom());
    return text;
  }

  #atom(): string {
    const sign = this.#source[this.#at++] ?? '';
    if (sign === '^' || sign === '$') return '';
    if (sign === '.') return 'a';
    if (sign === '\\') return this.#escape();
    if (sign === '[') return this.#set();
    if (sign !== '(') return sign;
    const skipped = /^\?(?::|<\w+>)/.exec(this.#source.slice(this.#at));
    this.#at += skipped?.[0].length ?? 0;
    const inner = this.all();
    this.#at++;
    return inner;
  }

  #escape(): string {
    const sign = this.#source[this.#at++] ?? '';
    if (sign === 'b') return '';
    if (sign !== 'p') return CLASSES[sign] ?? sign;
    const end = this.#source.indexOf('}', this.#at);
    const name = this.#source.slice(this.#at + 1, end);
    this.#at = end + 1;
    return name === 'Lu' ? 'A' : name.startsWith('N') ? '0' : 'a';
  }

  #set(): string {
    const end = this.#source.indexOf(']', this.#at + 1);
    const body = this.#source.slice(this.#at, end);
    this.#at = end + 1;
    const sign = new RegExp(`[${body}]`, 'u');
    return [...'aA0-_ .,:/@#'].find((candidate) => sign.test(candidate)) ?? body[0] ?? '';
  }

  #counted(text: string): string {
    const count = /^(?:([*+?])|\{(\d+)(?:,(\d*))?\})\??/.exec(this.#source.slice(this.#at));
    if (!count) return text;
    this.#at += count[0].length;
    if (count[1]) return count[1] === '+' ? text : '';
    return text.repeat(Number(count[2]));
  }
}
