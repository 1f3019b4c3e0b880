import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { AT, O } from '../../linux/path-flags.ts';
import type { Program } from '../../linux/program.ts';
import { launchProgram } from './launch-program.ts';
import type { NetworkRequest, NetworkService } from './network-service.ts';
import { pastaArguments } from './pasta-arguments.ts';
import { nobodySteps } from './nobody-steps.ts';
import { tunDeviceSteps } from './tun-device-steps.ts';

/**
 * Starts pasta (https://passt.top) and waits until the container is connected and its ports are published.
 *
 * As an ordinary user it enters the container's user namespace by itself. As root there is none, and it would become nobody and so
 * lose the way in: it is nobody from the start, with the namespace in its hand and the capabilities that it takes; it keeps two of
 * them, behind its filter of system calls.
 * @throws {ToolError} ERR_HOST, ERR_CONFLICT for a port that somebody has taken meanwhile, ERR_UNSUPPORTED
 */
export async function startPasta(request: NetworkRequest): Promise<NetworkService> {
  const { folder, isRoot, wantsDevice, pid } = request;
  const pipe = join(folder, 'network');
  const namespace = isRoot ? openSync(`/proc/${pid}/ns/net`, constants.O_RDONLY) : undefined;
  const launched = launch();
  try {
    await launched.running.started;
    const ready = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const stream = new Socket({ fd: ready, readable: true, writable: false });
    try {
      await launched.says(stream);
    } finally {
      stream.destroy();
    }
    rmSync(pipe);
    return launched;
  } catch (error) {
    await launched.stop();
    throw error;
  }

  function launch(): ReturnType<typeof launchProgram> {
    try {
      return launchProgram(request, {
        args: pastaArguments({ ...request, pid: isRoot ? undefined : pid }),
        before: [
          ...pipeSteps(pipe),
          ...(wantsDevice ? tunDeviceSteps() : []),
          ...(isRoot ? nobodySteps(['SYS_ADMIN', 'NET_ADMIN', 'NET_BIND_SERVICE']) : []),
        ],
        stdio: [namespace ?? 'ignore', 'ignore', 'pipe'],
      });
    } finally {
      if (namespace !== undefined) closeSync(namespace);
    }
  }
}

/**
 * A named pipe as its standard output: that is where it writes its process id when it is ready, to a path of /proc, as it has left
 * the user's files behind by then. A stream of Node's is a socket, which no path opens.
 */
function pipeSteps(path: string): Program {
  const what = 'wait for pasta';
  const write = constants.S_IWUSR | constants.S_IWGRP | constants.S_IWOTH; // nobody else gets into the folder
  return [
    { call: 'mknodat', args: [AT.FDCWD, path, constants.S_IFIFO | 0o600, 0], what },
    { call: 'fchmodat', args: [AT.FDCWD, path, constants.S_IRUSR | write], what },
    { call: 'openat', args: [AT.FDCWD, path, constants.O_RDWR | O.CLOEXEC], save: 'pipe', what },
    { call: 'dup3', args: [{ result: 'pipe' }, 1, 0], what },
  ];
}
