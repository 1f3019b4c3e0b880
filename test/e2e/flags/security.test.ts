import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { CALLERS } from '../support/callers.ts';
import { useImageHome } from '../support/image-home.ts';
import { TEST_BED_NEEDS } from '../support/test-bed.ts';

const CAP_SYS_ADMIN = 21n;

describe.each(CALLERS)(
  'rights of a container of $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users'),
  ({ user }) => {
    const home = useImageHome(user);

    const effective = async (...flags: string[]): Promise<string> =>
      (await home.shell('grep CapEff /proc/self/status | cut -f2', ...flags)).stdout.trim();
    const mounting = 'mount -t tmpfs none /tmp';

    it('--cap-add gives a capability and the system calls that go with it', async () => {
      expect(await home.shell(mounting)).not.toMatchObject({ code: 0 });
      expect(await home.shell(mounting, '--cap-add', 'SYS_ADMIN')).toMatchObject({ code: 0, stderr: '' });
      expect(await effective('--cap-add=cap_net_admin')).toBe('00000000a80435fb');
      const refused = await home.shell('true', '--cap-add', 'FLY');
      expect(refused).toMatchObject({ code: 125, stderr: expect.stringMatching(/FLY/) as string });
    });

    it('--cap-drop takes capabilities away, and what --cap-add gives comes after ALL', async () => {
      expect(await effective('--cap-drop', 'ALL')).toBe('0000000000000000');
      expect(await effective('--cap-drop=all', '--cap-add', 'CHOWN')).toBe('0000000000000001');
      expect(await effective('--cap-drop', 'CHOWN')).toBe('00000000a80425fa');
      const chown = await home.shell('touch /f && chown 1 /f', '--cap-drop', 'CHOWN');
      expect(chown.stderr).toMatch(/chown.*(Operation not permitted|Invalid argument)/);
    });

    it('--privileged gives all capabilities and devices, and no filter', async () => {
      const script = `${mounting} && grep -E "^(Seccomp|NoNewPrivs):" /proc/self/status; test -c /dev/loop-control`;
      const used = await home.shell(script, '--privileged');
      expect(used).toMatchObject({ code: 0, stdout: 'NoNewPrivs:\t0\nSeccomp:\t0\n', stderr: '' });
      const all = await effective('--privileged');
      expect(all).toBe(await effective('--cap-add', 'ALL')); // those that this machine gives its root
      expect(BigInt(`0x${all}`) & (1n << CAP_SYS_ADMIN)).not.toBe(0n);
      expect(await home.shell(mounting, '--privileged=false')).not.toMatchObject({ code: 0 });
    });

    it('--security-opt no-new-privileges, seccomp=FILE, seccomp=unconfined and systempaths=unconfined', async () => {
      const status = 'grep -E "^(NoNewPrivs|Seccomp):" /proc/self/status | cut -f2';
      expect((await home.shell(status, '--security-opt', 'no-new-privileges')).stdout).toBe('1\n2\n');
      expect((await home.shell(status, '--security-opt=seccomp=unconfined')).stdout).toBe('0\n0\n');
      const profile = join(home.folder, 'profile.json');
      const syscalls = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 }];
      writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }));
      const refused = await home.shell('mkdir /folder', '--security-opt', `seccomp=${profile}`);
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/Operation not supported/) as string });
      const covered = 'grep -c " /proc/" /proc/mounts'; // masked or read-only
      expect(Number((await home.shell(covered)).stdout)).toBeGreaterThan(5);
      expect((await home.shell(covered, '--security-opt', 'systempaths=unconfined')).stdout).toBe('0\n');
      const unknown = await home.shell('true', '--security-opt', 'nonsense');
      expect(unknown).toMatchObject({ code: 125, stderr: expect.stringMatching(/invalid --security-opt/) as string });
    });
  },
);
