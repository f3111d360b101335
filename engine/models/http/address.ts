/** Where a provider is: addresses as people write them, made into the ones to ask. */
import { ModelError } from '../model.ts';

const OPENAI = 'https://api.openai.com/v1';

/**
 * The base address: http:// is added where no scheme is given, /v1 where no path is; a pasted endpoint is cut back.
 * @throws ModelError if it cannot be an address.
 */
export function baseAddress(url: string | undefined): URL {
  const text = url?.trim() || OPENAI;
  const found = URL.parse(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (!found || !/^https?:$/.test(found.protocol)) throw new ModelError('badAddress');
  const path = found.pathname.replace(/\/+$/, '').replace(/\/(chat\/completions|responses|models)$/, '');
  found.pathname = path || '/v1';
  found.hash = '';
  return found;
}

/** The address of one endpoint; a query such as api-version stays. Names and passwords go into a header instead. */
export function endpoint(base: URL, path: string): URL {
  const found = new URL(base);
  found.pathname = `${base.pathname.replace(/\/+$/, '')}/${path}`;
  found.username = '';
  found.password = '';
  return found;
}

/**
 * Name and password as they are meant, of an address that may have neither.
 * @throws ModelError for a % that stands for nothing
 */
export function accountIn({ username, password }: URL): { name: string; password: string } {
  try {
    return { name: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    throw new ModelError('badAccount');
  }
}

/** An address as it may be shown: without query, name and password. */
export const shown = (address: URL): string => `${address.origin}${address.pathname}`;
