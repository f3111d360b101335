/** Asking the runtime. */
import { text } from './i18n.ts';

const BASE = 'openai-runs-panel/';

/**
 * Through the editor's own requests, which know who is logged in and where the runtime is.
 * @param signal aborted when nobody waits for the answer any more
 * @throws Fault
 */
export async function get<T>(
  route: string,
  query: Record<string, string | undefined> = {},
  signal?: AbortSignal,
): Promise<T> {
  const asked = Object.entries(query).filter(([, value]) => value);
  const search = new URLSearchParams(asked as [string, string][]).toString();
  return request('GET', search ? `${route}?${search}` : route, { signal });
}

/** What the runtime, or nobody, has answered. */
export class Fault extends Error {
  /** Of HTTP; 0 for no answer. */
  readonly status: number;

  /** @param said why, in a sentence @param name of the status */
  constructor(status: number, said: string | undefined, name = '') {
    super(said ?? (status === 0 ? text('noAnswer') : `${status} ${name}`.trim()));
    this.status = status;
  }
}

export function post<T>(route: string, body: object): Promise<T> {
  return request('POST', route, { data: JSON.stringify(body) });
}

interface RequestOptions {
  data?: string;
  signal?: AbortSignal | undefined;
}

function request<T>(method: string, route: string, { data, signal }: RequestOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    const url = BASE + route;
    const asked = $.ajax({ method, url, data, contentType: 'application/json', dataType: 'json' });
    asked.then(resolve, (answer: JQuery.jqXHR) =>
      reject(new Fault(answer.status, answer.responseJSON?.error, answer.statusText)),
    );
    signal?.addEventListener('abort', () => asked.abort());
  });
}

/** One line of a chat's answer. */
// biome-ignore lint/suspicious/noExplicitAny: events of many kinds
export type Line = { event: string; data?: any; error?: string; run_id?: string };

/** Sends and hears what comes of it, line by line. @throws Error with what the runtime says */
export async function converse(
  route: string,
  body: object,
  onLine: (line: Line) => void,
  signal: AbortSignal,
): Promise<void> {
  const response = await read(BASE + route, {
    method: 'POST',
    signal,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(JSON.parse(line));
  }
}

/** A picture that a message holds. @param url as `servedPicture` makes it @throws Fault */
export async function getPicture(url: string): Promise<Blob> {
  const blob = await (await read(url, {})).blob();
  if (!blob.type.startsWith('image/')) throw new Fault(415, blob.type);
  return blob;
}

/** By the browser itself, for what is no JSON: as the editor's own requests. @throws Fault */
async function read(address: string, options: RequestInit): Promise<Response> {
  const tokens = RED.settings.get('auth-tokens') as { access_token: string } | null;
  const headers = { ...options.headers, ...(tokens && { authorization: `Bearer ${tokens.access_token}` }) };
  const response = await fetch(`${RED.settings.apiRootUrl ?? ''}${address}`, { ...options, headers });
  if (response.ok && response.body) return response;
  const said = (await response.json().catch(() => ({}))) as { error?: string };
  throw new Fault(response.status, said.error);
}
