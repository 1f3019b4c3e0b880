import type { ResourceLimits } from '../limits/resource-limits.ts';
import { PERIOD } from '../limits/group-settings.ts';
import type { Sysctl } from '../parse-sysctl.ts';
import { maskedPaths, readOnlyPaths } from '../steps/kernel-views.ts';
import type { BundleRequest } from './bundle-request.ts';
import type { OciDeviceRule, OciLinux, OciResources } from './oci-config.ts';

/** Namespaces, limits and what is hidden. */
export function bundleLinux(request: BundleRequest): OciLinux {
  const { cgroupsPath, seccomp, protectSystemPaths, thermalCpus } = request;
  return {
    namespaces: namespacesOf(request),
    ...(cgroupsPath === undefined ? {} : { cgroupsPath }),
    resources: { devices: deviceRules(request), ...resourcesOf(request) },
    sysctl: Object.fromEntries(sysctlsOf(request).map(({ path, value }) => [path.replaceAll('/', '.'), value])),
    ...(seccomp === undefined ? {} : { seccomp }),
    maskedPaths: protectSystemPaths ? maskedPaths(thermalCpus) : [],
    readonlyPaths: protectSystemPaths ? readOnlyPaths() : [],
  };
}

/** The namespace of the host's network, or of one that the runtime is started in, is the one without an entry. */
function namespacesOf({ ipc, network }: BundleRequest): OciLinux['namespaces'] {
  return [
    { type: 'mount' },
    { type: 'pid' },
    { type: 'uts' },
    { type: 'cgroup' },
    ...(ipc === 'private' ? [{ type: 'ipc' } as const] : []),
    ...(network === 'none' ? [{ type: 'network' } as const] : []),
  ];
}

/** Those of a network that the runtime is started in are set by then: it takes them for the host's. */
function sysctlsOf({ sysctls, network }: BundleRequest): readonly Sysctl[] {
  return sysctls.filter(({ namespace }) => namespace !== 'network' || network !== 'private');
}

/** null, zero, full, random, urandom, tty, and console: moby daemon/pkg/oci/defaults.go. Runtimes add pts and ptmx. */
const ALLOWED: readonly (readonly [major: number, minor: number])[] = [
  [1, 3],
  [1, 5],
  [1, 7],
  [1, 8],
  [1, 9],
  [5, 0],
  [5, 1],
];

/** In a user namespace the kernel lets nobody make a device, and no rule be set. */
function deviceRules({ ownership, privileged, devices }: BundleRequest): OciDeviceRule[] {
  if (ownership.kind !== 'root') return [];
  if (privileged) return [{ allow: true, access: 'rwm' }];
  const rule = { allow: true, access: 'rwm' } as const;
  return [
    { allow: false, access: 'rwm' },
    ...ALLOWED.map(([major, minor]) => ({ ...rule, type: 'c' as const, major, minor })),
    ...[...devices.values()].map((device) => ({ ...rule, ...device })),
  ];
}

function resourcesOf({ limits }: BundleRequest): Omit<OciResources, 'devices'> {
  const { memory, memorySwap, pids } = limits;
  const cpu = cpuOf(limits);
  return {
    // Twice the memory, which docker implies, is set beforehand where the kernel can: createGroup.
    ...(memory === undefined
      ? {}
      : { memory: { limit: memory, ...(memorySwap === undefined ? {} : { swap: memorySwap }) } }),
    ...(Object.keys(cpu).length === 0 ? {} : { cpu }),
    ...(pids === undefined ? {} : { pids: { limit: pids } }),
  };
}

function cpuOf({ cpuShares, milliCpus, cpusetCpus }: ResourceLimits): NonNullable<OciResources['cpu']> {
  return {
    ...(cpuShares === undefined ? {} : { shares: cpuShares }),
    ...(milliCpus === undefined ? {} : { quota: milliCpus * (PERIOD / 1000), period: PERIOD }),
    ...(cpusetCpus === undefined ? {} : { cpus: cpusetCpus }),
  };
}
