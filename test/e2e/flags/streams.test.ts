import { describe, expect, it } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { CALLERS } from '../support/callers.ts';
import { useImageHome } from '../support/image-home.ts';
import { TEST_BED_NEEDS } from '../support/test-bed.ts';

describe.each(CALLERS)(
  'streams of a container of $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users', 'script'),
  ({ user }) => {
    const home = useImageHome(user);

    it('--interactive connects stdin, which is empty without', async () => {
      const stdin = { text: 'through the wall\n' };
      expect(await home.run(['--interactive'], ['cat'], { stdin })).toEqual({
        code: 0,
        stdout: stdin.text,
        stderr: '',
      });
      expect(await home.run([], ['cat'], { stdin })).toEqual({ code: 0, stdout: '', stderr: '' });
    });

    it('--interactive works where stdin is closed', async () => {
      const closed = { prefix: ['sh', '-c', 'exec "$@" <&-', 'sh'] };
      expect(await home.run(['-i'], ['sh', '-c', 'cat; echo after'], closed)).toEqual({
        code: 0,
        stdout: 'after\n',
        stderr: '',
      });
    });

    it('--tty gives the command a terminal of its own', async () => {
      const onTerminal = { prefix: ['sh', '-c', 'exec script --quiet --return --command "$*" /dev/null', 'sh'] };
      expect((await home.run(['-i', '--tty'], ['tty'], onTerminal)).stdout).toMatch(/^\/dev\/console\r\n/);
      expect(await home.run([], ['tty'], onTerminal)).toMatchObject({ code: 1 });
      // Without -i the caller needs no terminal.
      expect(await home.run(['--tty'], ['tty'])).toMatchObject({ code: 0, stdout: '/dev/console\r\n' });
      const without = await home.run(['-it'], ['true'], { stdin: { text: '' } });
      expect(without.code).toBe(125);
      expect(without.stderr).toMatch(/stdin is not a terminal/);
    });
  },
);
