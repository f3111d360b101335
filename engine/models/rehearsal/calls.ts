/** Which functions a message asks for, and with which arguments. */

import { isObject } from '../../domain/is-object.ts';
import type { Turn } from '../model.ts';
import { makeValue } from './make.ts';
import type { Schema } from './schema.ts';
import { alike, clausesOf, isEveryday, isFiller, lower, nameWords, objectOf, type Word } from './words.ts';

export interface PlannedCall {
  name: string;
  arguments: Record<string, unknown>;
}

interface Tool {
  name: string;
  /** What a word of the message that is one of these counts. */
  weights: Map<string, number>;
  schema: Schema;
}

/** A word of the name asks for a function, or two words of its description. */
const ENOUGH = 2;
/** Words of a description that are compared: the first say what a function does. */
const DESCRIPTION_WORDS = 40;
/** Shorter words of a description say nothing, where not every sign is a syllable or more. */
const isTelling = (word: string) =>
  isEveryday(word) ||
  (!isFiller(word) &&
    (word.length >= 4 || /[\p{Script=Han}\p{Script=Katakana}\p{Script=Hangul}]/u.test(word)));

/**
 * The calls that a text asks for, in its order: each clause that names a function is a call, and what it doesn't say
 * may stand in the clauses up to the next. `only` names the one function that may be called.
 */
export function planCalls(text: string, tools: Turn['tools'], only?: string): PlannedCall[] {
  const usable = functionsOf(tools, only);
  const calls: { tool: Tool; words: Word[] }[] = [];
  const before: Word[] = [];
  for (const clause of clausesOf(text)) {
    const tool = named(usable, clause);
    if (tool) calls.push({ tool, words: [...before.splice(0), ...clause] });
    else (calls.at(-1)?.words ?? before).push(...clause);
  }
  return calls.map(({ tool, words }) => ({ name: tool.name, arguments: argumentsOf(tool, words) }));
}

/** A call that has to be made though the text asks for none: of the first function that may be called. */
export function forcedCall(text: string, tools: Turn['tools'], only?: string): PlannedCall | undefined {
  const tool = functionsOf(tools, only)[0];
  return tool && { name: tool.name, arguments: argumentsOf(tool, clausesOf(text).flat()) };
}

function functionsOf(tools: Turn['tools'], only: string | undefined): Tool[] {
  const functions = tools.flatMap((tool) => (tool.type === 'function' ? [tool.function] : []));
  return functions
    .filter(({ name }) => only === undefined || name === only)
    .map(({ name, description, parameters }) => {
      const words = nameWords(name);
      const isPlain = words.every(isEveryday);
      const about = nameWords((description ?? '').slice(0, 1000))
        .filter(isTelling)
        .slice(0, DESCRIPTION_WORDS);
      const weights = new Map(about.map((word) => [word, 1]));
      for (const word of words) weights.set(word, isEveryday(word) && !isPlain ? 1 : ENOUGH);
      return { name, weights, schema: parameters ?? {} };
    });
}

/** The function whose name stands in the clause, or the one that most of its words are of. */
function named(tools: Tool[], clause: Word[]): Tool | undefined {
  const words = clause.flatMap(({ kind, low }) => (kind === 'plain' ? [low] : []));
  const whole = tools.find(({ name }) => words.includes(lower(name)));
  if (whole) return whole;
  let best: Tool | undefined;
  let most = ENOUGH - 1;
  for (const tool of tools) {
    let points = 0;
    for (const [word, weight] of tool.weights) if (words.some((one) => alike(one, word))) points += weight;
    if (points > most) [best, most] = [tool, points];
  }
  return best;
}

/** A JSON object in the text is taken as it stands. */
function argumentsOf(tool: Tool, words: Word[]): Record<string, unknown> {
  const json = words.find(({ kind }) => kind === 'json');
  const made =
    (json && objectOf(json.text)) ??
    makeValue(
      { type: 'object', ...tool.schema },
      {
        words,
        toolWords: [lower(tool.name), ...tool.weights.keys()],
        known: {},
      },
    );
  return isObject(made) ? made : {};
}
