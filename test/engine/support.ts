/** What the engine's tests share: real database files, a model that plays a script, the SDK as the client. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type OpenAI from 'openai';
import type { Usage } from '../../engine/domain/usage.ts';
import type { EngineOptions } from '../../engine/index.ts';
import { type Model, ModelError, type ModelEvent, type Turn } from '../../engine/models/model.ts';
import { type EngineInternals, type StartedEngine, startEngine } from '../../engine/start.ts';
import { currentDatabase, dropSchemas, newSchema } from '../support/databases.ts';
import { until } from '../support/until.ts';
import { clientOf } from './client.ts';

export { clientOf };

/** An assistant of a house, with a lamp, as a service declares it. */
export const HOME = {
  id: 'asst_home',
  name: 'Home',
  instructions: 'Be kind.',
  tools: [{ type: 'function' as const, function: { name: 'lamp' } }],
};

/** What the model does in one turn; later turns than scripted repeat the last. */
export type Script = (turn: Turn) => AsyncIterable<ModelEvent>;

export class ScriptedModel implements Model {
  /** As a provider that can do all that runs can ask for. */
  readonly keepsFiles = true;
  readonly turns: Turn[] = [];
  readonly #scripts: Script[];

  constructor(...scripts: Script[]) {
    this.#scripts = scripts;
  }

  run(turn: Turn): AsyncIterable<ModelEvent> {
    const script = this.#scripts[Math.min(this.turns.length, this.#scripts.length - 1)]!;
    this.turns.push(turn);
    return script(turn);
  }
}

export const USAGE: Usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

/** Says the words, one event each. */
export const says = (text: string, usage = USAGE): Script =>
  async function* () {
    for (const delta of text.match(/\S+\s*/g) ?? []) yield { type: 'text', delta };
    yield { type: 'usage', usage };
    yield { type: 'end', reason: 'stop' };
  };

/** Calls functions, arguments in two pieces. */
export const calls = (...functions: [name: string, args: object][]): Script =>
  async function* () {
    for (const [index, [name, args]] of functions.entries()) {
      yield { type: 'call', index, id: `provider_${index}`, name };
      const json = JSON.stringify(args);
      const half = json.length >> 1;
      yield { type: 'call_arguments', index, delta: json.slice(0, half) };
      yield { type: 'call_arguments', index, delta: json.slice(half) };
      yield { type: 'call_done', index };
    }
    yield { type: 'usage', usage: USAGE };
    yield { type: 'end', reason: 'stop' };
  };

/** Says something, then nothing more until it is stopped. */
export const hangs = (text = ''): Script =>
  async function* ({ signal }) {
    if (text) yield { type: 'text', delta: text };
    await new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  };

/** What a provider says when it fails. */
export const trouble = (
  said: string,
  options: ConstructorParameters<typeof ModelError>[2] = {},
): ModelError => new ModelError('failed', { said, address: 'test' }, options);

export interface Bench {
  engine: StartedEngine;
  client: OpenAI;
  database: string;
}

/** Everything opened through it is closed and removed by `cleanUp`, to be called after each test. */
export class Workshop {
  #folders: string[] = [];
  #engines: StartedEngine[] = [];
  #schemas: string[] = [];

  async folder(): Promise<string> {
    const folder = await mkdtemp(path.join(tmpdir(), 'runs-engine-'));
    this.#folders.push(folder);
    return folder;
  }

  /** A new database of the kind that the suite runs on. */
  async database(kind = currentDatabase()): Promise<string> {
    if (kind === 'SQLite') return path.join(await this.folder(), 'runs.sqlite');
    const schema = await newSchema();
    this.#schemas.push(schema);
    return schema;
  }

  async open(
    model: Model,
    options: Partial<EngineOptions> = {},
    internals: EngineInternals = {},
  ): Promise<Bench> {
    const database = options.database ?? (await this.database());
    const engine = await startEngine(
      { model: { provider: 'rehearsal' }, ...options, database },
      model,
      internals,
    );
    this.#engines.push(engine);
    return { engine, client: clientOf(engine), database };
  }

  async cleanUp(): Promise<void> {
    await Promise.all(this.#engines.splice(0).map((engine) => engine.close()));
    await dropSchemas(this.#schemas.splice(0));
    await Promise.all(this.#folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
  }
}

/** An engine with a run that was just made, on a thread with one message. */
export async function startRun(workshop: Workshop, script: Script, database?: string) {
  const bench = await workshop.open(new ScriptedModel(script), database ? { database } : {});
  const { id: assistant_id } = await bench.client.beta.assistants.create({
    model: 'm',
    instructions: 'Be.',
  });
  const { id: thread_id } = await bench.client.beta.threads.create({
    messages: [{ role: 'user', content: 'Hi' }],
  });
  const run = await bench.client.beta.threads.runs.create(thread_id, { assistant_id });
  const reaches = (status: string) =>
    until(async () => {
      const found = await bench.client.beta.threads.runs.retrieve(run.id, { thread_id });
      return found.status === status && found;
    });
  return { ...bench, assistant_id, thread_id, run, reaches };
}

/** Whatever an answer holds; tests look into it freely. */
// biome-ignore lint/suspicious/noExplicitAny: what is there is what is tested
export type Json = any;

export interface Frame {
  event: string;
  data: Json;
}

/** The events of a streamed answer as they stand on the wire. */
export async function framesOf(response: Response): Promise<Frame[]> {
  const text = await response.text();
  return text
    .split('\n\n')
    .filter((frame) => frame && !frame.startsWith(':'))
    .map((frame) => {
      const match = /^event: (\S+)\ndata: (.*)$/.exec(frame);
      if (!match) throw new Error(`Not a frame: ${frame}`);
      const [, event, data] = match as unknown as [string, string, string];
      return { event, data: data === '[DONE]' ? data : JSON.parse(data) };
    });
}

/** A request without the SDK. */
export function send(engine: Pick<StartedEngine, 'fetch'>, method: string, target: string, body?: unknown) {
  return engine.fetch(`http://engine.local/v1${target}`, {
    method,
    ...(body !== undefined && {
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  });
}

/** Names of events, repeats of deltas folded into one with `*`. */
export function orderOf(frames: { event: string }[]): string[] {
  const names: string[] = [];
  for (const { event } of frames) {
    const name = event.endsWith('.delta') ? `${event}*` : event;
    if (names.at(-1) !== name || !name.endsWith('*'))
      names.push(name.replace(/^thread\.(?=run|message)/, ''));
    else continue;
  }
  return names.filter((name, i) => !name.endsWith('*') || names[i - 1] !== name);
}
