import type { MachineFacts, Trials } from '../../../src/container/doctor/machine-facts.ts';
import type { HostFacts } from '../../../src/linux/host-facts.ts';

export const RANGE = {
  kind: 'mapped' as const,
  uids: [
    { inside: 0, outside: 1000, count: 1 },
    { inside: 1, outside: 100_000, count: 65_536 },
  ],
  gids: [
    { inside: 0, outside: 1000, count: 1 },
    { inside: 1, outside: 100_000, count: 65_536 },
  ],
};

interface Changes extends Partial<Omit<MachineFacts, 'host' | 'store' | 'trials'>> {
  host?: Partial<HostFacts>;
  store?: Partial<MachineFacts['store']>;
  trials?: Partial<Trials>;
}

/** A machine on which an ordinary user lacks nothing, but for what is changed. */
export function machine({ host, store, trials, ...changes }: Changes = {}): MachineFacts {
  return {
    host: {
      uid: 1000,
      gid: 1000,
      capabilities: 0n,
      noNewPrivileges: false,
      isFiltered: false,
      initialUserNamespace: true,
      privileged: false,
      ownership: RANGE,
      kernelRelease: '6.8.0-41-generic',
      userNamespaceObstacle: undefined,
      mappingObstacle: undefined,
      ...host,
    },
    sources: { userName: 'ann', subuid: 'ann:100000:65536\n', subgid: 'ann:100000:65536\n' },
    machine: 'x64',
    nodeVersion: 'v20.20.2',
    osRelease: 'ID=debian\nPRETTY_NAME="Debian 12"\n',
    mountinfo: MOUNTS,
    namespaces: ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'],
    outerContainer: undefined,
    idMapTools: [
      { name: 'newuidmap', path: '/usr/bin/newuidmap', hasPrivileges: true },
      { name: 'newgidmap', path: '/usr/bin/newgidmap', hasPrivileges: true },
    ],
    legacyTiocsti: '0',
    keyUsers: ' 1000:     4 4/4 4/200 60/20000',
    apparmorProfile: undefined,
    selinux: '',
    controlGroups: new Map([['memory', 2]]),
    store: {
      folder: '/home/ann/.mydocker',
      freeBytes: 50e9,
      freeFiles: 1e6,
      maxFiles: 2e6,
      refusal: undefined,
      driver: 'overlay',
      runner: '/home/ann/.mydocker/runner/runner-x64-1',
      ...store,
    },
    programs: { pasta: '/usr/bin/pasta', slirp4netns: undefined, runc: undefined, crun: undefined },
    tunDevice: 'usable',
    env: {},
    extraCaReadable: undefined,
    trials: {
      userNamespace: undefined,
      namespaces: undefined,
      proc: undefined,
      seccomp: undefined,
      keyring: undefined,
      overlay: undefined,
      limits: { cpu: undefined, cpuset: undefined, memory: undefined, pids: undefined },
      container: undefined,
      ...trials,
    },
    ...changes,
  };
}

const MOUNTS = mounts('/ / rw - ext4 /dev/sda rw', '/ /proc rw - proc proc rw', '/ /sys rw - sysfs sysfs rw');

/** /proc/self/mountinfo of what stands in its lines from the root on. */
export function mounts(...lines: string[]): string {
  return lines.map((line, index) => `${index + 2} ${index + 1} 0:1 ${line}\n`).join('');
}
