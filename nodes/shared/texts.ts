/** The keys of the nodes' texts, as types: a key that the English catalogue does not have fails the type check. */

type Runs = typeof import('../../locales/en-US/openai-runs.json')['openai-runs'];
type Panel = typeof import('../../locales/en-US/openai-runs-panel.json')['openai-runs-panel'];
type Service = typeof import('../../locales/en-US/openai-runs-service.json')['openai-runs-service'];

/** `a.b.c` for every text of a catalogue. */
type PathsOf<Tree, Before extends string = ''> = {
  [Name in keyof Tree & string]: Tree[Name] extends string
    ? `${Before}${Name}`
    : PathsOf<Tree[Name], `${Before}${Name}.`>;
}[keyof Tree & string];

export type RunsText = PathsOf<Runs>;
export type ServiceText = PathsOf<Service>;
export type PanelText = PathsOf<Panel>;

/** Makes a text of a key, in the language of the runtime or the editor. @param values fill `__name__` placeholders */
export type Translate<Key extends string> = (key: Key, values?: Record<string, unknown>) => string;
export type RunsTranslate = Translate<RunsText>;
export type ServiceTranslate = Translate<ServiceText>;

/** The keys of one section, without its name: `'noService'` of `'error.noService'`. */
export type Below<Key extends string, Section extends string> = Key extends `${Section}.${infer Rest}`
  ? Rest
  : never;
