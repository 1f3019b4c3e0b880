import fs from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { once } from 'node:events';

import { afterAll, describe, expect, it } from 'vitest';

import { lockFile } from '../../src/fs/kernel-lock.ts';
import { createLease, readLeases } from '../../src/store/leases.ts';
import { buildChildProgram } from '../fs/child-program.ts';
import { openTestStore } from './open-test-store.ts';
import { testBlob } from './test-image.ts';

const program = await buildChildProgram(`
  import { openStore } from './src/store/open-store.ts';
  import { createLease } from './src/store/leases.ts';
  const [root, digest] = process.argv.slice(2);
  const lease = await createLease(await openStore(root, { ownership: { kind: 'root' } }));
  await lease.add(digest);
  console.log('leased');
  await new Promise((resolve) => process.stdin.once('end', resolve).resume());
`);
// Its disk takes nothing any more, from the writing of the digest on: call 1 opens the lock of garbage collection.
const full = await buildChildProgram(`
  import { openStore } from './src/store/open-store.ts';
  import { createLease } from './src/store/leases.ts';
  import { failCall } from './test/fs/fault.ts';
  const [root, digest] = process.argv.slice(2);
  const lease = await createLease(await openStore(root, { ownership: { kind: 'root' } }));
  failCall('*', 2, 'EDQUOT+');
  await lease.add(digest).catch(({ code, message }) => console.log(code, message));
`);
afterAll(async () => Promise.all([program.remove(), full.remove()]));

const [A, B, C] = [testBlob(), testBlob(), testBlob('c', undefined, 'sha512')].map(
  ({ descriptor }) => descriptor.digest,
);

describe('createLease()', () => {
  it('holds what was added until it is released', async () => {
    const store = await openTestStore();
    const [one, two] = [await createLease(store), await createLease(store)];
    await one.add(A!);
    await one.add(B!, C!);
    await two.add(A!);
    expect(readLeases(store.paths)).toEqual(new Set([A, B, C]));
    await one.release();
    await one.release();
    expect(readLeases(store.paths)).toEqual(new Set([A]));
    await two.release();
    expect(readLeases(store.paths)).toEqual(new Set());
    expect(fs.readdirSync(store.paths.leases)).toEqual([]);
  });

  it('S05 says what could not be written, also when it cannot be taken back', async () => {
    const store = await openTestStore();
    const { stdout, stderr } = await full.run({ args: [store.root, A!], fault: '' });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^ERR_NO_SPACE Cannot write "\/.*\/leases\/[0-9a-f]+": the disk quota is used up\n$/);
    expect(readLeases(store.paths)).toEqual(new Set());
  });

  it('I7 ends with its process, and the file is removed by the next reader', async () => {
    const store = await openTestStore();
    const child = program.start({ args: [store.root, A!] });
    for await (const line of createInterface(child.stdout)) if (line === 'leased') break;
    expect(readLeases(store.paths)).toEqual(new Set([A]));
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(readLeases(store.paths)).toEqual(new Set());
    expect(fs.readdirSync(store.paths.leases)).toEqual([]);
  });

  it('add() waits while garbage is being collected', async () => {
    const store = await openTestStore();
    const lease = await createLease(store);
    const collecting = await lockFile(store.paths.gcLock, 'exclusive');
    let added = false;
    const adding = lease.add(A!).then(() => (added = true));
    const other = createLease(store, { signal: AbortSignal.timeout(30) });
    await expect((await other).add(B!)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(added).toBe(false);
    collecting.release();
    await adding;
    expect(readLeases(store.paths)).toEqual(new Set([A]));
    await lease.release();
  });

  it.each(['half a line', `${A}\n${B?.slice(0, 20)}`, `${A}\nsomething else\n`])(
    'readLeases() refuses with ERR_STORE_DAMAGED a held lease that holds %j',
    async (text) => {
      const store = await openTestStore();
      const path = join(store.paths.leases, 'held');
      const lock = await lockFile(path, 'exclusive');
      fs.writeFileSync(path, text);
      expect(() => readLeases(store.paths)).toThrow(expect.objectContaining({ code: 'ERR_STORE_DAMAGED' }));
      lock.release();
      expect(readLeases(store.paths)).toEqual(new Set());
    },
  );
});
