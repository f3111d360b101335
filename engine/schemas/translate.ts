/** The one place where a schema's findings become the API's error texts. */
import * as z from 'zod/mini';
import {
  type ApiError,
  invalidType,
  invalidValue,
  missingParameter,
  outOfBounds,
  propertyNameTooLong,
  unknownParameter,
} from '../domain/errors.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** `['messages', 0, 'role']` → `messages[0].role`, as the API writes it. */
const paramOf = (path: Path): string =>
  path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part),
    '',
  );

const valueAt = (root: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (value, part) => (value as Record<PropertyKey, unknown> | null | undefined)?.[part],
    root,
  );

/** The kind of a JSON value in the API's words. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  switch (typeof value) {
    case 'object':
      return 'an object';
    case 'boolean':
      return 'a boolean';
    case 'string':
      return 'a string';
    case 'number':
      return Number.isInteger(value) ? 'an integer' : 'a decimal number';
    default:
      return 'nothing';
  }
}

const EXPECTED: Record<string, string> = {
  string: 'a string',
  number: 'a decimal',
  int: 'an integer',
  boolean: 'a boolean',
  array: 'an array',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

/** What a schema of whole numbers calls itself: its first complaint would only speak of a number. */
export const INTEGER = 'an integer';

const expectedOf = ({ expected, message }: Extract<Issue, { code: 'invalid_type' }>) =>
  message === INTEGER ? INTEGER : (EXPECTED[expected] ?? expected);

/** `'none', 'auto', and 'required'` */
function list(values: readonly unknown[]): string {
  const quoted = values.map((value) => `'${String(value)}'`);
  if (quoted.length < 2) return quoted.join('');
  if (quoted.length === 2) return quoted.join(' and ');
  return `${quoted.slice(0, -1).join(', ')}, and ${quoted.at(-1)}`;
}

/** An alternative that does not even accept the value's type says nothing about what is wrong inside it. */
const isOfOtherType = (issues: readonly Issue[]) =>
  issues.some(
    ({ code, path, input }) =>
      path.length === 0 &&
      (code === 'invalid_type' || (code === 'invalid_value' && typeof input !== 'string')),
  );

function translateUnion(
  root: unknown,
  path: Path,
  issue: Extract<Issue, { code: 'invalid_union' }>,
): ApiError {
  const value = valueAt(root, path);
  const options = (issue as { options?: readonly unknown[] }).options;
  if (options) {
    // The path of a failed discriminator already ends in its name.
    if (value === undefined) return missingParameter(paramOf(path));
    return invalidValue(
      paramOf(path),
      `Invalid value: '${String(value)}'. Supported values are: ${list(options)}.`,
    );
  }
  const alternatives = issue.errors as readonly (readonly Issue[])[];
  const near = alternatives.find((issues) => !isOfOtherType(issues));
  if (near)
    return translateFirst(
      root,
      near.map((inner) => ({ ...inner, path: [...path, ...inner.path] }) as Issue),
    );
  const kinds = alternatives.map((issues) => issues.find((inner) => inner.path.length === 0));
  const expected = kinds.map((inner) => (inner?.code === 'invalid_type' ? expectedOf(inner) : 'a string'));
  return invalidType(paramOf(path), `one of ${[...new Set(expected)].join(' or ')}`, kindOf(value));
}

function tooBig(
  param: string,
  value: unknown,
  { origin, maximum }: { origin: string; maximum: number | bigint },
) {
  if (origin === 'string') {
    const length = String(value).length;
    return outOfBounds(
      param,
      `string too long. Expected a string with maximum length ${maximum}, but got a string with length ${length} instead.`,
      'string_above_max_length',
    );
  }
  if (origin === 'array') {
    const { length } = value as unknown[];
    return outOfBounds(
      param,
      `array too long. Expected an array with maximum length ${maximum}, but got an array with length ${length} instead.`,
      'array_above_max_length',
    );
  }
  const kind = origin === 'int' || Number.isInteger(value) ? 'integer' : 'decimal';
  return outOfBounds(
    param,
    `${kind} above maximum value. Expected a value <= ${maximum}, but got ${value} instead.`,
    `${kind}_above_max_value`,
  );
}

function tooSmall(
  param: string,
  value: unknown,
  { origin, minimum }: { origin: string; minimum: number | bigint },
) {
  if (origin === 'string' || origin === 'array') {
    const a = origin === 'string' ? 'a string' : 'an array';
    return outOfBounds(
      param,
      `empty ${origin}. Expected ${a} with minimum length ${minimum}, but got an empty ${origin} instead.`,
      `empty_${origin}`,
    );
  }
  const kind = Number.isInteger(value) ? 'integer' : 'decimal';
  return outOfBounds(
    param,
    `${kind} below minimum value. Expected a value >= ${minimum}, but got ${value} instead.`,
    `${kind}_below_min_value`,
  );
}

function translate(root: unknown, issue: Issue): ApiError {
  const { path } = issue;
  const param = paramOf(path);
  const value = valueAt(root, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return unknownParameter(paramOf([...path, issue.keys[0]!]));
    case 'invalid_union':
      return translateUnion(root, path, issue);
    case 'invalid_key':
      return propertyNameTooLong(paramOf(path.slice(0, -1)), String(path.at(-1)), 64);
    case 'invalid_type':
      if (value === undefined) return missingParameter(param);
      return invalidType(param, expectedOf(issue), kindOf(value));
    case 'invalid_value':
      if (value === undefined) return missingParameter(param);
      if (typeof value !== 'string') return invalidType(param, 'a string', kindOf(value));
      return invalidValue(param, `Invalid value: '${value}'. Supported values are: ${list(issue.values)}.`);
    case 'too_big':
      return tooBig(param, value, issue);
    case 'too_small':
      return tooSmall(param, value, issue);
    case 'custom':
      // A rule of ours that no bound expresses; its code and detail come with it (fields.ts).
      return issue.params?.code
        ? outOfBounds(param, issue.message, String(issue.params.code))
        : invalidValue(param, issue.message);
    default:
      return invalidValue(param, `Invalid '${param}': ${issue.message}`);
  }
}

/** Unknown keys are reported before anything else, then what is missing, then what is wrong. */
function rank(root: unknown, issue: Issue): number {
  if (issue.code === 'unrecognized_keys') return 0;
  return valueAt(root, issue.path) === undefined ? 1 : 2;
}

function translateFirst(root: unknown, issues: readonly Issue[]): ApiError {
  const [first] = issues.toSorted((a, b) => rank(root, a) - rank(root, b));
  return translate(root, first!);
}

/**
 * The value as the schema describes it.
 * @throws ApiError 400 with the API's text for the first thing that is wrong.
 */
export function parse<T extends z.core.$ZodType>(schema: T, value: unknown): z.output<T> {
  const result = z.safeParse(schema, value, { reportInput: true });
  if (result.success) return result.data;
  throw translateFirst(value, result.error.issues);
}
