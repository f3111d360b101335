/** Asking the runtime. */
const BASE = 'openai-runs-panel/';

/** Through the editor's own requests, which know who is logged in and where the runtime is. */
export async function get<T>(route: string, query: Record<string, string | undefined> = {}): Promise<T> {
  const asked = Object.entries(query).filter(([, value]) => value);
  const search = new URLSearchParams(asked as [string, string][]).toString();
  return request('GET', search ? `${route}?${search}` : route);
}

export function post<T>(route: string, body: object): Promise<T> {
  return request('POST', route, JSON.stringify(body));
}

function request<T>(method: string, route: string, data?: string): Promise<T> {
  return new Promise((resolve, reject) => {
    $.ajax({ method, url: BASE + route, data, contentType: 'application/json', dataType: 'json' }).then(
      resolve,
      (answer: JQuery.jqXHR) =>
        reject(new Error(answer.responseJSON?.error ?? `${answer.status} ${answer.statusText}`)),
    );
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
  const tokens = RED.settings.get('auth-tokens') as { access_token: string } | null;
  const response = await fetch(`${RED.settings.apiRootUrl ?? ''}${BASE}${route}`, {
    method: 'POST',
    signal,
    headers: {
      'content-type': 'application/json',
      ...(tokens && { authorization: `Bearer ${tokens.access_token}` }),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok || !response.body) {
    const said = (await response.json().catch(() => ({}))) as { error?: string };
    throw new Error(said.error ?? `${response.status}`);
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(JSON.parse(line));
  }
}
