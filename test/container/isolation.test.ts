import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readlinkSync, readdirSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createBox } from './support/box.ts';
import type { Box } from './support/box.ts';
import { CALLERS } from './support/callers.ts';

const MOUNTS_LEFT = '"$@"; grep -c mydocker-box /proc/self/mountinfo';

// The rows of the isolation catalogue that a container can check with busybox alone.
for (const { caller, needs } of CALLERS) {
  describe(`container isolation as ${caller}`, needs, () => {
    let box: Box;
    const sh = async (script: string, settings?: Parameters<Box['run']>[1]): Promise<string> =>
      (await box.run(['sh', '-c', script], settings)).stdout;
    beforeAll(() => {
      box = createBox(caller);
    });
    afterAll(() => box.remove());

    it('X01 shares no namespace with the host but the network and time', async () => {
      const names = ['mnt', 'pid', 'uts', 'ipc', 'cgroup', 'net', 'user'];
      const inside = (await sh(names.map((name) => `readlink /proc/self/ns/${name}`).join(';'))).trim().split('\n');
      const shared = names.filter((name, index) => readlinkSync(`/proc/self/ns/${name}`) === inside[index]);
      expect(shared).toEqual(caller === 'root' ? ['net', 'user'] : ['net']);
      const [net] = (await sh('readlink /proc/self/ns/net', { options: { network: 'none' } })).split('\n');
      expect(net).not.toBe(readlinkSync('/proc/self/ns/net'));
    });

    it("B21 X02 has docker's 14 capabilities, whatever the caller would pass on", async () => {
      const through =
        caller === 'root'
          ? ['setpriv', '--inh-caps=+sys_admin,+net_raw', '--ambient-caps=+sys_admin,+net_raw']
          : undefined;
      const status = await sh('grep Cap /proc/self/status', { through });
      expect(status.replaceAll('\t', ' ')).toBe(
        'CapInh: 0000000000000000\nCapPrm: 00000000a80425fb\nCapEff: 00000000a80425fb\n' +
          'CapBnd: 00000000a80425fb\nCapAmb: 0000000000000000\n',
      );
    });

    it('threat C5 X07 cannot use a device that it makes, wherever it makes it', async () => {
      mkdirSync(`${box.folder}/shared`, { recursive: true });
      const places = ['/', '/dev', '/dev/shm', '/tmp', '/fast', '/shared'];
      const script = places
        .map(
          (place) =>
            `mknod ${place}/d c 1 3 2>/dev/null; echo x 2>/dev/null > ${place}/d && test -c ${place}/d && echo ${place}`,
        )
        .join(';');
      const settings = { options: { tmpfs: ['/fast'], volumes: ['./shared:/shared'] } };
      expect(await sh(script, settings)).toBe('');
    });

    it('threat C4 X09 X11 cannot write to what the kernel shows of itself', async () => {
      const paths = [
        '/proc/sys/kernel/core_pattern',
        '/proc/sys/kernel/modprobe',
        '/proc/sys/vm/overcommit_memory',
        '/proc/sysrq-trigger',
        '/proc/irq/default_smp_affinity',
        '/sys/kernel/uevent_helper',
        '/sys/kernel/mm/ksm/run',
        '/sys/fs/cgroup/cgroup.procs',
      ];
      const answers = (await sh(paths.map((path) => `(echo x > ${path}) 2>&1 || true`).join(';'))).trim().split('\n');
      // The opening has to fail: a value that the kernel does not take says nothing.
      const refused = /can't create .*: (Read-only file system|nonexistent directory|Permission denied)$/;
      expect(answers.filter((answer) => !refused.test(answer))).toEqual([]);
      expect(answers).toHaveLength(paths.length);
      expect(
        await sh('mount -o remount,rw /proc/sys || mount -o remount,rw /sys || umount /proc/keys || echo no'),
      ).toBe('no\n');
    });

    it('X12 sees nothing in what is masked', async () => {
      const files = ['interrupts', 'kcore', 'keys', 'latency_stats', 'sched_debug', 'timer_list', 'timer_stats'];
      const folders = ['/proc/acpi', '/proc/asound', '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap'];
      const script = [...files.map((file) => `cat /proc/${file}`), ...folders.map((path) => `ls -A ${path}`)].join(';');
      expect(await sh(`exec 2>/dev/null; ${script}`)).toBe('');
    });

    it('X13 cannot unmask by a user namespace of its own', async () => {
      const script =
        'unshare -Urmpf sh -c "mkdir -p /tmp/p; mount -t proc proc /tmp/p && cat /tmp/p/timer_list" 2>/dev/null | head -c 1';
      expect(await sh(script)).toBe('');
    });

    it('threat C2 X15 has descriptors 0, 1 and 2, whatever the caller leaves open', async () => {
      expect(await sh('ls /proc/self/fd', { leakUpTo: 60 })).toBe('0\n1\n2\n3\n'); // 3 is the listing's own
      expect(await sh('for p in /proc/1/fd/*; do echo ${p##*/}; done', { leakUpTo: 60 })).toBe('0\n1\n2\n3\n');
    });

    it('threat C12 X17 sees its own processes only, and no way out through them', async () => {
      expect(await sh('echo /proc/[0-9]*')).toBe('/proc/1\n');
      expect(await sh('ls /proc/1/root/ | grep -c .; ls -d /proc/1/root/work /proc/1/cwd/work 2>/dev/null')).toBe(
        `${readdirSync(box.trees[0] ?? '').length}\n`,
      );
    });

    it('threat C12 X18 cannot signal anything else', async () => {
      expect((await box.run(['sh', '-c', 'kill -9 -1; echo alive'])).stdout).toBe('alive\n');
    });

    it('X24 sees no variable of the caller', async () => {
      expect(await sh('env | grep -c SECRET; tr "\\0" "\\n" < /proc/1/environ | grep -c SECRET')).toBe('0\n0\n');
    });

    it('X25 is at the root of its control groups', async () => {
      expect(await sh('grep -vc ":/$" /proc/self/cgroup')).toBe('0\n');
    });

    it('X26 X07 has a root without devices, and without set-user-ID programs for ordinary users', async () => {
      const [options = ''] = (await sh("grep -E '^[^ ]+ / ' /proc/mounts | cut -d' ' -f4")).split('\n');
      expect(options.split(',')).toContain('nodev');
      expect(options.split(',').includes('nosuid')).toBe(caller !== 'root');
    });

    it("threat C11 X29 has docker's limits for open files, as far as the caller's allow, and writes no core files", async () => {
      const [hard = ''] = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).split('\n');
      const enough = hard === 'unlimited' || Number(hard) >= 524_288;
      const limits = (await sh('ulimit -Sn; ulimit -Hn; ulimit -Sc')).split('\n');
      expect(limits.slice(0, 2)).toEqual(enough ? ['1024', '524288'] : [expect.any(String), hard]);
      expect(limits[2]).toBe('0');
    });

    it('X28 cannot change the host name or the clock', async () => {
      expect(await sh('hostname x 2>&1; date -s 2020-01-01 2>&1 >/dev/null')).toBe(
        "hostname: sethostname: Operation not permitted\ndate: can't set date: Operation not permitted\n",
      );
    });

    it('X35 mounts nothing that the host sees', async () => {
      const run = box.start(['sh', '-c', 'echo ready; cat'], { stdin: 'pipe' });
      await run.printed('ready');
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(box.folder);
      run.supervisor.stdin?.end();
      await run.outcome;
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

    it('threat C6 X19 has no controlling terminal', async () => {
      expect(await sh('(echo x > /dev/tty) 2>/dev/null || echo none')).toBe('none\n');
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
