import { describe, expect, it } from 'vitest';
import { pullsCommand } from '../../../src/cli/commands/pulls.ts';
import { pullsRmCommand } from '../../../src/cli/commands/pulls-rm.ts';
import type { EngineApi } from '../../../src/cli/engine-api.ts';
import { main } from '../../../src/cli/main.ts';
import { ToolError } from '../../../src/errors.ts';
import type { PartialDownload } from '../../../src/store/partial-downloads.ts';
import { NOW, fakeContext } from '../support/fake-context.ts';
import { digest } from '../support/images.ts';

const DOWNLOADS: PartialDownload[] = [
  {
    digest: digest('a'),
    size: 29_900_000,
    total: 30_000_000,
    reference: 'docker.io/library/alpine:latest',
    changed: new Date(NOW - 180_000),
    active: true,
  },
  {
    digest: digest('b'),
    size: 500,
    total: undefined,
    reference: undefined,
    changed: new Date(NOW - 86_400_000 * 3),
    active: false,
  },
];

const partialDownloads: EngineApi['partialDownloads'] = async () => DOWNLOADS;

async function list(...argv: string[]): Promise<string> {
  const context = fakeContext({ partialDownloads });
  expect(await pullsCommand.execute({ path: 'mydocker pulls', argv }, context)).toBe(0);
  return context.out();
}

describe('pulls', () => {
  it('shows a table', async () => {
    expect(await list()).toBe(
      'DIGEST         IMAGE           SIZE / TOTAL    PERCENT   AGE             STATE\n' +
        'aaaaaaaaaaaa   alpine:latest   29.9MB / 30MB   99%       3 minutes ago   active\n' +
        'bbbbbbbbbbbb   <none>          500B / N/A      N/A       3 days ago      partial\n',
    );
  });

  it.each([
    [['-q'], 'aaaaaaaaaaaa\nbbbbbbbbbbbb\n'],
    [['-q', '--no-trunc'], `${digest('a')}\n${digest('b')}\n`],
    [['--format', '{{.Digest}} {{.Percent}} {{.State}}'], 'aaaaaaaaaaaa 99% active\nbbbbbbbbbbbb N/A partial\n'],
    [['--format', 'table {{.Image}}'], 'IMAGE\nalpine:latest\n<none>\n'],
  ])('with %j', async (argv, out) => {
    expect(await list(...argv)).toBe(out);
  });

  it('prints JSON, a line for each', async () => {
    const lines = (await list('--format', 'json')).trimEnd().split('\n');
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      Age: '3 minutes ago',
      Digest: 'aaaaaaaaaaaa',
      Image: 'alpine:latest',
      Percent: '99%',
      Size: '29.9MB',
      State: 'active',
      Total: '30MB',
    });
    expect(lines).toHaveLength(2);
  });

  it.each([[['pulls']], [['pulls', '-q']], [['pulls', 'ls']]])('is what %j leads to', async (argv) => {
    const context = fakeContext({ partialDownloads });
    expect(await main(argv, context)).toBe(0);
    expect(context.out()).toContain('aaaaaaaaaaaa');
  });

  it('shows its commands with --help', async () => {
    const context = fakeContext();
    expect(await main(['pulls', '--help'], context)).toBe(0);
    expect(context.out()).toContain('Commands:\n  ls  List partial downloads\n  rm  Remove partial downloads\n');
  });
});

describe('pulls rm', () => {
  const removePartialDownload: EngineApi['removePartialDownload'] = async (text) => {
    if (text === 'nope') throw new ToolError('ERR_NO_SUCH_DOWNLOAD', 'No such partial download: nope');
    if (text === 'busy') throw new ToolError('ERR_CONFLICT', 'a pull is at it');
    return [{ digest: digest('b'), size: 500 }];
  };

  async function remove(...argv: string[]): Promise<[number, string, string]> {
    const context = fakeContext({ partialDownloads, removePartialDownload });
    const code = await pullsRmCommand.execute({ path: 'mydocker pulls rm', argv }, context);
    return [code, context.out(), context.err()];
  }

  const REMOVED = `${digest('b')}\n`;

  it.each([
    ['removes one', ['bbbb'], [0, `${REMOVED}Total reclaimed space: 500B\n`, '']],
    [
      'goes on after an error',
      ['nope', 'bbbb', 'busy'],
      [1, `${REMOVED}Total reclaimed space: 500B\n`, 'Error: No such partial download: nope\nError: a pull is at it\n'],
    ],
    ['removes all but those that are active', ['--all'], [0, `${REMOVED}Total reclaimed space: 500B\n`, '']],
  ])('%s', async (_, argv, expected) => {
    expect(await remove(...argv)).toEqual(expected);
  });

  it('of all passes over what a pull has taken up since', async () => {
    const context = fakeContext({
      partialDownloads,
      removePartialDownload: async () => {
        throw new ToolError('ERR_CONFLICT', 'a pull is at it');
      },
    });
    expect(await pullsRmCommand.execute({ path: 'mydocker pulls rm', argv: ['-a'] }, context)).toBe(0);
    expect([context.out(), context.err()]).toEqual(['Total reclaimed space: 0B\n', '']);
  });

  it.each([
    [[], "mydocker: 'mydocker pulls rm' requires at least 1 argument, or --all"],
    [['--all', 'x'], 'mydocker: --all takes no arguments'],
  ])('refuses %j', async (argv, message) => {
    await expect(remove(...argv)).rejects.toThrow(message);
  });
});
