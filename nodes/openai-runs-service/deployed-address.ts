/** Whether the test button may use secrets that are not in the form: only towards where they go already. */
import type { Deployed } from './connection.ts';
import { isServer } from './database-address.ts';
import type { ServiceDef } from './settings.ts';

/** What the dialog sends: the service's settings as they stand in the form, with the key. */
export type TestForm = ServiceDef & Partial<Record<Secret, string>>;

/** The service's credentials. */
export type Secret = 'apiKey' | 'databasePassword' | 'databaseUrl';

/** What the editor sends instead of a key that is stored and was not typed anew. */
export const STORED = '__PWRD__';

/** What is read from the environment where it says so. */
const TYPES = ['urlType', 'organizationType', 'projectType', 'apiKeyType'];

/** Where a service goes that has no address of its own. */
const DEFAULT_ADDRESS = 'https://api.openai.com';

/**
 * Whether the form leads to the very place that the deployed service talks to: same scheme, host and port, by the
 * same way.
 */
function isDeployedAddress(form: TestForm, deployed: Deployed | undefined): boolean {
  if (!deployed || form.backend !== deployed.backend) return false;
  if (text(form.tls) !== deployed.tls || text(form.proxy) !== deployed.proxy) return false;
  // Each message brings its own: there is no place that the key goes to already.
  if (deployed.perMessage.url) return false;
  const url = text(form.url);
  const type = text(form.urlType) || 'str';
  if (url === deployed.savedUrl.trim() && type === deployed.urlType) return true;
  // Filled in, a variable could be a part of the address that a secret is read off.
  if (type === 'env' || url.includes('${')) return false;
  // A variable that is not set leads nowhere, and not to where a service goes that names no address.
  if (deployed.url === '' && deployed.savedUrl.trim() !== '') return false;
  const origin = originOf(url);
  return origin !== undefined && origin === originOf(deployed.url);
}

/** Whether the form leads to the very database that the deployed service uses. */
const isDeployedDatabase = (form: TestForm, deployed: Deployed | undefined): boolean =>
  deployed !== undefined &&
  form.backend === deployed.backend &&
  text(form.database) === deployed.database.trim() &&
  text(form.databaseTls) === deployed.databaseTls;

/** Whether testing the form would take a secret, or an environment variable, to a place where it does not go already. */
export function isAway(
  form: TestForm,
  deployed: Deployed | undefined,
  stored: Partial<Record<Secret, string>>,
): boolean {
  const uses = (name: Secret) => form[name] === STORED && Boolean(stored[name]);
  const { database, databaseTls, databasePassword, databaseUrl, ...others } = form;
  const readsEnvironment = (...values: unknown[]) => JSON.stringify(values).includes('${');
  const asksDatabase = form.backend !== 'server' && isServer(text(database));
  if (
    asksDatabase &&
    !isDeployedDatabase(form, deployed) &&
    (uses('databasePassword') ||
      uses('databaseUrl') ||
      readsEnvironment(database, databasePassword, databaseUrl))
  )
    return true;
  if (form.backend !== 'server' && (form.provider ?? 'rehearsal') === 'rehearsal') return false;
  const readsVariable = TYPES.some((name) => form[name] === 'env') || readsEnvironment(others);
  return !isDeployedAddress(form, deployed) && (uses('apiKey') || readsVariable);
}

const text = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');

/** Addresses may be written without a scheme, as the engine takes them. */
function originOf(url: string): string | undefined {
  if (url === '') return DEFAULT_ADDRESS;
  return URL.parse(/^[a-z][a-z\d+.-]*:\/\//i.test(url) ? url : `http://${url}`)?.origin;
}
