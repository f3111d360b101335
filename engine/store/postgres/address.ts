/** The address of a database on PostgreSQL: `postgres://user:password@host:port/database?schema=…&sslmode=…`. */
import type { ConnectionOptions } from 'node:tls';
import { EngineStartError } from '../../domain/errors.ts';

const DEFAULT_PORT = 5432;
const DEFAULT_SCHEMA = 'openai_runs';
/** PostgreSQL cuts longer names. */
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

export interface Address {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  schema: string;
  ssl: ConnectionOptions | false;
  /** For people; without the password. */
  place: string;
}

/** Whether a database is named by the address of a server, not by the path of a file. */
export const isAddress = (database: string): boolean => /^postgres(ql)?:\/\//i.test(database);

/** As libpq has it: `require` encrypts, only `verify-full` also looks whom it speaks to. */
function sslOf(mode: string | null): ConnectionOptions | false | undefined {
  switch (mode) {
    case null:
    case '':
    case 'disable':
      return false;
    case 'require':
    case 'no-verify':
      return { rejectUnauthorized: false };
    case 'verify-ca':
    case 'verify-full':
      return {};
    default:
      return undefined;
  }
}

/**
 * @param tls certificates and the like; with them the connection is encrypted, whatever the address says
 * @throws EngineStartError for what is no address
 */
export function readAddress(text: string, tls?: ConnectionOptions): Address {
  const bad = (reason: string) => new EngineStartError('badAddress', { reason });
  const url = URL.parse(text);
  if (!url || !isAddress(text))
    throw bad('it is not of the form postgres://user:password@host:port/database');
  const decoded = (part: string, name: string) => {
    try {
      return decodeURIComponent(part);
    } catch {
      throw bad(`a % in its ${name} must be written as %25`);
    }
  };
  const database = decoded(url.pathname.slice(1), 'database');
  const user = decoded(url.username, 'user');
  const password = decoded(url.password, 'password');
  if (!url.hostname || !database || !user) {
    throw bad('it names no host, no database or no user');
  }
  const schema = url.searchParams.get('schema') || DEFAULT_SCHEMA;
  if (!SCHEMA_NAME.test(schema)) {
    throw bad('the schema must be small letters, digits and _, and begin with a letter');
  }
  const ssl = sslOf(url.searchParams.get('sslmode'));
  if (ssl === undefined) throw bad('sslmode must be disable, require or verify-full');
  const host = decoded(url.hostname.replace(/^\[|\]$/g, ''), 'host');
  const port = Number(url.port) || DEFAULT_PORT;
  const encrypted = tls ?? ssl;
  return {
    host,
    port,
    user,
    password,
    database,
    schema,
    // The name that the certificate must have.
    ssl: encrypted && { host, ...encrypted },
    place: `${host}:${port}/${database}`,
  };
}
