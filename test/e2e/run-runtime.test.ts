import { existsSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { CALLERS } from './support/callers.ts';
import type { Ended } from './support/cli-home.ts';
import { useImageHome } from './support/image-home.ts';
import { descendantsOf, isAlive } from './support/process-tree.ts';
import { TEST_BED_NEEDS } from './support/test-bed.ts';

const NEEDS = requires(...TEST_BED_NEEDS, 'ordinary-users', 'runc', 'crun', 'script');

describe.each(CALLERS)('mydocker run --runtime as $caller', NEEDS, ({ user }) => {
  const home = useImageHome(user);

  async function run(runtime: string, flags: string[], ...command: string[]): Promise<Ended> {
    return home.mydocker(['run', '--rm', `--runtime=${runtime}`, ...flags, home.image, ...command]);
  }

  it.each(['runc', 'crun', 'mydocker'])('%s runs the command, with its output and exit code', async (runtime) => {
    const script = 'grep Seccomp: /proc/self/status; echo err >&2; exit 7';
    expect(await run(runtime, [], 'sh', '-c', script)).toEqual({ code: 7, stdout: 'Seccomp:\t2\n', stderr: 'err\n' });
  });

  it('takes the path of a runtime', async () => {
    const path = ['/usr/sbin/runc', '/usr/bin/runc'].find((file) => existsSync(file)) ?? '';
    expect(await run(path, ['--network', 'none'], 'ls', '/sys/class/net')).toMatchObject({ code: 0, stdout: 'lo\n' });
  });

  it.each([
    ['nope', 127, 'executable file not found in $PATH'],
    ['/etc/passwd', 126, 'permission denied'],
  ])('answers as docker does where %s is the command', async (command, code, text) => {
    const ended = await run('runc', [], command);
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr).toContain(`mydocker: Cannot run the container with runc: `);
    expect(ended.stderr).toContain(text);
  });

  it.each([
    ['youki', [], 'unknown or invalid runtime name: youki'],
    ['./nowhere', [], 'Cannot use runtime "./nowhere": no such file or directory'],
    ['runc', ['--pid', 'host'], 'Cannot use --pid host with the runtime "runc"'],
  ])('is 125 for %s %j', async (runtime, flags, text) => {
    const ended = await run(runtime, flags, 'true');
    expect(ended).toMatchObject({ code: 125, stdout: '' });
    expect(ended.stderr).toContain(text);
  });

  it('reads standard input, and has a terminal with -it', async () => {
    const piped = await home.mydocker(['run', '--rm', '-i', '--runtime', 'runc', home.image, 'cat'], {
      stdin: { text: 'in\n' },
    });
    expect(piped).toMatchObject({ code: 0, stdout: 'in\n' });
    const atTerminal = { prefix: ['sh', '-c', 'exec script -qec "$*" /dev/null', 'sh'] };
    const ended = await home.mydocker(['run', '--rm', '-it', '--runtime', 'runc', home.image, 'tty'], atTerminal);
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/\/dev\/pts\/0\r+\n/) as string });
  });

  it('X31 leaves no process and no mount when it is killed, and the container can be removed', async () => {
    const script = 'sleep 1001 & echo ready; exec sleep 1000';
    const running = home.start(['run', '--name', 'victim', '--runtime', 'runc', home.image, 'sh', '-c', script]);
    await running.says('ready');
    const processes = descendantsOf(running.pid);
    running.child.kill('SIGKILL');
    await running.ended;
    await expect.poll(() => processes.filter(({ pid }) => isAlive(pid)), { timeout: 5000 }).toEqual([]);
    expect((await home.mydocker(['ps', '-a'])).stdout).toMatch(/ victim\n$/);
    expect(await home.mydocker(['rm', 'victim'])).toEqual({ code: 0, stdout: 'victim\n', stderr: '' });
  });
});
