import {
  lchownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { parseSysctl } from '../../../src/container/parse-sysctl.ts';
import type { Box, Outcome } from '../support/box.ts';
import { allOf, answersIn, describeProbed } from '../support/probed-containers.ts';

/** Where links of the image lead to. The engine has no business behind any of them. */
const LINKS = {
  'to-proc': '/proc',
  'to-attr': '/proc/self/attr',
  'to-sysctls': '/proc/sys/kernel',
  'to-own': 'proc/self',
  'to-masked': '../../proc/keys',
  'to-trigger': '/proc/sysrq-trigger',
  'to-dev': '/dev',
  'to-sys': '/sys',
};

/** Places of the engine's, as links of the image to where an engine would do harm. */
const PLACES = {
  'dev/null': '/etc/passwd',
  'dev/console': '/proc/sys/kernel/core_pattern',
  'dev/pts': '/proc/sys',
  'dev/shm': '../../../../../tmp',
  'dev/mqueue': '/proc/self/fd/3',
  'dev/ptmx': '/etc/passwd',
  'dev/tty': '/proc/1/root',
};

function layLinks(tree: string): void {
  mkdirSync(join(tree, 'dev'));
  for (const [name, target] of Object.entries({ ...LINKS, ...PLACES })) symlinkSync(target, join(tree, name));
}

/** What has to be the kernel's, whatever is mounted: `stat -f` says of which kind the file system is. */
const KERNELS = ['/proc', '/proc/self/attr', '/proc/sys', '/proc/sys/kernel', '/proc/1'];
const INTACT =
  `for path in ${KERNELS.join(' ')}; do echo "$path: $(stat -f -c %T $path)"; done; ` +
  '/probe read /proc/keys /proc/timer_list /sys/firmware; /probe write /proc/sys/kernel/core_pattern';

describeProbed(
  'the places of mounts',
  (probed) => {
    /** A folder and a file of the host, which volumes are of. */
    function layVolumes(): void {
      const { folder } = probed.box;
      for (const name of ['v/kernel', 'v/self', 'v/firmware', 'v/null'])
        mkdirSync(join(folder, name), { recursive: true });
      for (const name of ['v/core_pattern', 'v/keys', 'v/firmware/secret', 'file'])
        writeFileSync(join(folder, name), 'not of the kernel\n', { mode: 0o666 });
    }

    /** Either the set-up has failed, or nothing of the kernel's is covered. */
    function expectIntact({ failure, stdout }: Outcome): void {
      if (failure !== undefined) {
        expect(failure.code).toBe('ERR_CONTAINER');
        return;
      }
      const found = answersIn(stdout.trim().split(/\r?\n/));
      expect(found).toMatchObject({
        ...allOf(KERNELS, 'proc'),
        ...allOf(['/proc/keys', '/proc/timer_list'], expect.stringMatching(/^(0|ENOENT)$/)),
        '/proc/sys/kernel/core_pattern': expect.stringMatching(/^(EROFS|EACCES)$/) as string,
      });
    }

    it.each([
      ...['to-proc', 'to-attr', 'to-sysctls', 'to-own', 'to-proc/self', 'to-proc/new', 'to-sysctls/new'].map(
        (name) => ({ volumes: [`./v:/${name}`] }),
      ),
      ...['to-masked', 'to-trigger', 'to-sysctls/core_pattern', 'to-proc/keys'].map((name) => ({
        volumes: [`./file:/${name}`],
      })),
      ...['to-proc', 'to-attr', 'to-sysctls', 'to-own'].map((name) => ({ tmpfs: [`/${name}`] })),
      { volumes: ['./v:/x', './v:/x/to-proc/self'] },
      { volumes: ['./v:/dev/fd'] },
      { volumes: ['./file:/dev/fd/0'] },
    ])(
      'threat C9 X33 keep out of /proc where links of the image lead there, with %j (CVE-2019-19921, CVE-2023-27561)',
      async (options) => {
        layVolumes();
        expectIntact(await probed.box.run(['sh', '-c', INTACT], { options }));
      },
    );

    it('C08 X33 keep out of /proc where VOLUME and WORKDIR lead there', async () => {
      for (const readOnlyRoot of [false, true]) {
        for (const image of [
          { volumes: ['/to-attr'] },
          { volumes: ['/to-sysctls/new'] },
          { workingDir: '/to-own/cwd' },
        ]) {
          expectIntact(await probed.box.run(['sh', '-c', INTACT], { options: { readOnlyRoot }, image }));
        }
      }
    });

    it('X12 X33 are masked whatever is mounted over /dev and /sys (CVE-2025-31133)', async () => {
      layVolumes();
      const { folder } = probed.box;
      mkdirSync(join(folder, 'dev'), { recursive: true });
      rmSync(join(folder, 'dev/null'), { force: true });
      symlinkSync('/proc/sys/kernel/core_pattern', join(folder, 'dev/null'));
      const outcome = await probed.box.run(['sh', '-c', INTACT], {
        options: { volumes: ['./dev:/to-dev', './v:/sys'] },
      });
      expectIntact(outcome);
      expect(answersIn(outcome.stdout.trim().split('\n'))['/sys/firmware']).toBe('0');
    });

    it('X19 X33 of a terminal are its own, whatever /dev of the image is (CVE-2025-52565)', async () => {
      const script =
        'tty; stat -c "%F %N" /dev/console /dev/null /dev/ptmx /dev/pts /dev/shm /dev/tty; cat /etc/passwd | wc -l';
      const { stdout, failure } = await probed.box.run(['sh', '-c', script], { options: { terminal: true } });
      expect(failure).toBeUndefined();
      const device = (name: string): string => `character special file /dev/${name}`;
      expect(stdout.replaceAll('\r', '').trim().split('\n')).toEqual([
        '/dev/console',
        device('console'),
        device('null'),
        "symbolic link '/dev/ptmx' -> 'pts/ptmx'",
        'directory /dev/pts',
        'directory /dev/shm',
        device('tty'),
        '2',
      ]);
    });

    it('X33 take no setting to another file of the kernel than its own (CVE-2025-52881)', async () => {
      layVolumes();
      const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
      const settings = {
        network: 'none',
        sysctls: ['net.ipv4.ip_forward=1', 'kernel.shmmax=54321'].map(parseSysctl),
      } as const;
      for (const mounts of [{ volumes: ['./v:/to-sysctls'] }, { tmpfs: ['/to-proc/self/attr'] }, {}]) {
        const command = ['cat', '/proc/sys/net/ipv4/ip_forward', '/proc/sys/kernel/shmmax'];
        const { stdout, failure } = await probed.box.run(command, { options: { ...settings, ...mounts } });
        if (failure === undefined) expect(stdout).toBe('1\n54321\n');
      }
      expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(before);
    });
  },
  [layLinks],
);

/** Names that an engine walks, and what images make of them. */
const OWN_PLACES = ['dev', 'proc', 'sys', 'etc/resolv.conf', 'etc/hosts', 'etc/hostname', 'work', 'volume'];

for (const [what, target] of [
  ['an absolute path of the host', '{host}'],
  ['a way up to it', '../../../../../../../../../../../..{host}'],
  ['a descriptor of the set-up', '/proc/self/fd/3'],
  ['a process', '/proc/1/root/{host}'],
] as const) {
  describeProbed(`an image whose own places lead by ${what}`, (probed) => {
    it('X33 C10 B17 is set up inside its root, or not at all', async () => {
      const host = join(probed.box.folder, 'host');
      mkdirSync(host, { mode: 0o777 });
      writeFileSync(join(host, 'secret'), 'of the host\n');
      layOver(probed.box, target.replace('{host}', host));
      for (const image of [{ workingDir: '/work/x' }, { volumes: ['/volume'] }, {}]) {
        const { stdout, failure } = await probed.box.run(
          ['sh', '-c', 'cat /etc/hostname; stat -f -c %T /proc /dev; ls /'],
          {
            image,
            options: { hostname: 'inside' },
          },
        );
        if (failure === undefined) expect(stdout).toMatch(/^inside\nproc\ntmpfs\n[^]*\nprobe\n/);
        else expect(failure.code).toBe('ERR_CONTAINER');
        expect(readdirSync(host)).toEqual(['secret']);
      }
      expect(await probed.answers(['read', '/proc/self/attr'])).toEqual(allOf(['/proc/self/attr'], expect.any(String)));
    });
  });
}

/** Makes links of the places, in the topmost layer. */
function layOver({ trees }: Box, target: string): void {
  const top = trees[0] ?? '';
  for (const name of OWN_PLACES) {
    rmSync(join(top, name), { recursive: true, force: true });
    symlinkSync(target, join(top, name));
    const { uid, gid } = lstatSync(top);
    lchownSync(join(top, name), uid, gid);
  }
}
