/** A throw-away user directory for Node-RED, with this package linked in. Nothing outside of it is touched. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '..');
const PACKAGE = '@flowruns/node-red-openai-runs';

export interface SettingsOptions {
  userDir: string;
  port: number;
  /** What of Node-RED's log is shown. */
  logLevel?: 'info' | 'error';
}

/** Settings of a Node-RED that speaks to this machine only: no telemetry, no catalogue, no tours. */
export function nodeRedSettings({ userDir, port, logLevel = 'info' }: SettingsOptions) {
  return {
    userDir,
    flowFile: 'flows.json',
    credentialSecret: 'throw-away',
    uiHost: '127.0.0.1',
    uiPort: port,
    httpAdminRoot: '/',
    httpNodeRoot: '/',
    lang: 'en-US',
    functionGlobalContext: {},
    telemetry: { enabled: false, updateNotification: false },
    externalModules: { palette: { allowInstall: false }, modules: { allowInstall: false } },
    editorTheme: { tours: false, palette: { catalogues: [] }, projects: { enabled: false } },
    logging: { console: { level: logLevel, metrics: false, audit: false } },
  };
}

/**
 * Makes the directory ready to be used by one Node-RED.
 * @param flows the deployed flows, as they stand in a flow file
 */
export async function prepareUserDirectory(userDir: string, flows: unknown[]): Promise<void> {
  const scope = path.join(userDir, 'node_modules', path.dirname(PACKAGE));
  await mkdir(scope, { recursive: true });
  await symlink(ROOT, path.join(scope, path.basename(PACKAGE)), 'junction');
  await writeFile(
    path.join(userDir, 'package.json'),
    JSON.stringify({ name: 'throw-away', private: true, dependencies: { [PACKAGE]: '*' } }),
  );
  await writeFile(path.join(userDir, 'flows.json'), JSON.stringify(flows, null, 2));
}
