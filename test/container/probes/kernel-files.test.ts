import { readdirSync, readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { parseCapabilities } from '../../../src/container/parse-capabilities.ts';
import { allOf, describeProbed, UNFILTERED } from '../support/probed-containers.ts';

const CPUS = '/sys/devices/system/cpu';

/** Docker's list: moby daemon/pkg/oci/defaults.go, July 2026. */
const MASKED = [
  ...[
    'acpi',
    'asound',
    'interrupts',
    'kcore',
    'keys',
    'latency_stats',
    'sched_debug',
    'scsi',
    'timer_list',
    'timer_stats',
  ].map((name) => `/proc/${name}`),
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
  ...readdirSync(CPUS)
    .filter((name) => /^cpu\d+$/.test(name))
    .map((name) => `${CPUS}/${name}/thermal_throttle`),
];

/** What changes the host where it can be written to. */
const DANGEROUS = [
  '/proc/sys/kernel/core_pattern',
  '/proc/sys/kernel/modprobe',
  '/proc/sys/kernel/hotplug',
  '/proc/sys/kernel/domainname',
  '/proc/sys/kernel/sysrq',
  '/proc/sys/vm/panic_on_oom',
  '/proc/sys/vm/overcommit_memory',
  '/proc/sys/fs/binfmt_misc/register',
  '/proc/sys/fs/suid_dumpable',
  '/proc/sys/net/ipv4/ip_forward',
  '/proc/sysrq-trigger',
  '/proc/irq/default_smp_affinity',
  '/proc/bus/pci/00/00.0',
  '/proc/kcore',
  '/sys/kernel/uevent_helper',
  '/sys/kernel/mm/ksm/run',
  '/sys/kernel/debug/tracing/trace',
  '/sys/firmware/efi/efivars/x',
  '/sys/fs/cgroup/release_agent',
  '/sys/fs/cgroup/cgroup.procs',
  '/sys/power/state',
  '/sys/module/printk/parameters/time',
];

/** Below /proc outside of its read-only parts: what every process may do with itself, and what the kernel takes from nobody. */
const HARMLESS = /^\/proc\/(\d+\/|pressure\/|[a-z-]+$|config\.gz$|sysvipc\/|tty\/)/;

describeProbed('the files of the kernel', ({ answers, lines }) => {
  const admin = { capabilities: parseCapabilities({ add: ['SYS_ADMIN'], drop: [], privileged: false }) };

  it.each([
    ['its own network', { network: 'none' }],
    ["the host's network", { network: 'host' }],
    ['a terminal', { terminal: true }],
    ['CAP_SYS_ADMIN', admin],
  ] as const)(
    'threat C4 X09 X11 cannot be opened for writing where they are of the host, with %s',
    async (_what, options) => {
      const found = await lines(['write', ...DANGEROUS], { options });
      const open = found.filter((line) => !/: (EROFS|EACCES|EPERM|ENOENT)\r?$/.test(line));
      expect([open, found.length]).toEqual([[], DANGEROUS.length]);
    },
  );

  it('X11 have nothing writable below /proc/sys and /sys, of namespaces or not', async () => {
    const [tried = '', ...open] = (
      await lines(['writable', '/proc/sys', '/proc/bus', '/proc/fs', '/proc/irq', '/sys'])
    ).toReversed();
    expect(open).toEqual([]);
    expect(Number(/^tried: (\d+)$/.exec(tried)?.[1])).toBeGreaterThan(1000);
    const rest = await lines(['writable', '/proc']);
    expect(rest.slice(0, -1).filter((path) => !HARMLESS.test(path))).toEqual([]);
  });

  it('X12 show nothing where docker masks them', async () => {
    const found = await answers(['read', ...MASKED]);
    const visible = Object.entries(found).filter(([, answer]) => !/^(0|ENOENT|EACCES)$/.test(answer));
    expect([visible, Object.keys(found)]).toEqual([[], MASKED]);
    // The host has some of them, and shows more.
    expect(readFileSync('/proc/interrupts').length).toBeGreaterThan(0);
    expect(found['/proc/interrupts']).toBe('0');
  });

  it.each([
    ['umount', '/proc/keys', '/proc/sys', '/proc/timer_list', '/sys', '/proc'],
    ['remount', '/proc/sys', '/proc/irq', '/sys', '/sys/firmware', '/'],
    ['cover', '/proc/keys', '/proc/sys/kernel', '/sys/firmware'],
    ['mount', 'proc:/tmp/p', 'sysfs:/tmp/s', 'tmpfs:/tmp/t', 'cgroup:/tmp/c:memory', 'debugfs:/tmp/d', 'devpts:/tmp/v'],
  ])('X10 X13 cannot be unmasked: %s', async (command, ...subjects) => {
    expect(await answers([command, ...subjects])).toEqual(allOf(subjects, 'EPERM'));
    // Nor where the filter is not what forbids it.
    const unfiltered = await answers([command, ...subjects], { options: { security: UNFILTERED } });
    expect(unfiltered).toEqual(allOf(subjects, 'EPERM'));
  });

  it.each([
    ['umount', { '/proc/keys': 'EINVAL', '/proc/sys': 'EINVAL', '/sys/firmware': 'EINVAL' }],
    ['remount', { '/proc/sys': 'EPERM', '/sys': 'EPERM', '/proc/irq': 'EPERM' }],
    [
      'mount',
      { 'proc:/tmp/p': 'EPERM', 'cgroup:/tmp/c:rdma': expect.stringMatching(/^(EINVAL|EPERM|ENODEV)$/) as string },
    ],
    [
      'write',
      {
        '/tmp/c/release_agent': 'ENOENT',
        '/proc/sys/kernel/core_pattern': expect.stringMatching(/^(EROFS|EACCES)$/) as string,
      },
    ],
    ['read', { '/proc/keys': '0', '/proc/timer_list': '0', '/sys/firmware': '0' }],
  ])('X10 X13 cannot be unmasked in a user namespace of its own: %s', async (command, subjects) => {
    const words = ['nested', command, ...Object.keys(subjects)];
    expect(await lines(words)).toEqual(['nested: EPERM']);
    expect(await answers(words, { options: { security: UNFILTERED } })).toEqual({ nested: 'ok', ...subjects });
  });

  it('X10 give no release_agent of a control group to a user namespace (CVE-2022-0492)', async () => {
    const controllers = ['memory', 'pids', 'devices', 'rdma', 'misc'];
    const words = ['nested', 'release-agent', ...controllers];
    expect(await lines(words)).toEqual(['nested: EPERM']);
    const { nested, ...found } = await answers(words, { options: { security: UNFILTERED } });
    expect([nested, Object.keys(found)]).toEqual(['ok', controllers]);
    expect(
      Object.values(found).filter((answer) => !/^(EPERM|EACCES|EINVAL|ENODEV|EBUSY|ENOENT)$/.test(answer)),
    ).toEqual([]);
  });
});
