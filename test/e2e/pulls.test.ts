import { expect, it, onTestFinished } from 'vitest';

import { requires } from '../support/requirements.ts';
import { openCliHome } from './support/cli-home.ts';
import { startRecordingProxy } from './support/recording-proxy.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

it(
  'mydocker pulls shows a pull, and what is left of it when it is killed, until that is removed',
  requires(...TEST_BED_NEEDS),
  async () => {
    const home = openCliHome();
    onTestFinished(() => home.remove());
    const proxy = await startRecordingProxy(testBed().registry);
    onTestFinished(async () => proxy.stop());
    const image = `${proxy.host}/library/debian:latest`;
    const listed = async (): Promise<string> => {
      const pulls = await home.mydocker(['pulls', '--format', '{{.Image}} {{.Percent}} {{.State}}']);
      expect(pulls).toMatchObject({ code: 0, stderr: '' });
      return pulls.stdout;
    };
    proxy.holdBlobsAfter(8_000_000);
    const killed = home.start(['pull', image]);
    await proxy.held();
    await expect.poll(listed, { timeout: 30_000 }).toMatch(/ [1-9]\d?% active\n$/);
    const [active = ''] = (await home.mydocker(['pulls', '-q', '--no-trunc'])).stdout.split('\n');
    expect(await home.mydocker(['pulls', 'rm', active])).toMatchObject({
      code: 1,
      stdout: 'Total reclaimed space: 0B\n',
      stderr: `Error: Cannot remove the download of "${active.slice(7, 19)}": a pull is at it\nEnd that pull, or wait until it is done.\n`,
    });
    killed.child.kill('SIGKILL');
    await killed.ended;
    expect(await listed()).toMatch(new RegExp(`^${image} [1-9]\\d?% partial\n$`));

    const removed = await home.mydocker(['pulls', 'rm', image]);
    expect(removed).toMatchObject({ code: 0, stderr: '' });
    expect(removed.stdout).toMatch(new RegExp(`^${active}\nTotal reclaimed space: \\d[\\d.]*[kM]B\n$`));
    expect(await listed()).toBe('');
  },
);
