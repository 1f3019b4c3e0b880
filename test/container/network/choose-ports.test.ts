import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';

import { bindPort } from '../../../src/container/network/bind-port.ts';
import { choosePorts } from '../../../src/container/network/choose-ports.ts';
import type { PortRequest } from '../../../src/container/network/published-port.ts';

const EVERYWHERE = ['127.0.0.1', '::1']; // nothing here listens for others

async function choose(...requests: Partial<PortRequest>[]): Promise<string[]> {
  const whole = requests.map((request) => ({
    protocol: 'tcp' as const,
    address: '127.0.0.1',
    hostPorts: undefined,
    containerPort: 80,
    ...request,
  }));
  const chosen = await choosePorts(whole, EVERYWHERE, undefined);
  return chosen.map(
    ({ protocol, address, hostPort, containerPort }) => `${address} ${hostPort} ${containerPort}/${protocol}`,
  );
}

const only = (port: number) => ({ first: port, last: port });

async function listen(address: string): Promise<number> {
  const server = createServer().listen(0, address);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  return bindPort('tcp', '127.0.0.1', 0);
}

describe('choosePorts()', () => {
  it('takes the port that is asked for, or any, and says the same once', async () => {
    const port = await freePort();
    const request = { hostPorts: only(port) };
    expect(await choose(request, request)).toEqual([`127.0.0.1 ${port} 80/tcp`]);
    const [any = ''] = await choose({ address: '', protocol: 'udp' });
    expect(any).toMatch(/^ [1-9]\d+ 80\/udp$/);
  });

  it.each(EVERYWHERE)('refuses a port that is taken at %s, in docker’s words', async (address) => {
    const port = await listen(address);
    const joined = address === '::1' ? `[::1]:${port}` : `${address}:${port}`;
    await expect(choose({ address: '', hostPorts: only(port) })).rejects.toMatchObject({
      code: 'ERR_CONFLICT',
      message: `Cannot publish port 80/tcp: Bind for ${joined} failed: port is already allocated`,
    });
  });

  it('refuses a UDP port that is taken, also where its owner shares it', async () => {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    onTestFinished(() => void socket.close());
    const { port } = socket.address();
    await expect(choose({ protocol: 'udp', hostPorts: only(port) })).rejects.toMatchObject({ code: 'ERR_CONFLICT' });
    await expect(choose({ hostPorts: only(port) })).resolves.toHaveLength(1); // TCP has ports of its own
  });

  it('goes on to the next port of a range', async () => {
    const port = await listen('127.0.0.1');
    const chosen = await choose({ hostPorts: { first: port, last: port + 20 } });
    expect(Number(chosen[0]?.split(' ')[1])).toBeGreaterThan(port);
  });

  it.for([
    [{}, { containerPort: 81 }],
    [{ address: '' }, { containerPort: 81 }],
    [{}, { address: '', containerPort: 81 }],
  ])('refuses %j and %j at the same port', async ([one, other]) => {
    const hostPorts = only(await freePort());
    await expect(choose({ hostPorts, ...one }, { hostPorts, ...other })).rejects.toMatchObject({
      code: 'ERR_CONFLICT',
    });
  });

  it('refuses an address that the host does not have', async () => {
    await expect(choose({ address: '203.0.113.1', hostPorts: only(8080) })).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: 'Cannot publish port 80/tcp: listen tcp 203.0.113.1:8080: bind: cannot assign requested address',
    });
  });

  it('stops when it is told to', async () => {
    const request = { protocol: 'tcp', address: '127.0.0.1', hostPorts: undefined, containerPort: 80 } as const;
    await expect(choosePorts([request], EVERYWHERE, AbortSignal.abort())).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
  });
});
