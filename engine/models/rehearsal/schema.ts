/** The part of JSON Schema that making a value needs; whatever it costs is counted, and too much is refused. */
import { isObject } from '../../domain/is-object.ts';
import { ModelError } from '../model.ts';

export type Schema = Record<string, unknown>;
export type Kind = 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object' | 'null';

/** References and parts of allOf or anyOf inside each other: more is a schema that refers to itself. */
const DEEPEST = 64;
/** Steps that one answer may cost, so that no schema blocks the process for more than some 50 ms. */
const MOST_STEPS = 50_000;
/** Longest text that is made up, in characters. */
export const LONGEST_TEXT = 10_000;

/** The failure of a run whose schema is beyond the rehearsal model. */
export const cannot = (why: string) =>
  new ModelError('rehearsedSchema', { reason: why }, { reason: 'provider_request_refused' });

/** A schema as one way for a value to look; `nullable` if null would do as well. */
export interface Way {
  schema: Schema;
  nullable: boolean;
}

/** Reads the schemas below one root, which holds the $defs. */
export class SchemaReader {
  readonly root: Schema;
  #steps = 0;

  constructor(root: Schema) {
    this.root = root;
  }

  /** @throws ModelError when the answer has cost too much. */
  readonly spend = (steps: number): void => {
    this.#steps += steps;
    if (this.#steps > MOST_STEPS) throw cannot('it is too large, or refers to itself without end');
  };

  /** The first way that is not null, references followed and allOf joined. */
  way(schema: unknown, depth = 0): Way {
    const { anyOf, oneOf, ...own } = this.#resolve(schema, depth);
    const branches: unknown = anyOf ?? oneOf;
    const types: unknown = own.type;
    if (Array.isArray(branches))
      return firstOf(
        branches.map((branch) => this.way(join(own, this.#resolve(branch, depth + 1)), depth + 1)),
      );
    if (Array.isArray(types))
      return firstOf(types.map((type) => ({ schema: { ...own, type }, nullable: false })));
    return { schema: own, nullable: Array.isArray(own.enum) && own.enum.includes(null) };
  }

  #resolve(schema: unknown, depth: number): Schema {
    let found: Schema = isObject(schema) ? schema : {};
    for (let hops = depth; typeof found.$ref === 'string'; hops++) {
      if (hops > DEEPEST) throw cannot(`${found.$ref.slice(0, 100)} refers to itself`);
      const { $ref, ...rest } = found;
      found = { ...this.#lookUp(String($ref)), ...rest };
      this.#count(found);
    }
    this.#count(found);
    if (!Array.isArray(found.allOf)) return found;
    if (depth > DEEPEST) throw cannot('its allOf contains itself');
    const { allOf, ...own } = found;
    return allOf.reduce((all: Schema, part: unknown) => {
      const next = join(all, this.#resolve(part, depth + 1));
      this.#count(next);
      return next;
    }, own);
  }

  /** Counts what copying a schema costs, and looking through its lists. */
  #count({ properties, required, enum: values, anyOf, oneOf, allOf }: Schema): void {
    const lists = [required, values, anyOf, oneOf, allOf].map((one) => (Array.isArray(one) ? one.length : 0));
    this.spend(
      lists.reduce((sum, one) => sum + one, 1 + (isObject(properties) ? Object.keys(properties).length : 0)),
    );
  }

  #lookUp(ref: string): Schema {
    let at: unknown = this.root;
    for (const step of ref.replace(/^#\/?/, '').split('/').filter(Boolean)) {
      const key = decoded(step).replaceAll('~1', '/').replaceAll('~0', '~');
      at = typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? Reflect.get(at, key) : undefined;
    }
    return isObject(at) ? at : {};
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function firstOf(ways: Way[]): Way {
  const isNull = ({ schema }: Way) => kindOf(schema) === 'null' || schema.const === null;
  const first = ways.find((way) => !isNull(way)) ?? ways[0] ?? { schema: {}, nullable: false };
  return { schema: first.schema, nullable: ways.some((way) => way.nullable || isNull(way)) };
}

function join(a: Schema, b: Schema): Schema {
  const both = { ...a, ...b };
  if (isObject(a.properties) && isObject(b.properties))
    both.properties = { ...a.properties, ...b.properties };
  if (Array.isArray(a.required) && Array.isArray(b.required)) both.required = [...a.required, ...b.required];
  return both;
}

/** The type a schema names or shows by its other words. */
export function kindOf(schema: Schema): Kind | undefined {
  if (typeof schema.type === 'string') return schema.type as Kind;
  if (schema.properties || schema.required) return 'object';
  if (schema.items || schema.minItems) return 'array';
  if (schema.pattern || schema.format || schema.minLength) return 'string';
  if (schema.minimum !== undefined || schema.multipleOf) return 'number';
  return undefined;
}

export const propertiesOf = ({ properties }: Schema): Schema => (isObject(properties) ? properties : {});
export const requiredOf = ({ required }: Schema): Set<string> =>
  new Set(Array.isArray(required) ? required.map(String) : []);
/** The number under a key of a schema. */
export const limit = (schema: Schema, key: string, otherwise: number): number => {
  const value = schema[key];
  return typeof value === 'number' ? value : otherwise;
};

/** The nearest number that the schema allows. */
export function fitNumber(value: number, schema: Schema): number {
  const whole = schema.type === 'integer' ? 1 : 0;
  const step = limit(schema, 'multipleOf', whole);
  const beyond = step || 1e-6;
  const low = Math.max(
    limit(schema, 'minimum', -Infinity),
    limit(schema, 'exclusiveMinimum', -Infinity) + beyond,
  );
  const high = Math.min(
    limit(schema, 'maximum', Infinity),
    limit(schema, 'exclusiveMaximum', Infinity) - beyond,
  );
  const inside = Math.min(Math.max(value, low), high);
  if (!step) return inside;
  const nearest = Math.round(inside / step);
  const count =
    nearest * step < low ? Math.ceil(low / step) : nearest * step > high ? Math.floor(high / step) : nearest;
  return Number((count * step).toPrecision(12));
}

/** A text cut or lengthened to what the schema allows; JSON Schema counts code points. */
export function fitText(value: string, schema: Schema): string {
  const shortest = limit(schema, 'minLength', 0);
  if (shortest > LONGEST_TEXT) throw cannot(`a text of ${shortest} characters is too long`);
  const signs = [...value].slice(0, limit(schema, 'maxLength', Infinity));
  return signs.join('') + '.'.repeat(Math.max(0, Math.ceil(shortest) - signs.length));
}
