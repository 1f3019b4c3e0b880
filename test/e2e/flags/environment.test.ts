import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { CALLERS } from '../support/callers.ts';
import { useImageHome } from '../support/image-home.ts';
import { TEST_BED_NEEDS } from '../support/test-bed.ts';

describe.each(CALLERS)(
  'variables of a container of $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users'),
  ({ user }) => {
    const home = useImageHome(user);

    it('--env sets variables, and takes those without a value from the caller', async () => {
      const flags = ['--env', 'A=1 = 2', '-e', 'EMPTY=', '--env=PASSED', '-e', 'NOT_SET', '-e', 'LINES=a\nb'];
      const printed = await home.run(flags, ['env'], { env: { PASSED: 'by name', KEPT: 'back' } });
      expect(printed).toMatchObject({ code: 0, stderr: '' });
      const lines = printed.stdout.split('\n');
      expect(lines).toEqual(expect.arrayContaining(['A=1 = 2', 'EMPTY=', 'PASSED=by name', 'LINES=a', 'b']));
      expect(printed.stdout).not.toMatch(/NOT_SET|KEPT/);
    });

    it('--env wins over the image, also for the PATH on which the command is found', async () => {
      expect((await home.run(['-e', 'PATH=/bin', '-e', 'HOME=/tmp'], ['sh', '-c', 'echo $PATH $HOME'])).stdout).toBe(
        '/bin /tmp\n',
      );
      expect(await home.run(['-e', 'PATH=/nowhere'], ['sh'])).toMatchObject({ code: 127 });
      expect(await home.run(['--env', '=value'], ['true'])).toMatchObject({ code: 125 });
    });

    it('--env-file reads variables, over which --env wins', async () => {
      const file = join(home.folder, 'variables');
      writeFileSync(file, '# comment\n\nFROM_FILE=a "b"\nOVER=file\nPASSED\n');
      const options = { env: { PASSED: 'by name' } };
      const printed = await home.run(['--env-file', file, '-e', 'OVER=flag'], ['env'], options);
      const expected = ['FROM_FILE=a "b"', 'OVER=flag', 'PASSED=by name'];
      expect(printed.stdout.split('\n')).toEqual(expect.arrayContaining(expected));
      const missing = await home.run(['--env-file', '/no/such'], ['env']);
      expect(missing).toMatchObject({ code: 125, stdout: '' });
      expect(missing.stderr).toMatch(/"\/no\/such": no such file or directory/);
    });
  },
);
