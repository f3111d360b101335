/** The place of a service on Node-RED's own HTTP server: taken when it starts, given back when it closes. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Node, NodeAPI } from 'node-red';
import type { ServiceTranslate } from '../../shared/texts.ts';
import type { Connection } from '../connection.ts';
import { SERVED_PATH, type ServiceSettings } from '../settings.ts';
import type { ServedKey } from './keys.ts';

type Next = (error?: unknown) => void;
type Handler = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

/** Express, as far as it is used here; the router has its second name in version 5. */
interface App {
  use(path: string, ...handlers: Handler[]): void;
  path?(): string;
  /** The app that it is mounted in. */
  parent?: App;
  _router?: { stack: Layer[] };
  router?: { stack: Layer[] };
}
interface Layer {
  name: string;
  handle: unknown;
}

export interface MountOptions {
  RED: NodeAPI;
  node: Node;
  settings: ServiceSettings;
  keys: readonly ServedKey[];
  connect(): Promise<Connection>;
  onUse(id: string): void;
  /** Whether flows answer the functions of assistants. */
  servesTools(): boolean;
  translate: ServiceTranslate;
}

/** Paths that are taken, in lower case as Express compares them, and by which service. */
const taken = new Map<string, string>();

const isBelow = (path: string, top: string) => path === top || path.startsWith(`${top}/`);

/**
 * Serves a service at its path. Where no key is left everybody is refused there, as the API refuses: a program tells a
 * lost key from a wrong address.
 * @returns takes it away again: no route is left, and open streams end with an error event
 * @throws Error with a sentence for the user when the path can't be had
 */
export function mount(options: MountOptions): () => void {
  const { RED, node, settings, keys, translate: t } = options;
  const { servePath: path, serveAccess: access, serveOrigins: origins } = settings;
  if (RED.settings.httpNodeRoot === (false as never)) throw new Error(t('serve.noServer'));
  if (!SERVED_PATH.test(path)) throw new Error(t('serve.badPath', { path }));
  const claim = path.toLowerCase();
  for (const [other, name] of taken) {
    if (isBelow(claim, other) || isBelow(other, claim)) throw new Error(t('serve.taken', { path, name }));
  }

  if (access === 'keys' && keys.length === 0) node.warn(t('serve.noKeys', { path }));

  const served = import('./server.ts').then(
    ({ Served }) =>
      new Served({
        access,
        keys,
        origins,
        requestsPerMinute: settings.serveRequests,
        requestsAtOnce: settings.serveAtOnce,
        runsAtOnce: settings.serveRuns,
        onUse: options.onUse,
        warn: (text) => node.warn(text),
        fetch: async (input, init, caller) => {
          const { ask } = await options.connect();
          return ask!(input, init, caller && { ...caller, isServedTools: options.servesTools() });
        },
      }),
  );
  const answer: Handler = (request, response, next) => {
    served.then((server) => server.handle(request, response)).catch(next);
  };
  const app = RED.httpNode as unknown as App;
  const remove = addLayers(app, () => app.use(path, ...middlewareOf(RED), answer));
  const removeWay = addWay(RED, `${app.path?.() ?? ''}${path}`.replaceAll(/\/+/g, '/').toLowerCase());
  taken.set(claim, node.name || node.id);
  return () => {
    taken.delete(claim);
    remove();
    removeWay();
    served.then((server) => server.close()).catch(() => {});
  };
}

/** What the user wants before every route of flows. */
function middlewareOf(RED: NodeAPI): Handler[] {
  const { httpNodeMiddleware: given } = RED.settings as { httpNodeMiddleware?: Handler | Handler[] };
  return [given ?? []].flat().filter((one) => typeof one === 'function');
}

/** The editor's server often stands before that of flows, and reads bodies by limits of its own: a way around that. */
function addWay(RED: NodeAPI, path: string): () => void {
  let admin = RED.httpAdmin as unknown as App | undefined;
  const parserOf = (app: App) => stackOf(app)?.findIndex(({ name }) => name === 'jsonParser') ?? -1;
  while (admin && parserOf(admin) < 0) admin = admin.parent;
  if (!admin) return () => {};
  const isOurs = ({ originalUrl }: { originalUrl: string }) =>
    isBelow(originalUrl.replace(/\?.*/, '').toLowerCase(), path);
  return addLayers(
    admin,
    () => admin.use('/', (request, _response, next) => next(isOurs(request as never) ? 'router' : undefined)),
    parserOf(admin),
  );
}

/** Adds what `add` adds, at a place of its own if need be. @returns takes away just that */
function addLayers(app: App, add: () => void, place?: number): () => void {
  const before = new Set(stackOf(app));
  add();
  const stack = stackOf(app) ?? [];
  const added = new Set(stack.filter((layer) => !before.has(layer)));
  const without = () => stack.filter((layer) => !added.has(layer));
  if (place !== undefined) stack.splice(0, stack.length, ...without().toSpliced(place, 0, ...added));
  return () => void stack.splice(0, stack.length, ...without());
}

/** Version 4 has no router before its first use, and throws where it is asked for it by its new name. */
const stackOf = (app: App | undefined): Layer[] | undefined =>
  (app && 'lazyrouter' in app ? app._router : app?.router)?.stack;
