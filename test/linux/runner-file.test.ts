import fs from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { CLONE } from '../../src/linux/process-flags.ts';
import type { Step } from '../../src/linux/program.ts';
import { MS } from '../../src/linux/mount-flags.ts';
import { runnerFile } from '../../src/linux/runner-file.ts';
import { RUNNER_X64 } from '../../src/linux/runner-x64.ts';
import { buildChildProgram } from '../fs/child-program.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { requires } from '../support/requirements.ts';
import { runProgram } from './run-program.ts';

const bytes = Buffer.from(RUNNER_X64.base64, 'base64');

let folder: string;
beforeEach(async () => {
  folder = join(await temporaryFolder(), 'runner');
});

describe('runnerFile()', () => {
  it('makes the folder and a file that nobody can write to', async () => {
    const { path } = runnerFile(folder, 'x64');
    expect((await fs.stat(folder)).mode & 0o777).toBe(0o700);
    expect((await fs.lstat(path)).mode & 0o7777).toBe(0o500);
    expect((await fs.readFile(path)).equals(bytes)).toBe(true);
    expect(await fs.readdir(folder)).toEqual([`runner-x64-${RUNNER_X64.version}`]);
  });

  it('keeps a file that is as it should be', async () => {
    const { ino } = await fs.lstat(runnerFile(folder, 'x64').path);
    expect((await fs.lstat(runnerFile(folder, 'x64').path)).ino).toBe(ino);
  });

  it.each<[string, (path: string) => Promise<void>]>([
    ['another content', async (path) => overwrite(path, Buffer.alloc(bytes.length))],
    ['another length', async (path) => overwrite(path, Buffer.concat([bytes, bytes]))],
    ['a part of the content', async (path) => overwrite(path, bytes.subarray(1))],
    ['a mode that lets others write', async (path) => fs.chmod(path, 0o722)],
    ['a set-user-id bit', async (path) => fs.chmod(path, 0o4500)],
  ])('replaces a file with %s', async (_title, damage) => {
    const { path } = runnerFile(folder, 'x64');
    await damage(path);
    runnerFile(folder, 'x64');
    expect((await fs.readFile(path)).equals(bytes)).toBe(true);
    expect((await fs.lstat(path)).mode & 0o7777).toBe(0o500);
    expect(await fs.readdir(folder)).toHaveLength(1);
  });

  it('replaces a symbolic link and leaves its target alone', async () => {
    const { path } = runnerFile(folder, 'x64');
    const target = join(folder, 'target');
    await fs.writeFile(target, 'mine');
    await fs.rm(path);
    await fs.symlink(target, path);
    runnerFile(folder, 'x64');
    expect((await fs.lstat(path)).isFile()).toBe(true);
    expect(await fs.readFile(target, 'utf8')).toBe('mine');
  });

  it('goes elsewhere from a noexec mount, and leaves nothing there', requires('root'), async () => {
    const program = await buildChildProgram(`
      import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
      import { dirname } from 'node:path';
      import { runnerFile } from './src/linux/runner-file.ts';
      import { runProgram, shell } from './test/linux/run-program.ts';
      const { path, release } = runnerFile(process.argv[2], 'x64');
      accessSync(path, constants.X_OK);
      release();
      console.log(path.startsWith(process.argv[2]), existsSync(dirname(path)), readdirSync(process.argv[2]).length);
      console.log((await runProgram(process.argv[2], [shell('exit 4')])).code);`);
    onTestFinished(async () => program.remove());
    await fs.mkdir(folder);
    const inNoexecMount: Step[] = [
      { call: 'unshare', args: [CLONE.NEWNS], what: 'create a mount namespace' },
      { call: 'mount', args: [0, '/', 0, MS.REC + MS.PRIVATE], what: 'make mounts private' },
      { call: 'mount', args: ['none', folder, 'tmpfs', MS.NOEXEC], what: 'mount' },
    ];
    // `start` would not say which file it runs: a wrapper prints the command line, which runs in the mount namespace then.
    const { stdout: line } = await program.run({ wrapper: ['echo'], args: [folder] });
    const argv = line.trim().split(' ');
    const outcome = await runProgram(join(folder, '..'), [
      ...inNoexecMount,
      {
        call: 'execve',
        args: [argv[0] ?? '', { pointers: argv }, { pointers: ['PATH=/usr/bin:/bin'] }],
        what: 'start node',
      },
    ]);
    expect(outcome).toMatchObject({ error: undefined, stdout: 'false false 1\n4\n' });
  });

  it('names every place when all fail', requires('root'), async () => {
    const program = await buildChildProgram(`
      import { runnerFile } from './src/linux/runner-file.ts';
      try { runnerFile('/proc/none', 'x64'); } catch (error) { console.log(error.code, error.message, error.hint); }`);
    onTestFinished(async () => program.remove());
    const wrapper = ['unshare', '-m', 'sh', '-c', HIDE, 'sh'];
    const { stdout, stderr } = await program.run({ wrapper });
    expect(stderr).toBe('');
    expect(stdout).toMatch(
      /^ERR_HOST Cannot start programs from "\/proc\/none": ENOENT.*\/dev\/shm.*\/tmp.*\/var\/tmp.* noexec: make one .*\n$/,
    );
  });
});

/** Makes the places for temporary files read-only, and runs its arguments. */
const HIDE =
  'for place in /dev/shm /tmp /var/tmp; do mount --bind "$place" "$place" && mount -o remount,bind,ro "$place"; done; exec "$@"';

async function overwrite(path: string, content: Buffer): Promise<void> {
  await fs.chmod(path, 0o700);
  await fs.writeFile(path, content);
  await fs.chmod(path, 0o500);
}
