import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { CALLERS } from './support/callers.ts';
import { openCliHome, type CallOptions, type CliHome, type Ended } from './support/cli-home.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

describe.each(CALLERS)('inside a container of $caller', requires(...TEST_BED_NEEDS, 'ordinary-users'), ({ user }) => {
  let home: CliHome;
  let image: string;

  beforeAll(async () => {
    home = openCliHome(user);
    image = `${testBed().registry}/library/busybox`;
    expect(await home.mydocker(['pull', '-q', image])).toMatchObject({ code: 0, stderr: '' });
  });

  afterAll(() => home.remove());

  async function run(flags: string[], command: string[], options?: CallOptions): Promise<Ended> {
    return home.mydocker(['run', '--rm', ...flags, image, ...command], options);
  }

  async function shell(script: string, ...flags: string[]): Promise<Ended> {
    return run(flags, ['/bin/sh', '-c', script]);
  }

  describe('environment', () => {
    it("is the image's and what the flags add, nothing of the caller", async () => {
      const options = { env: { SECRET_TOKEN: 'of the caller', PASSED: 'by name' } };
      const printed = await run(['-e', 'A=1 2', '-e', 'PASSED', '-e', 'NOT_SET_ANYWHERE'], ['env'], options);
      const lines = printed.stdout.trimEnd().split('\n');
      expect(lines).toEqual(expect.arrayContaining(['A=1 2', 'PASSED=by name', 'HOME=/root']));
      expect(lines).toContain('PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
      const names = lines.map((line) => line.replace(/=.*/, '')).toSorted();
      expect(names).toEqual(['A', 'HOME', 'HOSTNAME', 'PASSED', 'PATH'].toSorted());
    });

    it('takes a file of variables', async () => {
      const file = join(home.folder, 'variables');
      writeFileSync(file, '# comment\n\nFROM_FILE=a b\nOVER=file\n');
      const printed = await run(['--env-file', file, '-e', 'OVER=flag'], ['env']);
      expect(printed.stdout.split('\n')).toEqual(expect.arrayContaining(['FROM_FILE=a b', 'OVER=flag']));
    });
  });

  describe('file system', () => {
    it('is fresh in every run', async () => {
      expect(await shell('rm -rf /home /etc/group; echo changed > /etc/passwd; touch /new')).toMatchObject({
        code: 0,
        stderr: '',
      });
      const second = await shell('ls -d /home /etc/group; head -1 /etc/passwd; ls /new');
      expect(second.stdout).toBe('/etc/group\n/home\nroot:x:0:0:root:/root:/bin/sh\n');
    });

    it("is written by the container's root", async () => {
      const written = await shell('echo x > /root/file && stat -c "%u %g %a" /root/file /root /tmp');
      expect(written.stdout).toBe('0 0 644\n0 0 700\n0 0 1777\n');
    });

    it('holds the folder that -w names', async () => {
      expect((await run(['-w', '/made/for/this'], ['pwd'])).stdout).toBe('/made/for/this\n');
      const refused = await run(['-w', 'relative'], ['pwd']);
      expect(refused.code).toBe(125);
    });

    it('shows a folder of the host with -v', async () => {
      const shared = await makeShared(home);
      const both = await shell(
        'cat /a/in; echo out > /a/out; echo no > /b/out',
        '-v',
        `${shared}:/a`,
        '-v',
        `${shared}:/b:ro`,
      );
      expect(both.stdout).toBe('from the host\n');
      expect(both.stderr).toMatch(/Read-only file system/);
      expect(readFileSync(join(shared, 'out'), 'utf8')).toBe('out\n');
    });

    it('has a tmpfs with --tmpfs', async () => {
      const mounts = await shell(
        'echo x > /scratch/x && grep " /scratch " /proc/mounts',
        '--tmpfs',
        '/scratch:size=1m',
      );
      expect(mounts.stdout).toMatch(/^tmpfs \/scratch tmpfs rw,.*size=1024k/);
    });

    it('is read-only with --read-only, but for what is mounted', async () => {
      const tried = await shell(
        'touch /x /tmp/x; touch /scratch/x /dev/shm/x && echo mounted',
        '--read-only',
        '--tmpfs',
        '/scratch',
      );
      expect(tried.stdout).toBe('mounted\n');
      expect(tried.stderr.match(/Read-only file system/g)).toHaveLength(2);
    });
  });

  describe('isolation', () => {
    it('has namespaces of its own, and the network of the host', async () => {
      const kinds = ['mnt', 'pid', 'uts', 'ipc', 'net'];
      const links = await shell(`for kind in ${kinds.join(' ')}; do readlink /proc/self/ns/$kind; done`);
      const own = links.stdout.trimEnd().split('\n');
      const hosts = kinds.map((kind) => readlinkSync(`/proc/self/ns/${kind}`));
      expect(own.slice(0, 4).filter((link, index) => link === hosts[index])).toEqual([]);
      expect(own[4]).toBe(hosts[4]);
    });

    it('has nothing but a loopback with --network none', async () => {
      const devices = await shell(
        'ls /sys/class/net; readlink /proc/self/ns/net; cat /proc/net/dev',
        '--network',
        'none',
      );
      expect(devices.stdout).toContain('lo:');
      expect(devices.stdout).not.toContain(readlinkSync('/proc/self/ns/net'));
      expect(devices.stdout.match(/^ *\w+:(?= +\d)/gm)?.map((name) => name.trim())).toEqual(['lo:']);
    });

    it('shows only the processes of the container', async () => {
      const seen = await shell('echo $$; ls -d /proc/[0-9]*');
      expect(seen.stdout).toMatch(/^1\n\/proc\/1\n(\/proc\/[0-9]+\n)?$/);
    });

    it('has the capabilities that docker gives, and no more', async () => {
      const status = await shell('grep ^Cap /proc/self/status');
      expect(status.stdout.split('\n').map((line) => line.replace(/\s+/, ' '))).toEqual([
        'CapInh: 0000000000000000',
        'CapPrm: 00000000a80425fb',
        'CapEff: 00000000a80425fb',
        'CapBnd: 00000000a80425fb',
        'CapAmb: 0000000000000000',
        '',
      ]);
    });

    it('inherits no file descriptor but the three', async () => {
      const prefix = ['bash', '-c', 'exec 7</etc/passwd 19</etc 50>/dev/null; exec "$@"', 'bash'];
      const fds = await run([], ['ls', '/proc/self/fd'], { prefix });
      expect(fds.stdout).toBe('0\n1\n2\n3\n'); // 3 is the folder that ls reads
    });

    it('has a /dev of its own that works', async () => {
      const tried = await shell('echo gone > /dev/null; head -c 3 /dev/zero | wc -c; test -c /dev/ptmx && ls /dev');
      expect(tried.stderr).toBe('');
      const [count, ...names] = tried.stdout.trimEnd().split('\n');
      expect(count?.trim()).toBe('3');
      const expected = [
        'fd',
        'full',
        'null',
        'ptmx',
        'pts',
        'random',
        'shm',
        'stderr',
        'stdin',
        'stdout',
        'tty',
        'urandom',
        'zero',
      ];
      expect(names.filter((name) => !['console', 'core', 'mqueue'].includes(name))).toEqual(expected);
    });

    it("can change neither the kernel's settings nor its host's name", async () => {
      const tried = await shell(
        'echo x > /proc/sys/kernel/core_pattern; echo x > /sys/kernel/uevent_helper; hostname other',
      );
      expect(tried.code).not.toBe(0);
      const refused = /Read-only file system|Permission denied|nonexistent directory|Operation not permitted/g;
      expect(tried.stderr.match(refused)).toHaveLength(3);
    });
  });

  describe('network files', () => {
    it("are the host's servers and the container's name", async () => {
      const printed = await shell(
        'cat /etc/resolv.conf; echo --; cat /etc/hostname; echo --; cat /etc/hosts',
        '--hostname',
        'my-name',
      );
      const [servers, name, hosts] = printed.stdout.split('--\n');
      expect(servers).toBe(readFileSync('/etc/resolv.conf', 'utf8'));
      expect(name).toBe('my-name\n');
      expect(hosts).toMatch(/^127\.0\.0\.1\s+localhost/m);
      expect(hosts).toMatch(/\smy-name$/m);
    });

    it('name the container by the start of its id', async () => {
      const printed = await shell('hostname; cat /etc/hostname');
      expect(printed.stdout).toMatch(/^([0-9a-f]{12})\n\1\n$/);
    });
  });
});

async function makeShared(home: CliHome): Promise<string> {
  const shared = join(home.folder, 'shared');
  mkdirSync(shared);
  writeFileSync(join(shared, 'in'), 'from the host\n');
  await chown(shared, home.uid, home.gid);
  return shared;
}
