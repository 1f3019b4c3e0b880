import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createBox, layBusybox } from './support/box.ts';
import type { Box } from './support/box.ts';
import { CALLERS } from './support/callers.ts';

const SECRET = 'this is a file of the host\n';

for (const { caller, needs } of CALLERS) {
  describe(`runContainer() with a hostile image as ${caller}`, needs, () => {
    const boxes: Box[] = [];
    /** The host's files that the images aim at. */
    let host: string;
    beforeAll(() => {
      const box = createBox(caller);
      boxes.push(box);
      host = join(box.folder, 'host');
      mkdirSync(host, { mode: 0o777 });
      writeFileSync(join(host, 'secret'), SECRET);
    });
    afterAll(() => {
      for (const box of boxes) box.remove();
    });

    /** An image with a busybox below and this on top; a link with a trailing `/` in its name replaces a folder. */
    function imageWith(change: (tree: string) => void): Box {
      const box = createBox(caller, [
        (tree) => {
          layBusybox(tree);
          change(tree);
        },
      ]);
      boxes.push(box);
      return box;
    }

    function replace(tree: string, name: string, target: string): void {
      rmSync(join(tree, name), { recursive: true, force: true });
      symlinkSync(target, join(tree, name));
    }

    function expectHostUntouched(): void {
      expect(readdirSync(host)).toEqual(['secret']);
      expect(readFileSync(join(host, 'secret'), 'utf8')).toBe(SECRET);
    }

    it('C10 B17 works where /proc, /sys and /dev are symlinks or files', async () => {
      const box = imageWith((tree) => {
        replace(tree, 'proc', host);
        replace(tree, 'dev', '/tmp');
        rmSync(join(tree, 'sys'), { recursive: true });
        writeFileSync(join(tree, 'sys'), '');
      });
      const { stdout, failure } = await box.run([
        'sh',
        '-c',
        'ls /proc/self/ns/mnt /dev/null; ls -d /sys/class; ls /tmp',
      ]);
      expect(failure).toBeUndefined();
      expect(stdout).toBe('/dev/null\n/proc/self/ns/mnt\n/sys/class\n');
      expectHostUntouched();
    });

    it('C10 B17 replaces files of /etc that are symlinks, wherever they lead', async () => {
      const box = imageWith((tree) => {
        symlinkSync(join(host, 'secret'), join(tree, 'etc/resolv.conf'));
        symlinkSync('../run/nowhere', join(tree, 'etc/hosts'));
        symlinkSync('/proc/self/fd/3', join(tree, 'etc/hostname'));
      });
      const { stdout } = await box.run(
        ['sh', '-c', 'cat /etc/hostname; echo x > /etc/resolv.conf; grep -c boxy /etc/hosts'],
        {
          options: { hostname: 'boxy' },
        },
      );
      expect(stdout).toBe('boxy\n1\n');
      expectHostUntouched();
    });

    it('C10 fails where /etc is a symlink to a folder of the host', async () => {
      const box = imageWith((tree) => replace(tree, 'etc', host));
      expect((await box.run(['true'])).failure).toMatchObject({
        code: 'ERR_CONTAINER',
        message: 'Cannot provide the files of /etc: too many levels of symbolic links',
      });
      expectHostUntouched();
    });

    it('C10 follows a symlink of the image inside the image', async () => {
      const box = imageWith((tree) => {
        rmSync(join(tree, 'etc'), { recursive: true });
        mkdirSync(join(tree, 'usr/etc'), { recursive: true });
        symlinkSync('usr/../../../../usr/etc', join(tree, 'etc'));
      });
      const { stdout } = await box.run(['ls', '/usr/etc']);
      expect(stdout).toBe('hostname\nhosts\nresolv.conf\n');
    });

    it('C10 says what is in the way of a file of /etc', async () => {
      const box = imageWith((tree) => mkdirSync(join(tree, 'etc/hosts')));
      expect((await box.run(['true'])).failure?.message).toMatch(/^Cannot provide \/etc\/hosts: /);
    });

    it.for(['/proc/self/fd/7', '/proc', '/sys/kernel', '../../proc/1/cwd'])(
      'C07 B14 refuses WORKDIR %s',
      async (folder) => {
        const { failure } = await imageWith(() => undefined).run(['pwd'], { image: { workingDir: folder } });
        expect(failure).toMatchObject({
          code: 'ERR_CONTAINER',
          message: `Cannot use working folder "${folder}": it is inside /proc or /sys`,
        });
      },
    );

    it.for(['/proc/self/fd', '/proc/self/cwd', '/proc/1/root', '/proc/self/fd/3', '/proc/thread-self/fd/4/../..'])(
      'C07 B14 X15 does not follow a symlink of WORKDIR through %s',
      async (target) => {
        const box = imageWith((tree) => symlinkSync(target, join(tree, 'l')));
        for (const folder of ['/l', '/l/7', '/l/etc']) {
          const { stdout, failure } = await box.run(['ls', '-d', '.', 'work', 'upper', 'layers'], {
            image: { workingDir: folder },
          });
          // Either it is an error, or a folder of the container's own /proc.
          if (failure === undefined) expect(stdout).toBe('.\n');
          else expect(failure.message).toContain(`use the working folder "${folder}"`);
        }
      },
    );

    it('C07 B14 makes a WORKDIR behind a symlink inside the container', async () => {
      const box = imageWith((tree) => symlinkSync(host, join(tree, 'l')));
      const { failure } = await box.run(['pwd'], { image: { workingDir: 'l/x' } });
      expect(failure?.message).toBe('Cannot use the working folder "/l/x": too many levels of symbolic links');
      expect((await box.run(['pwd'], { image: { workingDir: '../../../tmp/./y/' } })).stdout).toBe('/tmp/y\n');
      expectHostUntouched();
    });

    it('C08 B13 keeps VOLUME inside the container', async () => {
      const box = imageWith((tree) => symlinkSync(host, join(tree, 'link')));
      const image = { volumes: ['/../../etc/volume', 'relative', '/', '/proc/x'] };
      expect((await box.run(['ls', '-d', '/etc/volume', '/relative'], { image })).stdout).toBe(
        '/etc/volume\n/relative\n',
      );
      expect((await box.run(['true'], { image: { volumes: ['/link/x'] } })).failure?.code).toBe('ERR_CONTAINER');
      expectHostUntouched();
    });

    it('threat C9 X33 keeps mounts inside the container where the image has a symlink', async () => {
      const box = imageWith((tree) => {
        symlinkSync(host, join(tree, 'out'));
        symlinkSync('/tmp', join(tree, 'in'));
      });
      mkdirSync(join(box.folder, 'volume'));
      writeFileSync(join(box.folder, 'volume/file'), 'in the volume\n');
      const inside = await box.run(['cat', '/tmp/data/file'], { options: { volumes: ['./volume:/in/data'] } });
      expect(inside.stdout).toBe('in the volume\n');
      for (const target of ['/out', '/out/new', '/out/secret']) {
        expect((await box.run(['true'], { options: { volumes: [`./volume:${target}`] } })).failure?.code).toBe(
          'ERR_CONTAINER',
        );
      }
      expectHostUntouched();
    });

    it('C04 B18 drops malformed variables and never takes one from the host', async () => {
      const { stdout } = await imageWith(() => undefined).run(['env'], {
        image: { env: ['HOST_SECRET', '*', '=x', 'A=\0', 'GOOD=1'] },
      });
      expect(stdout).not.toMatch(/SECRET|^A=|\*/m);
      expect(stdout).toContain('GOOD=1');
    });

    it('C09 reports too many arguments, and too long ones', async () => {
      const box = imageWith(() => undefined);
      for (const cmd of [Array.from({ length: 300_000 }, () => 'true'), ['true', 'x'.repeat(200_000)]]) {
        expect((await box.run([], { image: { cmd } })).failure).toMatchObject({
          code: 'ERR_COMMAND_NOT_EXECUTABLE',
          message: 'Cannot execute "true": argument list too long',
        });
      }
    });

    it('says why a file of another kind of machine cannot be executed', async () => {
      const box = imageWith((tree) =>
        writeFileSync(join(tree, 'bin/foreign'), 'neither ELF nor script', { mode: 0o755 }),
      );
      expect((await box.run(['foreign'])).failure).toMatchObject({
        code: 'ERR_COMMAND_NOT_EXECUTABLE',
        message: 'exec: "foreign": exec format error',
      });
    });
  });
}
