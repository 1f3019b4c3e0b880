import { execFileSync } from 'node:child_process';
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { longTimeout, rounds } from '../../support/soak.ts';
import { wrongBlobs } from '../../store/open-test-store.ts';
import type { CliHome } from '../support/cli-home.ts';
import { startFaultRegistry, type FaultRegistry } from './fault-registry.ts';
import { FAULT_NEEDS } from './faulty-run.ts';
import { succeed } from './operations.ts';
import { brokenPromises } from './store-state.ts';
import { openHome } from './sweep.ts';

const PAGE = 4096; // bytes
const NO_SPACE =
  /^Error: Cannot [^\n]+: (no space is left on the file system|[^\n]+ of the free space|it needs about [^\n]+ is free on [^\n]+)\n/;

let images: FaultRegistry;

describe('a store on a file system that is too small', requires(...FAULT_NEEDS), () => {
  beforeAll(async () => void (images = await startFaultRegistry()));
  afterAll(async () => images.close());

  it.each([
    { what: 'bytes', option: 'size', unit: PAGE },
    { what: 'inodes', option: 'nr_inodes', unit: 1 },
  ])(
    'S07 I8 by $what, from one to half an image: the pull fails cleanly, and works after another image was removed',
    async ({ option, unit }) => {
      const full = await use(option);
      const shortages = rounds(3, 40);
      for (let at = 0; at < shortages; at += 1) {
        const missing = 1 + Math.floor((at * (full.last / 2 - 1)) / (shortages - 1));
        await pullShort(`${option}=${(full.all - missing) * unit}`);
      }
    },
    longTimeout(300_000),
  );

  it.each([
    ['rmi', ({ v1 }: FaultRegistry) => ['rmi', v1]],
    ['rmi of all', ({ v1, big }: FaultRegistry) => ['rmi', v1, big]],
  ])('I8 F4 %s works when nothing at all is free, and gives the space back', async (_, args) => {
    const home = openSmallHome('size=32M');
    await succeed(home, ['pull', '-q', images.big]);
    await succeed(home, ['pull', '-q', images.v1]);
    const free = freeBytes(home);
    fill(home);
    const failed = await home.mydocker(['pull', '-q', images.v2]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(NO_SPACE);
    expect(wrongBlobs(home.store)).toEqual([]);
    expect(await home.mydocker(args(images))).toMatchObject({ code: 0, stderr: '' });
    expect(freeBytes(home)).toBeGreaterThan(500_000);
    expect(free).toBeGreaterThan(0);
    expect(await home.mydocker(['images', '-q'])).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a store on a read-only file system', requires(...FAULT_NEEDS), () => {
  it('S08 lists, and says of everything else what it cannot do and why', async () => {
    images = await startFaultRegistry();
    onTestFinished(async () => images.close());
    const home = openHome();
    await succeed(home, ['pull', '-q', images.v1]);
    await succeed(home, ['run', '--rm', images.v1, 'true']);
    mount(home, ['--bind', home.store, home.store]);
    execFileSync('mount', ['-o', 'remount,bind,ro', home.store]);
    const listed = await home.mydocker(['images', '-q']);
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    expect(listed.stdout).not.toBe('');
    expect(await home.mydocker(['ps', '-a'])).toMatchObject({ code: 0, stderr: '' });
    for (const args of [
      ['pull', '-q', images.v2],
      ['run', '--rm', images.v1, 'true'],
      ['rmi', images.v1],
    ]) {
      const ended = await home.mydocker(args);
      expect(ended.code, args[0]).toBeGreaterThan(0);
      expect(ended.stderr, args[0]).toContain(home.store);
      expect(ended.stderr, args[0]).toContain('the file system is read-only');
    }
  });
});

/** How much of something `big` and `v1` take together, and how much of that is `v1`'s. */
async function use(option: string): Promise<{ all: number; last: number }> {
  const home = openSmallHome('size=64M,nr_inodes=10000');
  const used = (): number => {
    const { blocks, bfree, files, ffree } = statfsSync(home.store);
    return option === 'size' ? blocks - bfree : files - ffree;
  };
  await succeed(home, ['pull', '-q', images.big]);
  const first = used();
  await succeed(home, ['pull', '-q', images.v1]);
  const all = used();
  home.remove();
  return { all, last: all - first };
}

/** On a file system where `big` has room and `v1` beside it has not. */
async function pullShort(limit: string): Promise<void> {
  const home = openSmallHome(limit);
  await succeed(home, ['pull', '-q', images.big]);
  const failed = await home.mydocker(['pull', '-q', images.v1]);
  expect(failed, limit).toMatchObject({ code: 1, stdout: '' });
  expect(failed.stderr, limit).toMatch(NO_SPACE);
  expect(wrongBlobs(home.store), limit).toEqual([]);
  expect(brokenPromises(home.store, new Map()), limit).toEqual([]);
  expect((await succeed(home, ['images', '-q'])).trim().split('\n')).toHaveLength(1);
  await succeed(home, ['rmi', images.big]);
  await succeed(home, ['pull', '-q', images.v1]);
  await succeed(home, ['run', '--rm', images.v1, 'true']);
  home.remove();
}

function openSmallHome(options: string): CliHome {
  const home = openHome();
  mkdirSync(home.store, { mode: 0o700 });
  mount(home, ['-t', 'tmpfs', '-o', `mode=700,${options}`, 'small', home.store]);
  const remove = (): void => {
    unmount(home);
    home.remove();
  };
  return { ...home, remove };
}

/** Until the test is over at the latest. */
function mount(home: CliHome, args: string[]): void {
  execFileSync('mount', args);
  onTestFinished(() => unmount(home));
}

function unmount({ store }: CliHome): void {
  try {
    execFileSync('umount', [store], { stdio: 'ignore' });
  } catch {
    // it was unmounted before
  }
}

function freeBytes({ store }: CliHome): number {
  const { bfree, bsize } = statfsSync(store);
  return bfree * bsize;
}

function fill(home: CliHome): void {
  writeFileSync(join(home.store, 'filler'), Buffer.alloc(freeBytes(home)));
}
