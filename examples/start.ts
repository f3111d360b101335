/**
 * `npm start`: real Node-RED with this package and the first example, which is run once. Everything it writes is
 * below `.node-red/` in this repository, emptied at every start; no key is needed and no network used.
 */
import { readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import path from 'node:path';
import RED from 'node-red';
import nodeRed from 'node-red/package.json' with { type: 'json' };
import { nodeRedSettings, prepareUserDirectory, ROOT } from './user-directory.ts';

const EXAMPLE = '01 - Ask and wait';
const FIRST_PORT = 1880;

interface FlowNode {
  id: string;
  type: string;
}

/** What passes between two nodes, as Node-RED's `onSend` hook tells it. */
interface SendEvent {
  source: { node: FlowNode };
  msg: { event?: string; delta?: string; payload?: unknown };
}

type Handler = (request: IncomingMessage, response: ServerResponse, next?: () => void) => void;

const say = (text = '') => process.stdout.write(`${text}\n`);

/** Listens on the first port that is free, from 1880 on. */
async function listen(server: Server): Promise<number> {
  for (let port = FIRST_PORT; port < FIRST_PORT + 100; port++) {
    const taken = await new Promise<boolean>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EADDRINUSE' ? resolve(true) : reject(error),
      );
      server.listen(port, '127.0.0.1', () => resolve(false));
    });
    server.removeAllListeners('error');
    if (!taken) return port;
    say(`Port ${port} is taken.`);
  }
  throw new Error(`No port between ${FIRST_PORT} and ${FIRST_PORT + 99} is free.`);
}

/** Prints what leaves the runs node: events while they come, then the reply. */
function printRun(runsNode: string): Promise<void> {
  return new Promise((resolve) => {
    let replied = false;
    const show = ({ source, msg }: SendEvent) => {
      if (source.node.id !== runsNode || replied) return;
      if (msg.event) {
        say(`  ${msg.event}${msg.delta ? `  ${JSON.stringify(msg.delta)}` : ''}`);
      } else {
        replied = true;
        say(`\nReply: ${String(msg.payload)}\n`);
        resolve();
      }
    };
    RED.hooks.add('onSend.start', (events: SendEvent[]) => events.forEach(show));
  });
}

async function main(): Promise<void> {
  const flows: FlowNode[] = JSON.parse(await readFile(path.join(ROOT, `examples/${EXAMPLE}.json`), 'utf8'));
  const idOf = (type: string) => flows.find((node) => node.type === type)?.id ?? '';
  const userDir = path.join(ROOT, '.node-red');
  await rm(userDir, { recursive: true, force: true });
  await prepareUserDirectory(userDir, flows);

  const server = createServer();
  const port = await listen(server);
  RED.init(server, nodeRedSettings({ userDir, port, logLevel: 'error' }));
  server.on('request', (request: IncomingMessage, response: ServerResponse) =>
    (RED.httpAdmin as Handler)(request, response, () => (RED.httpNode as Handler)(request, response)),
  );

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await RED.stop();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);

  const running = new Promise<void>((resolve) => RED.events.once('flows:started', () => resolve()));
  await RED.start();
  await running;
  const address = `http://127.0.0.1:${port}/`;
  say(`Node-RED ${nodeRed.version} is running at ${address}`);
  say(`Example "${EXAMPLE}" on the rehearsal model, events as they stream:\n`);
  const printed = printRun(idOf('openai-runs'));
  // As if the button of the inject node were pressed.
  await fetch(`${address}inject/${idOf('inject')}`, { method: 'POST' });
  await printed;
  say(`Open ${address} and press the button of the inject node "ask" to run it again;`);
  say('the debug sidebar shows the reply and the events. More examples: menu > Import > Examples.');
  say('Changes are kept in .node-red/ until the next start. Ctrl-C ends Node-RED.');
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
