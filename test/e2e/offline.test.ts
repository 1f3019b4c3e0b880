import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { requires } from '../support/requirements.ts';
import { CALLERS } from './support/callers.ts';
import { openCliHome, type CallOptions, type CliHome } from './support/cli-home.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

describe('mydocker run of a cached image', requires(...TEST_BED_NEEDS, 'ordinary-users', 'strace'), () => {
  it.each(CALLERS)('works in an empty network namespace, as $caller', async ({ user }) => {
    const home = openCliHome(user);
    onTestFinished(() => home.remove());
    const image = await pull(home);
    const options = inEmptyNetwork(home);
    for (const policy of ['never', 'missing']) {
      const ran = await home.mydocker(['run', '--rm', '--pull', policy, image, '/bin/echo', 'hey'], options);
      expect(ran).toEqual({ code: 0, stdout: 'hey\n', stderr: '' });
    }
    expect((await home.mydocker(['pull', image], options)).code).toBe(1); // there really is no network
  });

  it('opens no socket', async () => {
    const home = openCliHome();
    onTestFinished(() => home.remove());
    const image = await pull(home);
    const trace = join(home.folder, 'trace');
    const prefix = ['strace', '-f', '-qq', '-e', 'trace=network', '-o', trace];
    const ran = await home.mydocker(['run', '--rm', '--pull', 'never', image, '/bin/echo', 'hey'], { prefix });
    expect(ran).toEqual({ code: 0, stdout: 'hey\n', stderr: '' });
    // socketpair is how Node makes the pipes of its children.
    const calls = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => /\b(socket|connect|sendto|bind)\(/.test(line));
    expect(calls).toEqual([]);
  });
});

async function pull(home: CliHome): Promise<string> {
  const image = `${testBed().registry}/library/busybox`;
  expect(await home.mydocker(['pull', '-q', image])).toMatchObject({ code: 0, stderr: '' });
  return image;
}

/** Only root can make a network namespace and stay who it is, so root does and then becomes the home's user. */
function inEmptyNetwork({ uid, gid }: CliHome): CallOptions {
  const become = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'];
  return { prefix: ['unshare', '--net', ...(uid === 0 ? [] : become)], prefixAsRoot: true };
}
