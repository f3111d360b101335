/** Brings nodes that an earlier version of the package has saved up to date. */

/** A node as a flow has it. */
export type Saved = Record<string, unknown>;

/** From one version to the next: gives the properties that change, and leaves what it is given as it is. */
export type Migration = (saved: Saved) => Saved;

/** The version that a node was saved with; 0 for those of before nodes said so. */
export function versionOf({ version }: Saved): number {
  return Number.isSafeInteger(version) ? Math.max(0, version as number) : 0;
}

/**
 * A saved node as today's version would have saved it. One that a later version has saved stays as it is: what is not
 * known falls back to its default where it is read.
 * @param migrations the step from version 0 first; there are as many as the version of today
 */
export function migrated<T extends object>(saved: T, migrations: readonly Migration[]): T & Saved {
  const from = versionOf(saved as Saved);
  let node = { ...saved } as T & Saved;
  for (const migrate of migrations.slice(from)) node = { ...node, ...migrate(node) };
  return { ...node, version: Math.max(from, migrations.length) };
}
