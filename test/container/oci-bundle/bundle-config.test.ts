import { describe, expect, it } from 'vitest';

import { bundleConfig } from '../../../src/container/oci-bundle/bundle-config.ts';
import type { BundleRequest } from '../../../src/container/oci-bundle/bundle-request.ts';
import { encodeConfig } from '../../../src/container/oci-bundle/encode-config.ts';
import type { OciConfig, OciMount } from '../../../src/container/oci-bundle/oci-config.ts';
import { UNLIMITED } from '../../../src/container/parse-ulimit.ts';
import { BUNDLE_REQUEST, MAPPED, SINGLE } from './bundle-request.ts';

function configOf(changes: Partial<BundleRequest> = {}): OciConfig {
  return bundleConfig({ ...BUNDLE_REQUEST, ...changes });
}

function mountAt(config: OciConfig, destination: string): OciMount | undefined {
  return config.mounts.find((mount) => mount.destination === destination);
}

const DEFAULT_NAMES = (
  'CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD ' +
  'AUDIT_WRITE SETFCAP'
)
  .split(' ')
  .map((name) => `CAP_${name}`);

describe('bundleConfig()', () => {
  it('is what docker gives to runc, where nothing is asked for', () => {
    const config = configOf();
    // moby daemon/pkg/oci/defaults.go, except for /sys/fs/cgroup, and with the files of /etc.
    const noPrograms = ['nosuid', 'noexec', 'nodev'];
    expect(config.mounts.slice(0, 6)).toEqual([
      { destination: '/proc', type: 'proc', source: 'proc', options: noPrograms },
      {
        destination: '/dev',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
      },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...noPrograms, 'ro'] },
      { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: noPrograms },
      { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: [...noPrograms, 'mode=1777', 'size=67108864'] },
    ]);
    expect(config.mounts.slice(6).map(({ destination, source }) => [destination, source])).toEqual(
      ['resolv.conf', 'hosts', 'hostname'].map((name) => [`/etc/${name}`, `/store/containers/id/etc/${name}`]),
    );
    expect(config.process.capabilities).toEqual({
      bounding: DEFAULT_NAMES,
      effective: DEFAULT_NAMES,
      permitted: DEFAULT_NAMES,
      inheritable: [],
    });
    expect(config.linux.maskedPaths.join(' ')).toBe(
      '/proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/sched_debug /proc/scsi ' +
        '/proc/timer_list /proc/timer_stats /sys/devices/virtual/powercap /sys/firmware',
    );
    expect(config.linux.readonlyPaths).toEqual(
      ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map((name) => `/proc/${name}`),
    );
    expect(config.linux.resources.devices[0]).toEqual({ allow: false, access: 'rwm' });
    expect(config.linux.resources.devices.slice(1).map(({ type, major, minor }) => [type, major, minor])).toEqual(
      [
        [1, 3],
        [1, 5],
        [1, 7],
        [1, 8],
        [1, 9],
        [5, 0],
        [5, 1],
      ].map((numbers) => ['c', ...numbers]),
    );
    expect(config).toMatchObject({
      ociVersion: '1.0.2',
      hostname: 'box',
      root: { path: '/store/containers/id/rootfs', readonly: false },
      process: {
        terminal: false,
        user: { uid: 0, gid: 0, additionalGids: [0, 10] },
        args: ['sh', '-c', 'true'],
        env: ['PATH=/bin', 'A=1'],
        cwd: '/',
        noNewPrivileges: false,
        rlimits: [
          { type: 'RLIMIT_NOFILE', soft: 1024n, hard: 524_288n },
          { type: 'RLIMIT_CORE', soft: 0n, hard: UNLIMITED },
        ],
      },
      linux: { cgroupsPath: '/mydocker/id', sysctl: {} },
    });
  });

  it.each<[string, Partial<BundleRequest>, string[]]>([
    ['the network of the host', {}, ['mount', 'pid', 'uts', 'cgroup', 'ipc']],
    ['no network', { network: 'none' }, ['mount', 'pid', 'uts', 'cgroup', 'ipc', 'network']],
    ['the shared memory of the host', { ipc: 'host' }, ['mount', 'pid', 'uts', 'cgroup']],
  ])('has no entry for a namespace that is there: %s', (_name, changes, types) => {
    for (const ownership of [{ kind: 'root' } as const, MAPPED, SINGLE]) {
      expect(configOf({ ...changes, ownership }).linux.namespaces.map(({ type }) => type)).toEqual(types);
    }
  });

  it('binds /sys where the kernel gives no new one, and what is shared', () => {
    expect(mountAt(configOf({ ownership: MAPPED }), '/sys')).toMatchObject({ type: 'bind', source: '/sys' });
    expect(mountAt(configOf({ ownership: MAPPED, network: 'none' }), '/sys')?.type).toBe('sysfs');
    const shared = configOf({ ipc: 'host' });
    expect(mountAt(shared, '/dev/shm')).toMatchObject({ type: 'bind', source: '/dev/shm' });
    expect(mountAt(shared, '/dev/mqueue')).toBeUndefined(); // the host has none here
  });

  it('asks for no group that there is not', () => {
    const single = configOf({ ownership: SINGLE });
    expect(mountAt(single, '/dev/pts')?.options).not.toContain('gid=5');
    expect(single.process.user.additionalGids).toEqual([]);
  });

  it('gives a user other than root no capabilities to start with, and nobody what the caller does not have', () => {
    const user = { uid: 1000, gid: 1000, groups: [1000], home: '/' };
    expect(configOf({ user }).process.capabilities).toMatchObject({ effective: [], permitted: [], inheritable: [] });
    expect(configOf({ permitted: 1n }).process.capabilities.bounding).toEqual(['CAP_CHOWN']);
    expect(configOf({ permitted: 0n, ownership: MAPPED }).process.capabilities.bounding).toEqual(DEFAULT_NAMES);
  });

  it('mounts what the user says, folders before what is in them, without devices', () => {
    const mounts: BundleRequest['mounts'] = [
      { kind: 'volume', source: '/h/deep', sourceKind: 'folder', target: '/data/deep', readOnly: true },
      { kind: 'volume', source: '/h/top', sourceKind: 'folder', target: '/data', readOnly: false },
      { kind: 'volume', source: '/h/file', sourceKind: 'file', target: '/etc/hosts', readOnly: true },
      { kind: 'tmpfs', target: '/fast', attributes: 0xe, options: [['size', '1m']] },
    ];
    const config = configOf({ mounts });
    const targets = config.mounts.map(({ destination }) => destination);
    expect(targets.slice(6)).toEqual([
      '/etc/resolv.conf',
      '/etc/hostname',
      '/data',
      '/fast',
      '/data/deep',
      '/etc/hosts',
    ]);
    expect(mountAt(config, '/data')?.options).toEqual(['rbind', 'rprivate', 'nodev', 'rnodev']);
    expect(mountAt(config, '/data/deep')?.options).toEqual(['rbind', 'rprivate', 'nodev', 'ro', 'rnodev', 'rro']);
    expect(mountAt(config, '/etc/hosts')?.options).toEqual(['rbind', 'rprivate', 'nodev', 'ro']);
    expect(mountAt(config, '/fast')?.options).toEqual(['nosuid', 'nodev', 'noexec', 'size=1m']);
    const held = configOf({ mounts, mountFlags: new Map([['/h/top', ['nodev', 'noexec']]]) });
    expect(mountAt(held, '/data')?.options).toEqual(['rbind', 'rprivate', 'nodev', 'noexec', 'rnodev', 'rnoexec']);
    const rootless = configOf({ mounts, ownership: MAPPED });
    expect(mountAt(rootless, '/data')?.options).toEqual(['rbind', 'rprivate', 'nodev', 'nosuid', 'rnodev', 'rnosuid']);
  });

  it('allows a device that is named, and with privileged all', () => {
    const mount = {
      kind: 'volume',
      source: '/dev/a',
      sourceKind: 'device',
      target: '/dev/b',
      readOnly: false,
    } as const;
    const devices = new Map([['/dev/a', { type: 'b', major: 8, minor: 1 } as const]]);
    const config = configOf({ mounts: [mount], devices });
    expect(mountAt(config, '/dev/b')?.options).toEqual(['rbind', 'rprivate']);
    expect(config.linux.resources.devices.at(-1)).toEqual({
      allow: true,
      access: 'rwm',
      type: 'b',
      major: 8,
      minor: 1,
    });
    expect(configOf({ mounts: [mount], devices, ownership: MAPPED }).linux.resources.devices).toEqual([]);
    const privileged = configOf({ privileged: true, protectSystemPaths: false });
    expect(privileged.linux).toMatchObject({ maskedPaths: [], readonlyPaths: [] });
    expect(privileged.linux.resources.devices).toEqual([{ allow: true, access: 'rwm' }]);
    expect(mountAt(privileged, '/sys')?.options).not.toContain('ro');
  });

  it('starts with our own runner for --init, which is bound over a name in /dev', () => {
    const config = configOf({ init: true });
    expect(config.process.args).toEqual(['/dev/init', '3']);
    const targets = config.mounts.map(({ destination }) => destination);
    expect(targets.indexOf('/dev/init')).toBeGreaterThan(targets.indexOf('/dev'));
    expect(mountAt(config, '/dev/init')).toMatchObject({
      source: '/store/containers/id/bundle/init',
      options: ['rbind', 'rprivate', 'nosuid', 'nodev', 'ro'],
    });
  });

  it('has limits in the units of the specification', () => {
    const limits = { memory: 1000, memorySwap: -1, milliCpus: 1500, cpuShares: 512, cpusetCpus: '0-1', pids: 7 };
    const { devices: _devices, ...resources } = configOf({ limits }).linux.resources;
    expect(resources).toEqual({
      memory: { limit: 1000, swap: -1 },
      cpu: { shares: 512, quota: 150_000, period: 100_000, cpus: '0-1' },
      pids: { limit: 7 },
    });
    expect(configOf({ limits: { memory: 1000 } }).linux.resources.memory).toEqual({ limit: 1000 });
    expect(Object.keys(configOf().linux.resources)).toEqual(['devices']);
  });

  it("keeps to the caller's hard limits, and puts the user's in the place of the default", () => {
    const limits = configOf({
      hardLimits: { files: 4096n, core: 0n },
      ulimits: [{ resource: 'NPROC', soft: 1n, hard: UNLIMITED }],
    }).process.rlimits;
    expect(limits).toEqual([
      { type: 'RLIMIT_NOFILE', soft: 4096n, hard: 4096n },
      { type: 'RLIMIT_CORE', soft: 0n, hard: 0n },
      { type: 'RLIMIT_NPROC', soft: 1n, hard: UNLIMITED },
    ]);
    const own = configOf({ ulimits: [{ resource: 'NOFILE', soft: 5n, hard: 6n }] }).process.rlimits;
    expect(own.filter(({ type }) => type === 'RLIMIT_NOFILE')).toEqual([{ type: 'RLIMIT_NOFILE', soft: 5n, hard: 6n }]);
  });

  it('has sysctls by name, the terminal and its size, and a read-only root', () => {
    const config = configOf({
      sysctls: [{ path: 'net/ipv4/ip_forward', value: '1', namespace: 'network' }],
      terminal: { path: '/dev/pts/7', master: 4, size: { columns: 80, rows: 24 } },
      readOnlyRoot: true,
      noNewPrivileges: true,
    });
    expect(config.linux.sysctl).toEqual({ 'net.ipv4.ip_forward': '1' });
    expect(config.process).toMatchObject({
      terminal: true,
      consoleSize: { width: 80, height: 24 },
      noNewPrivileges: true,
    });
    expect(config.root.readonly).toBe(true);
    expect(configOf({ cgroupsPath: undefined }).linux).not.toHaveProperty('cgroupsPath');
  });
});

describe('encodeConfig()', () => {
  it('is JSON, with numbers of 64 bits', () => {
    const text = encodeConfig(configOf({ command: ['say', '"quoted"\n\0\u2028'], environment: ['BAD=\ud800'] }));
    expect(text).toContain('{"type":"RLIMIT_CORE","soft":0,"hard":18446744073709551615}');
    const parsed = JSON.parse(text) as OciConfig;
    expect(parsed.process.args).toEqual(['say', '"quoted"\n\0\u2028']);
    expect(parsed.process.env).toEqual(['BAD=\ud800']);
    expect(parsed.mounts).toEqual(configOf().mounts);
  });
});
