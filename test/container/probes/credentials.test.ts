import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { parseCapabilities } from '../../../src/container/parse-capabilities.ts';
import { DEFAULT_SECURITY } from '../../../src/container/parse-security.ts';
import { callerIds } from '../support/box.ts';
import type { RunOptions } from '../support/box.ts';
import { writeProbe } from '../support/build-probe.ts';
import { allOf, describeProbed, UNFILTERED } from '../support/probed-containers.ts';

const NO_NEW_PRIVILEGES = { ...DEFAULT_SECURITY, noNewPrivileges: true };

/** By capabilities(7): bit 21 is CAP_SYS_ADMIN, 13 CAP_NET_RAW, 10 CAP_NET_BIND_SERVICE. */
const SETS: [title: string, add: string[], drop: string[], mask: string][] = [
  ["docker's", [], [], '00000000a80425fb'],
  ['none', [], ['ALL'], '0000000000000000'],
  ['one', ['NET_BIND_SERVICE'], ['ALL'], '0000000000000400'],
  ['one more', ['SYS_ADMIN'], [], '00000000a82425fb'],
  ['one less', [], ['NET_RAW'], '00000000a80405fb'],
];

/** A copy of the probe that belongs to root and makes root of whoever runs it. */
function laySetUserId(tree: string): void {
  writeProbe(join(tree, 'set-user-id'));
  chmodSync(join(tree, 'set-user-id'), 0o6755);
}

