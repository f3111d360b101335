/** Which tools a message asks for, and with which arguments. */
import type { Turn } from '../model.ts';
import { evidence, fill } from './fill.ts';
import type { Filling } from './invent.ts';
import { isRecord, kindOf, resolve, type Schema } from './schema.ts';
import { ACTING, alike, isState, isStop, isVerb, lower, nameWords, READING, Reading } from './words.ts';

export interface PlannedCall {
  name: string;
  arguments: Record<string, unknown>;
}

interface Tool {
  name: string;
  nouns: string[];
  verbs: string[];
  about: string[];
  /** Words of choices and property names. */
  hints: string[];
  schema: Schema;
  takesList: boolean;
}

interface Wish {
  tool: Tool;
  clauses: string[];
  /** "lamp a on and b off": what the clause doesn't say is as in the call before. */
  like?: Wish;
}

const ENOUGH = 1.5;

/** The calls that a text asks for, in its order. `only` names the one function that may be called. */
export function planCalls(text: string, tools: Turn['tools'], only?: string): PlannedCall[] {
  const known = tools.flatMap((tool) => (tool.type === 'function' ? [describe(tool.function)] : []));
  const usable = only === undefined ? known : known.filter(({ name }) => name === only);
  const reading = new Reading(text);
  return wishes(reading, usable).map((wish) => ({
    name: wish.tool.name,
    arguments: argumentsOf(wish, reading),
  }));
}

/** A call that has to be made though the text asks for none. */
export function forcedCall(text: string, tools: Turn['tools'], only?: string): PlannedCall | undefined {
  const functions = tools.flatMap((tool) => (tool.type === 'function' ? [tool.function] : []));
  const chosen = functions.find(({ name }) => only === undefined || name === only);
  if (!chosen) return undefined;
  const tool = describe(chosen);
  return { name: tool.name, arguments: argumentsOf({ tool, clauses: [text] }, new Reading('')) };
}

function describe(definition: {
  name: string;
  description?: string;
  parameters?: Record<string, unknown>;
}): Tool {
  const words = nameWords(definition.name);
  const nouns = words.filter((word) => !isVerb(word) && !isStop(word));
  const about = nameWords(definition.description ?? '').filter(
    (word) => !isStop(word) && !words.includes(word),
  );
  const schema = resolve(definition.parameters ?? {}, definition.parameters ?? {});
  const properties = Object.entries(isRecord(schema.properties) ? schema.properties : {});
  const resolved = properties.map(([name, property]): [string, Schema] => [name, resolve(property, schema)]);
  return {
    name: definition.name,
    nouns: nouns.length > 0 ? nouns : words,
    verbs: nouns.length > 0 ? words.filter(isVerb) : [],
    about: [...new Set(about)],
    hints: resolved.flatMap(([name, { enum: values }]) =>
      [name, ...(Array.isArray(values) ? values.map(String) : [])].flatMap(nameWords),
    ),
    schema,
    takesList: resolved.some(([, property]) => kindOf(property) === 'array'),
  };
}

function score(tool: Tool, clause: string[]): number {
  const has = (word: string) => clause.some((one) => alike(one, word));
  const verb = (word: string) => {
    if (clause.includes(word)) return 1;
    const group = READING.has(word) ? READING : ACTING.has(word) ? ACTING : undefined;
    return group && clause.some((one) => group.has(one)) ? 0.5 : 0;
  };
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
  if (clause.includes(lower(tool.name))) return 100;
  const nouns = tool.nouns.filter(has).length;
  const byName = nouns * 3 - (nouns > 0 ? (tool.nouns.length - nouns) * 0.5 : 0) + sum(tool.verbs.map(verb));
  const aboutNouns = tool.about.filter((word) => word.length >= 4 && !isVerb(word) && has(word)).length;
  const asked = nouns === 0 && aboutNouns > 0 && clause.some(isVerb) ? 0.5 : 0;
  const byDescription =
    Math.min(aboutNouns, 3) + Math.max(asked, Math.min(sum(tool.about.filter(isVerb).map(verb)), 0.5));
  const byHints = tool.hints.filter(
    (word) => word.length >= 3 && !isVerb(word) && !isState(word) && has(word),
  ).length;
  return nouns + aboutNouns + tool.verbs.length === 0 ? 0 : byName + byDescription + Math.min(byHints, 2);
}

/** The clause with an underlined function name in it counts for that name only. */
function clauseWords(clause: string, reading: Reading): string[] {
  return reading
    .words(clause)
    .flatMap(({ low, held }) => (held ? [] : [low, ...(low.includes('_') ? [] : nameWords(low))]));
}

function best(tools: Tool[], words: string[]): Tool | undefined {
  const rated = tools.map((tool) => ({ tool, points: score(tool, words) }));
  const top = rated.reduce((a, b) => (b.points > a.points ? b : a), {
    tool: undefined as Tool | undefined,
    points: 0,
  });
  return top.points >= ENOUGH ? top.tool : undefined;
}

function wishes(reading: Reading, tools: Tool[]): Wish[] {
  const found: Wish[] = [];
  let lead: string[] = [];
  for (const clause of reading.clauses) {
    const words = clauseWords(clause, reading);
    const tool = best(tools, words);
    const last = found.at(-1);
    if (tool && last?.tool === tool && tool.takesList && !words.includes(lower(tool.name)))
      last.clauses.push(clause);
    else if (tool) {
      found.push({ tool, clauses: [...lead, clause] });
      lead = [];
    } else if (!last) lead.push(clause);
    else if (repeats(last, clause, reading)) found.push({ tool: last.tool, clauses: [clause], like: last });
    else last.clauses.push(clause);
  }
  return found;
}

/** A clause that gives another choice or state for what the call before has already been given. */
function repeats(last: Wish, clause: string, reading: Reading): boolean {
  if (last.tool.takesList) return false;
  const choices = switches(last.tool.schema);
  const given = evidence(choices, filling(last.tool, last.clauses.join(', '), reading));
  const words = reading.words(clause);
  const isShort = words.filter(({ low }) => !isStop(low)).length <= 3;
  const again = evidence(choices, filling(last.tool, clause, reading));
  return isShort && Object.keys(again).some((name) => name in given);
}

/** The schema with only its choices and yes-or-no properties. */
function switches(schema: Schema): Schema {
  const properties = Object.entries(isRecord(schema.properties) ? schema.properties : {});
  const kept = properties.filter(([, property]) => {
    const resolved = resolve(property, schema);
    return Array.isArray(resolved.enum) || kindOf(resolved) === 'boolean';
  });
  return { ...schema, properties: Object.fromEntries(kept), required: [] };
}

function filling(tool: Tool, text: string, reading: Reading, known: Record<string, unknown> = {}): Filling {
  return {
    root: tool.schema,
    words: reading.words(text),
    toolWords: [lower(tool.name), ...tool.nouns, ...tool.verbs],
    known,
    depth: 0,
  };
}

function argumentsOf(wish: Wish, reading: Reading): Record<string, unknown> {
  const text = wish.clauses.join(', ');
  const json = reading.words(text).find(({ held }) => held?.kind === 'json')?.held;
  if (json?.kind === 'json') return json.value;
  const before = wish.like ? argumentsOf(wish.like, reading) : undefined;
  if (before) return { ...before, ...evidence(wish.tool.schema, filling(wish.tool, text, reading)) };
  const made = fill({ type: 'object', ...wish.tool.schema }, filling(wish.tool, text, reading));
  return isRecord(made) ? made : {};
}
