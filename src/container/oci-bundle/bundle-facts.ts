import { existsSync, readFileSync, statSync } from 'node:fs';
import { hasCapabilities } from '../../linux/capabilities.ts';
import type { HostFacts } from '../../linux/host-facts.ts';
import { UNLIMITED } from '../parse-ulimit.ts';
import type { PlanRequest } from '../plan-container.ts';
import { readMountFlags } from './mount-flags.ts';
import type { BundleRequest, DeviceNumber, HardLimits } from './bundle-request.ts';

/** What a bundle says of the machine. */
export type BundleFacts = Pick<BundleRequest, 'hardLimits' | 'hostIpcFolders' | 'mountFlags' | 'devices'>;

/** Looks at this process and at the sources of the mounts. Throws what statSync throws for one that is not there any more. */
export function readBundleFacts(host: HostFacts, { mounts }: Pick<PlanRequest, 'mounts'>): BundleFacts {
  const volumes = mounts.filter((mount) => mount.kind === 'volume');
  const devices = volumes.filter(({ sourceKind }) => sourceKind === 'device');
  return {
    hardLimits: readHardLimits(host),
    hostIpcFolders: ['/dev/mqueue', '/dev/shm'].filter((path) => existsSync(path)),
    mountFlags: readMountFlags(volumes.map(({ source }) => source)),
    devices: new Map(devices.map(({ source }) => [source, deviceNumber(source)])),
  };
}

function readHardLimits({ ownership, capabilities }: HostFacts): HardLimits | undefined {
  if (ownership.kind === 'root' && hasCapabilities(capabilities, ['SYS_RESOURCE'])) return undefined;
  const text = readFileSync('/proc/self/limits', 'utf8');
  const read = (name: string): bigint => {
    const limit = new RegExp(`^${name} +\\S+ +(\\S+)`, 'm').exec(text)?.[1] ?? 'unlimited';
    return limit === 'unlimited' ? UNLIMITED : BigInt(limit);
  };
  return { files: read('Max open files'), core: read('Max core file size') };
}

/** Of a `dev_t`: 12 bits of major and 20 of minor, mixed as glibc does; makedev(3). */
function deviceNumber(path: string): DeviceNumber {
  const stats = statSync(path);
  const rdev = BigInt(stats.rdev);
  return {
    type: stats.isBlockDevice() ? 'b' : 'c',
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & ~0xffn & 0xffffffffn)),
  };
}
