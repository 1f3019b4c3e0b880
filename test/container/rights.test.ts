import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { parseCapabilities } from '../../src/container/parse-capabilities.ts';
import { PRIVILEGED_SECURITY } from '../../src/container/parse-security.ts';
import { parseSysctl } from '../../src/container/parse-sysctl.ts';
import { createBox } from './support/box.ts';
import type { Box, RunOptions } from './support/box.ts';
import { CALLERS } from './support/callers.ts';

for (const { caller, needs } of CALLERS) {
  describe(`what a container of ${caller} may`, needs, () => {
    let box: Box;
    beforeAll(() => {
      box = createBox(caller);
    });
    afterAll(() => box.remove());

    const sh = async (script: string, options: RunOptions): Promise<string> => {
      const { stdout, failure } = await box.run(['sh', '-c', `exec 2>&1; ${script}`], { options });
      return failure?.message ?? stdout;
    };
    const capabilities = (add: string[], drop: string[]): RunOptions => ({
      capabilities: parseCapabilities({ add, drop, privileged: false }),
    });

    it('X02 are the capabilities that are chosen, and the system calls that go with them', async () => {
      const none = await sh('grep -E "Cap(Eff|Bnd)" /proc/self/status', capabilities([], ['ALL']));
      expect(none).toBe('CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n');
      const script = 'mount -t tmpfs x /tmp && grep Seccomp: /proc/self/status';
      expect(await sh(script, capabilities(['sys_admin'], []))).toBe('Seccomp:\t2\n');
      expect(await sh(script, {})).toMatch(/Operation not permitted|permission denied/);
    });

    it('is everything where it is privileged', async () => {
      const options = {
        privileged: true,
        security: PRIVILEGED_SECURITY,
        capabilities: parseCapabilities({ add: [], drop: [], privileged: true }),
      };
      const script =
        'mount -t tmpfs x /tmp && grep Seccomp: /proc/self/status; test -c /dev/loop-control && echo devices';
      expect(await sh(script, options)).toBe('Seccomp:\t0\ndevices\n');
    });

    it('X29 has the limits of its user', async () => {
      const ulimits = ['nofile=100:200', 'fsize=4096'];
      expect(await sh('ulimit -Sn; ulimit -Hn; head -c 9000 /dev/zero > /big; wc -c < /big', { ulimits })).toMatch(
        /^100\n200\n[^]*4096\n$/,
      );
    });

    it('says which limit the kernel refuses', async () => {
      if (caller === 'root') return; // may raise them
      const ulimits = ['nofile=-1'];
      expect(await sh('true', { ulimits })).toMatch(/Cannot set ulimit nofile: operation not permitted/);
    });

    it('sets what the kernel keeps for its namespaces, and nothing that it shares', async () => {
      const sysctls = ['net.ipv4.ip_forward=1', 'kernel.shmmax=12345'].map(parseSysctl);
      const script = 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax';
      expect(await sh(script, { sysctls, network: 'none' })).toBe('1\n12345\n');
      expect(await sh(script, { sysctls })).toMatch(/^sysctl 'net.ipv4.ip_forward' is not allowed: /);
      expect(await sh(script, { sysctls, network: 'none', ipc: 'host' })).toMatch(/^sysctl 'kernel.shmmax' is not/);
    });

    it('has shared memory of its size', async () => {
      expect(await sh("df -k /dev/shm | awk 'NR == 2 { print $2 }'", { shmSize: 16 * 2 ** 20 })).toBe('16384\n');
    });

    it("sees the host's processes with pid=host, and ends all the same", async () => {
      const own = String(process.pid);
      expect(await sh(`test -d /proc/${own} && echo there`, { pid: 'host' })).toBe('there\n');
      expect(await sh(`test -d /proc/${own} || echo none`, {})).toBe('none\n');
    });

    it('has a first process that reaps and passes signals on with init, and nothing of it to take hold of', async () => {
      const orphan = '(sleep 0.01 &); sleep 0.1; ps -o pid,stat | grep -c " Z"'; // busybox's sh as pid 1 would reap it as well
      expect(await sh(`echo $$; ${orphan}`, { init: true })).toBe('2\n0\n');
      expect(await sh('readlink /proc/1/exe; ls /proc/1/fd 2>/dev/null | wc -l', { init: true })).toBe('0\n');
      const { exitCode } = await box.run(['sh', '-c', 'kill -9 $$'], { options: { init: true } });
      expect(exitCode).toBe(137);
    });

    it('passes signals through the init', async () => {
      const run = box.start(['sh', '-c', 'trap "echo got; exit 7" TERM; echo ready; while :; do sleep 0.05; done'], {
        options: { init: true },
      });
      await run.printed('ready');
      run.supervisor.kill('SIGTERM');
      const { stdout, exitCode } = await run.outcome;
      expect([stdout, exitCode]).toEqual(['ready\ngot\n', 7]);
    });

    it('is of the groups that are added, of those that exist', async () => {
      const groups = await sh('id -G', { user: '0', groups: caller === 'single' ? ['root'] : ['wheel', '55'] });
      expect(groups.trim().split(' ')).toEqual(caller === 'single' ? ['0'] : ['0', '10', '55']);
      expect(await sh('id', { groups: ['nosuch'] })).toMatch(/unable to find group nosuch/);
    });

    it('is a device of the host where it is named', async () => {
      const devices = [{ source: '/dev/zero', target: '/dev/nothing' }];
      expect(await sh('head -c 3 /dev/nothing | wc -c', { devices })).toBe('3\n');
      expect(await sh('true', { devices: [{ source: '/etc/passwd', target: '/x' }] })).toMatch(/it is not a device$/);
    });
  });
}
