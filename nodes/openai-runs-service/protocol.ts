/** Tells a Runs server from one that has the same paths and speaks another protocol, before anything is made there. */

import { isObject } from '../../engine/domain/is-object.ts';
import { RunsError } from '../shared/errors.ts';
import type { ServiceTranslate } from '../shared/texts.ts';

type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** The one other protocol that has threads, runs and assistants at the same paths. */
const PROTOCOL = 'LangGraph';

/** Addresses that need no question: LangGraph's paths begin at the root, and Azure's hosts are Azure's. */
const KNOWN = { path: /\/v1\/?$/, host: /\.azure\.com$/ };

/** Statuses that say no such path, or no such method there; a Runs server lists its assistants. */
const NOT_THERE = new Set([404, 405]);

/**
 * Wraps the fetch of a connection to a server. Where the address could be LangGraph's, a GET of the assistants comes
 * before the first request that changes something; its outcome is kept as long as the connection. Elsewhere nothing is
 * asked, unless a request is refused in the way LangGraph does it.
 * @param base the service's address
 * @throws RunsError `other_protocol` from the call; whatever the given fetch throws
 */
export function refuseOtherProtocols(fetch: Fetch, base: string, translate: ServiceTranslate): Fetch {
  let kind: 'unknown' | 'runs' | 'other' = 'unknown';
  let asking: Promise<void> | undefined;
  const address = new URL(base);
  const mayBeOther = !KNOWN.path.test(address.pathname) && !KNOWN.host.test(address.hostname);

  /** Reads `path` with the headers and the query of the request that waits for it. */
  const read = (path: string, input: Parameters<Fetch>[0], init: RequestInit) => {
    const url = new URL(base.replace(/\/+$/, '') + path);
    url.search = new URL(input instanceof Request ? input.url : input).search;
    const headers = new Headers(init.headers);
    headers.delete('content-type');
    return fetch(url, { headers, signal: init.signal ?? null });
  };

  /** Whether the server says itself that it is the other one. */
  const isOther = async (status: number, input: Parameters<Fetch>[0], init: RequestInit) => {
    const up = KNOWN.path.test(address.pathname) ? '/..' : '';
    const info = await okObject(await read(`${up}/info`, input, init));
    if (info) return isLangGraph(info);
    // A server may keep its `/info` to itself; that it has no list of assistants then counts.
    return status === 405 && (await okObject(await read(`${up}/ok`, input, init)))?.ok === true;
  };

  const ask = async (input: Parameters<Fetch>[0], init: RequestInit) => {
    const answer = await read('/assistants', input, init);
    if (answer.ok) kind = Array.isArray((await readObject(answer))?.data) ? 'runs' : 'unknown';
    else await answer.body?.cancel();
    if (NOT_THERE.has(answer.status)) kind = (await isOther(answer.status, input, init)) ? 'other' : 'runs';
  };

  const refuse = () => {
    const values = { url: base, protocol: PROTOCOL };
    throw new RunsError(translate('error.otherProtocol', values), { code: 'other_protocol' });
  };

  return async (input, init = {}) => {
    const changes = !/^(get|head)$/i.test(init.method ?? 'get');
    if (kind === 'unknown' && changes && mayBeOther) {
      asking ??= ask(input, init).finally(() => {
        asking = undefined;
      });
      await asking;
    }
    if (kind === 'other') refuse();
    const response = await fetch(input, init);
    if (kind === 'unknown' && (await isStrange(response))) {
      kind = (await isOther(response.status, input, init)) ? 'other' : 'runs';
      if ((kind as string) === 'other') refuse();
    }
    return response;
  };
}

/** A refusal that no Runs server words so: the method is not there, or `detail` in the place of `error`. */
async function isStrange(response: Response): Promise<boolean> {
  if (response.status === 405) return true;
  return response.status === 404 && 'detail' in ((await readObject(response.clone())) ?? {});
}

/** The answer's JSON object; undefined for anything else. */
async function readObject(answer: Response): Promise<Record<string, unknown> | undefined> {
  try {
    const body: unknown = await answer.json();
    return isObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

/** The object of an answer that is no refusal. */
const okObject = async (answer: Response) => {
  const body = await readObject(answer);
  return answer.ok ? body : undefined;
};

/** What `GET /info` of a LangGraph server holds, in Python and in JavaScript. */
function isLangGraph(info: Record<string, unknown>): boolean {
  const flags = info.flags as { assistants?: unknown } | null | undefined;
  return Object.keys(info).some((key) => key.startsWith('langgraph')) || flags?.assistants !== undefined;
}
