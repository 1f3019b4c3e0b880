import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createBox } from './support/box.ts';
import type { Box, RunOptions } from './support/box.ts';
import { CALLERS } from './support/callers.ts';

for (const { caller, needs } of CALLERS) {
  describe(`runContainer() volumes as ${caller}`, needs, () => {
    let box: Box;
    beforeEach(() => {
      box = createBox(caller);
    });
    afterEach(() => box.remove());

    /** Makes a file of the caller's below the current folder of the supervisor. */
    async function lay(path: string, content = ''): Promise<void> {
      const folder = join('/work', path, '..');
      await box.run(['sh', '-c', `mkdir -p ${folder}; printf %s "${content}" > /work/${path}`], {
        options: { volumes: ['.:/work'] },
      });
    }

    const run = async (script: string, options: RunOptions): Promise<string> => {
      const { stdout, failure } = await box.run(['sh', '-c', `exec 2>&1; ${script}`], { options });
      return failure?.message ?? stdout;
    };

    it('shows a folder of the host, to read and to write', async () => {
      await lay('v/in', 'from the host');
      expect(await run('cat /data/in; echo back > /data/out', { volumes: ['./v:/data'] })).toBe('from the host');
      expect(readFileSync(join(box.folder, 'v/out'), 'utf8')).toBe('back\n');
    });

    it('shows it read-only, with everything mounted inside it', async () => {
      await lay('v/in', 'x');
      const script = 'cat /data/in; touch /data/new; rm /data/in; mount -o remount,rw /data';
      const output = await run(script, { volumes: ['./v:/data:ro'] });
      expect(output).toContain('x');
      expect(output.match(/Read-only file system/g)).toHaveLength(2);
      expect(output).toMatch(/mount: .*denied|are you root/);
    });

    it('makes a folder of the host that is missing, and the place for it', async () => {
      expect(await run('touch /deep/er/x; ls -d /deep/er', { volumes: ['./made/here:/deep/er'] })).toBe('/deep/er\n');
      expect(existsSync(join(box.folder, 'made/here/x'))).toBe(true);
    });

    it('mounts single files, also where there is none and over those of the engine', async () => {
      await lay('file', 'mine');
      const volumes = ['./file:/new/file', './file:/etc/passwd:ro', './file:/etc/hosts'];
      expect(await run('cat /new/file /etc/passwd /etc/hosts', { volumes })).toBe('mineminemine');
      expect(await run('cat /etc/passwd | wc -c', { volumes: ['/dev/null:/etc/passwd'] })).toBe('0\n');
    });

    it('refuses a file over a folder and a folder over a file, as docker does', async () => {
      await lay('file');
      for (const volume of ['./file:/etc', '.:/etc/passwd']) {
        expect(await run('true', { volumes: [volume] })).toContain(
          'Are you trying to mount a directory onto a file (or vice-versa)?',
        );
      }
    });

    it('mounts volumes inside volumes, whatever their order', async () => {
      await lay('a/name', 'outer ');
      await lay('b/name', 'inner');
      expect(await run('cat /data/name /data/sub/name', { volumes: ['./b:/data/sub', './a:/data'] })).toBe(
        'outer inner',
      );
    });

    it("never replaces what stands in a volume, which is the user's", async () => {
      mkdirSync(join(box.folder, 'v'), { recursive: true });
      symlinkSync('/nowhere', join(box.folder, 'v/link'));
      const output = await run('true', { volumes: ['./v:/data', '.:/data/link/sub'] });
      expect(output).toContain('too many levels of symbolic links');
      expect(lstatSync(join(box.folder, 'v/link')).isSymbolicLink()).toBe(true);
    });

    it('mounts a tmpfs with its options', async () => {
      const options = await run("grep ' /fast ' /proc/mounts | cut -d' ' -f3,4", {
        tmpfs: ['/fast:size=1m,mode=700,exec'],
      });
      expect(options).toMatch(/^tmpfs rw,nosuid,nodev,relatime,size=1024k,mode=700/);
      expect(await run("grep ' /fast ' /proc/mounts | cut -d' ' -f4", { tmpfs: ['/fast'] })).toContain(
        'nosuid,nodev,noexec',
      );
    });

    it('takes a tmpfs in place of its own /dev/shm', async () => {
      expect(await run('df -k /dev/shm | tail -1', { tmpfs: ['/dev/shm:size=2m'] })).toMatch(/\s2048\s/);
    });

    it('does not bring mounts back to the host', async () => {
      await lay('v/x');
      const inner = box.start(['sh', '-c', 'echo ready; cat'], {
        options: { volumes: ['./v:/data'], tmpfs: ['/data/t'] },
        stdin: 'pipe',
      });
      await inner.printed('ready');
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(box.folder);
      inner.supervisor.stdin?.end();
      await inner.outcome;
      rmSync(join(box.folder, 'v'), { recursive: true });
      writeFileSync(join(box.folder, 'v'), '');
    });
  });
}
