#!/usr/bin/env node
/** The command `serve`: the engine as an endpoint of its own, without Node-RED. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { keep } from './keys.ts';

const HELP = `Usage: npx @flowruns/node-red-openai-runs serve [options]

  --database <file>     default openai-runs.sqlite; :memory: for none
  --provider <name>     rehearsal (default), chat or responses
  --url <url>           address of the model server
  --model <name>        default model
  --assistants <file>   JSON array of assistants: id, name, instructions, tools …
  --host, --port        default 127.0.0.1 and 8080
  --origins <list>      web pages that may ask, with commas

OPENAI_API_KEY          key of the provider
OPENAI_RUNS_KEYS        keys that programs must show, with commas; without any,
                        only programs on this machine are answered

A database is moved to another place by the command migrate.
`;

/** Milliseconds that open answers are given at the end. */
const PATIENCE_MS = 2_000;

const text = { type: 'string' } as const;

async function serve(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...{ database: text, provider: text, url: text, model: text, assistants: text, host: text, port: text },
      ...{ origins: text, help: { type: 'boolean' } },
    },
  });
  if (values.help || positionals[0] !== 'serve') return void console.log(HELP);
  const { host = '127.0.0.1', port = '8080', provider = 'rehearsal', url, model } = values;
  const list = (given: string | undefined) => given?.split(/[\s,]+/).filter(Boolean) ?? [];
  const keys = list(process.env.OPENAI_RUNS_KEYS).map((key, index) => {
    return { id: `key_${index + 1}`, name: '', assistants: [], ownThreads: false, ...keep(key) };
  });
  if (keys.length === 0 && !/^(?:127\.|localhost$|::1$)/.test(host)) {
    throw new Error(`Without OPENAI_RUNS_KEYS only this machine is served, not ${host}.`);
  }
  const [{ createEngine }, { Served }] = await Promise.all([
    import('../../../engine/index.ts'),
    import('./server.ts'),
  ]);
  const log = (line: string) => console.error(line);
  const engine = await createEngine({
    database: values.database ?? 'openai-runs.sqlite',
    model: { provider: provider as 'chat', url, model, apiKey: process.env.OPENAI_API_KEY },
    assistants: values.assistants ? JSON.parse(readFileSync(values.assistants, 'utf8')) : [],
    log: { debug() {}, info: log, warn: log, error: log },
  });
  const served = new Served({
    access: keys.length > 0 ? 'keys' : 'local',
    keys,
    origins: list(values.origins),
    requestsPerMinute: 0,
    requestsAtOnce: 0,
    runsAtOnce: 0,
    onUse() {},
    warn: log,
    fetch: engine.fetch,
  });
  const server = createServer((request, response) => void served.handle(request, response));
  server.on('error', stop).listen(Number(port), host, () => {
    const { port: taken } = server.address() as AddressInfo;
    console.log(`Serving http://${host.includes(':') ? `[${host}]` : host}:${taken}/v1`);
  });

  let stopping = false;
  async function stop(error?: unknown): Promise<void> {
    if (stopping) return;
    stopping = true;
    if (error instanceof Error) fail(error);
    served.close();
    server.close();
    await engine.close();
    setTimeout(() => server.closeAllConnections(), PATIENCE_MS).unref();
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
}

function fail(error: Error): void {
  console.error(error.message);
  process.exitCode = 1;
}

serve().catch(fail);
