/** What a service gives to the nodes that use it. Types only: the SDK is loaded behind it, on first use. */

import type { Node, NodeMessage } from 'node-red';
import type OpenAI from 'openai';
import type { Engine, RunsOverview, Together } from '../../engine/index.ts';
import type { ErrorDetails, RunsError } from '../shared/errors.ts';
import type { RunActivity } from './activity.ts';
import type { RunNotices, ServedCalls } from './run-notices.ts';
import type { ServiceSettings } from './settings.ts';
import type { ThreadQueue } from './thread-queue.ts';

export type { ServedCalls } from './run-notices.ts';

export interface Connection {
  readonly client: OpenAI;
  /** Whether the embedded engine answers, which can more than the API asks for. */
  readonly embedded: boolean;
  /** Answers requests on behalf of other programs; only the embedded engine does. */
  ask?: Engine['fetch'] | undefined;
  /** The runs of this service at a glance: all of the embedded engine's; of a server's, the last ones made here. */
  readonly overview?: RunsOverview | undefined;
  /** How much the embedded engine's database holds. */
  counts?: (() => Promise<{ threads: number; runs: number }>) | undefined;
  /** Makes this Node-RED the one that hands a run's calls out; see Engine. Only the embedded engine has it. */
  readonly takeCalls?: ((runId: string) => Promise<boolean>) | undefined;
  /** Whether a model of the embedded engine looks at pictures; undefined where nobody tells. */
  seesPictures?: Engine['seesPictures'] | undefined;
  /** What several Node-REDs share where the embedded engine's database is on PostgreSQL. */
  readonly together?: Together | undefined;
  /** Milliseconds that an answer may take to begin; 0 = no limit. */
  readonly timeoutMs: number;
  /** What the embedded engine tells of runs beyond the wire. */
  readonly notices?: RunNotices | undefined;
  /**
   * Words whatever a call threw for a person; the key is taken out wherever it stands.
   * @param known ids and the like that the caller knows
   */
  explain(error: unknown, known?: ErrorDetails): RunsError;
  close(): Promise<void>;
}

/** Who asks for a connection: a node with the message that it works on. */
export interface Asker {
  node: Node;
  msg: NodeMessage;
}

/** What of a deployed service the dialog's requests are held against. */
export interface Deployed {
  backend: string;
  provider: string;
  /** As saved, and with `${NAME}` filled in. */
  savedUrl: string;
  urlType: string;
  url: string;
  perMessage: ServiceSettings['perMessage'];
  tls: string;
  proxy: string;
  /** Whether the editor's panel shows what people and models say. */
  showContents: boolean;
  /** The database as saved, and where that is; undefined for one in memory or none. */
  database: string;
  databaseTls: string;
  databaseFile: string | undefined;
  /** Where that is on PostgreSQL, for people. */
  databasePlace: string | undefined;
}

export interface ServiceNode extends Node {
  readonly deployed: Deployed;
  /**
   * The one connection of this service, made on first use; where address, organization or project come with each
   * message, one for this message. A run goes on on the connection that it began with.
   * @param asker whose message, and whose flow's context, such values are looked up in
   * @throws RunsError when it can't be made: no address, no database
   */
  connect(asker?: Asker): Promise<Connection>;
  /**
   * Waits until fewer than `concurrency` runs are under way.
   * @param onWait called if there is no place yet
   * @returns gives the place back; calling it twice does no harm
   */
  enter(signal: AbortSignal, onWait?: () => void): Promise<() => void>;
  /** Keeps the connection open, when the service closes, until a node has told the server what it must. */
  hold(work: Promise<unknown>): void;
  /**
   * Answers the function calls of runs that other programs start; the first node that does so is asked, every second
   * while a run waits for it.
   * @returns takes it back
   */
  serveTools(answer: (calls: ServedCalls) => void): () => void;
  /** When each key of other programs was last used, in milliseconds since 1970. */
  keyUses(): Promise<Record<string, number>>;
  /** What goes on in this service, among all its nodes. */
  readonly activity: RunActivity;
  /** Who holds which thread, among all nodes of this service. */
  readonly threads: ThreadQueue;
}
