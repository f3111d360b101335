/** PostgreSQL behind a pooler that hands no notifications on, as PgBouncer in transaction mode. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What the server sends, without its notifications (type A). A message is a letter, its length in 4 bytes, the rest. */
function withoutNotifications(hand: (data: Buffer) => void): (data: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (data) => {
    rest = Buffer.concat([rest, data]);
    while (rest.length >= 5) {
      const length = 1 + rest.readUInt32BE(1);
      if (rest.length < length) return;
      if (rest[0] !== 'A'.charCodeAt(0)) hand(Buffer.from(rest.subarray(0, length)));
      rest = rest.subarray(length);
    }
  };
}

/** @param target the server's address; its query is kept */
export async function deafProxy(target: string) {
  const url = new URL(target);
  const { hostname, port } = url;
  const sockets = new Set<Socket>();
  let isBroken = false;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (data) => {
      // Logins go through: what begins with Q or P is a query.
      if (isBroken && /^[QP]/.test(data.toString('latin1', 0, 1))) client.destroy();
      else upstream.write(data);
    });
    upstream.on(
      'data',
      withoutNotifications((data) => client.write(data)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    address: url.href,
    /** From now on it takes connections, and loses them at their first query; or no longer. */
    breakQueries(on: boolean) {
      isBroken = on;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
