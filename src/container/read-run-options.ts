import { resolve } from 'node:path';
import type { ContainerOptions } from './container-options.ts';
import { DEFAULT_PATH } from './environment.ts';
import { parseResourceLimits } from './limits/parse-resource-limits.ts';
import { findRuntime } from './oci-bundle/find-runtime.ts';
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
 * @throws {ToolError} ERR_USAGE, ERR_UNSUPPORTED, ERR_HOST for a runtime that is not there
 */
export function readRunOptions(command: readonly string[], options: RunOptions): ContainerOptions {
  const { privileged = false, shmSize } = options;
  return {
    args: command,
    entrypoint: options.entrypoint,
    environment: options.env,
    workingFolder: options.workdir,
    user: options.user,
    groups: options.groupAdd,
    name: options.name,
    hostname: options.hostname,
    network: options.network,
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
    capabilities: parseCapabilities({ add: options.capAdd ?? [], drop: options.capDrop ?? [], privileged }),
    limits: parseResourceLimits(options),
    ulimits: options.ulimits?.map(parseUlimit),
    sysctls: options.sysctls?.map(parseSysctl),
    runtime: findRuntime(options.runtime, options.searchPath ?? DEFAULT_PATH),
  };
}