describeProbed(
  'the rights of a container',
  (probed) => {
    const { caller, answers, lines } = probed;
    const capabilities = (add: string[], drop: string[]): RunOptions => ({
      capabilities: parseCapabilities({ add, drop, privileged: false }),
    });
    const status = async (options: RunOptions, through?: string[]): Promise<Record<string, string>> =>
      statusIn(await lines(['show', '/proc/self/status'], { options, through }));

    it.each(SETS)(
      'B21 X02 X03 are the capabilities that are chosen, %s, behind a filter',
      async (_title, add, drop, mask) => {
        // What the caller would pass on, does not pass.
        const ambient = '+sys_admin,+net_raw';
        const through =
          caller === 'root' ? ['setpriv', `--inh-caps=${ambient}`, `--ambient-caps=${ambient}`] : undefined;
        expect(await status(capabilities(add, drop), through)).toMatchObject({
          CapInh: '0000000000000000',
          CapPrm: mask,
          CapEff: mask,
          CapBnd: mask,
          CapAmb: '0000000000000000',
          Seccomp: '2',
          Seccomp_filters: '1',
          NoNewPrivs: '0',
        });
      },
    );

    if (caller !== 'single')
      it('X02 are none for a user who is not root', async () => {
        expect(await status({ user: 'bob' })).toMatchObject({
          CapInh: '0000000000000000',
          CapPrm: '0000000000000000',
          CapEff: '0000000000000000',
          CapBnd: '00000000a80425fb',
          CapAmb: '0000000000000000',
          Seccomp: '2',
        });
      });

    it('threat C5 X07 read no disk by a device that they make, wherever they make it', async () => {
      const [major, minor] = diskNumbers();
      const places = ['/disk', '/dev/disk', '/dev/shm/disk', '/tmp/disk', '/fast/disk', '/shared/disk'];
      const found = await answers(['device', `${major}:${minor}`, ...places], {
        options: { tmpfs: ['/fast:exec,suid'], volumes: ['./shared:/shared'] },
      });
      expect(found).toEqual(allOf(places, caller === 'root' ? 'EACCES' : 'EPERM'));
    });

    it('X08 open nothing by its inode, with the filter and without it', async () => {
      const places = ['/', '/etc/hosts', '/sys', '/dev'];
      expect(await answers(['handle', ...places])).toEqual(allOf(places, 'EPERM'));
      expect(await answers(['handle', ...places], { options: { security: UNFILTERED } })).toEqual(
        allOf(places, 'EPERM'),
      );
    });

    if (caller !== 'single')
      it('X26 do not grow by a program that makes root of its caller: none at all for ordinary users', async () => {
        const identity = async (options: RunOptions): Promise<unknown> => {
          const { stdout } = await probed.box.run(['/set-user-id', 'identity'], {
            options: { user: 'bob', ...options },
          });
          return stdout.split('\n').slice(0, 3);
        };
        const nosuid = caller === 'root' ? 'no' : 'yes';
        expect(await identity({})).toEqual(['uid: 1000', `euid: ${caller === 'root' ? 0 : 1000}`, `nosuid: ${nosuid}`]);
        expect(await identity({ security: NO_NEW_PRIVILEGES })).toEqual([
          'uid: 1000',
          'euid: 1000',
          `nosuid: ${nosuid}`,
        ]);
      });

    it('X26 are behind nosuid for ordinary users, in volumes too, and no-new-privileges lasts', async () => {
      copyFileSync(join(probed.box.trees[1] ?? '', 'probe'), join(probed.box.folder, 'program'));
      const { stdout } = await probed.box.run(['/volume/program', 'identity'], {
        options: { volumes: ['.:/volume'], security: NO_NEW_PRIVILEGES },
      });
      expect(stdout).toContain(`nosuid: ${caller === 'root' ? 'no' : 'yes'}\nnodev: yes\nno new privileges: 1\n`);
      const mounts = await lines(['show', '/proc/self/mounts'], { options: { volumes: ['.:/volume'] } });
      const [options = ''] = mounts.filter((line) => line.includes(' /volume ')).map((line) => line.split(' ')[3]);
      expect(options.split(',').includes('nosuid')).toBe(caller !== 'root');
      expect(options.split(',')).toContain('nodev');
    });

    it.each([
      ['the filter', {}],
      ['no filter', { security: UNFILTERED }],
    ])('X28 change nothing of the whole machine, with %s', async (_what, options) => {
      // 64 KB, as a machine may have no limit at all, which the container would inherit.
      const found = await answers(['deny'], { options: { ulimits: ['memlock=65536'], ...options } });
      expect(found).toEqual({
        sethostname: 'EPERM',
        setdomainname: 'EPERM',
        settimeofday: 'EPERM',
        adjtimex: 'EPERM',
        sched_setscheduler: 'EPERM',
        nice: 'EACCES',
        'raise memlock': 'EPERM',
        mlock: 'ENOMEM',
      });
    });

    it('threat C10 X30 are no keys: the filter refuses, and without it the session has a keyring of its own', async () => {
      const kinds = ['session', 'user', 'user session', 'persistent'];
      expect(await answers(['keyrings'])).toEqual(allOf(kinds, 'EPERM'));
      const inside = await answers(['keyrings'], { options: { security: UNFILTERED } });
      const outside = asCaller(['keyrings']);
      for (const kind of ['session', ...(caller === 'root' ? [] : kinds)]) {
        expect(inside[kind], kind).toMatch(/^\d+$/);
        expect(outside, kind).not.toContain(`${kind}: ${inside[kind]}\n`);
      }
    });

    it('X30 reach no key of the caller, in none of the keyrings', async () => {
      const name = `mydocker-${process.pid}`;
      const [session, user, userSession] = ['-3', '-4', '-5'];
      expect(asCaller(['add-key', name, user])).toMatch(/^ok/);
      const keyrings = [session, user, userSession];
      expect(asCaller(['find-key', name, user])).toBe(`${user}: ok\n`);
      const command = ['find-key', name, ...keyrings];
      expect(await answers(command)).toEqual(allOf(keyrings, 'EPERM'));
      // Without the filter, root has the keys of root: user keyrings belong to a user namespace.
      const reached = await answers(command, { options: { security: UNFILTERED } });
      expect(reached[session]).toBe('ENOKEY');
      if (caller !== 'root') expect(reached).toEqual(allOf(keyrings, 'ENOKEY'));
    });

    /** The probe outside of a container, as the user who runs those. */
    function asCaller(words: string[]): string {
      const program = join(probed.box.folder, 'outside');
      writeProbe(program);
      return execFileSync(program, words, { ...callerIds(caller), cwd: '/', encoding: 'utf8' });
    }
  },
  [laySetUserId],
);

function statusIn(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(lines.map((line) => line.split(':\t') as [string, string]));
}

/** Major and minor number of a block device of this machine. */
function diskNumbers(): [string, string] {
  const [, major = '', minor = ''] =
    /^\s*(\d+)\s+(\d+)\s+\d+\s+\S+$/m.exec(readFileSync('/proc/partitions', 'utf8')) ?? [];
  return [major, minor];
}
