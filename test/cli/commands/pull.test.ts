import { describe, expect, it, vi } from 'vitest';
import { pullCommand } from '../../../src/cli/commands/pull.ts';
import type { EngineApi, PullRequest } from '../../../src/cli/engine-api.ts';
import { ToolError } from '../../../src/errors.ts';
import type { PulledImage } from '../../../src/image/pull-event.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { fakeContext } from '../support/fake-context.ts';
import { digest } from '../support/images.ts';

const ANY_SIGNAL: unknown = expect.any(AbortSignal);
const ANY_FUNCTION: unknown = expect.any(Function);

const platform = { os: 'linux', architecture: 'amd64' };

const pull: EngineApi['pull'] = async (name, { onProgress }) => {
  const reference = parseReference(name);
  const result: PulledImage = {
    reference,
    name,
    digest: digest('d'),
    manifestDigest: digest('d'),
    imageId: digest('c'),
    platform,
    upToDate: false,
  };
  onProgress({ kind: 'resolving', reference });
  onProgress({ kind: 'layer', digest: digest('a'), state: 'waiting' });
  onProgress({ kind: 'done', result });
  return result;
};

async function run(
  argv: string[],
  options: Parameters<typeof fakeContext> = [{ pull }],
): Promise<[number, string, string]> {
  const context = fakeContext(...options);
  return [await pullCommand.execute({ path: 'mydocker pull', argv }, context), context.out(), context.err()];
}

async function requestOf(argv: string[], env: Record<string, string> = {}): Promise<[string, PullRequest] | undefined> {
  const spy = vi.fn(pull);
  await run(argv, [{ pull: spy }, { env }]);
  return spy.mock.calls[0];
}

describe('pull', () => {
  it('prints to stdout what docker prints, the canonical reference last', async () => {
    expect(await run(['debian'])).toEqual([
      0,
      'Using default tag: latest\n' +
        'latest: Pulling from library/debian\n' +
        'aaaaaaaaaaaa: Pulling fs layer\n' +
        `Digest: ${digest('d')}\n` +
        'Status: Downloaded newer image for debian:latest\n' +
        'docker.io/library/debian:latest\n',
      '',
    ]);
  });

  it('says nothing of the default tag where one was given', async () => {
    const [, out] = await run(['debian:12']);
    expect(out).toMatch(/^12: Pulling from library\/debian\n/);
    expect(out).toMatch(/\ndocker.io\/library\/debian:12\n$/);
  });

  it('prints the canonical reference alone with -q', async () => {
    expect(await run(['-q', 'debian'])).toEqual([0, 'docker.io/library/debian:latest\n', '']);
  });

  it('hands on what was asked for', async () => {
    const flags = [
      '--platform',
      'linux/arm64',
      '--max-concurrent-downloads=5',
      '--insecure-registry',
      'a',
      '--insecure-registry=b:1',
    ];
    expect(await requestOf([...flags, '--home', '/x', 'debian'])).toEqual([
      'docker.io/library/debian:latest',
      {
        home: '/x',
        env: {},
        insecureRegistries: ['a', 'b:1'],
        platform: 'linux/arm64',
        maxConcurrentDownloads: 5,
        signal: ANY_SIGNAL,
        onProgress: ANY_FUNCTION,
      },
    ]);
  });

  it('takes the platform from DOCKER_DEFAULT_PLATFORM, unless a flag says otherwise', async () => {
    const env = { DOCKER_DEFAULT_PLATFORM: 'linux/arm/v7' };
    expect((await requestOf(['debian'], env))?.[1].platform).toBe('linux/arm/v7');
    expect((await requestOf(['--platform=linux/386', 'debian'], env))?.[1].platform).toBe('linux/386');
    expect((await requestOf(['debian'], { DOCKER_DEFAULT_PLATFORM: '' }))?.[1].platform).toBeUndefined();
  });

  it('prints nothing before it has understood the reference', async () => {
    const context = fakeContext({ pull });
    const argv = ['Library/Debian'];
    await expect(pullCommand.execute({ path: 'mydocker pull', argv }, context)).rejects.toThrow('Library/Debian');
    expect(context.out()).toBe('');
  });

  it.each([
    [[], "mydocker: 'mydocker pull' requires 1 argument"],
    [['a', 'b'], "mydocker: 'mydocker pull' requires 1 argument"],
    [['--max-concurrent-downloads=0', 'a'], 'must be 1 or more'],
    [['--platform', 'x/y/z/w', 'a'], 'x/y/z/w'],
  ])('refuses %j', async (argv, message) => {
    await expect(run(argv)).rejects.toThrow(message);
  });

  it.each([
    ['SIGINT', 2, 130],
    ['SIGTERM', 15, 143],
  ])('stops at %s, with exit code %3$d and no error', async (name, number, code) => {
    const context = fakeContext({
      pull: async (_, { signal }) => {
        context.signals.emit(name, name, number);
        signal.throwIfAborted();
        throw new ToolError('ERR_NETWORK', 'not reached');
      },
    });
    expect(await pullCommand.execute({ path: 'mydocker pull', argv: ['-q', 'debian'] }, context)).toBe(code);
    expect(context.out() + context.err()).toBe('');
  });
});
