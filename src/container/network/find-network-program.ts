import { accessSync, constants, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { ToolError } from '../../errors.ts';
import { hasErrno } from '../../fs/disk-error.ts';
import { findProgram } from '../../linux/find-program.ts';
import type { NetworkName } from './network-name.ts';

export interface NetworkProgram {
  name: 'pasta' | 'slirp4netns';
  /** Absolute. */
  path: string;
  /** It is nobody when it opens the device, which is not open to everybody here: it takes a device of its own. */
  wantsDevice: boolean;
}

/**
 * The program that is asked for by name, else pasta, else slirp4netns; both need /dev/net/tun.
 * @throws {ToolError} ERR_HOST where something of that is missing
 */
export function findNetworkProgram(network: NetworkName | undefined, isRoot: boolean): NetworkProgram {
  const names = network === 'pasta' || network === 'slirp4netns' ? [network] : (['pasta', 'slirp4netns'] as const);
  const found = names.flatMap((name) => {
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
  const { mode } = checkDevice();
  return { ...found, wantsDevice: found.name === 'pasta' && isRoot && (mode & 0o006) !== 0o006 };
}

const DEVICE = '/dev/net/tun';

function checkDevice(): Stats {
  try {
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
    return statSync(DEVICE);
  } catch (error) {
    if (hasErrno(error, 'EACCES', 'EPERM')) {
      throw refuse(
        `${DEVICE} is not open to everybody, as it is by default`,
        `Open it as root: "chmod 0666 ${DEVICE}".`,
        error,
      );
    }
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw refuse(
      `there is no ${DEVICE}`,
      `Make it as root with "modprobe tun"; inside a container, give that one "--device ${DEVICE}".`,
      error,
    );
  }
}

function refuse(reason: string, hint: string, cause?: unknown): ToolError {
  return new ToolError('ERR_HOST', `Cannot give the container a network of its own: ${reason}`, { hint, cause });
}
