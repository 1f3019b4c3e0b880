import { resolve } from 'node:path';
import type { ContainerOptions } from './container-options.ts';
import { parseResourceLimits } from './limits/parse-resource-limits.ts';
import { defaultCapabilities } from './default-capabilities.ts';
import { networkMode } from './network/network-name.ts';
import { readNetworkOptions } from './network/read-network-options.ts';
import { parseCapabilities } from './parse-capabilities.ts';
import { parseDevice } from './parse-device.ts';
import { DEFAULT_SECURITY, PRIVILEGED_SECURITY, parseSecurity } from './parse-security.ts';
import { parseSize } from './parse-size.ts';
import { parseSysctl } from './parse-sysctl.ts';
import { parseTmpfs } from './parse-tmpfs.ts';
import { parseUlimit } from './parse-ulimit.ts';
import { parseVolume } from './parse-volume.ts';
import type { RunOptions } from './run-options.ts';

/**
 * Reads what a caller says in docker's words.
 * @throws {ToolError} ERR_USAGE, ERR_UNSUPPORTED
 */
export function readRunOptions(command: readonly string[], options: RunOptions): ContainerOptions {
  const { privileged = false, shmSize } = options;
  const network = readNetworkOptions(options);
  const defaults = defaultCapabilities(networkMode(network.network));
  return {
    args: command,
    entrypoint: options.entrypoint,
    environment: options.env,
    workingFolder: options.workdir,
    user: options.user,
    groups: options.groupAdd,
    name: options.name,
    hostname: options.hostname,
    ...network,
    pid: options.pid,
    ipc: options.ipc,
    volumes: options.volumes?.map((volume) => parseVolume(volume, resolve('.'))),
    tmpfs: options.tmpfs?.map(parseTmpfs),
    devices: options.devices?.map(parseDevice),
    shmSize: typeof shmSize === 'string' ? parseSize(shmSize, 'shm-size') : shmSize,
    readOnlyRoot: options.readOnly,
    autoRemove: options.rm,
    terminal: options.terminal,
    init: options.init,
    privileged,
    security: parseSecurity(options.securityOpt ?? [], privileged ? PRIVILEGED_SECURITY : DEFAULT_SECURITY),
    capabilities: parseCapabilities({ add: options.capAdd ?? [], drop: options.capDrop ?? [], privileged, defaults }),
    limits: parseResourceLimits(options),
    ulimits: options.ulimits?.map(parseUlimit),
    sysctls: options.sysctls?.map(parseSysctl),
  };
}
