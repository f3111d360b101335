/** A schema's regular expressions, read by ourselves: `RegExp` may search for ever, and this counts its steps. */
import { cannot, LONGEST_TEXT } from './schema.ts';

/** Longest pattern that is read, in characters: its brackets nest no deeper than the stack bears. */
const LONGEST_PATTERN = 1000;
const SAMPLES = [...'aA0-_ .,:/@#!()', 'é', 'あ'];
const REPEAT = /(?:([*+?])|\{(\d{1,15})(,?)(\d{0,15})\})\??/y;
const SIGN =
  /\[\^?(?:\\.|[^\]\\])*\]|\\(?:[pP]\{\w+(?:=\w+)?\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|[^1-9bBkpPux])|[^*+?[\\]/suy;
const GROUP = /\((?:\?:|\?<[A-Za-z]\w*>)?(?!\?)/y;

interface Part {
  /** Where in a text it may end if it begins at one of some places. */
  ends(text: string, from: number[]): number[];
  /** The simplest text for it, repeats made `more` times longer than they have to be. */
  sample(more: number): string;
}

export class Pattern {
  readonly #source: string;
  readonly #spend: (steps: number) => void;
  readonly #whole: Part;
  #at = 0;

  /**
   * @param spend told of every step; throws when there were too many
   * @throws ModelError for what is not understood: lookarounds, word borders, references back
   */
  constructor(source: string, spend: (steps: number) => void) {
    this.#source = source;
    this.#spend = spend;
    if (source.length > LONGEST_PATTERN) throw this.#cannot('is too long');
    this.#whole = this.#either();
    if (this.#at < source.length) throw this.#cannot('is not understood');
  }

  /** Whether the pattern is found in a text. */
  matches(text: string): boolean {
    return this.#whole.ends(text, [...Array(text.length + 1).keys()]).length > 0;
  }

  /**
   * The simplest text of a length, in characters, that the pattern matches.
   * @throws ModelError if none is found
   */
  sample(shortest: number, longest: number): string {
    for (let more = 0; more <= shortest; more = more * 2 + 1) {
      const text = this.#whole.sample(more);
      if (text.length >= shortest && text.length <= longest && this.matches(text)) return text;
    }
    throw this.#cannot('gives no text');
  }

  #cannot = (why: string) => cannot(`the pattern ${this.#source.slice(0, 100)} ${why}`);

  #take(form: RegExp): RegExpExecArray | null {
    form.lastIndex = this.#at;
    const found = form.exec(this.#source);
    this.#at += found?.[0].length ?? 0;
    return found;
  }

  #either(): Part {
    const ways = [this.#row()];
    for (; this.#source[this.#at] === '|'; ways.push(this.#row())) this.#at++;
    return {
      ends: (text, from) => [...new Set(ways.flatMap((way) => way.ends(text, from)))],
      sample: (more) => ways[0]?.sample(more) ?? '',
    };
  }

  #row(): Part {
    const parts: Part[] = [];
    while (this.#at < this.#source.length && !/[|)]/.test(this.#source[this.#at] ?? ''))
      parts.push(this.#repeated(this.#one()));
    return {
      ends: (text, from) => parts.reduce((at, part) => (at.length > 0 ? part.ends(text, at) : at), from),
      sample: (more) => parts.map((part) => part.sample(more)).join(''),
    };
  }

  #repeated(part: Part): Part {
    const count = this.#take(REPEAT);
    if (!count) return part;
    const [, sign, least = sign === '+' ? 1 : 0, comma, most] = count;
    const min = Number(least);
    const max = sign === '?' ? 1 : Number(most || (sign || comma ? Infinity : min));
    return {
      ends: (text, from) => {
        let now = from;
        // once more than there are characters changes nothing
        for (let done = 0; done < min && done <= text.length; done++) now = part.ends(text, now);
        const all = new Set(now);
        for (let done = min; done < max && now.length > 0; done++) {
          now = part.ends(text, now).filter((at) => !all.has(at));
          for (const at of now) all.add(at);
        }
        return [...all];
      },
      sample: (more) => {
        const one = part.sample(more);
        const times = one && Math.min(min + more, max);
        if (one.length * Number(times) > LONGEST_TEXT) throw this.#cannot('wants too long a text');
        return one.repeat(Number(times));
      },
    };
  }

  #one(): Part {
    if (this.#take(GROUP)) {
      const inner = this.#either();
      if (this.#source[this.#at++] !== ')') throw this.#cannot('is not understood');
      return inner;
    }
    const sign = this.#take(SIGN)?.[0];
    if (sign === '^') return this.#place((at) => at === 0);
    if (sign === '$') return this.#place((at, { length }) => at === length);
    const form = sign && oneSign(sign);
    const sample = form && [...SAMPLES, ...sign].find((other) => form.test(other));
    if (!form || !sample) throw this.#cannot('is not understood');
    const next = this.#place((at, text) => at < text.length && form.test(text[at] ?? ''));
    return { ends: (text, from) => next.ends(text, from).map((at) => at + 1), sample: () => sample };
  }

  #place(holds: (at: number, text: string) => boolean): Part {
    return {
      ends: (text, from) => {
        this.#spend(1 + from.length);
        return from.filter((at) => holds(at, text));
      },
      sample: () => '',
    };
  }
}

/** A class, an escape or a plain character as an expression for one character, which never searches. */
function oneSign(source: string): RegExp | undefined {
  try {
    return new RegExp(`^${/^[\]{}()|/]$/.test(source) ? `\\${source}` : source}$`, 'u');
  } catch {
    return undefined;
  }
}
