import { execFileSync } from 'node:child_process';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createBox } from './support/box.ts';
import type { Box } from './support/box.ts';
import { CALLERS } from './support/callers.ts';

const MOUNTS_LEFT = '"$@"; grep -c mydocker-box /proc/self/mountinfo';

// What a container has of its own. What it cannot reach is in probes/.
for (const { caller, needs } of CALLERS) {
  describe(`a container as ${caller}`, needs, () => {
    let box: Box;
    const sh = async (script: string, settings?: Parameters<Box['run']>[1]): Promise<string> =>
      (await box.run(['sh', '-c', script], settings)).stdout;
    beforeAll(() => {
      box = createBox(caller);
    });
    afterAll(() => box.remove());

    it("threat C11 X29 has docker's limits for open files, as far as the caller's allow, and writes no core files", async () => {
      const [hard = ''] = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).split('\n');
      const enough = hard === 'unlimited' || Number(hard) >= 524_288;
      const limits = (await sh('ulimit -Sn; ulimit -Hn; ulimit -Sc')).split('\n');
      expect(limits.slice(0, 2)).toEqual(enough ? ['1024', '524288'] : [expect.any(String), hard]);
      expect(limits[2]).toBe('0');
    });

    if (caller === 'root')
      it('X35 neither gives nor takes mounts where those of the host are shared', async () => {
        const { stdout, failure } = await box.run(['echo', 'works'], {
          through: ['unshare', '--mount', '--propagation', 'shared', 'sh', '-c', MOUNTS_LEFT, 'sh'],
        });
        expect([failure, stdout]).toEqual([undefined, 'works\n0\n']);
      });

    it('mounts what docker mounts, and nothing more', async () => {
      const points = (await sh("cut -d' ' -f5 /proc/self/mountinfo")).trim().split('\n').toSorted();
      const own = points.filter((point) => !/^\/(proc|sys)\/./.test(point));
      expect(own).toEqual([
        '/',
        '/dev',
        '/dev/full',
        '/dev/mqueue',
        '/dev/null',
        '/dev/pts',
        '/dev/random',
        '/dev/shm',
        '/dev/tty',
        '/dev/urandom',
        '/dev/zero',
        '/etc/hostname',
        '/etc/hosts',
        '/etc/resolv.conf',
        '/proc',
        '/sys',
      ]);
    });

    it('has a minimal /dev that works', async () => {
      expect((await sh('ls /dev')).trim().split('\n')).toEqual(
        'core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero'.split(' '),
      );
      const script =
        'echo x > /dev/null; head -c 2 /dev/zero | wc -c; head -c 2 /dev/urandom | wc -c; echo x > /dev/full || echo full; ls -ld /dev/shm | cut -c1-10; stat -c %t:%T /dev/null';
      expect(await sh(`exec 2>/dev/null; ${script}`)).toBe('2\n2\nfull\ndrwxrwxrwt\n1:3\n');
    });

    it('threat C6 X19 has a terminal of its own with -t, and none of the caller', async () => {
      const script =
        'test -t 0 && test -t 1 && test -t 2 && echo terminal; tty; echo console > /dev/console; echo tty > /dev/tty; ' +
        'stty size; echo $TERM; ls /dev/pts';
      const { stdout } = await box.run(['sh', '-c', script], { options: { terminal: true } });
      expect(stdout.replaceAll('\r', '')).toBe('terminal\n/dev/console\nconsole\ntty\n24 80\nxterm\nptmx\n');
    });
  });
}
