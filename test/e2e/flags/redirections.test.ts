import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { PLAIN_USER } from '../../support/test-users.ts';
import { CALLERS } from '../support/callers.ts';
import type { Ended } from '../support/cli-home.ts';
import { openImageHome, type ImageHome } from '../support/image-home.ts';
import { TEST_BED_NEEDS } from '../support/test-bed.ts';

describe.each(CALLERS)(
  'files as streams of a container of $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users'),
  ({ user }) => {
    let home: ImageHome;
    beforeAll(async () => {
      home = await openImageHome(user);
    });
    afterAll(() => home.remove());

    /** Runs a script in a container whose streams are what `redirections` of a shell says, in the home's folder. */
    async function redirected(redirections: string, script: string, ...flags: string[]): Promise<Ended> {
      return home.run(flags, ['sh', '-c', script], { prefix: ['sh', '-c', `exec "$@" ${redirections}`, 'sh'] });
    }

    function contentOf(name: string): string {
      return readFileSync(join(home.folder, name), 'utf8');
    }

    function put(name: string, content: string | Buffer): void {
      writeFileSync(join(home.folder, name), content, { mode: 0o666 });
    }

    it('threat C2 X15 cannot be written to through the descriptor that they are read from', async () => {
      put('input', 'innocent\n');
      const { stdout } = await redirected('<input', 'cat; echo evil >/proc/self/fd/0; echo evil >>/dev/stdin', '-i');
      expect([stdout, contentOf('input')]).toEqual(['innocent\n', 'innocent\n']);
    });

    it.each(['>>log', '2>>log', '>>log 2>&1'])(
      'threat C2 X15 cannot be read or emptied through the descriptor that %s writes to',
      async (redirections) => {
        await redirected('>log', 'echo secret');
        const number = redirections.startsWith('2') ? 2 : 1;
        const script = `timeout 1 cat /proc/1/fd/${number} >/tmp/seen & wait; : >/proc/1/fd/${number}; cat /tmp/seen >&${number}`;
        await redirected(redirections, script, '--tmpfs', '/tmp');
        expect(contentOf('log').match(/secret/g)).toEqual(['secret']);
      },
    );

    it('stdout and stderr keep their order in one file, and their places in two', async () => {
      const script = 'for i in 1 2 3; do echo out $i; echo err $i >&2; done';
      await redirected('>both 2>&1', script);
      expect(contentOf('both')).toBe('out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n');
      await redirected('>out 2>err', script);
      expect([contentOf('out'), contentOf('err')]).toEqual(['out 1\nout 2\nout 3\n', 'err 1\nerr 2\nerr 3\n']);
      const { stdout } = await redirected('2>&1 >out', script);
      expect([stdout, contentOf('out')]).toEqual(['err 1\nerr 2\nerr 3\n', 'out 1\nout 2\nout 3\n']);
    });

    it('output is appended where the shell appends, and the exit code is that of the command', async () => {
      put('log', 'first\n');
      expect(await redirected('>>log', 'echo second; exit 3')).toEqual({ code: 3, stdout: '', stderr: '' });
      expect(contentOf('log')).toBe('first\nsecond\n');
    });

    it('large files pass on whole, in both directions', async () => {
      const bytes = randomBytes(5_000_003);
      put('large', bytes);
      await redirected('<large >copy 2>sum', 'tee /dev/stderr | sha256sum', '-i');
      const digest = createHash('sha256').update(bytes).digest('hex');
      expect(contentOf('copy')).toBe(`${digest}  -\n`);
      expect(readFileSync(join(home.folder, 'sum')).equals(bytes)).toBe(true);
    });

    it('input begins where the file is, and may be left unread', async () => {
      put('large', `first\n${'second\n'.repeat(100_000)}`);
      const prefix = ['sh', '-c', 'read line && exec "$@"', 'sh'];
      const { stdout } = await home.run(['-i'], ['head', '-n', '1'], {
        prefix: ['sh', '-c', 'exec "$@" <large', 'sh', ...prefix],
      });
      expect(stdout).toBe('second\n');
    });

    it.each(user === PLAIN_USER ? ['0'] : ['0', '1000:1000'])('user %s of it opens /dev/stdout', async (inside) => {
      const script = 'cat /dev/stdin; echo out >/dev/stdout; echo err >/dev/stderr';
      put('input', 'in\n');
      const { code } = await redirected('<input >out 2>err', script, '-i', '--user', inside);
      expect([code, contentOf('out'), contentOf('err')]).toEqual([0, 'in\nout\n', 'err\n']);
    });

    it('a full disk is an error, and a broken pipe for the command', async () => {
      const ended = await redirected('>/dev/full', 'while echo more; do :; done');
      expect(ended.code).toBe(125);
      expect(ended.stderr).toContain('Cannot write "standard output": no space is left on the file system');
    });

    it.each(user === undefined ? ['64k'] : [])('what fits into a disk of %s is in the file', async (size) => {
      const script = `mount -t tmpfs -o size=${size} none tiny && "$@" >tiny/log; echo $? $(wc -c <tiny/log)`;
      mkdirSync(join(home.folder, 'tiny'));
      const prefix = ['unshare', '--mount', 'sh', '-c', script, 'sh'];
      const { stdout, stderr } = await home.run([], ['head', '-c', '100000', '/dev/zero'], { prefix });
      expect([stdout, stderr]).toEqual(['125 65536\n', expect.stringContaining('no space is left')]);
    });

    it.each(['runc', 'crun'])(
      'threat C2 X15 cannot be written to with --runtime=%s',
      requires('runc', 'crun'),
      async (runtime) => {
        put('input', 'innocent\n');
        const script = 'cat; echo evil >/proc/self/fd/0; echo end >/dev/stderr';
        await redirected('<input >log 2>&1', script, '-i', `--runtime=${runtime}`);
        // runc copies, too, and each stream by itself.
        expect(contentOf('log').split('\n').toSorted()).toEqual(['', 'end', 'innocent']);
        expect(contentOf('input')).toBe('innocent\n');
      },
    );

    it('a device is read for as long as the command reads it', async () => {
      expect(await redirected('</dev/zero', 'head -c 3 | od -An -tx1', '-i')).toMatchObject({ stdout: ' 00 00 00\n' });
    });
  },
);
