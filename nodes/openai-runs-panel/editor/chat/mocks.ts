/** Outputs that answer an assistant's functions at once, kept in this browser. */

const KEY = 'openai-runs-mocks';

type Kept = [place: string, name: string, output: string][];

/** The mocks of one assistant. */
export class Mocks {
  private readonly place: string;

  constructor(service: string, assistant: string) {
    this.place = `${service}/${assistant}`;
  }

  /** Outputs by the names of their functions. */
  all(): Map<string, string> {
    return new Map(kept().flatMap(([place, name, output]) => (place === this.place ? [[name, output]] : [])));
  }

  /** @param output what the function gives from now on; undefined for no mock */
  set(name: string, output: string | undefined): void {
    const others = kept().filter((one) => one[0] !== this.place || one[1] !== name);
    const own: Kept = output === undefined ? [] : [[this.place, name, output]];
    localStorage.setItem(KEY, JSON.stringify([...others, ...own]));
  }
}

function kept(): Kept {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}
