/** Checks of single settings. The editor shows the reason only for functions that declare two parameters. */
import { findMethod } from '../methods/index.ts';
import { text } from './i18n.ts';

export function checkMethod(this: EditorNode, id: string, _options: object): true | string {
  return findMethod(id) ? true : text('validation.method', { method: id });
}

/** A number not below `min`; nothing at all stands for the default. */
export function atLeast(min: number) {
  return function checkAtLeast(this: EditorNode, value: unknown, _options: object): true | string {
    if (value === '' || value === undefined) return true;
    return Number(value) >= min ? true : text('validation.atLeast', { min });
  };
}

/** A typedInput's value; nothing at all stands for the default. @param typeProperty where its type is saved */
export function checkTyped(typeProperty: string) {
  return function checkExpression(this: EditorNode, value: unknown, _options: object): true | string {
    if (value === '' || value === undefined) return true;
    return RED.utils.validateTypedProperty(String(value), this[typeProperty] || 'msg', {});
  };
}
