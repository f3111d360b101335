/** Holds one field of a request against the method's parameter table, before anything is sent. */
import type { Parameter, ParameterType } from './methods/method.ts';
import { isObject } from './settings.ts';

/** Ids longer than any server makes are a mistake, and would only fill a log. */
const LONGEST_ID = 512;

/** Why a value cannot be sent: a key of the locale's `error` section, and what it is filled with. */
export interface Refusal {
  key: 'badType' | 'badEnum' | 'badId' | 'notJson';
  expected: string;
  got: string;
}

/** A word for what a value is, as a person would say it. */
export function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'undefined';
  if (Array.isArray(value)) return 'array';
  if (ArrayBuffer.isView(value)) return 'Buffer';
  if (typeof value === 'number' && Number.isNaN(value)) return 'NaN';
  return typeof value;
}

/** An id that may stand in a path or a body: nothing that could lead to another path. */
function isId(value: unknown): boolean {
  if (typeof value !== 'string' || value === '' || value.length > LONGEST_ID) return false;
  if (value === '.' || value === '..') return false;
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
 * @returns undefined if it may be sent, else what is wrong with it
 */
export function check(value: unknown, parameter: Parameter): Refusal | undefined {
  if (value === null && parameter.nullable) return undefined;
  const types = [parameter.type].flat() as ParameterType[];
  const got = nameOf(value);
  if (!types.some((type) => kinds[type](value))) {
    const expected = types.map((type) => (type === 'id' ? 'string' : type)).join(' | ');
    const isText = typeof value === 'string';
    return types.includes('id') && isText
      ? { key: 'badId', expected, got }
      : { key: 'badType', expected, got };
  }
  if (parameter.enum && typeof value === 'string' && !parameter.enum.includes(value)) {
    return { key: 'badEnum', expected: parameter.enum.join(', '), got: value.slice(0, 80) };
  }
  return jsonProblem(value);
}

/** Whether a value can be written as JSON at all: no circles, no BigInt. */
function jsonProblem(value: unknown): Refusal | undefined {
  if (typeof value !== 'object') return undefined;
  try {
    JSON.stringify(value);
    return undefined;
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
