/** What stands where the text says nothing: defaults, null, plausible values. */
import { fitNumber, isRecord, kindOf, options, placeholderText, resolve, type Schema } from './schema.ts';
import type { Word } from './words.ts';

export interface Filling {
  root: Schema;
  words: Word[];
  /** Words of the tool's own name and description: they name the tool, not its arguments. */
  toolWords: string[];
  /** Values known by property name, e.g. from what tools have answered. */
  known: Record<string, unknown>;
  /** How deep in the schema: some refer to themselves. */
  depth: number;
}

/** What was found, with defaults, and something for all that is required. */
export function completed(
  schema: Schema,
  found: Record<string, unknown>,
  filling: Filling,
  depth = 0,
): Record<string, unknown> {
  const properties = isRecord(schema.properties) ? schema.properties : {};
  const required: unknown[] = Array.isArray(schema.required) ? schema.required : [];
  const names = [...new Set([...Object.keys(properties), ...required.map(String)])];
  return Object.fromEntries(
    names.flatMap((name): [string, unknown][] => {
      if (name in found) return [[name, found[name]]];
      const ways = options(resolve(properties[name], filling.root), filling.root);
      const preset = ways.find((way) => way.default !== undefined);
      if (preset) return [[name, preset.default]];
      if (!required.includes(name)) return [];
      // a strict schema has every property required: null is its way to say "not given"
      const nothing = ways.find((way) => kindOf(way) === 'null');
      return [[name, nothing ? null : invented(ways[0] ?? {}, filling, depth + 1, name)]];
    }),
  );
}

export const DEEPEST = 6;
/** "Switch on the lamp": the lamp's name is then "lamp". */
const NAMES = /^(name|id|device|entity|target|object|item)$/i;

/** A plausible value where the text has none: the same for the same schema, every time. */
export function invented(schema: Schema, filling: Filling, depth = 0, name = ''): unknown {
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0];
  switch (kindOf(schema)) {
    case 'number':
    case 'integer':
      return fitNumber(0, schema);
    case 'boolean':
      return true;
    case 'null':
      return null;
    case 'array': {
      const items = options(resolve(schema.items, filling.root), filling.root)[0] ?? {};
      const length = depth < DEEPEST ? Number(schema.minItems ?? 0) : 0;
      const values: unknown[] = [];
      while (values.length < length)
        values.push(distinct(invented(items, filling, depth + 1), values, items, schema));
      return values;
    }
    case 'object':
      return depth < DEEPEST ? completed(schema, {}, filling, depth + 1) : {};
    default:
      return placeholderText(schema, NAMES.test(name) ? filling.toolWords.at(1) : undefined);
  }
}

/** A list's next value: another one if the list wants none twice and has it already. */
export function distinct(value: unknown, taken: unknown[], items: Schema, list: Schema): unknown {
  if (!list.uniqueItems || !taken.includes(value)) return value;
  if (Array.isArray(items.enum)) return items.enum.find((one) => !taken.includes(one)) ?? value;
  const next = (count: number) => (typeof value === 'number' ? value + count : `${value}${count + 1}`);
  const counts = taken.map((_, at) => at + 1);
  return counts.map(next).find((one) => !taken.includes(one)) ?? value;
}
