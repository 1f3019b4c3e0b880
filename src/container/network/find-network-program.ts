import { accessSync, constants, statSync } from 'node:fs';
import { ToolError } from '../../errors.ts';
import { hasErrno } from '../../fs/disk-error.ts';
import { findProgram } from '../../linux/find-program.ts';
import type { NetworkName } from './network-name.ts';

export interface NetworkProgram {
  name: 'pasta' | 'slirp4netns';
  /** Absolute. */
  path: string;
}

/**
 * The program that is asked for by name, else pasta, else slirp4netns; both need /dev/net/tun.
 * @throws {ToolError} ERR_HOST where something of that is missing
 */
export function findNetworkProgram(network: NetworkName | undefined, isRoot: boolean): NetworkProgram {
  const names = network === 'pasta' || network === 'slirp4netns' ? [network] : (['pasta', 'slirp4netns'] as const);
  const found = names.flatMap((name): NetworkProgram[] => {
    const path = findProgram(name);
    return path === undefined ? [] : [{ name, path }];
  })[0];
  if (found === undefined) {
    const packageName = names[0] === 'slirp4netns' ? 'slirp4netns' : 'passt';
    throw refuse(
      `there is no ${names.join(' and no ')}`,
      `Install the package ${packageName}, or share the host's network with --network host.`,
    );
  }
  checkDevice(found.name === 'pasta' && isRoot);
  return found;
}

const DEVICE = '/dev/net/tun';

/** @param asNobody the program gives its user away before it opens the device */
function checkDevice(asNobody: boolean): void {
  try {
    if (asNobody && (statSync(DEVICE).mode & 0o006) !== 0o006) throw inaccessible();
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
  } catch (error) {
    if (hasErrno(error, 'EACCES', 'EPERM')) throw inaccessible(error);
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw refuse(
      `there is no ${DEVICE}`,
      `Make it as root with "modprobe tun"; inside a container, give that one "--device ${DEVICE}".`,
      error,
    );
  }
}

function inaccessible(cause?: unknown): ToolError {
  return refuse(
    `${DEVICE} is not open to everybody, as it is by default`,
    `Open it as root: "chmod 0666 ${DEVICE}".`,
    cause,
  );
}

function refuse(reason: string, hint: string, cause?: unknown): ToolError {
  return new ToolError('ERR_HOST', `Cannot give the container a network of its own: ${reason}`, { hint, cause });
}
