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

describe('offline mode', requires(...TEST_BED_NEEDS, 'strace'), () => {
  it('runs what is cached, and says of what is not what there is', async () => {
    const home = openCliHome();
    onTestFinished(() => home.remove());
    const image = await pull(home);
    const env = { MYDOCKER_OFFLINE: '1' };
    expect(await home.mydocker(['run', '--rm', image, 'echo', 'hey'], { env })).toMatchObject({
      code: 0,
      stdout: 'hey\n',
    });
    const [missing, here] = [`${image}:nope`, `${image}:latest`];
    const problem = `Cannot pull "${missing}": offline mode is on, and the store has of that name: ${here}\n`;
    expect(await home.mydocker(['pull', '-q', missing], { env })).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: ${problem}To pull it, leave out --offline, and unset MYDOCKER_OFFLINE.\n`,
    });
    const ran = await home.mydocker(['run', '--rm', '--offline', missing]);
    expect(ran).toMatchObject({ code: 125, stdout: '' });
    expect(ran.stderr).toContain(`mydocker: ${problem}`);
    expect(await home.mydocker(['run', '--rm', image], { env: { MYDOCKER_OFFLINE: 'yes' } })).toMatchObject({
      code: 125,
    });
  });

  it('does not load the network code, nor open a socket', async () => {
    const home = openCliHome();
    onTestFinished(() => home.remove());
    const image = await pull(home);
    const offline = [
      ['--offline', 'pull', image],
      ['pull', '--offline', `${image}:nope`],
      ['run', '--offline', '--pull=always', image],
      ['run', '--offline', `${image}:nope`],
    ];
    for (const args of offline) expect(await networkUse(home, args)).toEqual([]);
    expect(await networkUse(home, ['pull', image])).toContain('undici'); // it would be seen
  });
});

/** The packages and system calls of the network that a call of the CLI uses. */
async function networkUse(home: CliHome, args: string[]): Promise<string[]> {
  const trace = join(home.folder, 'trace');
  await home.mydocker(args, { prefix: ['strace', '-f', '-qq', '-e', 'trace=openat,network', '-o', trace] });
  const lines = readFileSync(trace, 'utf8').split('\n');
  const opened = lines.flatMap((line) => /openat\([^"]*"([^"]*\/dist\/bin\/[^"]*)".* = \d/.exec(line)?.[1] ?? []);
  expect(opened.length).toBeGreaterThan(1);
  const loadsUndici = opened.some((path) => readFileSync(path, 'utf8').includes('node_modules/undici/'));
  const sockets = lines.filter((line) => /\b(socket|connect|sendto|bind)\(/.test(line));
  return [...(loadsUndici ? ['undici'] : []), ...sockets];
}

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
