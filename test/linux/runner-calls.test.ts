import { beforeEach, describe, expect, it } from 'vitest';
import { capsetData, capsetHeader } from '../../src/linux/capabilities.ts';
import { MS, UMOUNT } from '../../src/linux/mount-flags.ts';
import { AT } from '../../src/linux/path-flags.ts';
import { CLONE, PR, RLIMIT } from '../../src/linux/process-flags.ts';
import type { Program, Step } from '../../src/linux/program.ts';
import type { SyscallName } from '../../src/linux/syscalls.ts';
import { userNamespaceSteps } from '../../src/linux/user-namespace.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { requires } from '../support/requirements.ts';
import { PROCESSORS } from './processors.ts';
import { FORK, runProgram, shell } from './run-program.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

function step(call: SyscallName, ...args: Step['args']): Step {
  return { call, args, what: call };
}

/** Words of 64 bits. */
function limits(soft: number, hard: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(BigInt(soft), 0);
  bytes.writeBigUInt64LE(BigInt(hard), 8);
  return bytes;
}

for (const { name, processor, needs } of PROCESSORS) {
  describe(`a program on ${name}`, requires('root', ...needs), () => {
    it('enters namespaces and another root', async () => {
      const namespaces = CLONE.NEWNS | CLONE.NEWUTS | CLONE.NEWIPC | CLONE.NEWCGROUP | CLONE.NEWNET | CLONE.NEWPID;
      const program: Program = [
        step('unshare', namespaces),
        FORK,
        step('setsid'),
        step('umask', 0o077),
        step('mount', 0, '/', 0, MS.REC | MS.PRIVATE),
        step('mount', '/', folder, 0, MS.BIND | MS.REC),
        step('chdir', folder),
        step('pivot_root', '.', '.'),
        step('umount2', '.', UMOUNT.DETACH),
        step('chdir', '/'),
        step('mount', 'none', '/mnt', 'tmpfs', MS.NODEV | MS.NOEXEC, 'mode=711'),
        step('mount', 'none', '/proc', 'proc', MS.NOSUID),
        step('mkdirat', AT.FDCWD, '/mnt/folder', 0o777),
        step('symlinkat', 'target', AT.FDCWD, '/mnt/link'),
        step('sethostname', 'inside', 6),
        step('setdomainname', 'example', 7),
        shell(`
          echo $$; hostname; cat /proc/sys/kernel/domainname; stat -c '%a %F' /mnt /mnt/folder; readlink /mnt/link
          cut -d' ' -f5,6 /proc/self/mountinfo | grep -E '^/(mnt|proc) ' | tail -n 2`),
      ];
      const { stdout, error } = await runProgram(folder, program, { processor });
      expect(error).toBeUndefined();
      const [names, mounts] = [stdout.split('\n').slice(0, 6), stdout.split('\n').slice(6)];
      expect(names).toEqual(['1', 'inside', 'example', '711 directory', '700 directory', 'target']);
      expect(mounts).toEqual(['/mnt rw,nodev,noexec,relatime', '/proc rw,nosuid,relatime', '']);
    });

    it('takes rights away', async () => {
      const [soft, hard] = [100, 200];
      const groups = Buffer.from(new Uint32Array([7, 9]).buffer);
      const kept = 0b1000_0000n; // CAP_SETUID
      const program: Program = [
        FORK,
        step('prlimit64', 0, RLIMIT.NOFILE, limits(soft, hard), 0),
        step('prctl', PR.CAPBSET_DROP, 21),
        step('prctl', PR.SET_KEEPCAPS, 1),
        step('setgroups', 2, groups),
        step('setresgid', 1234, 1234, 1234),
        step('setresuid', 4321, 4321, 4321),
        step('capset', capsetHeader(), capsetData({ effective: kept, permitted: kept, inheritable: 0n })),
        step('prctl', PR.SET_NO_NEW_PRIVS, 1),
        step('dup3', 1, 7, 0),
        shell(`
          ulimit -Sn; ulimit -Hn; id -u; id -G; echo seven >&7
          grep -E 'CapBnd|CapEff|NoNewPrivs' /proc/self/status | cut -f2`),
      ];
      const { stdout, error } = await runProgram(folder, program, { processor });
      expect(error).toBeUndefined();
      const [effective, bounding = '', noNewPrivileges] = stdout.trim().split('\n').slice(5);
      expect(stdout.split('\n').slice(0, 5)).toEqual(['100', '200', '4321', '1234 7 9', 'seven']);
      expect((BigInt(`0x${bounding}`) >> 21n) & 1n).toBe(0n);
      expect([effective, noNewPrivileges]).toEqual(['0000000000000000', '1']);
    });

    it('asks Node for id maps, and ends where there can be none', async () => {
      const ids = [{ inside: 0, outside: 200_000, count: 3 }];
      const idMap = { kind: 'mapped', uids: ids, gids: ids } as const;
      const [, ...wait] = userNamespaceSteps(idMap); // without the namespace: an emulator has threads, and may not make one
      const { error, code } = await runProgram(folder, [...wait, shell('echo no')], { processor, idMap });
      expect(error).toMatchObject({ code: 'ERR_HOST' });
      expect(error?.message).toMatch(/^Cannot map ids: /);
      expect(code).not.toBe(0);
    });
  });
}
