/** What every admin route asks of a request before it looks inside: that no foreign web page can have sent it. */

interface Request {
  method: string;
  headers: Record<string, string | string[] | undefined>;
}

interface Response {
  status(code: number): { json(body: unknown): unknown };
}

type Next = () => void;

/**
 * Refuses what a browser sends for a page of another origin; programs that are no browser name none.
 * Answers 403.
 */
export function sameSite({ headers }: Request, response: Response, next: Next): void {
  const origin = headers.origin;
  // Behind a proxy the host is the proxy's to tell. A page can't set either header for another site.
  const hosts = [headers.host, headers['x-forwarded-host']];
  const own = (host: string | undefined) => host !== undefined && hosts.includes(host);
  const foreign =
    headers['sec-fetch-site'] === 'cross-site' ||
    (origin !== undefined && !own(URL.parse(String(origin))?.host));
  if (foreign) response.status(403).json({ error: 'This request comes from another web page.' });
  else next();
}

/**
 * Takes JSON only: a page of another site can send forms and plain text unasked, JSON it can't.
 * Answers 415.
 */
export function onlyJson({ headers }: Request, response: Response, next: Next): void {
  if (/^application\/json\s*(?:;|$)/i.test(String(headers['content-type'] ?? ''))) next();
  else response.status(415).json({ error: 'Only application/json is taken.' });
}
