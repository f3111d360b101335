/** Ids of objects and of requests. */
import { randomBytes } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 24;

export type IdPrefix = 'asst' | 'thread' | 'msg' | 'run' | 'step' | 'call';

/** A fresh id in the service's form: prefix, underscore, 24 letters or digits. */
export function newId(prefix: IdPrefix): string {
  let id = `${prefix}_`;
  const end = id.length + LENGTH;
  while (id.length < end) {
    for (const byte of randomBytes(LENGTH + 8)) {
      // 248 is the largest multiple of 62 in a byte: beyond it some letters would be likelier than others.
      if (byte < 248 && id.length < end) id += ALPHABET[byte % 62];
    }
  }
  return id;
}

/** `x-request-id` as the service forms it. */
export function newRequestId(): string {
  return `req_${randomBytes(16).toString('hex')}`;
}
