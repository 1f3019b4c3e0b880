import fs from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { tryFileLock } from '../../src/fs/kernel-lock.ts';
import { digestHex } from '../../src/oci/digest.ts';
import { collectGarbage } from '../../src/store/collect-garbage.ts';
import { holdContent } from '../../src/store/hold-content.ts';
import type { Store } from '../../src/store/open-store.ts';
import { openTestStore } from './open-test-store.ts';
import { listBlobs, putAll, testImage, type TestImage } from './test-image.ts';

const read = async (): Promise<string> => 'read';
const roots = async (): Promise<{ manifests: []; layers: [] }> => ({ manifests: [], layers: [] });

/** A store with an image that nobody needs, layers and all. */
async function openUnnamed(): Promise<{ store: Store; image: TestImage }> {
  const store = await openTestStore();
  const image = testImage('a:1');
  await putAll(store.blobs, image.blobs);
  for (const chainId of image.chain)
    fs.mkdirSync(join(store.paths.layers, digestHex(chainId), 'fs'), { recursive: true });
  return { store, image };
}

describe('holdContent()', () => {
  it('I4 keeps all blobs and layers from garbage collection until it is released', async () => {
    const { store, image } = await openUnnamed();
    const held = await holdContent(store, { read, needsLease: true });
    expect({ ...held, blobs: held.blobs.toSorted() }).toMatchObject({
      value: 'read',
      blobs: image.blobs.map(({ descriptor }) => descriptor.digest).toSorted(),
    });
    expect(held.layers.toSorted()).toEqual(image.chain.toSorted());
    await collectGarbage(store, { roots });
    expect(listBlobs(store.blobs)).toEqual(held.blobs.toSorted());
    expect(fs.readdirSync(store.paths.layers)).toHaveLength(image.chain.length);
    await held.release();
    await collectGarbage(store, { roots });
    expect(listBlobs(store.blobs)).toEqual([]);
    expect(fs.readdirSync(store.paths.layers)).toEqual([]);
  });

  it('makes garbage collection wait where no lease can be written, unless one is needed', async () => {
    const { store } = await openUnnamed();
    fs.rmdirSync(store.paths.leases);
    await expect(holdContent(store, { read, needsLease: true })).rejects.toMatchObject({ code: 'ERR_STORE' });
    expect(isFree(store)).toBe(true);
    const held = await holdContent(store, { read, needsLease: false });
    expect(isFree(store)).toBe(false);
    await held.release();
    expect(isFree(store)).toBe(true);
  });

  it('holds nothing after an error', async () => {
    const { store } = await openUnnamed();
    const fail = async (): Promise<never> => {
      throw new Error('no');
    };
    await expect(holdContent(store, { read: fail, needsLease: false })).rejects.toThrow('no');
    expect(isFree(store)).toBe(true);
    expect(fs.readdirSync(store.paths.leases)).toEqual([]);
  });
});

/** Whether a garbage collection could begin. */
function isFree({ paths }: Store): boolean {
  const lock = tryFileLock(paths.gcLock, 'exclusive');
  lock?.release();
  return lock !== undefined;
}
