import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { compare, type Contender } from '../../scripts/bench/compare.mjs';
import { pushBusybox, pushOfSize } from '../../scripts/bench/images.mjs';
import { makeLayer } from '../../scripts/bench/make-layer.mjs';
import { median, timeCommand } from '../../scripts/bench/measure.mjs';
import { pushImage } from '../../scripts/bench/push-image.mjs';
import { requires } from '../support/requirements.ts';
import { openCliHome, type CliHome } from './support/cli-home.ts';
import { TEST_BED_NEEDS, testBed } from './support/test-bed.ts';

/**
 * A guard against what makes the tool several times slower, on a machine that does something else besides: what is compared runs in turn,
 * and the limits are two to three times what docs/benchmarks.md has. How fast it is says `npm run bench`.
 */
describe('speed, by ratios', requires(...TEST_BED_NEEDS), () => {
  let home: CliHome;
  let busybox: string;

  beforeAll(async () => {
    home = openCliHome(undefined, '/dev/shm'); // a slow disk would be all that is measured
    busybox = `${testBed().registry}/library/busybox`;
    await timeCommand(mydocker('pull', '-q', busybox));
  });
  afterAll(() => home.remove());

  function mydocker(...args: string[]): { argv: string[]; env: Record<string, string> } {
    return { argv: [testBed().cli, ...args], env: { HOME: home.folder, MYDOCKER_HOME: home.store } };
  }

  const node = { name: 'node -e 0', command: () => ({ argv: [process.execPath, '-e', '0'] }) };

  it.each([
    ['run', 8, () => ['run', '--rm', busybox, 'true']],
    ['images', 5, () => ['images']],
    ['pull of what is up to date', 18, () => ['pull', '-q', busybox]],
  ])('a warm %s takes at most %i times as long as Node needs to start', async (_, limit, args) => {
    const measured = { name: 'mydocker', command: () => mydocker(...args()) };
    expect(await ratio(measured, node)).toBeLessThan(limit);
  });

  it('a cold pull takes at most four times as long as gzip and tar, one after the other', async () => {
    const layers = await Promise.all(
      ['a', 'b', 'c'].map(async (seed) => makeLayer({ seed, files: 400, size: 60_000 })),
    );
    const image = await pushImage(testBed().registry, 'speed/pull:latest', layers);
    const target = join(home.folder, 'unpacked');
    for (const [index, { archive }] of layers.entries()) writeFileSync(join(home.folder, `${index}.tar.gz`), archive);
    const script = 'for layer in "$0"/*.tar.gz; do gzip -dc "$layer" | tar -x -C "$1"; done';
    const tar = {
      name: 'gzip and tar',
      before: async () => {
        rmSync(target, { recursive: true, force: true });
        mkdirSync(target);
      },
      command: () => ({ argv: ['sh', '-c', script, home.folder, target] }),
    };
    const pull = {
      name: 'mydocker',
      before: async () => {
        await timeCommand(mydocker('rmi', '-f', image)).catch(() => undefined); // not there at first
      },
      command: () => mydocker('pull', '-q', image),
    };
    expect(await ratio(pull, tar)).toBeLessThan(4);
  });

  it.each([
    ['of a hundred layers', async () => pushBusybox(testBed(), 99)],
    ['of 150 MB', async () => pushOfSize(testBed(), 150_000_000)],
  ])('a start from an image %s takes at most three times as long as from a small one', async (_, push) => {
    const start = async (image: string): Promise<Contender> => {
      await timeCommand(mydocker('pull', '-q', image));
      return { name: image, command: () => mydocker('run', '--rm', image, '/bin/true') };
    };
    expect(await ratio(await start(await push()), await start(await pushBusybox(testBed())))).toBeLessThan(3);
  });
});

const RUNS = 7;

/** How many times as long the first takes as the second: of the medians. Not a number where one of them fails. */
async function ratio(one: Contender, other: Contender): Promise<number> {
  const results = await compare([one, other], { runs: RUNS, say: () => undefined });
  const [first = NaN, second = NaN] = results.map(({ seconds }) => median(seconds));
  return first / second;
}
