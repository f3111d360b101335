/** How a service saves where its PostgreSQL is: an address without the password, or that the address is a secret. */

/** What is saved where all of the address is a credential. */
export const SECRET_ADDRESS = 'postgres:';

export interface ServerPlace {
  host: string;
  port: string;
  name: string;
  user: string;
  schema: string;
}

/** Whether a saved database is on PostgreSQL. */
export const isServer = (database: string): boolean => /^postgres(ql)?:/i.test(database);

/** What stands in a part of an address; `${NAME}` stays for the runtime to fill in. */
const encoded = (part: string) =>
  part
    .split(/(\$\{[^}\s]+\})/)
    .map((piece, i) => (i % 2 === 1 ? piece : encodeURIComponent(piece)))
    .join('');

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** As it is saved. */
export function addressOf({ host, port, name, user, schema }: ServerPlace): string {
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const query = schema ? `?schema=${encoded(schema)}` : '';
  return `postgres://${encoded(user)}@${bracketed}${port ? `:${port}` : ''}/${encoded(name)}${query}`;
}

/** The fields of a saved address; empty ones where it has none. */
export function placeOf(database: string): ServerPlace {
  const parts =
    /^postgres(?:ql)?:\/\/(?:([^@/]*)@)?(\[[^\]]*\]|[^:/?]*)(?::([^/?]*))?\/?([^?]*)(?:\?(.*))?$/i.exec(
      database,
    );
  const [, user = '', host = '', port = '', name = '', query = ''] = parts ?? [];
  const schema = /(?:^|&)schema=([^&]*)/.exec(query)?.[1] ?? '';
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port,
    name: decoded(name),
    user: decoded(user.replace(/:.*$/, '')),
    schema: decoded(schema),
  };
}

/** For people: where a saved address leads; nothing of one that is a secret. */
export function placeName(database: string): string {
  if (database === SECRET_ADDRESS) return 'PostgreSQL';
  const { host, port, name } = placeOf(database);
  return `${host}${port && `:${port}`}/${name}`;
}

export interface DatabaseSecrets {
  databasePassword: string;
  databaseUrl: string;
}

/** The whole address, with its secrets. */
export function addressWith(database: string, { databasePassword, databaseUrl }: DatabaseSecrets): string {
  if (database === SECRET_ADDRESS) return databaseUrl;
  if (databasePassword === '') return database;
  return database.replace(/^(postgres(?:ql)?:\/\/)([^@/:]*)(?::[^@/]*)?@/i, (_whole, scheme, user) => {
    return `${scheme}${user}:${encodeURIComponent(databasePassword)}@`;
  });
}
