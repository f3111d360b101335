/** A value for a schema: what a text says, then what the schema gives, then something that stands in. */
import { below, FORMATS, find, type Source } from './find.ts';
import { Pattern } from './pattern.ts';
import {
  cannot,
  fitNumber,
  fitText,
  kindOf,
  limit,
  propertiesOf,
  requiredOf,
  type Schema,
  SchemaReader,
} from './schema.ts';

/** Values, the inner ones counted, that one answer may have: a list of a billion would end the process. */
const MOST_VALUES = 1000;

/**
 * A value for a schema, the same for the same schema and text, every time.
 * @throws ModelError for a schema that asks for too much, or for a pattern that no text is found for.
 */
export function makeValue(schema: Schema, source: Source): unknown {
  const reader = new SchemaReader(schema);
  return new Maker(reader, find(reader, source)).make(schema, '');
}

class Maker {
  readonly #reader: SchemaReader;
  readonly #found: Map<string, unknown>;
  /** Paths of what was found and of all around it. */
  readonly #touched: Set<string>;
  #made = 0;

  constructor(reader: SchemaReader, found: Map<string, unknown>) {
    this.#reader = reader;
    this.#found = found;
    this.#touched = new Set(
      [...found.keys()].flatMap((path) =>
        path.split('\0').map((_, at, parts) => parts.slice(0, at + 1).join('\0')),
      ),
    );
  }

  make(of: unknown, path: string): unknown {
    if (++this.#made > MOST_VALUES) throw cannot(`it wants more than ${MOST_VALUES} values`);
    const { schema, nullable } = this.#reader.way(of);
    const kind = kindOf(schema);
    if (kind === 'array' && this.#touched.has(path)) return this.#list(schema, path);
    if (this.#found.has(path)) return this.#found.get(path);
    if (kind === 'object' && this.#touched.has(path)) return this.#object(schema, path);
    if (schema.default !== undefined) return schema.default;
    if (schema.const !== undefined) return schema.const;
    // a strict schema has every property required: null is its way to say "not given"
    if (nullable) return null;
    if (Array.isArray(schema.enum)) return schema.enum[0];
    if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0];
    switch (kind) {
      case 'number':
      case 'integer':
        return fitNumber(0, schema);
      case 'boolean':
        return true;
      case 'null':
        return null;
      case 'array':
        return this.#list(schema, path);
      case 'object':
        return this.#object(schema, path);
      default:
        return this.#text(schema);
    }
  }

  #object(schema: Schema, path: string): Record<string, unknown> {
    const properties = propertiesOf(schema);
    const required = requiredOf(schema);
    const wanted = [...new Set([...Object.keys(properties), ...required])].filter((name) => {
      const isGiven = required.has(name) || this.#touched.has(below(path, name));
      return isGiven || this.#reader.way(properties[name]).schema.default !== undefined;
    });
    return Object.fromEntries(wanted.map((name) => [name, this.make(properties[name], below(path, name))]));
  }

  #list(schema: Schema, path: string): unknown[] {
    const fewest = limit(schema, 'minItems', 0);
    if (fewest > MOST_VALUES) throw cannot(`a list of ${fewest} values is too long`);
    const first = this.#touched.has(below(path, 0)) ? [this.make(schema.items, below(path, 0))] : [];
    const found = this.#found.get(path) ?? first;
    const values = Array.isArray(found) ? found.slice(0, limit(schema, 'maxItems', Infinity)) : [];
    const list = schema.uniqueItems ? [...new Set(values)] : values;
    while (list.length < fewest) {
      const value = this.make(schema.items, below(path, list.length));
      list.push(schema.uniqueItems ? this.#another(value, list, schema.items) : value);
    }
    return list;
  }

  /** A list's next value where none may stand twice. */
  #another(value: unknown, taken: unknown[], items: unknown): unknown {
    const { schema } = this.#reader.way(items);
    const count = (more: number) => (typeof value === 'number' ? value + more : `${value}${more + 1}`);
    const others = Array.isArray(schema.enum) ? schema.enum : taken.map((_, at) => count(at + 1));
    return [value, ...others].find((one) => !taken.includes(one)) ?? value;
  }

  #text(schema: Schema): string {
    const { pattern } = schema;
    if (typeof pattern === 'string')
      return new Pattern(pattern, this.#reader.spend).sample(
        limit(schema, 'minLength', 0),
        limit(schema, 'maxLength', Infinity),
      );
    return FORMATS[String(schema.format)]?.[1] ?? fitText('rehearsal', schema);
  }
}
