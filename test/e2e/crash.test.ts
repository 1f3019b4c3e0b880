import { describe, expect, it, onTestFinished } from 'vitest';

import { requires } from '../support/requirements.ts';
import { CALLERS } from './support/callers.ts';
import { openCliHome } from './support/cli-home.ts';
import { descendantsOf, isAlive } from './support/process-tree.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

describe('killing the CLI', requires(...TEST_BED_NEEDS, 'ordinary-users'), () => {
  it.each(CALLERS)('leaves no process and no mount, as $caller', async ({ user }) => {
    const home = openCliHome(user);
    onTestFinished(() => home.remove()); // fails where a mount is left
    const image = `${testBed().registry}/library/busybox`;
    expect(await home.mydocker(['pull', '-q', image])).toMatchObject({ code: 0, stderr: '' });

    const script = 'sleep 1001 & sleep 1002 & echo ready; exec sleep 1000';
    const running = home.start(['run', '--name', 'victim', image, 'sh', '-c', script]);
    await running.says('ready');
    await expect.poll(() => sleepersBelow(running.pid)).toHaveLength(3);
    const processes = descendantsOf(running.pid);
    running.child.kill('SIGKILL');
    await running.ended;

    await expect.poll(() => processes.filter(({ pid }) => isAlive(pid)), { timeout: 5000 }).toEqual([]);

    // Nothing has to be repaired by hand.
    expect((await home.mydocker(['ps', '-q'])).stdout).toBe('');
    expect((await home.mydocker(['ps', '-a'])).stdout).toMatch(/ victim\n$/);
    expect(await home.mydocker(['rm', 'victim'])).toEqual({ code: 0, stdout: 'victim\n', stderr: '' });
    expect(await home.mydocker(['run', '--rm', image, 'echo', 'again'])).toMatchObject({ code: 0, stdout: 'again\n' });
  });
});

function sleepersBelow(pid: number): number[] {
  const sleeping = descendantsOf(pid).filter(({ command }) => command[0] === 'sleep');
  return sleeping.map((found) => found.pid);
}
