import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { parseCapabilities } from '../../../src/container/parse-capabilities.ts';
import { DEFAULT_CAPABILITIES } from '../../../src/linux/capabilities.ts';
import { syscallTable } from '../../../src/linux/seccomp/syscall-tables.ts';
import { allOf, describeProbed } from '../support/probed-containers.ts';

const PROFILE = new URL('../../../src/linux/seccomp/docker-default.json', import.meta.url);

/** As far as it matters here. */
interface Profile {
  syscalls: {
    names: string[];
    action: string;
    args: unknown[] | null;
    includes?: { caps?: string[]; arches?: string[]; minKernel?: string };
    excludes?: { caps?: string[] };
  }[];
}

/** As Node and as docker name the machine. */
const [MACHINE, DOCKERS] = process.arch === 'arm64' ? (['arm64', 'arm64'] as const) : (['x64', 'amd64'] as const);
const NUMBERS = syscallTable(MACHINE);
const HIGHEST = Math.max(...NUMBERS.values());

const { syscalls } = JSON.parse(readFileSync(PROFILE, 'utf8')) as Profile;

/**
 * What the default profile says to each call that it refuses whatever the arguments, by number. Read anew here, as the compiler of
 * filters is what is tested.
 */
function refusals(capabilities: readonly string[]): Map<number, string> {
  const granted = new Set(capabilities.map((name) => `CAP_${name}`));
  const rules = syscalls.filter(
    ({ action, includes = {}, excludes = {} }) =>
      action === 'SCMP_ACT_ALLOW' &&
      (includes.caps ?? []).every((name) => granted.has(name)) &&
      (includes.arches ?? [DOCKERS]).includes(DOCKERS) &&
      !(excludes.caps ?? []).some((name) => granted.has(name)),
  );
  const allowed = new Set(rules.flatMap(({ names }) => names));
  // What is newer than all that the profile names does not exist, as with runc.
  const newest = Math.max(...syscalls.flatMap(({ names }) => names).map((name) => NUMBERS.get(name) ?? 0));
  const refused = [...NUMBERS].filter(([name]) => !allowed.has(name));
  const answer = (name: string, number: number): string => (number > newest || name === 'clone3' ? 'ENOSYS' : 'EPERM');
  return new Map(refused.map(([name, number]) => [number, answer(name, number)]));
}

/** What the row of the catalogue names, and more that has led out of containers. */
const NAMED = (
  'mount umount2 pivot_root setns unshare open_tree move_mount fsopen fsmount mount_setattr bpf keyctl add_key ' +
  'request_key perf_event_open userfaultfd io_uring_setup kexec_load init_module finit_module delete_module ' +
  'open_by_handle_at swapon reboot iopl ioperm acct settimeofday clock_settime quotactl syslog vhangup ' +
  'fanotify_init nfsservctl process_madvise'
)
  .split(' ')
  .filter((name) => NUMBERS.has(name));

/** What CAP_SYS_ADMIN brings back, and what the kernel says to arguments that are all -1. */
const WITH_SYS_ADMIN = {
  mount: 'EFAULT',
  umount2: 'EINVAL',
  setns: 'EBADF',
  unshare: 'EINVAL',
  open_tree: 'EINVAL',
  fsopen: 'EINVAL',
  clone3: 'E2BIG',
  quotactl: 'EINVAL',
};

describeProbed('the filter of system calls', ({ answers, lines }) => {
  it('threat C7 C8 X03 X20 refuses each call that docker refuses, and those that nobody knows yet', async () => {
    const refused = refusals(DEFAULT_CAPABILITIES);
    for (const number of [HIGHEST + 50, 1000, 5000]) refused.set(number, 'ENOSYS');
    expect(named(refused).map(([name]) => name)).toEqual(expect.arrayContaining(NAMED));
    const found = await answers(['calls', ...[...refused.keys()].map(String)]);
    expect(named(found)).toEqual(named(refused));
  });

  it('X03 X20 gives back with CAP_SYS_ADMIN what docker gives back', async () => {
    const capabilities = parseCapabilities({ add: ['SYS_ADMIN'], drop: [], privileged: false });
    const refused = refusals(capabilities);
    expect(refused.size).toBeLessThan(refusals(DEFAULT_CAPABILITIES).size);
    for (const [name, answer] of Object.entries(WITH_SYS_ADMIN)) refused.set(NUMBERS.get(name) ?? 0, answer);
    const found = await answers(['calls', ...[...refused.keys()].map(String)], { options: { capabilities } });
    expect(named(found)).toEqual(named(refused));
  });

  it.each([
    ['unshare', 0x10000000],
    ['unshare', 0x7e020000],
    ['clone', 0x10000011],
    ['clone', 0x02000011], // a control group namespace
    ['clone', 0x20000011],
    ['clone', 0x40000011],
    ['clone', 0x00020011],
  ])('threat C7 X20 gives no namespace of its own: %s %i', async (name, flags) => {
    expect(await lines(['call', String(NUMBERS.get(name)), String(flags)])).toEqual(['EPERM']);
  });

  it('X21 gives sockets as docker does', async () => {
    const ok = ['2:1:0', '10:1:0', '1:1:0', '16:3:0'];
    const raw = ['17:3:0', '2:3:1'];
    const refused = ['38:5:0', '40:1:0', '40:2:0'];
    const shown = await answers(['sockets', ...ok, ...raw, ...refused], { options: { network: 'none' } });
    expect(shown).toEqual({ ...allOf([...ok, ...raw], 'ok'), ...allOf(refused, 'EPERM') });
    const capabilities = parseCapabilities({ add: [], drop: ['NET_RAW'], privileged: false });
    const without = await answers(['sockets', ...raw], { options: { network: 'none', capabilities } });
    expect(without).toEqual(allOf(raw, 'EPERM'));
  });
});

/** In the order of the numbers, for a reader of the failure. */
function named(answers: ReadonlyMap<number, string> | Record<string, string>): [name: string, answer: string][] {
  const names = new Map([...NUMBERS].map(([name, number]) => [number, name]));
  const entries = answers instanceof Map ? [...(answers as ReadonlyMap<number, string>)] : Object.entries(answers);
  return entries
    .map(([number, answer]) => [Number(number), answer] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([number, answer]) => [names.get(number) ?? String(number), answer]);
}
