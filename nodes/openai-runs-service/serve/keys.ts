/** Keys of other programs: made once, kept as salted hashes. A key is random enough that a quick hash is safe. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What is kept of a key. */
export interface ServedKey {
  id: string;
  name: string;
  /** Hexadecimal both; the hash is SHA-256 of salt and key. */
  salt: string;
  hash: string;
  /** Ids of the only assistants that it may run; none for all. */
  assistants: string[];
  /** Whether it sees only the threads that it made. */
  ownThreads: boolean;
}

const BEGINNING = 'sk-runs-';

const hashOf = (key: string, salt: string): Buffer => createHash('sha256').update(salt).update(key).digest();

/** Makes a key. The key itself is to be shown, and forgotten. */
export function makeKey(): { key: string } & Pick<ServedKey, 'id' | 'salt' | 'hash'> {
  const key = `${BEGINNING}${randomBytes(32).toString('base64url')}`;
  return { key, id: `key_${randomBytes(8).toString('hex')}`, ...keep(key) };
}

/** What is kept of a key that somebody chose. */
export function keep(key: string): Pick<ServedKey, 'salt' | 'hash'> {
  const salt = randomBytes(16).toString('hex');
  return { salt, hash: hashOf(key, salt).toString('hex') };
}

/** The keys of a credential's JSON text; none of one that is damaged. */
export function readKeys(text: unknown): ServedKey[] {
  let entries: unknown;
  try {
    entries = JSON.parse(String(text || '[]'));
  } catch {}
  return (Array.isArray(entries) ? entries : []).flatMap((entry): ServedKey[] => {
    const { id, name = '', salt, hash, assistants, ownThreads } = (entry ?? {}) as Partial<ServedKey>;
    if (typeof id !== 'string' || typeof salt !== 'string' || !/^[\da-f]{64}$/.test(String(hash))) return [];
    const named = Array.isArray(assistants) ? assistants.filter((one) => typeof one === 'string') : [];
    return [
      {
        id,
        name: String(name),
        salt,
        hash: String(hash),
        assistants: named,
        ownThreads: ownThreads === true,
      },
    ];
  });
}

/** The key that a request has shown. Takes as long for a wrong one as for a right one. */
export function findKey(keys: readonly ServedKey[], given: string): ServedKey | undefined {
  let found: ServedKey | undefined;
  for (const key of keys) {
    if (timingSafeEqual(hashOf(given, key.salt), Buffer.from(key.hash, 'hex'))) found = key;
  }
  return found;
}
