import { resolve } from 'node:path';
import { ToolError } from '../errors.ts';
import { checkName } from './container-name.ts';
import type { ContainerOptions } from './container-options.ts';
import { DEFAULT_PATH } from './environment.ts';
import { parseResourceLimits } from './limits/parse-resource-limits.ts';
import { findRuntime } from './oci-bundle/find-runtime.ts';
import { defaultCapabilities } from './default-capabilities.ts';
import { networkMode } from './network/network-name.ts';
import { readNetworkOptions } from './network/read-network-options.ts';
import { parseCapabilities } from './parse-capabilities.ts';
import { parseDevice } from './parse-device.ts';
import { parseLabels } from './parse-label.ts';
import { parseMount } from './parse-mount.ts';
import { DEFAULT_SECURITY, PRIVILEGED_SECURITY, parseSecurity } from './parse-security.ts';
import { parseSignal } from './parse-signal.ts';
import { parseSize } from './parse-size.ts';
import { parseSysctl } from './parse-sysctl.ts';
import { parseTmpfs } from './parse-tmpfs.ts';
import { parseUlimit } from './parse-ulimit.ts';
import { parseUserNamespace } from './parse-user-namespace.ts';
import { parseVolume } from './parse-volume.ts';
import type { RunOptions } from './run-options.ts';

/**
 * Reads what a caller says in docker's words.
 * @throws {ToolError} ERR_USAGE, ERR_UNSUPPORTED, ERR_HOST for a runtime that is not there
 */
export function readRunOptions(command: readonly string[], options: RunOptions): ContainerOptions {
  const { privileged = false, shmSize } = options;
  const name = given(options.name);
  if (name !== undefined) checkName(name);
  const network = readNetworkOptions(options);
  const defaults = defaultCapabilities(networkMode(network.network));
  return {
    args: command,
    entrypoint: options.entrypoint,
    environment: options.env,
    workingFolder: given(options.workdir),
    user: given(options.user),
    groups: options.groupAdd,
    userns: ifGiven(options.userns, parseUserNamespace),
    stopSignal: ifGiven(given(options.stopSignal), parseSignal),
    stopTimeout: options.stopTimeout,
    name,
    hostname: given(options.hostname),
    domainname: given(options.domainname),
    labels: parseLabels(options.labels ?? []),
    oomScoreAdj: ifGiven(options.oomScoreAdj, checkOomScore),
    ...network,
    pid: options.pid,
    ipc: options.ipc,
    ...readMounts(options),
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
    runtime: findRuntime(options.runtime, options.searchPath ?? DEFAULT_PATH),
  };
}

function readMounts(options: RunOptions): Pick<ContainerOptions, 'volumes' | 'tmpfs'> {
  const { volumes = [], tmpfs = [], mounts = [] } = options;
  const others = mounts.map((mount) => parseMount(mount, resolve('.')));
  return {
    volumes: [
      ...volumes.map((volume) => parseVolume(volume, resolve('.'))),
      ...others.flatMap((mount) => ('volume' in mount ? [mount.volume] : [])),
    ],
    tmpfs: [...tmpfs.map(parseTmpfs), ...others.flatMap((mount) => ('tmpfs' in mount ? [mount.tmpfs] : []))],
  };
}

function ifGiven<T, R>(value: T | undefined, read: (value: T) => R): R | undefined {
  return value === undefined ? undefined : read(value);
}

function checkOomScore(adjustment: number): number {
  if (Number.isInteger(adjustment) && adjustment >= -1000 && adjustment <= 1000) return adjustment;
  throw new ToolError('ERR_USAGE', `Invalid value ${adjustment}, range for oom score adj is [-1000, 1000]`);
}

/** An empty text says nothing, as with docker: scripts hand on variables that are not set. */
function given(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
