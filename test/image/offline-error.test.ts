import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { run } from '../../src/container/run.ts';
import { pullImage } from '../../src/image/pull-image.ts';
import { pull } from '../../src/image/pull.ts';
import { findRunnableImage } from '../../src/image/runnable-image.ts';
import { tag } from '../../src/image/tag.ts';
import { startBench } from './bench.ts';
import type { Bench } from './bench.ts';

/** A store with `v1` of the bench, also under other names, and a registry that nobody asks again. */
async function startWithTags(...tags: string[]): Promise<Bench & { home: string; digest: string }> {
  const bench = await startBench();
  const { digest } = await pullImage(bench.engine, `${bench.name}:v1`);
  const home = bench.engine.store.root;
  for (const name of tags) await tag(`${bench.name}:v1`, name, { home });
  bench.registry.log.length = 0;
  return { ...bench, home, digest };
}

const HINT = 'To pull it, leave out --offline, and unset MYDOCKER_OFFLINE.';

describe('pull() in offline mode', () => {
  it('lists what is cached of that name, and of no other', async () => {
    const bench = await startWithTags(
      'alpine:latest',
      'alpine:3.19',
      'alpine2:1',
      'team/alpine:1',
      'ghcr.io/library/alpine:1',
    );
    await expect(pull('alpine:3.20', { home: bench.home, offline: true })).rejects.toMatchObject({
      code: 'ERR_OFFLINE',
      message:
        'Cannot pull "alpine:3.20": offline mode is on, and the store has of that name: alpine:3.19, alpine:latest',
      hint: HINT,
    });
    expect(bench.registry.log).toEqual([]);
  });

  it('lists ten at most', async () => {
    const bench = await startWithTags(...Array.from({ length: 12 }, (_, at) => `many:${10 + at}`));
    await expect(pull('many', { home: bench.home, offline: true })).rejects.toThrow(
      /^Cannot pull "many:latest": .* many:10, (many:\d\d, ){8}many:19 and 2 more$/,
    );
  });

  it.each([
    ['nope', 'Cannot pull "nope:latest": offline mode is on, and the store has no image of that name'],
    ['N', 'Cannot parse image reference "N": invalid reference format: repository name must be lowercase'],
  ])('says of %s what is wrong', async (name, message) => {
    await expect(pull(name, { home: (await startWithTags()).home, offline: true })).rejects.toThrow(message);
  });

  it('says that the image is there, and which', async () => {
    const bench = await startWithTags();
    await expect(pull(`${bench.name}:v1`, { home: bench.home, offline: true })).rejects.toMatchObject({
      code: 'ERR_OFFLINE',
      message: `Cannot pull "${bench.name}:v1": offline mode is on, and the store has that image already, with the digest ${bench.digest}`,
    });
  });

  it('says that it is there for another platform', async () => {
    const bench = await startWithTags();
    await expect(
      pull(`${bench.name}:v1`, { home: bench.home, offline: true, platform: 'linux/s390x' }),
    ).rejects.toThrow(/the store has it for linux\/\w+ only$/);
  });

  it('says that not all of it is there', async () => {
    const bench = await startWithTags();
    const image = await findRunnableImage(bench.engine, `${bench.name}:v1`);
    rmSync(image?.layerFolders[0] ?? '', { recursive: true });
    await expect(pull(`${bench.name}:v1`, { home: bench.home, offline: true })).rejects.toThrow(
      'what the store has of it is not complete',
    );
  });
});

describe('run() in offline mode', () => {
  it('fails for an image that is not there as a pull does', async () => {
    const bench = await startWithTags('alpine:3.19');
    await expect(run('alpine:3.20', [], { home: bench.home, offline: true })).rejects.toMatchObject({
      code: 'ERR_OFFLINE',
      message: 'Cannot pull "alpine:3.20": offline mode is on, and the store has of that name: alpine:3.19',
    });
  });

  it('fails where a pull is asked for each time', async () => {
    const bench = await startWithTags();
    const running = run(`${bench.name}:v1`, [], { home: bench.home, offline: true, pull: 'always' });
    await expect(running).rejects.toMatchObject({ code: 'ERR_OFFLINE' });
    expect(bench.registry.log).toEqual([]);
  });
});
