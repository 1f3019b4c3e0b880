import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it, onTestFinished } from 'vitest';

import { sweepStore } from '../../../src/container/sweep-store.ts';
import { lockFile } from '../../../src/fs/kernel-lock.ts';
import { openEngine } from '../../../src/image/engine.ts';
import { requires } from '../../support/requirements.ts';
import { longTimeout, rounds } from '../../support/soak.ts';
import type { Tree } from '../../support/tree-listing.ts';
import { diffTrees } from '../../support/tree-listing.ts';
import { wrongBlobs } from '../../store/open-test-store.ts';
import type { CliHome, Ended } from '../support/cli-home.ts';
import { startFaultRegistry, type FaultRegistry } from './fault-registry.ts';
import { FAULT_NEEDS } from './faulty-run.ts';
import { collectGarbage, succeed } from './operations.ts';
import { brokenPromises, storeState } from './store-state.ts';
import { openHome } from './sweep.ts';

const NEVER_THERE = /No such image|removed meanwhile/;

describe('many commands at one store', requires(...FAULT_NEEDS), () => {
  it.each([
    ['one image', ({ v1 }: FaultRegistry) => [v1]],
    ['two images that share a layer', ({ v1, v2 }: FaultRegistry) => [v1, v2]],
  ])('S09 E3 16 pulls of %s all succeed, and each blob is downloaded once', async (_, names) => {
    const { home, images } = await open();
    const wanted = names(images);
    const held = images.hold(images.base);
    const pulls = Array.from({ length: 16 }, async (__, index) =>
      home.mydocker(['pull', '-q', wanted[index % wanted.length] ?? '']),
    );
    await held.asked;
    // All of them know by then what they want.
    await expect.poll(() => leasesInUse(home), { timeout: 60_000 }).toBe(pulls.length);
    await delay(1000); // for those that would not wait to ask, too
    held.send();
    for (const ended of await Promise.all(pulls)) expect(ended).toMatchObject({ code: 0, stderr: '' });
    const downloads = images.registry.log.filter(({ path }) => path.includes('/blobs/')).map(({ path }) => path);
    expect(downloads.toSorted()).toEqual([...new Set(downloads)].toSorted());
    const alone = openHome();
    for (const name of wanted) await succeed(alone, ['pull', '-q', name]);
    for (const each of [home, alone]) await collectGarbage(each, images);
    expect(
      diffTrees(storeState(alone.store), storeState(home.store)).filter((line) => !/index\.json/.test(line)),
    ).toEqual([]);
  });

  it(
    'S10 I5 pull against rmi and run: a name never stands for what is not there',
    async () => {
      const race = await open();
      const { home, images } = race;
      for (let round = 0; round < rounds(6, 200); round += 1) {
        const [pulled, removed, ran] = await watched(race, [
          home.mydocker(['pull', '-q', images.v1]),
          home.mydocker(['rmi', '-f', images.v1]),
          home.mydocker(['run', '--rm', '--pull', 'never', images.v1, 'cat', '/data/owned']),
        ]);
        expect(pulled).toMatchObject({ code: 0, stderr: '' });
        expect(removed?.code, removed?.stderr).toBe(0);
        expectOneOf(ran, /^owned$/, NEVER_THERE);
      }
    },
    longTimeout(300_000),
  );

  it(
    'S11 a pull against garbage collections: they take nothing that the pull is about to name',
    async () => {
      const race = await open();
      const { home, images } = race;
      for (let round = 0; round < rounds(6, 200); round += 1) {
        const held = images.hold(images.first);
        const pulling = home.mydocker(['pull', '-q', images.v1]);
        await held.asked; // what else there is of the image may be there by now, or come at any moment
        await Promise.all(collections(home, 2));
        held.send();
        const [pulled] = await watched(race, [pulling, ...collections(home, 3)]);
        expect(pulled).toMatchObject({ code: 0, stderr: '' });
        const ran = await home.mydocker(['run', '--rm', '--pull', 'never', images.v1, 'cat', '/data/owned']);
        expect(ran).toEqual({ code: 0, stdout: 'owned', stderr: '' });
        await succeed(home, ['rmi', images.v1]);
      }
    },
    longTimeout(300_000),
  );

  it(
    'S12 I4 a running container keeps what it uses, whatever is removed',
    async () => {
      const race = await open();
      const { home, images } = race;
      const script = 'echo ready; read line; cat /data/owned; cat /etc/passwd';
      for (let round = 0; round < rounds(3, 200); round += 1) {
        await succeed(home, ['pull', '-q', images.v1]);
        const running = home.start(['run', '--rm', '-i', images.v1, 'sh', '-c', script], { stdin: 'open' });
        await running.says('ready');
        const [refused] = await watched(race, [home.mydocker(['rmi', images.v1]), ...collections(home, 2)]);
        expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('is using') as string });
        const [removed] = await watched(race, [home.mydocker(['rmi', '-f', images.v1]), ...collections(home, 2)]);
        expect(removed?.code).toBe(0);
        await forgetUnnamed(home);
        await Promise.all(collections(home, 2));
        running.child.stdin?.end('go on\n');
        const stdout = 'ready\nownedroot:x:0:0:root:/root:/bin/sh\n';
        expect(await running.ended).toEqual({ code: 0, stdout, stderr: '' });
      }
    },
    longTimeout(300_000),
  );

  it(
    'S12 runs against garbage collections: all of them work',
    async () => {
      const race = await open();
      const { home, images } = race;
      await succeed(home, ['pull', '-q', images.v1]);
      for (let round = 0; round < rounds(3, 20); round += 1) {
        const runs = Array.from({ length: 5 }, async () =>
          home.mydocker(['run', '--rm', images.v1, 'cat', '/data/owned']),
        );
        const ended = await watched(race, [...runs, ...collections(home, 3)]);
        for (const one of ended.slice(0, 5)) expect(one).toEqual({ code: 0, stdout: 'owned', stderr: '' });
      }
      expect(await succeed(home, ['ps', '-a', '-q'])).toBe('');
    },
    longTimeout(300_000),
  );

  it(
    'S13 rmi against rmi: one removes it, to the others there is none; collections do not mind each other',
    async () => {
      const race = await open();
      const { home, images } = race;
      for (let round = 0; round < rounds(4, 200); round += 1) {
        await succeed(home, ['pull', '-q', images.v1]);
        const removals = [1, 2, 3].map(async () => home.mydocker(['rmi', images.v1]));
        const ended = (await watched(race, [...removals, ...collections(home, 2)])).slice(0, 3);
        for (const one of ended) expectOneOf(one, /./, NEVER_THERE);
        expect(ended.filter((one) => one?.code === 0).length).toBeGreaterThan(0);
        expect(await succeed(home, ['images', '-a', '-q'])).toBe('');
      }
    },
    longTimeout(300_000),
  );
});

