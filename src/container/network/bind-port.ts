import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Protocol } from './published-port.ts';

/** Binds a port of the host (0: any that is free) for a moment. Answers with its number; rejects with the kernel's error. */
export async function bindPort(protocol: Protocol, address: string, port: number): Promise<number> {
  if (protocol === 'tcp') {
    const server = createServer();
    server.listen({ host: address, port, exclusive: true, ipv6Only: isIPv6(address) });
    await once(server, 'listening');
    const { port: bound } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    return bound;
  }
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', ipv6Only: isIPv6(address) });
  socket.bind({ address, port, exclusive: true });
  await once(socket, 'listening').catch((error: unknown) => {
    socket.close();
    throw error;
  });
  const { port: bound } = socket.address();
  socket.close();
  await once(socket, 'close');
  return bound;
}
