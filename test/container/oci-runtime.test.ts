import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { findRuntime } from '../../src/container/oci-bundle/find-runtime.ts';
import { listContainers } from '../../src/container/list-containers.ts';
import { removeContainer } from '../../src/container/remove-container.ts';
import { lockFile } from '../../src/fs/kernel-lock.ts';
import { findHierarchies } from '../../src/linux/control-groups.ts';
import { requires } from '../support/requirements.ts';
import { createBox, layBusybox } from './support/box.ts';
import type { Box, Outcome, Run, RunOptions, RunSettings } from './support/box.ts';
import { buildProbe } from './support/build-probe.ts';
import { CALLERS } from './support/callers.ts';
import { DEFAULT_ANSWERS, askForAnswers } from './support/default-answers.ts';
import { processesWith } from './support/processes.ts';

const MB = 2 ** 20;

for (const name of ['runc', 'crun'] as const) {
  for (const { caller, needs } of CALLERS) {
    describe(`${name} in place of the runner as ${caller}`, { ...needs, ...requires('cc', name) }, () => {
      let box: Box;
      let runtime: RunOptions['runtime'];
      const ids = new Set<string>();
      const note = (outcome: Outcome): Outcome => {
        if (outcome.id !== undefined) ids.add(outcome.id);
        return outcome;
      };
      beforeAll(() => {
        box = createBox(caller, [layBusybox, buildProbe]);
        runtime = findRuntime(name, process.env['PATH'] ?? '');
      });
      afterAll(() => {
        box.remove();
        expect(groupsOfContainers().filter((folder) => ids.has(folder.split('/').at(-1) ?? ''))).toEqual([]);
      });

      const run = async (command: string[], settings: RunSettings = {}): Promise<Outcome> =>
        note(await box.run(command, { ...settings, options: { runtime, ...settings.options } }));
      const sh = async (script: string, settings?: RunSettings): Promise<string> => {
        const { stdout, failure } = await run(['sh', '-c', `exec 2>&1; ${script}`], settings);
        return failure?.message ?? stdout;
      };
      const start = async (script: string, options: RunOptions = {}): Promise<Run> => {
        const started = box.start(['sh', '-c', script], { options: { runtime, ...options } });
        await Promise.all([started.printed('ready'), started.started]);
        return started;
      };

      it("hands through input, output and the command's own exit code, and keeps a record", async () => {
        const running = box.start(['sh', '-c', 'cat; echo err >&2; exit 7'], { stdin: 'pipe', options: { runtime } });
        running.supervisor.stdin?.end('in\n');
        const { id, ...outcome } = await running.outcome;
        expect(outcome).toMatchObject({ stdout: 'in\n', stderr: 'err\n', exitCode: 7 });
        const record = listContainers(box.paths.containers).find((container) => container.id === id);
        expect(record).toMatchObject({ status: 'exited', exitCode: 7 });
      });

      it("X01 X02 X03 has namespaces, docker's capabilities and the filter of system calls", async () => {
        const names = ['mnt', 'pid', 'uts', 'ipc', 'cgroup', 'net'] as const;
        const links = names.map((space) => `readlink /proc/self/ns/${space}`).join(';');
        const script = `grep -hE "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status; ${links}`;
        const lines = (await sh(script)).trim().split('\n');
        expect(lines.slice(0, 7).map((line) => line.replace('\t', ' '))).toEqual([
          'CapInh: 0000000000000000',
          'CapPrm: 00000000a80425fb',
          'CapEff: 00000000a80425fb',
          'CapBnd: 00000000a80425fb',
          'CapAmb: 0000000000000000',
          'NoNewPrivs: 0',
          'Seccomp: 2',
        ]);
        const hosts = names.map((space) => readlinkSync(`/proc/self/ns/${space}`));
        expect(lines.slice(7).filter((space) => hosts.includes(space))).toEqual([hosts[names.indexOf('net')]]);
      });

      it('X20 X21 answers as the default profile of docker says', async () => {
        expect(await askForAnswers(box, { runtime })).toEqual(DEFAULT_ANSWERS);
      });

      it('X07 X09 X11 X12 hides and protects what docker does, and lets no device be used', async () => {
        const files = ['interrupts', 'kcore', 'keys', 'latency_stats', 'sched_debug', 'timer_list', 'timer_stats'];
        const folders = ['/proc/acpi', '/proc/asound', '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap'];
        const written = ['/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', '/sys/kernel/uevent_helper'];
        const places = ['', '/dev', '/dev/shm', '/tmp', '/fast', '/shared'];
        const script = [
          ...files.map((file) => `cat /proc/${file}`),
          ...folders.map((path) => `ls -A ${path}`),
          ...written.map((path) => `(echo x >${path}) && echo ${path}`),
          // fuse, which anybody may open whom nothing keeps from it. (runc before 1.2 allows tun, 10:200, whatever it is told.)
          ...places.map(
            (place) => `mknod ${place}/d c 10 229; test -c ${place}/d && (exec 3<>${place}/d) && echo "${place}/d"`,
          ),
        ];
        const options = { tmpfs: ['/fast'], volumes: ['./shared:/shared'] };
        expect((await run(['sh', '-c', script.join(';')], { options })).stdout).toBe('');
      });

      it('threat C13 X31 ends with the process that started it, and can be removed', async () => {
        const marker = `8${Date.now()}`;
        const running = await start(`sleep ${marker} & setsid sleep ${marker} & echo ready; wait`);
        const { id } = await running.started;
        await expect.poll(() => processesWith(marker)).toHaveLength(2);
        running.supervisor.kill('SIGKILL');
        (await lockFile(join(box.paths.containers, id, 'lock'), 'exclusive')).release();
        expect(processesWith(marker)).toEqual([]);
        expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(box.folder);
        await removeContainer({ paths: box.paths, container: id, ownership: { kind: 'root' }, force: false });
        ids.add(id);
      });

      it('has a terminal of its own, of the size of the caller’s', async () => {
        const script = 'tty; test -t 2; echo "and $?"; stty size; read -r line; exit ${#line}';
        const running = box.start(['sh', '-c', script], { stdin: 'pipe', options: { runtime, terminal: true } });
        await running.printed('24 80\r\n');
        running.supervisor.stdin?.end('typed\n');
        const { stdout, exitCode } = await running.outcome;
        expect(stdout).toMatch(/^\/dev\/(console|pts\/0)\r\nand 0\r\n24 80\r\n/);
        expect(exitCode).toBe('typed'.length);
      });

      if (name !== 'runc' || caller === 'single') return; // of these, enough is known

      it('gives environment, names, working folder, processes and descriptors as the runner does', async () => {
        const security = { seccomp: 'unconfined', noNewPrivileges: true, systemPaths: 'unconfined' } as const;
        const capabilities = ['CHOWN', 'NET_ADMIN'] as const;
        const script =
          'env | sort; id; grep -hE "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status; mount | grep -cE "/proc/|firmware"; hostname; cat /etc/hostname; pwd; umask; echo /proc/[0-9]*; ls /proc/self/fd';
        const settings = {
          image: { env: ['A=image', 'B=image'], workingDir: '/made/by/image' },
          options: { environment: ['B=user'], hostname: 'boxy', user: 'bob', security, capabilities },
        };
        const [own, others] = [
          await box.run(['sh', '-c', script], settings),
          await run(['sh', '-c', script], settings),
        ];
        expect(others.stdout).toBe(own.stdout);
        expect(own.stdout).toContain('HOSTNAME=boxy\n');
      });

      it('mounts volumes, a tmpfs and a read-only root as the runner does', async () => {
        const options = {
          readOnlyRoot: true,
          volumes: ['./made:/data', '/etc/passwd:/list:ro', '/usr/share:/share:ro'],
          tmpfs: ['/fast:size=1m,mode=700'],
          shmSize: 2 * MB,
        };
        const script =
          'touch /data/new /anonymous/new && ls /data; touch /x; touch /share/x; head -c 5 /list; echo; (echo x > /list);' +
          'stat -c %a /fast; df -k /fast /dev/shm | grep -c -E " (1024|2048) "';
        const settings = { options, image: { volumes: ['/anonymous'] } };
        const own = await box.run(['sh', '-c', `exec 2>&1; ${script}`], settings);
        expect(await sh(script, settings)).toBe(own.stdout);
        expect(own.stdout).toMatch(/^new\n.*Read-only/);
      });

      it('keeps the flags of the mount that holds a volume', async () => {
        const place = join(box.folder, 'held');
        mkdirSync(place);
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'noexec,nosuid,mode=777', 'tmpfs', place]);
        try {
          const settings = { options: { volumes: ['./held:/held'] } };
          expect(await sh('grep " /held " /proc/mounts | cut -d" " -f4', settings)).toMatch(
            /^rw,nosuid,nodev,noexec\b/,
          );
        } finally {
          execFileSync('umount', [place]);
        }
      });

      it('X33 makes the folders of an image inside its root, wherever links of the image lead', async () => {
        const links = createBox(caller, [layBusybox, layLinks]);
        const image = {
          workingDir: '/to-tmp/made-by-link/here',
          volumes: ['/up/made-by-link', '/to-tmp/volume-by-link'],
        };
        const { stdout } = await links.run(
          ['ls', '-d', '/made-by-link', '/tmp/made-by-link/here', '/tmp/volume-by-link'],
          {
            image,
            options: { runtime },
          },
        );
        links.remove();
        expect(stdout).toBe('/made-by-link\n/tmp/made-by-link/here\n/tmp/volume-by-link\n');
        const hosts = ['/made-by-link', '/tmp/made-by-link', '/tmp/volume-by-link'];
        expect(hosts.filter((path) => existsSync(path))).toEqual([]);
      });

      it('X22 shares no network with --network none', async () => {
        const script =
          'ls /sys/class/net; nc -l -p 8080 -e echo hello & until nc 127.0.0.1 8080 2>/dev/null; do :; done';
        expect(await sh(script, { options: { network: 'none' } })).toBe('lo\nhello\n');
      });

      it.each([
        ['nope', 'ERR_COMMAND_NOT_FOUND', /not found in \$PATH/],
        ['/bin/nope', 'ERR_COMMAND_NOT_FOUND', /no such file or directory|not found/],
        ['/etc/passwd', 'ERR_COMMAND_NOT_EXECUTABLE', /permission denied/i],
        ['/etc', 'ERR_COMMAND_NOT_EXECUTABLE', /permission denied|not permitted|is a directory/i],
      ])('says why it cannot execute %s', async (command, code, message) => {
        const { failure, id } = await run([command]);
        expect(failure).toMatchObject({ code, message: expect.stringMatching(message) as string });
        expect(id).toBeUndefined();
      });

      it('has nothing typed into its terminal when the input ends at once', async () => {
        const { stdout } = await run(['sh', '-c', 'sleep 0.1; echo done'], { options: { terminal: true } });
        expect(stdout).toBe('done\r\n');
      });

      it('passes signals on', async () => {
        const running = await start("trap 'echo got it; exit 42' TERM; echo ready; sleep 1000 & wait");
        running.supervisor.kill('SIGTERM');
        expect(await running.outcome).toMatchObject({ stdout: 'ready\ngot it\n', exitCode: 42 });
      });

      it('is removed by force while it runs', async () => {
        const running = await start('echo ready; sleep 1000');
        const { id } = await running.started;
        await removeContainer({ paths: box.paths, container: id, ownership: { kind: 'root' }, force: true });
        expect(await running.outcome).toMatchObject({ exitCode: 137 });
      });

      it('sets ulimits and sysctls', async () => {
        const options = {
          ulimits: ['nofile=100:200', 'nproc=50'],
          sysctls: [{ path: 'kernel/msgmax', value: '1234', namespace: 'ipc' as const }],
        };
        expect(await sh('ulimit -n; ulimit -Hn; ulimit -c; cat /proc/sys/kernel/msgmax', { options })).toBe(
          '100\n200\n0\n1234\n',
        );
        const limits = 'ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Hc';
        expect(await sh(limits)).toBe((await box.run(['sh', '-c', limits])).stdout);
      });

      it('has an init with --init, which passes signals on, reaps orphans and says why a command cannot start', async () => {
        const options = { init: true, user: 'bob' };
        const orphan = '(sleep 0.01 &); sleep 0.1; ps -o pid,stat | grep -c " Z"';
        expect(await sh(`grep PPid /proc/$$/status; id -u; echo $(ls /proc/self/fd); ${orphan}`, { options })).toBe(
          'PPid:\t1\n1000\n0 1 2 3\n0\n',
        );
        const hold =
          'readlink /proc/1/exe; ls /proc/1/fd 2>/dev/null | wc -l; (echo x >/dev/init) 2>&1 | grep -c Read-only';
        expect(await sh(hold, { options: { init: true } })).toBe('0\n1\n');
        expect((await run(['sh', '-c', 'kill -9 $$'], { options })).exitCode).toBe(137);
        const { failure } = await run(['nope'], { options });
        expect(failure).toEqual({
          code: 'ERR_COMMAND_NOT_FOUND',
          message: 'exec: "nope": executable file not found in $PATH',
        });
        const running = await start("trap 'echo got it; exit 42' TERM; echo ready; sleep 1000 & wait", { init: true });
        running.supervisor.kill('SIGTERM');
        expect(await running.outcome).toMatchObject({ stdout: 'ready\ngot it\n', exitCode: 42 });
      });

      it('refuses what a bundle cannot say', async () => {
        for (const options of [{ pid: 'host' } as const, { domainname: 'example.org' }]) {
          expect((await run(['true'], { options })).failure?.code).toBe('ERR_UNSUPPORTED');
        }
      });

      if (caller !== 'root') {
        it('refuses limits that it cannot enforce', requires('control-groups'), async () => {
          const { failure } = await run(['true'], { options: { limits: { memory: 64 * MB } } });
          expect(failure).toMatchObject({
            code: 'ERR_HOST',
            message: expect.stringMatching(/^Cannot enforce/) as string,
          });
        });
        return;
      }

      it('X29 is held to its limits, and the runtime itself is not', requires('control-groups'), async () => {
        const memory = await run(['tail', '/dev/zero'], { options: { limits: { memory: 16 * MB } } });
        expect([memory.exitCode, memory.isOutOfMemory]).toEqual([137, true]);
        const bomb = 'for i in 1 2 3 4 5; do sleep 5 & done; echo five; for i in 1 2 3 4; do sleep 5 & done';
        const pids = await sh(bomb, { options: { limits: { pids: 8 } } });
        expect(pids).toMatch(/^five\n.*can't fork: Resource temporarily unavailable/);
        const script = 'grep Cpus_allowed_list /proc/self/status; grep -vc ":/$" /proc/self/cgroup';
        const limits = { cpusetCpus: '0', milliCpus: 500, cpuShares: 512 };
        expect(await sh(script, { options: { limits } })).toBe('Cpus_allowed_list:\t0\n0\n');
      });

      it('gives a device that is named', async () => {
        const source = ['/dev/net/tun', '/dev/fuse', '/dev/loop-control', '/dev/kmsg'].find(canOpen) ?? '/dev/tty';
        const options = { devices: [{ source, target: '/dev/mine' }] };
        expect(await sh('(exec 3<>/dev/mine) && echo opened', { options })).toBe('opened\n');
      });
    });
  }
}

function layLinks(tree: string): void {
  symlinkSync('/tmp', join(tree, 'to-tmp'));
  symlinkSync('../../../../../..', join(tree, 'up'));
}

function canOpen(path: string): boolean {
  try {
    closeSync(openSync(path, 'r+'));
    return true;
  } catch {
    return false;
  }
}

/** Groups of the containers of this file's callers, whose group this process is in, in all hierarchies. */
function groupsOfContainers(): string[] {
  const [mountinfo = '', cgroup = ''] = ['mountinfo', 'cgroup'].map((name) =>
    readFileSync(`/proc/self/${name}`, 'utf8'),
  );
  return findHierarchies({ mountinfo, cgroup }).flatMap(({ own = '' }) => {
    const folder = join(own, 'mydocker');
    return existsSync(folder) ? readdirSync(folder).map((id) => join(folder, id)) : [];
  });
}