interface Race {
  home: CliHome;
  images: FaultRegistry;
  /** The store with `v1` in it. */
  intact: Tree;
}

async function open(): Promise<Race> {
  const images = await startFaultRegistry();
  onTestFinished(async () => images.close());
  const model = openHome();
  await succeed(model, ['pull', '-q', images.v1]);
  images.registry.log.length = 0;
  return { home: openHome(), images, intact: storeState(model.store) };
}

/** Whether blobs, layers and names fit together is looked at all the time, while no collection is under way. */
async function watched({ home, intact }: Race, work: Promise<Ended | undefined>[]): Promise<(Ended | undefined)[]> {
  const state = { settled: false };
  const all = Promise.all(work).finally(() => (state.settled = true));
  for (let last = false; !last; last = state.settled) {
    const lock = existsSync(home.store) ? await lockFile(`${home.store}/gc.lock`, 'shared') : undefined;
    const broken = lock === undefined ? [] : brokenPromises(home.store, intact);
    lock?.release();
    expect(broken).toEqual([]);
    await new Promise(setImmediate);
  }
  const ended = await all;
  expect(wrongBlobs(home.store)).toEqual([]);
  expect(brokenPromises(home.store, intact)).toEqual([]);
  return ended;
}

/** Garbage collections side by side. */
function collections(home: CliHome, count: number): Promise<undefined>[] {
  return Array.from({ length: count }, async () => {
    await sweepStore(await openEngine({ home: home.store }), { keepPartialDownloads: true });
    return undefined;
  });
}

/** A running container's image stays in the list without a name. Without that entry, only the container needs it. */
async function forgetUnnamed(home: CliHome): Promise<void> {
  const { images } = (await openEngine({ home: home.store })).store;
  for (const { name, manifest } of await images.list()) if (name === undefined) await images.deleteUnnamed(manifest);
}

/** Of pulls that know what they want. */
function leasesInUse({ store }: CliHome): number {
  const leases = join(store, 'leases');
  return readdirSync(leases).filter((name) => statSync(join(leases, name)).size > 0).length;
}

function expectOneOf(ended: Ended | undefined, output: RegExp, refusal: RegExp): void {
  if (ended?.code === 0) expect(ended.stdout).toMatch(output);
  else expect(ended?.stderr).toMatch(refusal);
}
