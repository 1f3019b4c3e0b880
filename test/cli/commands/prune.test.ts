import { describe, expect, it, vi } from 'vitest';
import { containerPruneCommand } from '../../../src/cli/commands/container-prune.ts';
import { pruneCommand } from '../../../src/cli/commands/prune.ts';
import { systemPruneCommand } from '../../../src/cli/commands/system-prune.ts';
import type { CliCommand } from '../../../src/cli/command-spec.ts';
import type { EngineApi } from '../../../src/cli/engine-api.ts';
import { NOW, fakeContext } from '../support/fake-context.ts';
import { digest } from '../support/images.ts';

const pruneImages = vi.fn<EngineApi['pruneImages']>(async () => ({
  removed: [
    { kind: 'untagged', reference: 'alpine:3.19' },
    { kind: 'deleted', digest: digest('a') },
    { kind: 'deleted', digest: digest('b') },
  ],
  reclaimedBytes: 1_234_567_890,
}));
const pruneContainers = vi.fn<EngineApi['pruneContainers']>(async () => ({
  removed: ['c'.repeat(64)],
  reclaimedBytes: 212,
}));

interface Call {
  answer?: string;
  engine?: Partial<EngineApi>;
}

async function run(command: CliCommand, argv: string[], { answer, engine }: Call = {}): Promise<[number, string]> {
  pruneImages.mockClear();
  pruneContainers.mockClear();
  const readLine = async (): Promise<string> => {
    if (answer === undefined) throw new Error('nobody was to be asked');
    return answer;
  };
  const context = fakeContext({ pruneImages, pruneContainers, ...engine }, { readLine });
  const code = await command.execute({ path: 'mydocker prune', argv }, context);
  return [code, context.out() + context.err()];
}

const IMAGES = `Deleted Images:\nuntagged: alpine:3.19\ndeleted: ${digest('a')}\ndeleted: ${digest('b')}\n\n`;
const DANGLING = 'WARNING! This will remove all dangling images.\nAre you sure you want to continue? [y/N] ';
const ALL =
  'WARNING! This will remove all images without at least one container associated to them.\nAre you sure you want to continue? [y/N] ';

describe('prune', () => {
  it('asks in docker’s words, and prints docker’s list', async () => {
    expect(await run(pruneCommand, [], { answer: 'y' })).toEqual([
      0,
      `${DANGLING}${IMAGES}Total reclaimed space: 1.235GB\n`,
    ]);
    expect(pruneImages.mock.calls[0]?.[0]).toMatchObject({ criteria: { all: false }, dryRun: false });
  });

  it.each([
    [[], DANGLING],
    [['-a'], ALL],
    [['--unused-for', '14d'], ALL.replace('associated to them.', 'associated to them that were not used for 2 weeks.')],
    [
      ['--keep-storage=10GB'],
      ALL.replace('all images', 'the least recently used images').replace(
        'to them.',
        'to them, until the rest takes at most 10GB.',
      ),
    ],
  ])('warns of what %j does, and does nothing unless the answer is y', async (argv, warning) => {
    for (const answer of ['', 'n', 'yes', 'no', 'yy']) {
      expect(await run(pruneCommand, argv, { answer })).toEqual([0, warning]);
      expect(pruneImages).not.toHaveBeenCalled();
    }
    for (const answer of ['y', 'Y', ' y ']) {
      await run(pruneCommand, argv, { answer });
      expect(pruneImages).toHaveBeenCalledOnce();
    }
  });

  it('asks nobody with -f', async () => {
    expect(await run(pruneCommand, ['-f'])).toEqual([0, `${IMAGES}Total reclaimed space: 1.235GB\n`]);
  });

  it('asks nobody with --dry-run, and says that it would', async () => {
    const expected = `${IMAGES.replace('Deleted Images:', 'Would delete:')}Total reclaimable space: 1.235GB\n`;
    expect(await run(pruneCommand, ['--dry-run', '-a'])).toEqual([0, expected]);
    expect(pruneImages.mock.calls[0]?.[0]).toMatchObject({ criteria: { all: true }, dryRun: true });
  });

  it('prints the total alone where there is nothing to remove', async () => {
    const engine = { pruneImages: async () => ({ removed: [], reclaimedBytes: 0 }) };
    expect(await run(pruneCommand, ['-f'], { engine })).toEqual([0, 'Total reclaimed space: 0B\n']);
  });

  it.each([
    [['--filter', 'until=24h'], { all: false, until: new Date(NOW - 24 * 3_600_000) }],
    [['--filter', 'until=2024-01-01T00:00:00Z'], { until: new Date('2024-01-01T00:00:00Z') }],
    [['--filter', 'label=a', '--filter', 'label=b=c'], { labels: ['a', 'b=c'], withoutLabels: undefined }],
    [['--filter', 'label!=a=b'], { labels: undefined, withoutLabels: ['a=b'] }],
    [['--filter', 'dangling=true'], { all: false }],
    [['--filter', 'dangling=false'], { all: true }],
    [['--unused-for', '1w2d'], { all: false, unusedFor: 9 * 24 * 3_600_000 }],
    [['--unused-for', '1h30m'], { unusedFor: 90 * 60_000 }],
    [['--keep-storage', '1.5GiB'], { keepStorage: 1.5 * 1024 ** 3 }],
  ])('%j', async (argv, criteria) => {
    await run(pruneCommand, ['-f', ...argv]);
    expect(pruneImages.mock.calls[0]?.[0].criteria).toMatchObject(criteria);
  });

  it.each([
    [['--filter', 'color=red'], "Error: invalid filter 'color' (known: dangling, label, label!, until)"],
    [['--filter', 'until=junk'], 'Error: failed to parse value as time or duration: "junk"'],
    [['--filter', 'until=1h', '--filter', 'until=2h'], 'Error: more than one until filter specified'],
    [['--filter', 'dangling=maybe'], "Error: invalid filter 'dangling=[maybe]'"],
    [['-a', '--filter', 'dangling=true'], "Error: invalid filter 'dangling=[false true]'"],
    [['--filter', 'x'], 'invalid argument "x" for "--filter" flag: bad format of filter (expected name=value)'],
    [['--unused-for', '14'], 'invalid argument "14" for "--unused-for" flag: time: invalid duration "14"'],
    [['--unused-for', '-1d'], 'invalid argument "-1d" for "--unused-for" flag: time: invalid duration "-1d"'],
    [['--unused-for', '3y'], 'time: invalid duration "3y"'],
    [['--keep-storage', 'much'], 'invalid argument "much" for "--keep-storage" flag: invalid size: \'much\''],
    [['alpine'], "mydocker: 'mydocker prune' accepts no arguments"],
  ])('refuses %j before it asks', async (argv, message) => {
    await expect(run(pruneCommand, argv)).rejects.toThrow(message);
    expect(pruneImages).not.toHaveBeenCalled();
  });

  it('stops at Ctrl-C while it asks, on a line of its own, with exit code 130', async () => {
    const context = fakeContext(
      { pruneImages },
      {
        readLine: async (signal) => {
          context.signals.emit('SIGINT', 'SIGINT', 2);
          signal.throwIfAborted();
          return 'y';
        },
      },
    );
    expect(await pruneCommand.execute({ path: 'mydocker prune', argv: [] }, context)).toBe(130);
    expect(context.out()).toBe(`${DANGLING}\n`);
  });
});

