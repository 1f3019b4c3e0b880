import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { CALLERS_WITH_IDS } from './support/callers.ts';
import { openCliHome, type CliHome } from './support/cli-home.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

describe.each(CALLERS_WITH_IDS)(
  'mydocker run of a configured image as $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users'),
  ({ user }) => {
    let home: CliHome;
    let image: string;

    beforeAll(async () => {
      home = openCliHome(user);
      image = `${testBed().registry}/test/configured`;
      expect(await home.mydocker(['pull', '-q', image])).toMatchObject({ code: 0, stderr: '' });
    });

    afterAll(() => home.remove());

    it('uses Entrypoint and Cmd', async () => {
      expect(await home.mydocker(['run', '--rm', image])).toMatchObject({ code: 0, stdout: 'entry:default words\n' });
      expect(await home.mydocker(['run', '--rm', image, 'mine'])).toMatchObject({ code: 0, stdout: 'entry:mine\n' });
      const replaced = await home.mydocker(['run', '--rm', '--entrypoint', 'echo', image, 'mine']);
      expect(replaced).toMatchObject({ code: 0, stdout: 'mine\n' });
      const bare = await home.mydocker(['run', '--rm', '--entrypoint', 'echo', image]);
      expect(bare).toMatchObject({ code: 0, stdout: '\n' }); // --entrypoint drops the image's Cmd
    });

    it('uses User, WorkingDir and Env', async () => {
      const script = 'id -u; id -g; id -G; pwd; echo $FROM_IMAGE $HOME; grep CapEff /proc/self/status';
      const ran = await home.mydocker(['run', '--rm', '--entrypoint', 'sh', image, '-c', script]);
      expect(ran.stdout).toBe('1000\n1000\n1000 2000\n/work/dir\nyes /home/app\nCapEff:\t0000000000000000\n');
    });

    it.each([
      ['root', '0\n0\n'],
      ['0:0', '0\n0\n'],
      ['1000', '1000\n1000\n'],
      ['app:extra', '1000\n2000\n'],
      ['1234:5678', '1234\n5678\n'],
      ['1234', '1234\n0\n'],
    ])('takes -u %s', async (who, ids) => {
      const ran = await home.mydocker(['run', '--rm', '-u', who, '--entrypoint', 'sh', image, '-c', 'id -u; id -g']);
      expect(ran).toMatchObject({ code: 0, stdout: ids });
    });

    it('refuses a user that the image does not know', async () => {
      const ran = await home.mydocker(['run', '--rm', '-u', 'nobody-here', image]);
      expect(ran).toMatchObject({ code: 125, stdout: '' });
      expect(ran.stderr).toMatch(/nobody-here.*no matching entries in passwd file/);
    });

    it('fails with 126 where the entry point is not executable', async () => {
      const ran = await home.mydocker(['run', '--rm', '--entrypoint', '/not-executable', image]);
      expect(ran).toMatchObject({ code: 126, stdout: '' });
    });
  },
);
