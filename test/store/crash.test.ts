import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { dirname, join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { lockFile } from '../../src/fs/kernel-lock.ts';
import { digestHex } from '../../src/oci/digest.ts';
import type { Store } from '../../src/store/open-store.ts';
import { requires } from '../support/requirements.ts';
import { buildChildProgram } from '../fs/child-program.ts';
import { listTree, openTestStore, wrongBlobs } from './open-test-store.ts';
import { SHARED, isComplete, prune, pullShared, removeShared } from './operations.ts';
import { listBlobs } from './test-image.ts';

// `repeat`: an operation a number of times. `sweep`: it is repeated with its first call failing, then its second and so on.
const program = await buildChildProgram(`
  import { openStore } from './src/store/open-store.ts';
  import { prune, pullShared, removeShared } from './test/store/operations.ts';
  import { failCall } from './test/fs/fault.ts';
  const operations = { pull: pullShared, rmi: removeShared, prune };
  const [mode, operation, root, number] = process.argv.slice(2);
  const open = async (path) => openStore(path, { ownership: { kind: 'root' } });
  if (mode === 'repeat') {
    const store = await open(root);
    for (let round = 0; round < Number(number); round++) await operations[operation](store);
  } else if (mode === 'full') {
    const store = await open(root);
    await pullShared(store);
    await store.images.delete((await store.images.list())[0].name);
    failCall(operation, 1, 'ENOSPC+');
    const { blobs, layers } = await prune(store);
    console.log(blobs.length, layers.length);
  } else {
    for (let call = 1; ; call++) {
      const store = await open(root + '/' + call);
      if (operation === 'rmi') await pullShared(store);
      const reached = failCall('*', call, number);
      const outcome = await operations[operation](store).then(() => 'succeeds', ({ code, message }) => code + ' ' + message);
      if (!reached()) break;
      failCall('', 0, '');
      await operations[operation](store);
      console.log(call, outcome);
    }
  }
`);
afterAll(async () => program.remove());

describe('the store, with many at it', () => {
  it.each([
    ['S10 pull against rmi', ['pull', 'rmi', 'pull', 'rmi']],
    ['S11 pull against prune', ['pull', 'prune', 'prune', 'pull']],
    ['S13 prune against prune, rmi against rmi', ['prune', 'rmi', 'prune', 'rmi']],
  ])(
    '%s, 30 rounds each in four processes: no name without its content',
    async (_, operations) => {
      const store = await openTestStore();
      const state = { done: false };
      const results = Promise.all(
        operations.map(async (operation) => program.run({ args: ['repeat', operation, store.root, '30'] })),
      ).finally(() => (state.done = true));
      let looks = 0;
      while (!state.done) {
        const lock = await lockFile(store.paths.gcLock, 'shared');
        if ((await store.images.list()).length > 0) expect(isComplete(store, SHARED)).toBe(true);
        lock.release();
        looks += 1;
      }
      expect(looks).toBeGreaterThan(0);
      expect((await results).map(({ stdout, stderr }) => stdout + stderr)).toEqual(operations.map(() => ''));
      await expectWholeOrGone(store);
    },
    60_000,
  );
});

describe('the store, after a crash', () => {
  it.each([
    ['S01 a pull', 'pull'],
    ['S04 rmi', 'rmi'],
  ] as const)(
    'I6 of %s at any call: the image is whole or gone, and the next one works',
    async (_, operation) => {
      for (let call = 1; ; call++) {
        const store = await openTestStore();
        if (operation === 'rmi') await pullShared(store);
        const { signal, stderr } = await program.run({
          args: ['repeat', operation, store.root, '1'],
          fault: `*:${call}:kill`,
        });
        expect(stderr).toBe('');
        const [image] = await store.images.list();
        if (image !== undefined) expect(isComplete(store, SHARED)).toBe(true);
        await (operation === 'pull' ? pullShared : removeShared)(store);
        expect(await store.images.list()).toHaveLength(operation === 'pull' ? 1 : 0);
        await expectWholeOrGone(store);
        if (signal === null) break;
      }
    },
    300_000,
  );

  it(
    'I6 as an ordinary user removes a download that was killed when it was read-only already and had no name yet',
    requires('root'),
    async () => {
      const { root, paths } = await openTestStore();
      const hex = 'a'.repeat(64);
      for (const name of [hex, `${hex}.0123456789abcdef`]) {
        fs.writeFileSync(join(paths.ingest, name), 'content', { mode: 0o444 });
      }
      execFileSync('chown', ['-R', '65534', dirname(root)]);
      const args = ['repeat', 'prune', root, '1'];
      expect(await program.run({ args, uid: 65_534 })).toMatchObject({ code: 0, stderr: '' });
      expect(fs.readdirSync(paths.ingest)).toEqual([]);
    },
  );

  it('S01 of a pull that is given up for a prune: nothing is left', async () => {
    for (let call = 1; ; call += 3) {
      const store = await openTestStore();
      const args = ['repeat', 'pull', store.root, '1'];
      const { signal } = await program.run({ args, fault: `*:${call}:kill` });
      await expectWholeOrGone(store);
      if (signal === null) break;
    }
  }, 300_000);
});

describe('the store, on a failing disk', () => {
  it.each([
    ['pull', 'ENOSPC', 'ERR_NO_SPACE'],
    ['pull', 'EDQUOT', 'ERR_NO_SPACE'],
    ['pull', 'EIO', 'ERR_STORE'],
    ['pull', 'EMFILE', 'ERR_STORE'],
    ['rmi', 'ENOSPC', 'ERR_NO_SPACE'],
    ['rmi', 'EIO', 'ERR_STORE'],
  ])(
    'S05 when any call of a %s fails with %s, it succeeds or throws %s with a path, and the next one works',
    async (operation, errno, code) => {
      const { root } = await openTestStore();
      const { stdout, stderr } = await program.run({ args: ['sweep', operation, root, errno], fault: '' });
      expect(stderr).toBe('');
      const outcomes = stdout.trim().split('\n');
      expect(outcomes.length).toBeGreaterThan(10);
      const allowed = new RegExp(`^\\d+ (succeeds|${code} Cannot \\w+( \\w+)? "${root}/.+": .+)$`);
      expect(outcomes.filter((line) => !allowed.test(line))).toEqual([]);
      expect(outcomes.filter((line) => line.includes(code)).length).toBeGreaterThan(5);
    },
    60_000,
  );
});

describe('collectGarbage(), on a disk too full for a rename', () => {
  it.each(['mkdir', 'rename'])(
    'I8 deletes in place when %s fails, and of a layer first what makes it one',
    async (call) => {
      const { root } = await openTestStore();
      const { stdout, stderr } = await program.run({ args: ['full', call, root], fault: '', logCalls: true });
      expect(stdout).toBe(`${SHARED.blobs.length} ${SHARED.chain.length}\n`);
      expect(fs.readdirSync(join(root, 'blobs/sha256'))).toEqual([]);
      expect(fs.readdirSync(join(root, 'layers'))).toEqual([]);
      const calls = stderr.split('\n');
      for (const chainId of SHARED.chain) {
        const done = calls.indexOf(`rm ${join(root, 'layers', digestHex(chainId))}/done`);
        expect(done).toBeGreaterThan(0);
        expect(calls[done - 1]).not.toContain('/proc/'); // where files of a tree are removed
      }
    },
  );
});

async function expectWholeOrGone(store: Store): Promise<void> {
  expect(wrongBlobs(store.root)).toEqual([]);
  await prune(store);
  const isThere = (await store.images.list()).length > 0;
  expect(listBlobs(store.blobs)).toHaveLength(isThere ? SHARED.blobs.length : 0);
  expect(fs.readdirSync(store.paths.layers)).toHaveLength(isThere ? SHARED.chain.length : 0);
  for (const folder of ['ingest', 'leases', 'trash']) expect(listTree(join(store.root, folder))).toEqual([]);
  expect(fs.readdirSync(store.root).filter((name) => name.endsWith('.tmp'))).toEqual([]);
}
