import { chownSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { rounds } from '../support/soak.ts';
import { CALLERS } from './support/callers.ts';
import { openCliHome, type CliHome } from './support/cli-home.ts';
import { execute } from './support/execute.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

describe.each(CALLERS)(
  'mydocker prune and system df as $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users'),
  ({ user }) => {
    let home: CliHome;
    let one: string;
    let two: string;

    beforeEach(async () => {
      home = openCliHome(user);
      [one, two] = [`${testBed().registry}/shared/one`, `${testBed().registry}/shared/two`];
      for (const name of [one, two])
        expect(await home.mydocker(['pull', '-q', name])).toMatchObject({ code: 0, stderr: '' });
    });

    afterEach(() => home.remove());

    it('I9, S21 leaves a store as large as an empty one, whatever containers have written and killed pulls have left', async () => {
      // Its layers have files of several owners.
      const owned = `${testBed().registry}/test/layered:gzip`;
      expect(await home.mydocker(['pull', '-q', owned])).toMatchObject({ code: 0 });
      const script =
        'mkdir -p -m 700 /var/x; head -c 9000 /dev/zero > /var/x/y; chmod 000 /var/x/y; chown -R 33:33 /var/x';
      // Without subordinate ids there is only one, so chown fails.
      expect(await home.mydocker(['run', '--name', 'writer', one, 'sh', '-c', `${script} || true`])).toMatchObject({
        code: 0,
      });
      // Read-only, to be renamed next: its user cannot open it any more.
      const left = join(home.store, 'ingest', `${'a'.repeat(64)}.0123456789abcdef`);
      writeFileSync(left, 'x', { mode: 0o444 });
      chownSync(left, home.uid, home.gid);

      const usage = await home.mydocker(['system', 'df', '--format', '{{.Type}} {{.TotalCount}} {{.Size}}']);
      expect(usage.stderr).toBe('');
      expect(usage.stdout).toMatch(/^Images 3 .*\nContainers 1 (9|\d\d(\.\d+)?)kB\nPartial downloads 1 1B\n$/);
      const told = await home.mydocker(['prune', '-a', '--dry-run']);
      expect(told.stdout).toContain(`untagged: ${two}:latest\n`);
      expect(told.stdout).not.toContain(one);
      const pruned = await home.mydocker(['system', 'prune', '-a'], { stdin: { text: 'y\n' } });
      expect(pruned).toMatchObject({ code: 0, stderr: '' });
      expect(pruned.stdout).toContain(`untagged: ${one}:latest\n`);

      const empty = openCliHome(user);
      try {
        expect(await empty.mydocker(['rmi', 'nothing'])).toMatchObject({ code: 1 });
        expect(contentsOf(home.store)).toEqual(contentsOf(empty.store));
      } finally {
        empty.remove();
      }
    });

    it('removes what df calls reclaimable and was not used for long, once it is told to', async () => {
      for (const answer of [{}, { stdin: { text: 'yes\n' } }]) {
        const { code, stdout } = await home.mydocker(['prune', '-a'], answer);
        expect(code).toBe(0);
        expect(stdout).toMatch(/^WARNING! This will remove all images.*\[y\/N\] $/s);
      }
      const blobs = join(home.store, 'blobs/sha256');
      for (const blob of readdirSync(blobs)) utimesSync(join(blobs, blob), 0, 0);
      expect(await home.mydocker(['run', '--name', 'kept', two, 'true'])).toMatchObject({ code: 0 });
      const { stdout } = await home.mydocker(['system', 'df', '-v', '--format', 'json']);
      expect(JSON.parse(stdout)).toMatchObject({ Images: [{ Containers: '0' }, { Containers: '1' }] });
      const reclaimable = (await home.mydocker(['system', 'df', '--format', '{{.Reclaimable}}'])).stdout.split(
        ' ',
        1,
      )[0];
      expect(await home.mydocker(['rm', 'kept'])).toMatchObject({ code: 0 });
      const pruned = await home.mydocker(['prune', '-f', '--unused-for', '14d']);
      expect(pruned.stdout).toContain(`untagged: ${one}:latest\n`);
      expect(pruned.stdout).not.toContain(two);
      expect(pruned.stdout).toMatch(new RegExp(`^Total reclaimed space: ${reclaimable}$`, 'm'));
      const still = await home.mydocker(['run', '--rm', '--pull', 'never', two, 'cat', '/two']);
      expect(still).toEqual({ code: 0, stdout: 'two', stderr: '' });
    });
  },
);

describe('mydocker prune', requires(...TEST_BED_NEEDS), () => {
  it('S11, S12 against pulls and runs: each of them succeeds, or says that the image is gone', async () => {
    const home = openCliHome();
    const name = `${testBed().registry}/shared/one`;
    try {
      for (let round = 0; round < rounds(4, 100); round += 1) {
        const [pulled, ran, pruned] = await Promise.all([
          home.mydocker(['pull', '-q', name]),
          home.mydocker(['run', '--rm', '--network', 'none', name, 'cat', '/one']),
          home.mydocker(['prune', '-af']),
        ]);
        expect(pulled).toMatchObject({ code: 0, stderr: '' });
        expect(pruned).toMatchObject({ code: 0, stderr: '' });
        if (ran.code === 0) expect(ran.stdout).toBe('one');
        else expect(ran.stderr).toMatch(/removed (again )?meanwhile/);
      }
    } finally {
      home.remove();
    }
  });

  it('I8 works on a full disk', async () => {
    const home = openCliHome();
    try {
      const disk = join(home.folder, 'disk');
      execute('mkdir', [disk]);
      execute('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=700', 'tmpfs', disk]);
      try {
        const env = { MYDOCKER_HOME: join(disk, 'store') };
        const name = `${testBed().registry}/shared/one`;
        expect(await home.mydocker(['pull', '-q', name], { env })).toMatchObject({ code: 0 });
        execute('sh', [
          '-c',
          `cat /dev/zero > ${join(disk, 'filler')} 2>/dev/null; cat /dev/zero > ${join(disk, 'rest')} 2>/dev/null; true`,
        ]);
        const pruned = await home.mydocker(['prune', '-af'], { env });
        expect(pruned).toMatchObject({ code: 0, stderr: '' });
        expect(pruned.stdout).toContain(`untagged: ${name}:latest\n`);
        expect(readdirSync(join(disk, 'store/blobs/sha256'))).toEqual([]);
      } finally {
        execute('umount', [disk]);
      }
    } finally {
      home.remove();
    }
  });
});

/** Names and, of files, sizes. Without what is made once: the reserve for full disks, the runner, the folder for names. */
function contentsOf(store: string): string[] {
  return readdirSync(store, { recursive: true, encoding: 'utf8' })
    .filter((name) => !['space-reserve', 'containers/names'].includes(name) && !name.startsWith('runner/'))
    .map((name) => {
      const stats = statSync(join(store, name));
      return stats.isFile() ? `${name} ${stats.size}` : name;
    })
    .toSorted();
}
