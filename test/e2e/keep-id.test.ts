import { chownSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { CALLERS } from './support/callers.ts';
import { openCliHome } from './support/cli-home.ts';
import { useImageHome } from './support/image-home.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

describe.each(CALLERS)(
  'mydocker run --userns as $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users'),
  ({ user }) => {
    const home = useImageHome(user);

    it('keep-id leaves the caller its ids, in the container and on its files', async () => {
      const shared = join(home.folder, 'shared');
      mkdirSync(shared, { mode: 0o700 });
      chownSync(shared, home.uid, home.gid);
      const script = 'id -u; id -g; touch /v/made';
      const flags = ['--userns', 'keep-id', '-v', './shared:/v'];
      const ran = await home.mydocker(['run', '--rm', ...flags, home.image, 'sh', '-c', script]);
      expect(ran).toEqual({ code: 0, stdout: `${home.uid}\n${home.gid}\n`, stderr: '' });
      expect(statSync(join(shared, 'made'))).toMatchObject({ uid: home.uid, gid: home.gid });
    });

    it('host makes root of the container of the caller, and is what there is without the flag', async () => {
      for (const flags of [[], ['--userns=host'], ['--userns=']]) {
        const ran = await home.mydocker(['run', '--rm', ...flags, home.image, 'id', '-u']);
        expect(ran).toEqual({ code: 0, stdout: '0\n', stderr: '' });
      }
    });

    it('refuses what it has not', async () => {
      const auto = await home.mydocker(['run', '--rm', '--userns', 'auto', home.image, 'true']);
      expect(auto).toMatchObject({ code: 125, stdout: '' });
      expect(auto.stderr).toContain('Cannot use user namespace "auto": there is no such mode here');
      const wrong = await home.mydocker(['run', '--rm', '--userns', 'x', home.image, 'true']);
      expect(wrong.stderr).toContain('--userns: invalid USER mode');
    });
  },
);

describe.each(CALLERS.slice(1, 2))(
  'a terminal of another user of $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users', 'script'),
  ({ user }) => {
    it('works where terminals are of a group that the container has not', async () => {
      const home = openCliHome(user);
      const image = `${testBed().registry}/library/busybox`;
      expect(await home.mydocker(['pull', '-q', image])).toMatchObject({ code: 0 });
      const terminals =
        'mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts /dev/pts && mount --bind /dev/pts/ptmx /dev/ptmx';
      const become = `exec setpriv --reuid=${home.uid} --regid=${home.gid} --clear-groups -- "$@"`;
      const ran = await home.mydocker(['run', '--rm', '-t', '-u', '1000', image, 'sh', '-c', 'id -u; tty'], {
        prefix: ['unshare', '-m', 'sh', '-c', `${terminals} && ${become}`, 'sh'],
        prefixAsRoot: true,
      });
      home.remove();
      expect(ran).toMatchObject({ code: 0, stdout: '1000\r\n/dev/console\r\n' });
    });
  },
);
