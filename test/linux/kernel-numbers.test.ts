import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, expect, it, type TestOptions } from 'vitest';
import { capabilityBit, CAPABILITIES } from '../../src/linux/capabilities.ts';
import { errnoName, errnoNumber, errnoText, type Errno } from '../../src/linux/errno.ts';
import * as mountFlags from '../../src/linux/mount-flags.ts';
import * as pathFlags from '../../src/linux/path-flags.ts';
import * as processFlags from '../../src/linux/process-flags.ts';
import { syscallTable } from '../../src/linux/seccomp/syscall-tables.ts';
import { SYSCALLS } from '../../src/linux/syscalls.ts';
import '../support/task-meta.ts'; // the type of meta.skipReason

// The kernel's headers (package linux-libc-dev) are the source of these numbers.
const INCLUDE = '/usr/include/linux';
const UNISTD = ['/usr/include/x86_64-linux-gnu/asm/unistd_64.h', '/usr/include/asm/unistd_64.h'].find((path) =>
  existsSync(path),
);
const hasHeaders = existsSync(`${INCLUDE}/mount.h`) && UNISTD !== undefined;

const needsHeaders: TestOptions = hasHeaders
  ? {}
  : { skip: true, meta: { skipReason: 'there are no headers of the kernel (package linux-libc-dev)' } };

/** The numbers that a header defines: `#define NAME number`, `NAME = number`, with shifts and aliases of what stands in it. */
function definitions(path: string): Map<string, number> {
  const found = new Map<string, number>();
  const define = /^\s*(?:#\s*define\s+(\w+)\s+|(\w+)\s*=\s*)(\(?\s*[-\w]+(?:\s*<<\s*\d+)?\s*\)?)/gm;
  for (const [, macro, member, text = ''] of readFileSync(path, 'utf8').matchAll(define)) {
    const [left = '', shift = '0'] = text
      .replace(/[()]/g, '')
      .replace(/ULL?$/, '')
      .split('<<')
      .map((part) => part.trim());
    const base = found.get(left) ?? Number(/^0\d+$/.test(left) ? `0o${left.slice(1)}` : left);
    const name = macro ?? member;
    if (name !== undefined && Number.isInteger(base)) found.set(name, base * 2 ** Number(shift));
  }
  return found;
}

describe('numbers of the kernel', needsHeaders, () => {
  it.each([
    ['mount.h', 'MS_', mountFlags.MS],
    ['mount.h', 'MOUNT_ATTR_', { ...mountFlags.MOUNT_ATTR, ATIME: undefined, _ATIME: mountFlags.MOUNT_ATTR.ATIME }],
    ['mount.h', 'MOVE_MOUNT_', mountFlags.MOVE_MOUNT],
    ['mount.h', 'FSOPEN_', mountFlags.FSOPEN],
    ['mount.h', 'FSPICK_', mountFlags.FSPICK],
    ['mount.h', 'FSMOUNT_', mountFlags.FSMOUNT],
    ['mount.h', 'FSCONFIG_', mountFlags.FSCONFIG],
    ['mount.h', 'MOUNT_', { ATTR_SIZE_VER0: mountFlags.MOUNT_ATTR_SIZE }],
    ['fcntl.h', 'AT_', pathFlags.AT],
    ['openat2.h', 'RESOLVE_', pathFlags.RESOLVE],
    ['sched.h', 'CLONE_', processFlags.CLONE],
    ['prctl.h', 'PR_', processFlags.PR],
    ['../asm-generic/fcntl.h', 'O_', { PATH: pathFlags.O.PATH, CLOEXEC: pathFlags.O.CLOEXEC }],
    ['../asm-generic/fcntl.h', '', { F_SETFD: processFlags.FCNTL.SETFD, FD_CLOEXEC: processFlags.FCNTL.FD_CLOEXEC }],
    ['../asm-generic/fcntl.h', '__O_', { TMPFILE: pathFlags.O.TMPFILE_BIT }],
    ['../asm-generic/resource.h', 'RLIMIT_', processFlags.RLIMIT],
    ['../asm-generic/signal.h', 'SIG', processFlags.SIGNAL],
    ['../asm-generic/signal-defs.h', '', { SIG_SETMASK: processFlags.SIG_SETMASK }],
    ['seccomp.h', 'SECCOMP_', processFlags.SECCOMP],
    ['keyctl.h', 'KEYCTL_', processFlags.KEYCTL],
    ['capability.h', 'CAP_', Object.fromEntries(CAPABILITIES.map((name) => [name, capabilityBit(name)]))],
  ])('%s %s are those of the header', (header, prefix, numbers) => {
    const known = definitions(`${INCLUDE}/${header}`);
    const wanted = Object.entries(numbers).filter(([, number]) => number !== undefined);
    expect(wanted.length).toBeGreaterThan(0);
    expect(wanted.map(([name]) => [name, known.get(`${prefix}${name}`)])).toEqual(wanted);
  });

  it.each([
    ['x64', UNISTD ?? ''],
    ['arm64', `${INCLUDE}/../asm-generic/unistd.h`],
  ] as const)('SYSCALLS of %s are those of the header', (machine, header) => {
    const known = definitions(header);
    const wanted = Object.entries(SYSCALLS[machine]);
    expect(wanted.map(([name]) => [name, known.get(`__NR_${name}`)])).toEqual(wanted);
  });
});

describe('syscallTable()', needsHeaders, () => {
  it.each([
    ['x64', UNISTD ?? ''],
    ['ia32', UNISTD?.replace('unistd_64.h', 'unistd_32.h') ?? ''],
    ['arm64', `${INCLUDE}/../asm-generic/unistd.h`],
  ] as const)('of %s has the numbers of the header', (abi, header) => {
    const known = definitions(header);
    const calls = [...syscallTable(abi)].filter(([name]) => known.has(`__NR_${name}`)); // others are newer than the header
    expect(calls.length).toBeGreaterThan(300);
    expect(calls.filter(([name, number]) => known.get(`__NR_${name}`) !== number)).toEqual([]);
  });
});

describe('errnoNumber()', () => {
  const ours = Array.from({ length: 133 }, (_, index) => errnoName(index + 1)).filter((name) => name !== undefined);

  it('is what the operating system has', () => {
    for (const [name, number] of Object.entries(constants.errno)) {
      const same = ['ENOTSUP', 'EWOULDBLOCK'].includes(name) ? errnoName(number) : name;
      expect([name, errnoNumber(same as Errno)]).toEqual([name, number]);
    }
    expect(ours).toHaveLength(131); // 41 and 58 are not in use
  });

  it('goes with a text of strerror', () => {
    expect(errnoText(2)).toBe('no such file or directory');
    expect(errnoText(86)).toBe('streams pipe error');
    expect(errnoText(4095)).toBe('error 4095');
    for (const name of ours) expect(errnoText(errnoNumber(name))).toMatch(/^[a-zA-Z.]/);
  });
});
