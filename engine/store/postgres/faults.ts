/** What PostgreSQL's errors mean: whether to try again, and one sentence each for people. */
import { EngineStartError } from '../../domain/errors.ts';
import { type StoreFault, type StoreFaultCode, worded } from '../store.ts';
import type { Address } from './address.ts';

/** What an error of the server or of the network brings. Codes: PostgreSQL's documentation, appendix A. */
interface Coded {
  code?: string;
  constraint?: string;
  message: string;
}

const codeOf = (error: unknown): string => String((error as Partial<Coded> | undefined)?.code ?? '');

const NETWORK = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
];
/** Shut down, crashed, starting up; too many clients; a transaction that was idle for too long. */
const GONE = ['57P01', '57P02', '57P03', '57P05', '53300', '25P03'];
/** The client library's own, which carry no code. */
const WORDS =
  /Connection terminated|connection error|not queryable|Query read timeout|timeout exceeded|Client was closed|TLS connection/;

/** PgBouncer has one code for all that it refuses by itself. */
const REFUSED_BY_POOLER = '08P01';
const POOLER_WORDS = {
  login: /password authentication failed|auth(entication)? failed|no such user/i,
  database: /no such database|database .+ does not exist/i,
};

/** Whether a pooler refuses login or database: the next try has no better luck. */
const isRefused = (error: unknown, what: keyof typeof POOLER_WORDS): boolean =>
  codeOf(error) === REFUSED_BY_POOLER && POOLER_WORDS[what].test((error as Coded).message);

/** Whether the connection is lost, or none is to be had: the next try may have better luck. */
export function isLost(error: unknown): boolean {
  if (isRefused(error, 'login') || isRefused(error, 'database')) return false;
  const code = codeOf(error);
  if (NETWORK.includes(code) || GONE.includes(code) || code.startsWith('08')) return true;
  return code === '' && error instanceof Error && WORDS.test(error.message);
}

/** Deadlock, serialization: the transaction stood in the way of another and was taken back. */
export const wasInTheWay = (error: unknown): boolean => ['40P01', '40001'].includes(codeOf(error));

export const isUniqueViolation = (error: unknown): boolean => codeOf(error) === '23505';

const SENTENCES: Record<Exclude<StoreFaultCode, 'database_locked'>, string> = {
  database_full: 'The disk of the database server is full. Free some space; nothing that was saved is lost.',
  database_read_only:
    'The database server takes no writes; it may be a replica. Connect to the primary server, or give the user the right to write.',
  database_damaged: 'The database server reports damaged data. Look into its log, and restore from a backup.',
  database_unreachable:
    'The database server does not answer. Once it is back, everything goes on; nothing that was saved is lost.',
  database_failed: 'The database could not be used',
};

/** What a fault of the server means; undefined for every other error. */
export function postgresFault(error: unknown): StoreFault | undefined {
  const fault = faultCode(error);
  return fault && worded(fault, SENTENCES[fault], error);
}

function faultCode(error: unknown): keyof typeof SENTENCES | undefined {
  if (isLost(error)) return 'database_unreachable';
  const code = codeOf(error);
  if (code === '53100') return 'database_full';
  if (code === '25006' || code === '42501') return 'database_read_only';
  if (code.startsWith('XX00')) return 'database_damaged';
  // Refused logins, missing schemas, limits, faults of the disk; a wrong statement (42…) is a fault of ours.
  return code === REFUSED_BY_POOLER || /^(28|3D|3F|53|54|55|57|58)...$/.test(code)
    ? 'database_failed'
    : undefined;
}

/** Why a database could not be opened. */
export function startFault(error: unknown, { place, user, database }: Address): EngineStartError {
  if (error instanceof EngineStartError) return error;
  const reason = error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
  const options = { cause: error };
  if (isRefused(error, 'login')) return new EngineStartError('wrongPassword', { place, user }, options);
  if (isRefused(error, 'database')) return new EngineStartError('noDatabase', { place, database }, options);
  switch (codeOf(error)) {
    case '28P01':
    case '28000':
      return new EngineStartError('wrongPassword', { place, user }, options);
    case '3D000':
      return new EngineStartError('noDatabase', { place, database }, options);
    case '42501':
    case '25006':
      return new EngineStartError('noRights', { place, user, reason }, options);
    case '42P07':
      return new EngineStartError('otherProgram', { file: place }, options);
    case '53100':
      return new EngineStartError('diskFull', { file: place }, options);
    default:
      return isLost(error)
        ? new EngineStartError('unreachable', { place, reason }, options)
        : new EngineStartError('notOpened', { file: place, reason }, options);
  }
}
