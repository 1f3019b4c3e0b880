import { mkdtempSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { CALLERS } from '../support/callers.ts';
import { execute } from '../support/execute.ts';
import { useImageHome } from '../support/image-home.ts';
import { TEST_BED_NEEDS } from '../support/test-bed.ts';

describe.each(CALLERS)(
  'namespaces of a container of $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users'),
  ({ user }) => {
    const home = useImageHome(user);

    const linkOf = async (kind: string, ...flags: string[]): Promise<string> =>
      (await home.shell(`readlink /proc/self/ns/${kind}`, ...flags)).stdout.trim();

    it('--pid host shows the processes of the host', async () => {
      expect(await home.shell(`test -d /proc/${process.pid}`, '--pid', 'host')).toMatchObject({ code: 0 });
      expect(await home.shell(`test -d /proc/${process.pid}`, '--pid=private')).toMatchObject({ code: 1 });
      const refused = await home.shell('true', '--pid', 'nonsense');
      expect(refused).toMatchObject({ code: 125, stderr: expect.stringMatching(/--pid: invalid PID mode/) as string });
    });

    it('--pid host leaves nothing running when the command has ended', async () => {
      const script = '(while sleep 1000; do :; done) >/dev/null 2>&1 & (while :; do sleep 1000; done) & jobs -p';
      const { code, stdout } = await home.shell(script, '--pid', 'host');
      const left = stdout.trim().split('\n').map(Number);
      expect({ code, left: left.length }).toEqual({ code: 0, left: 2 });
      for (const pid of left) expect(isRunning(pid)).toBe(false);
    });

    it('--ipc host shares shared memory and queues with the host', async () => {
      const ofHost = readlinkSync('/proc/self/ns/ipc');
      expect(await linkOf('ipc', '--ipc', 'host')).toBe(ofHost);
      expect(await linkOf('ipc', '--ipc', 'private')).not.toBe(ofHost);
      expect(await linkOf('ipc')).not.toBe(ofHost);
      expect(await home.shell('true', '--ipc', 'nonsense')).toMatchObject({ code: 125 });
    });

    it('--ipc host works where something is mounted below /dev/shm', async () => {
      const folder = mkdtempSync('/dev/shm/mydocker-');
      try {
        execute('mount', ['-t', 'tmpfs', 'mydocker-test', folder]);
        const mounted = await home.shell(`grep -c ' ${folder} ' /proc/mounts`, '--ipc', 'host');
        expect(mounted).toMatchObject({ code: 0, stdout: '1\n' });
      } finally {
        execute('umount', [folder]);
        rmdirSync(folder);
      }
    });

    it('--network none has a loopback and nothing else, --network host what the host has', async () => {
      const ofHost = readlinkSync('/proc/self/ns/net');
      expect(await linkOf('net', '--network', 'host')).toBe(ofHost);
      expect(await linkOf('net', '--net=none')).not.toBe(ofHost);
      const devices = await home.shell(
        'tail -n +3 /proc/net/dev | cut -d: -f1; ping -c 1 127.0.0.1 | grep received',
        '--network=none',
      );
      expect(devices.stdout).toMatch(/^ *lo\n1 packets transmitted, 1 packets received/);
      expect(await home.shell('true', '--network', 'no-such')).toMatchObject({ code: 125 });
    });

    it('--sysctl sets what is of the container’s own namespaces, and refuses what is shared', async () => {
      const files = '/proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax';
      const flags = ['--sysctl', 'net.ipv4.ip_unprivileged_port_start=80', '--sysctl=kernel.msgmax=12345'];
      expect((await home.shell(`cat ${files}`, '--network', 'none', ...flags)).stdout).toBe('80\n12345\n');
      const shared = await home.shell('true', '--network', 'host', '--sysctl', 'net.ipv4.ip_forward=1');
      expect(shared.code).toBe(125);
      expect(shared.stderr).toMatch(/sysctl 'net\.ipv4\.ip_forward' is not allowed/);
      expect(await home.shell('true', '--sysctl', 'kernel.core_pattern=x')).toMatchObject({ code: 125 });
    });

    it('--init puts a process 1 before the command that passes signals on and reaps', async () => {
      // The parent of the sleep ends first; what adopts it has to wait for it.
      const orphan = 'sh -c "sleep 0.1 & exit"; sleep 0.5; ps -o stat,comm | grep -c "^Z"';
      expect((await home.shell(`echo $$; ${orphan}`, '--init')).stdout).toBe('2\n0\n');
      expect((await home.shell('echo $$')).stdout).toBe('1\n');
      const sleeping = home.start(['run', '--rm', '--init', home.image, 'sh', '-c', 'echo ready; exec sleep 1000']);
      await sleeping.says('ready');
      sleeping.child.kill('SIGTERM');
      expect(await sleeping.ended).toMatchObject({ code: 143 }); // process 1 itself would have ignored it
    });
  },
);

/** Neither gone nor waiting for somebody to look at its end. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
