/** The part of JSON Schema that filling in arguments needs. */
import { sampleOf } from './pattern.ts';

export type Schema = Record<string, unknown>;
export type Kind = 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object' | 'null';

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Follows local references, joins allOf; `root` is the schema that holds $defs. */
export function resolve(schema: unknown, root: Schema): Schema {
  let found: Schema = isRecord(schema) ? schema : {};
  for (let hops = 0; typeof found.$ref === 'string' && hops < 16; hops++) {
    const { $ref, ...rest } = found;
    found = { ...lookUp(String($ref), root), ...rest };
  }
  if (!Array.isArray(found.allOf)) return found;
  const { allOf, ...own } = found;
  return allOf.map((part: unknown) => resolve(part, root)).reduce(join, own);
}

function lookUp(ref: string, root: Schema): Schema {
  const path = ref.replace(/^#\/?/, '').split('/').filter(Boolean);
  let at: unknown = root;
  for (const step of path) {
    const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    at = isRecord(at) ? at[key] : undefined;
  }
  return isRecord(at) ? at : {};
}

function join(a: Schema, b: Schema): Schema {
  const both = { ...a, ...b };
  if (isRecord(a.properties) && isRecord(b.properties))
    both.properties = { ...a.properties, ...b.properties };
  if (Array.isArray(a.required) && Array.isArray(b.required)) both.required = [...a.required, ...b.required];
  return both;
}

/** The ways a value may look: anyOf and oneOf taken apart, a list of types too; `null` last. */
export function options(schema: Schema, root: Schema): Schema[] {
  const { anyOf, oneOf, ...own } = schema;
  const branches = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined;
  const found = branches
    ? branches.flatMap((branch) => options(join(own, resolve(branch, root)), root))
    : Array.isArray(schema.type)
      ? schema.type.map((type) => ({ ...schema, type }))
      : [schema];
  return [...found.filter((one) => kindOf(one) !== 'null'), ...found.filter((one) => kindOf(one) === 'null')];
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

const number = (value: unknown) => (typeof value === 'number' ? value : undefined);

/** Lowest and highest number allowed, undefined where there is no bound. */
function bounds(schema: Schema): { low: number | undefined; high: number | undefined } {
  const step = number(schema.multipleOf) ?? (schema.type === 'integer' ? 1 : 1e-6);
  const over = number(schema.exclusiveMinimum);
  const under = number(schema.exclusiveMaximum);
  return {
    low:
      over === undefined
        ? number(schema.minimum)
        : Math.max(over + step, number(schema.minimum) ?? -Infinity),
    high:
      under === undefined
        ? number(schema.maximum)
        : Math.min(under - step, number(schema.maximum) ?? Infinity),
  };
}

/** The nearest number that the schema allows. */
export function fitNumber(value: number, schema: Schema): number {
  const { low, high } = bounds(schema);
  const step = number(schema.multipleOf) ?? (schema.type === 'integer' ? 1 : undefined);
  const inside = Math.min(Math.max(value, low ?? -Infinity), high ?? Infinity);
  if (!step) return inside;
  let count = Math.round(inside / step);
  if (low !== undefined && count * step < low) count = Math.ceil(low / step);
  if (high !== undefined && count * step > high) count = Math.floor(high / step);
  return Number((count * step).toPrecision(12));
}

/** A text cut or lengthened to what the schema allows. */
export function fitString(value: string, schema: Schema): string {
  const cut = value.slice(0, number(schema.maxLength) ?? value.length);
  return cut.padEnd(number(schema.minLength) ?? 0, '.');
}

const FORMATS: Record<string, string> = {
  'date-time': '2026-01-01T12:00:00Z',
  date: '2026-01-01',
  time: '12:00:00Z',
  duration: 'PT1M',
  email: 'rehearsal@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  url: 'https://example.com/',
  'uri-reference': '/rehearsal',
  uuid: '00000000-0000-4000-8000-000000000000',
};

/** What stands in for a required text that the message doesn't hold. */
export function placeholderText(schema: Schema, noun = 'rehearsal'): string {
  const known = FORMATS[String(schema.format)];
  if (known) return known;
  if (typeof schema.pattern === 'string') return sampleOf(schema.pattern);
  return fitString(noun, schema);
}

/** Checks what filling in relies on; not a full validator. */
export function fits(value: unknown, schema: Schema): boolean {
  if (schema.const !== undefined) return value === schema.const;
  if (Array.isArray(schema.enum)) return schema.enum.includes(value);
  switch (kindOf(schema)) {
    case 'string':
      return (
        typeof value === 'string' && fitString(value, schema) === value && matches(value, schema.pattern)
      );
    case 'number':
    case 'integer':
      return typeof value === 'number' && fitNumber(value, schema) === value;
    case 'boolean':
      return typeof value === 'boolean';
    case 'null':
      return value === null;
    default:
      return false;
  }
}

export function matches(value: string, pattern: unknown): boolean {
  if (typeof pattern !== 'string') return true;
  try {
    return new RegExp(pattern, 'u').test(value);
  } catch {
    return true;
  }
}
