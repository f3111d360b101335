/** A reverse proxy that knows nothing of streams but passes on what comes. */
import { createServer, request as forward, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface ReverseProxy {
  /** e.g. https://127.0.0.1:40123 */
  address: string;
  close(): void;
}

/**
 * Starts one before a server.
 * @param target address of the server
 * @param certificate for https; without one it speaks http
 */
export async function startReverseProxy(
  target: string,
  certificate?: { cert: string; key: string },
): Promise<ReverseProxy> {
  const pass: RequestListener = (request, response) => {
    const headers = { ...request.headers, 'x-forwarded-for': '192.0.2.1', via: '1.1 test' };
    const onward = forward(target + request.url, { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  };
  const server = certificate ? createSecureServer(certificate, pass) : createServer(pass);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `${certificate ? 'https' : 'http'}://127.0.0.1:${port}`,
    close: () => server.close(),
  };
}
