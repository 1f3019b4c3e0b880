import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createBox } from './support/box.ts';
import type { Box } from './support/box.ts';
import { CALLERS } from './support/callers.ts';

for (const { caller, needs } of CALLERS.filter((entry) => entry.caller !== 'single')) {
  describe(`runContainer() users as ${caller}`, needs, () => {
    let box: Box;
    beforeAll(() => {
      box = createBox(caller);
    });
    afterAll(() => box.remove());

    it.for([
      ['', 'uid=0(root) gid=0(root) groups=0(root),10(wheel)', '/root'],
      ['bob', 'uid=1000(bob) gid=1000(bob) groups=10(wheel),1000(bob)', '/home/bob'],
      ['1000', 'uid=1000(bob) gid=1000(bob) groups=10(wheel),1000(bob)', '/home/bob'],
      ['bob:wheel', 'uid=1000(bob) gid=10(wheel) groups=10(wheel)', '/home/bob'],
      ['4242', 'uid=4242 gid=0(root) groups=0(root)', '/'],
      ['4242:4343', 'uid=4242 gid=4343 groups=4343', '/'],
    ])('runs as "%s"', async ([user, ids, home]) => {
      const { stdout } = await box.run(['sh', '-c', 'id; echo $HOME'], { image: { user: user ?? '' } });
      expect(stdout).toBe(`${ids}\n${home}\n`);
    });

    it('gives a user other than root no capability, and the file rights of that user', async () => {
      const script =
        'grep -E "Cap(Inh|Prm|Eff|Bnd|Amb)" /proc/self/status; touch /root/x /etc/x; touch /tmp/x && echo ok';
      const { stdout, stderr } = await box.run(['sh', '-c', script], { options: { user: 'bob' } });
      expect(stdout.replaceAll('\t', ' ')).toBe(
        'CapInh: 0000000000000000\nCapPrm: 0000000000000000\nCapEff: 0000000000000000\n' +
          'CapBnd: 00000000a80425fb\nCapAmb: 0000000000000000\nok\n',
      );
      expect(stderr.match(/Permission denied/g)).toHaveLength(2);
    });

    it('lets a user open /dev/stdout and /dev/stderr when they are pipes', async () => {
      const outcome = await box.run(['sh', '-c', 'echo out > /dev/stdout; echo err > /dev/stderr'], {
        options: { user: 'bob' },
        through: ['sh', '-c', '"$@" 2>&1 | cat', 'sh'], // Node's own pipes are sockets, which cannot be opened
      });
      expect(outcome).toMatchObject({ stdout: 'out\nerr\n', exitCode: 0 });
    });

    it('never falls back to another user', async () => {
      expect((await box.run(['id'], { image: { user: 'nobody-here' } })).failure?.code).toBe('ERR_CONTAINER');
    });
  });
}

for (const { caller, needs } of CALLERS.filter((entry) => entry.caller === 'single')) {
  describe(`runContainer() users as ${caller}`, needs, () => {
    let box: Box;
    beforeAll(() => {
      box = createBox(caller);
    });
    afterAll(() => box.remove());

    it('says what to do when the only id there is is root', async () => {
      expect((await box.run(['id'], { image: { user: 'bob' } })).failure).toMatchObject({
        code: 'ERR_HOST',
        message: "Cannot run as user 1000: it does not exist in the container's user namespace",
        hint: expect.stringMatching(/\/etc\/subuid.*--user 0$/) as string,
      });
      expect((await box.run(['id', '-u'], { image: { user: 'bob' }, options: { user: '0' } })).stdout).toBe('0\n');
    });
  });
}
