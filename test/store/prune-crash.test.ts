import { afterAll, describe, expect, it } from 'vitest';

import type { Store } from '../../src/store/open-store.ts';
import { buildChildProgram } from '../fs/child-program.ts';
import { listTree, openTestStore, wrongBlobs } from './open-test-store.ts';
import { SHARED, add, isComplete, pruneAll, pullShared } from './operations.ts';
import { testBlob, type TestImage } from './test-image.ts';

// `once`: one prune. `sweep`: a prune with its first call failing, then its second and so on, each in a store of its own.
const program = await buildChildProgram(`
  import { openStore } from './src/store/open-store.ts';
  import { pruneAll, pullShared } from './test/store/operations.ts';
  import { failCall } from './test/fs/fault.ts';
  const [mode, root, errno] = process.argv.slice(2);
  const open = async (path) => openStore(path, { ownership: { kind: 'root' } });
  if (mode === 'once') await pruneAll(await open(root));
  for (let call = 1; mode === 'sweep'; call++) {
    const store = await open(root + '/' + call);
    await pullShared(store);
    const reached = failCall('*', call, errno);
    const outcome = await pruneAll(store).then(() => 'succeeds', ({ code, message }) => code + ' ' + message);
    if (!reached()) break;
    failCall('', 0, '');
    await pruneAll(store);
    console.log(call, outcome, (await store.images.list()).length);
  }
`);
afterAll(async () => program.remove());

describe('a prune that takes names', () => {
  it('I6 of S04 killed at any call leaves each image whole or gone, and the next one ends the work', async () => {
    const undisturbed = await filled();
    await pruneAll(undisturbed.store);
    let calls = 0;
    for (let killed = true; killed;) {
      calls += 1;
      const { store, kept } = await filled();
      const { signal, stderr } = await program.run({ args: ['once', store.root], fault: `*:${calls}:kill` });
      expect(stderr).toBe('');
      killed = signal !== null;
      const names = (await store.images.list()).map(({ name }) => name);
      expect(names).toContain(kept.record.name);
      expect(isComplete(store, kept)).toBe(true);
      if (names.includes(SHARED.record.name)) expect(isComplete(store, SHARED)).toBe(true);
      await pruneAll(store);
      expect(wrongBlobs(store.root)).toEqual([]);
      expect((await store.images.list()).map(({ name }) => name)).toEqual([kept.record.name]);
      expect(listTree(store.root)).toEqual(listTree(undisturbed.store.root));
    }
    expect(calls).toBeGreaterThan(10);
  }, 120_000);

  it.each([
    ['ENOSPC', 'ERR_NO_SPACE'],
    ['EIO', 'ERR_STORE'],
  ])(
    'S05 when any call fails with %s, it succeeds or throws %s with a path, and the next one works',
    async (errno, code) => {
      const { root } = await openTestStore();
      const { stdout, stderr } = await program.run({ args: ['sweep', root, errno], fault: '' });
      expect(stderr).toBe('');
      const allowed = new RegExp(`^\\d+ (succeeds|${code} Cannot \\w+( \\w+)? "${root}/.+": .+) 0$`);
      const outcomes = stdout.trim().split('\n');
      expect(outcomes.filter((line) => !allowed.test(line))).toEqual([]);
      expect(outcomes.length).toBeGreaterThan(10);
    },
    60_000,
  );
});

/** A store with an image that `pruneAll` takes, and one that it keeps. */
async function filled(): Promise<{ store: Store; kept: TestImage }> {
  const store = await openTestStore();
  const kept = await add(store, 'kept:1', [testBlob('kept')]);
  await pullShared(store);
  return { store, kept };
}
