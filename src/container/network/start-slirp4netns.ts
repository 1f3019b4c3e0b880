import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { ToolError } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { launchProgram } from './launch-program.ts';
import type { NetworkRequest, NetworkService } from './network-service.ts';
import type { PublishedPort } from './published-port.ts';
import { API_SOCKET, publishRequest, slirp4netnsArguments } from './slirp4netns-arguments.ts';

/**
 * Starts slirp4netns, and waits until the container is connected and its ports are published.
 * @throws {ToolError} ERR_HOST, ERR_CONFLICT for a port that somebody has taken meanwhile, ERR_UNSUPPORTED
 */
export async function startSlirp4netns(request: NetworkRequest): Promise<NetworkService> {
  const { folder, ports, signal } = request;
  const sixth = ports.find(({ address }) => address.includes(':'));
  if (sixth !== undefined) {
    throw new ToolError(
      'ERR_UNSUPPORTED',
      `Cannot publish port ${sixth.containerPort} at ${sixth.address}: slirp4netns has IPv4 only`,
      {
        hint: 'Install the package passt: pasta has both.',
      },
    );
  }
  const launched = launchProgram(request, {
    args: slirp4netnsArguments(request),
    // A socket's whole path has room for 107 bytes, which the store's folder may have used up.
    before: [{ call: 'chdir', args: [folder], what: "change to the container's folder" }],
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  try {
    await launched.running.started;
    await launched.says(launched.running.child.stdio[3] as Readable);
    for (const port of ports) {
      signal?.throwIfAborted();
      await publish(port, folder);
    }
    rmSync(join(folder, API_SOCKET), { force: true }); // nobody has to tell it anything from now on
    return launched;
  } catch (error) {
    await launched.stop();
    throw error;
  }
}

async function publish(port: PublishedPort, folder: string): Promise<void> {
  const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const socket = connect(`/proc/self/fd/${descriptor}/${API_SOCKET}`);
    socket.end(publishRequest(port));
    const answer = await text(socket);
    if (/"return"/.test(answer)) return;
    const { containerPort, protocol, hostPort } = port;
    throw new ToolError(
      'ERR_CONFLICT',
      `Cannot publish port ${containerPort}/${protocol}: Bind for port ${hostPort} failed: slirp4netns: ${printable(answer)}`,
    );
  } finally {
    closeSync(descriptor);
  }
}