describe('container prune', () => {
  const WARNING = 'WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] ';

  it('asks and prints in docker’s words', async () => {
    const list = `Deleted Containers:\n${'c'.repeat(64)}\n\nTotal reclaimed space: 212B\n`;
    expect(await run(containerPruneCommand, [], { answer: 'Y' })).toEqual([0, WARNING + list]);
    expect(await run(containerPruneCommand, ['--force'])).toEqual([0, list]);
  });

  it('does nothing without a yes', async () => {
    expect(await run(containerPruneCommand, [], { answer: '' })).toEqual([0, WARNING]);
    expect(pruneContainers).not.toHaveBeenCalled();
  });

  it('passes filters on, and knows no dangling containers', async () => {
    await run(containerPruneCommand, ['-f', '--filter', 'until=1h', '--filter', 'label=a']);
    expect(pruneContainers.mock.calls[0]?.[0].criteria).toMatchObject({
      until: new Date(NOW - 3_600_000),
      labels: ['a'],
    });
    await expect(run(containerPruneCommand, ['-f', '--filter', 'dangling=true'])).rejects.toThrow('invalid filter');
  });
});

describe('system prune', () => {
  it('warns of all that it removes, with its filters', async () => {
    const [, text] = await run(systemPruneCommand, ['--filter', 'until=24h', '--filter', 'label=a\u001b'], {
      answer: 'n',
    });
    expect(text).toBe(
      'WARNING! This will remove:\n  - all stopped containers\n  - all dangling images\n  - all partial downloads\n\n' +
        '  Items to be pruned will be filtered with:\n  - label=a\\x1b\n  - until=24h\n\n' +
        'Are you sure you want to continue? [y/N] ',
    );
    expect((await run(systemPruneCommand, ['-a'], { answer: 'n' }))[1]).toBe(
      'WARNING! This will remove:\n  - all stopped containers\n' +
        '  - all images without at least one container associated to them\n  - all partial downloads\n\n' +
        'Are you sure you want to continue? [y/N] ',
    );
    expect(pruneContainers).not.toHaveBeenCalled();
  });

  it('removes containers first, then images, and adds up what that has freed', async () => {
    expect(await run(systemPruneCommand, ['-af'])).toEqual([
      0,
      `Deleted Containers:\n${'c'.repeat(64)}\n\n${IMAGES}Total reclaimed space: 1.235GB\n`,
    ]);
    expect(pruneContainers.mock.invocationCallOrder[0]).toBeLessThan(pruneImages.mock.invocationCallOrder[0] ?? 0);
    expect(pruneImages.mock.calls[0]?.[0]).toMatchObject({ criteria: { all: true }, dryRun: false });
  });
});
