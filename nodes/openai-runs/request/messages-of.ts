/** What a value says, as messages: the way from what flows carry to what the API takes. */
import { isObject } from '../../../engine/domain/is-object.ts';
import type { NewMessage } from '../methods/method.ts';

/**
 * The messages that a value stands for: a text, a number, a boolean or a Buffer of text is one of the user's, an array
 * of messages those. None for a value that says nothing, or nothing that could be read.
 */
export function messagesOf(value: unknown): NewMessage[] {
  if (Array.isArray(value)) return value.every(isMessage) ? value : [];
  const text = textOf(value);
  return text === undefined || text.trim() === '' ? [] : [{ role: 'user', content: text }];
}

/** Whether a value was meant to say something and does not: an empty text, Buffer or list. */
export function isBlank(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return textOf(value)?.trim() === '';
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(value);
  } catch {
    // A picture, a sound: no text.
    return undefined;
  }
}

const isMessage = (value: unknown): value is NewMessage =>
  isObject(value) && typeof value.role === 'string' && 'content' in value;
