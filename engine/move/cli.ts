#!/usr/bin/env node
/** `npx @flowruns/node-red-openai-runs migrate --from <database> --to <database>` */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';

const USAGE = `Moves the threads, runs and assistants of the embedded engine from one database to another.

  npx @flowruns/node-red-openai-runs migrate --from runs.sqlite --to postgres://user:password@host/database

Both can be a SQLite file or PostgreSQL (with ?schema=…&sslmode=…). An address that others should not see on the screen
can stand in an environment variable: --to '$RUNS_DATABASE'. Stop Node-RED first. The source stays as it is; a move that
was broken off goes on where it was.
`;

/** What a `$NAME` stands for. */
const meant = (value: string) => (value.startsWith('$') ? (process.env[value.slice(1)] ?? '') : value);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    strict: false,
    options: { from: { type: 'string' }, to: { type: 'string' } },
  });
  const [from, to] = [values.from, values.to].map((value) => (typeof value === 'string' ? meant(value) : ''));
  if (positionals[0] !== 'migrate' || !from || !to) {
    console.error(USAGE);
    return 2;
  }
  const { moveDatabase, isAddress } = await import('../index.ts');
  if (!isAddress(from) && !existsSync(from)) {
    console.error(`There is no file ${from}.`);
    return 1;
  }
  const say = (text: string) => console.info(text);
  try {
    await moveDatabase({ from, to, log: { debug() {}, info: say, warn: say, error: say } });
    console.info(
      'Everything is there. Set the database of the service to the new place, and start Node-RED.',
    );
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

main().then((code) => {
  process.exitCode = code;
});
