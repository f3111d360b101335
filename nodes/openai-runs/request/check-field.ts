/** Holds one field of a request against the method's parameter table, before anything is sent. */
import { isObject } from '../../../engine/domain/is-object.ts';
import type { Parameter, ParameterType } from '../methods/method.ts';

/** Ids longer than any server makes are a mistake, and would only fill a log. */
const LONGEST_ID = 512;

/** Why a value cannot be sent: a key of the locale's `error` section, and what it is filled with. */
export interface Refusal {
  key: 'badType' | 'badEnum' | 'badId' | 'badItem' | 'notJson';
  expected: string;
  got: string;
}

/** A word for what a value is, as a person would say it. */
export function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'undefined';
  if (Array.isArray(value)) return 'array';
  if (ArrayBuffer.isView(value)) return 'Buffer';
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return typeof value;
}

/** An id that may stand in a path or a body: nothing that could lead to another path. */
export function isId(value: unknown): value is string {
  if (typeof value !== 'string' || value === '' || value.length > LONGEST_ID) return false;
  if (value === '.' || value === '..' || !value.isWellFormed()) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those are refused
  return !/[\s/\\?#%\u0000-\u001f\u007f]/.test(value);
}

const kinds: Record<ParameterType, (value: unknown) => boolean> = {
  id: isId,
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  integer: (value) => Number.isSafeInteger(value),
  boolean: (value) => typeof value === 'boolean',
  object: isObject,
  array: Array.isArray,
};

/**
 * Checks a value.
 * @returns the value as it will be sent: a copy, so that what was checked is what travels; or what is wrong with it
 */
export function accept(value: unknown, parameter: Parameter): { value: unknown } | Refusal {
  if (value === null && parameter.nullable) return { value };
  const types = [parameter.type].flat() as ParameterType[];
  const fits = (one: unknown) => types.some((type) => kinds[type](one));
  const expected = types.map((type) => (type === 'id' ? 'string' : type)).join(' | ');
  const got = nameOf(value);
  if (!fits(value)) {
    return { key: types.includes('id') && typeof value === 'string' ? 'badId' : 'badType', expected, got };
  }
  if (parameter.enum && typeof value === 'string' && !parameter.enum.includes(value)) {
    return { key: 'badEnum', expected: parameter.enum.join(', '), got: value.slice(0, 80) };
  }
  if (typeof value !== 'object' || value === null) return { value };
  const copy = asSent(value);
  if ('key' in copy) return copy;
  if (!fits(copy.value)) return { key: 'badType', expected, got: nameOf(copy.value) };
  return checkItems(copy.value, parameter) ?? copy;
}

/** Holds the entries of an array against the parameter's `items`. */
function checkItems(value: unknown, { items }: Parameter): Refusal | undefined {
  if (!items || !Array.isArray(value)) return undefined;
  const at = value.findIndex((item) => !kinds[items](item));
  return at < 0 ? undefined : { key: 'badItem', expected: items, got: `${nameOf(value[at])} [${at}]` };
}

/** Objects that JSON writes as what they are; all others (Map, Promise, Buffer, …) would leave as `{}` or worse. */
const WRITTEN = new Set(['Object', 'Array', 'Date', 'String', 'Number', 'Boolean', 'Null']);

/** A value after its way through JSON; refused where JSON would leave something out or change it. */
function asSent(value: object): { value: unknown } | Refusal {
  function strict(this: Record<string, unknown>, key: string, written: unknown): unknown {
    const raw = this[key];
    const kind = typeof raw === 'object' ? Object.prototype.toString.call(raw).slice(8, -1) : '';
    const lost =
      typeof written === 'function' ||
      typeof written === 'symbol' ||
      (typeof written === 'number' && !Number.isFinite(written)) ||
      (written === undefined && Array.isArray(this)) ||
      (kind !== '' && !WRITTEN.has(kind));
    if (lost) throw new TypeError(`${key} = ${kind || nameOf(raw)}`);
    return written;
  }
  try {
    const text = JSON.stringify(value, strict);
    return { value: text === undefined ? undefined : JSON.parse(text) };
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return { key: 'notJson', expected: 'JSON', got: reason };
  }
}

/**
 * Reads a text from an environment variable or a text field as what the parameter wants: `"20"` as 20.
 * Texts that are no such thing stay as they are and are refused by `check`.
 */
export function coerce(value: unknown, parameter: Parameter): unknown {
  if (typeof value !== 'string') return value;
  const types = [parameter.type].flat() as ParameterType[];
  if (types.includes('string') || types.includes('id')) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
