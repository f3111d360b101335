/** Checks of single settings. The editor shows the reason only for functions that declare two parameters. */
import { findMethod } from '../methods/index.ts';
import { text } from './i18n.ts';

export function checkMethod(this: EditorNode, id: string, _options: object): true | string {
  return findMethod(id) ? true : text('validation.method', { method: id });
}

/** A number not below `min`. */
export function atLeast(min: number) {
  return function checkAtLeast(this: EditorNode, value: unknown, _options: object): true | string {
    const number = value === '' || value === undefined ? Number.NaN : Number(value);
    return number >= min ? true : text('validation.atLeast', { min });
  };
}
