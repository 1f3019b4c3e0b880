import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { listContainers } from '../../src/container/list-containers.ts';
import { createBox } from './support/box.ts';
import type { Box } from './support/box.ts';
import { CALLERS } from './support/callers.ts';

for (const { caller, needs } of CALLERS) {
  describe(`runContainer() as ${caller}`, needs, () => {
    let box: Box;
    beforeAll(() => {
      box = createBox(caller);
    });
    afterAll(() => box.remove());

    it("hands through output, errors and the command's own exit code", async () => {
      const outcome = await box.run(['sh', '-c', 'echo out; echo err >&2; exit 7']);
      expect(outcome).toMatchObject({ stdout: 'out\n', stderr: 'err\n', exitCode: 7 });
    });

    it('reads standard input to its end', async () => {
      const run = box.start(['cat'], { stdin: 'pipe' });
      run.supervisor.stdin?.end('in\n');
      expect(await run.outcome).toMatchObject({ stdout: 'in\n', exitCode: 0 });
    });

    it('gives a command without standard input its end at once', async () => {
      expect(await box.run(['cat'])).toMatchObject({ stdout: '', exitCode: 0 });
    });

    it('fails as docker does for a command that is not there', async () => {
      expect((await box.run(['nope'])).failure).toMatchObject({
        code: 'ERR_COMMAND_NOT_FOUND',
        message: 'exec: "nope": executable file not found in $PATH',
      });
      expect((await box.run(['/bin/nope'])).failure).toMatchObject({
        code: 'ERR_COMMAND_NOT_FOUND',
        message: 'exec: "/bin/nope": no such file or directory',
      });
      expect((await box.run([''])).failure?.code).toBe('ERR_COMMAND_NOT_FOUND');
    });

    it('fails as docker does for a command that cannot be executed', async () => {
      for (const command of ['/etc/passwd', '/etc']) {
        expect((await box.run([command])).failure).toMatchObject({
          code: 'ERR_COMMAND_NOT_EXECUTABLE',
          message: `exec: "${command}": permission denied`,
        });
      }
    });

    it('leaves nothing of a container that failed to start', async () => {
      const before = readdirSync(box.paths.containers);
      await box.run(['nope'], { options: { name: 'failing' } });
      expect(readdirSync(box.paths.containers).filter((name) => !before.includes(name) && name !== 'names')).toEqual(
        [],
      );
      expect(readdirSync(box.paths.trash)).toEqual([]);
      expect(existsSync(join(box.paths.containers, 'names/failing'))).toBe(false);
    });

    it('puts image, options and nothing of the caller into the environment', async () => {
      const { stdout } = await box.run(['env'], {
        image: { env: ['A=image', 'B=image', 'C=image'] },
        options: { environment: ['B=user', 'C'], hostname: 'boxy' },
      });
      expect(stdout.trim().split('\n')).toEqual([
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        'HOSTNAME=boxy',
        'A=image',
        'B=user',
        'HOME=/root',
      ]);
    });

    it('says who it is in /etc and to the kernel', async () => {
      const { stdout } = await box.run(['sh', '-c', 'hostname; cat /etc/hostname; grep boxy /etc/hosts'], {
        options: { hostname: 'boxy' },
      });
      expect(stdout).toBe('boxy\nboxy\n127.0.0.1\tboxy\n');
    });

    it("has the caller's resolv.conf", async () => {
      const { stdout } = await box.run(['cat', '/etc/resolv.conf']);
      expect(stdout).toBe(existsSync('/etc/resolv.conf') ? readFileSync('/etc/resolv.conf', 'utf8') : '');
    });

    it('starts in a working folder that it makes where it is missing', async () => {
      const settings = { image: { workingDir: '/made/by/image' } };
      expect((await box.run(['pwd'], settings)).stdout).toBe('/made/by/image\n');
      expect((await box.run(['pwd'], { ...settings, options: { workingFolder: '/tmp/x' } })).stdout).toBe('/tmp/x\n');
    });

    it('gives every run a fresh copy and never changes a layer', async () => {
      const change = 'rm /etc/passwd; echo changed > /etc/group; echo new > /new; chmod 700 /tmp; ls / | grep new';
      expect((await box.run(['sh', '-c', change])).stdout).toBe('new\n');
      const { stdout } = await box.run(['sh', '-c', 'ls / | grep -c new; grep -c bob /etc/passwd']);
      expect(stdout).toBe('0\n1\n');
      expect(existsSync(join(box.trees[0] ?? '', 'new'))).toBe(false);
    });

    it('starts the same on a copy of the layers', async () => {
      const outcome = await box.run(['sh', '-c', 'touch /x && hostname'], {
        driver: 'copy',
        options: { hostname: 'copied', autoRemove: true },
      });
      expect(outcome).toMatchObject({ stdout: 'copied\n', stderr: '', exitCode: 0 });
      expect(existsSync(join(box.trees[0] ?? '', 'x'))).toBe(false);
    });

    it('keeps a record with the exit code', async () => {
      const { id } = await box.run(['sh', '-c', 'exit 3'], { options: { name: 'kept' } });
      const found = listContainers(box.paths.containers).find((container) => container.id === id);
      expect(found).toMatchObject({
        status: 'exited',
        exitCode: 3,
        record: { name: 'kept', image: 'box:latest', command: ['sh', '-c', 'exit 3'] },
      });
    });

    it('with autoRemove leaves nothing behind', async () => {
      const before = readdirSync(box.paths.containers);
      const messy = 'mkdir -p /a/b /c; touch /a/b/c; chmod 0 /a/b /c; rm -r /etc';
      const outcome = await box.run(['sh', '-c', messy], { options: { autoRemove: true, name: 'gone' } });
      expect(outcome.failure).toBeUndefined();
      expect(readdirSync(box.paths.containers)).toEqual(before);
      expect(readdirSync(join(box.paths.containers, 'names'))).not.toContain('gone');
      expect(readdirSync(box.paths.trash)).toEqual([]);
    });

    it('refuses a name that another container has', async () => {
      const first = await box.run(['true'], { options: { name: 'taken' } });
      const { failure } = await box.run(['true'], { options: { name: 'taken' } });
      expect(failure).toMatchObject({
        code: 'ERR_CONFLICT',
        message: expect.stringContaining(
          `Conflict. The container name "/taken" is already in use by container "${first.id}".`,
        ) as string,
      });
    });

    it('with network none has a loopback device that works and no other', async () => {
      const script = 'ls /sys/class/net; nc -l -p 8080 -e echo hello & until nc 127.0.0.1 8080 2>/dev/null; do :; done';
      const { stdout } = await box.run(['sh', '-c', script], { options: { network: 'none' } });
      expect(stdout).toBe('lo\nhello\n');
    });

    it('with a read-only root can write to VOLUME folders and tmpfs only', async () => {
      const script =
        'for f in /x /etc/x /tmp/x /data/x /fast/x /dev/shm/x; do touch $f 2>/dev/null && echo $f; done; ls /data';
      const { stdout } = await box.run(['sh', '-c', script], {
        image: { volumes: ['/data'] },
        options: { readOnlyRoot: true, tmpfs: ['/fast'] },
      });
      expect(stdout).toBe('/data/x\n/fast/x\n/dev/shm/x\nx\n');
    });

    it('finishes when the command does, whatever it leaves running', async () => {
      const { stdout, exitCode } = await box.run(['sh', '-c', 'sleep 1000 & setsid sleep 1000 & echo done; exit 5']);
      expect([stdout, exitCode]).toEqual(['done\n', 5]);
    });

    it('gives the root folder the attributes that it has in the image', async () => {
      expect((await box.run(['stat', '-c', '%a %u %g', '/'], { through: STRICT_UMASK })).stdout).toBe('755 0 0\n');
    });

    it("creates files with docker's umask, whatever the caller's is", async () => {
      const script = 'umask; stat -c %a /made /etc/hosts /dev';
      const { stdout } = await box.run(['sh', '-c', script], {
        through: STRICT_UMASK,
        options: { workingFolder: '/made' },
      });
      expect(stdout).toBe('0022\n755\n644\n755\n');
    });

    it('does not start on a layer that has been removed', async () => {
      const other = createBox(caller);
      try {
        rmSync(join(other.trees[0] ?? '', '../done'));
        expect((await other.run(['true'])).failure).toMatchObject({
          code: 'ERR_CONTAINER',
          message: `Cannot use the layer "${'0'.repeat(64)}": no such file or directory`,
        });
      } finally {
        other.remove();
      }
    });
  });
}

const STRICT_UMASK = ['sh', '-c', 'umask 077; exec "$@"', 'sh'];
