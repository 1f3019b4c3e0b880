import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { BlobStore } from '../../src/store/blob-store.ts';
import type { ImageRecord, ImageStore } from '../../src/store/image-store.ts';
import { putAll, testImage, type TestImage } from '../store/test-image.ts';

export interface Stores {
  images: ImageStore;
  blobs: BlobStore;
}

/** What every ImageStore has to do. `open` answers an empty one, with the blob store beside it, that goes away with the test. */
export function describeImageStore(name: string, open: () => Promise<Stores>): void {
  describe(name, () => {
    it('get() answers undefined, list() nothing and delete() false for what was never set', async () => {
      const { images } = await open();
      expect(await images.get('docker.io/library/alpine:latest')).toBeUndefined();
      expect(await images.list()).toEqual([]);
      expect(await images.delete('docker.io/library/alpine:latest')).toBe(false);
    });

    it('get() and list() answer what set() was given', async () => {
      const stores = await open();
      const image = await stored(stores, 'alpine:latest');
      const record: ImageRecord = {
        ...image.record,
        target: { ...image.record.target, artifactType: 'a/b', annotations: { 'org.example': 'kept' } },
        platform: { os: 'linux', architecture: 'arm64', variant: 'v8', osVersion: '10' },
      };
      await stores.images.set(record);
      expect(await stores.images.get(image.record.name)).toEqual(record);
      expect(await stores.images.list()).toEqual([record]);
    });

    it('takes names apart that differ in anything', async () => {
      const stores = await open();
      const image = await stored(stores, 'a:1');
      const names = ['a:1', 'a:2', 'A:1', 'a', 'a:1 ', '__proto__', 'constructor', 'toString', 'a@sha256:1'];
      for (const name of names) await stores.images.set({ ...image.record, name });
      expect((await stores.images.list()).map(({ name }) => name)).toEqual(names);
      for (const name of names) expect((await stores.images.get(name))?.name).toBe(name);
    });

    it('set() changes what a name stands for, in its place', async () => {
      const stores = await open();
      const [one, two, other] = [await stored(stores, 'a:1'), await stored(stores, 'a:1'), await stored(stores, 'b:1')];
      for (const { record } of [one, other, { record: { ...one.record, name: 'again' } }])
        await stores.images.set(record);
      await stores.images.set(two.record);
      expect(await stores.images.get(one.record.name)).toEqual(two.record);
      expect((await stores.images.list()).map(({ name }) => name)).toEqual([
        one.record.name,
        other.record.name,
        'again',
      ]);
    });

    it('keeps an image that loses its last name by set() in the list, without a name', async () => {
      const stores = await open();
      const [one, two] = [await stored(stores, 'a:1'), await stored(stores, 'a:1')];
      await stores.images.set(one.record);
      await stores.images.set(two.record);
      expect(await stores.images.list()).toEqual([two.record, { ...one.record, name: undefined }]);
      await stores.images.set(one.record);
      expect(await stores.images.list()).toEqual([one.record, { ...two.record, name: undefined }]);
      expect(await stores.images.deleteUnnamed(one.record.manifest)).toBe(false);
      expect(await stores.images.deleteUnnamed(two.record.manifest)).toBe(true);
      expect(await stores.images.list()).toEqual([one.record]);
    });

    it('deleteAll() takes names and entries without one in one step, unless they stand for another image by now', async () => {
      const stores = await open();
      const [one, two, other] = [await stored(stores, 'a:1'), await stored(stores, 'a:1'), await stored(stores, 'b:1')];
      for (const { record } of [one, two, other]) await stores.images.set(record);
      const unnamed = { ...one.record, name: undefined };
      expect(await stores.images.deleteAll([one.record, { ...other.record, name: undefined }])).toBe(false);
      expect(await stores.images.deleteAll([])).toBe(false);
      expect(await stores.images.list()).toHaveLength(3);
      expect(await stores.images.deleteAll([two.record, unnamed])).toBe(true);
      expect(await stores.images.list()).toEqual([other.record]);
    });

    it('I3 set() refuses with ERR_STORE_DAMAGED a name for content that is not there', async () => {
      const { images, blobs } = await open();
      const image = testImage('a:1');
      await expect(images.set(image.record)).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
      await putAll(blobs, image.blobs);
      const other = testImage('b:1');
      const half = { ...image.record, manifest: other.record.manifest };
      await expect(images.set(half)).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
      expect(await images.list()).toEqual([]);
    });

    it('protect() keeps a name from delete(), until it is taken back', async () => {
      const stores = await open();
      const { record } = await stored(stores, 'a:1');
      await stores.images.set(record);
      expect(await stores.images.protect(record, true)).toBe(true);
      expect(await stores.images.protect(record, true)).toBe(true);
      expect(await stores.images.get(record.name)).toEqual({ ...record, protected: true });
      await expect(stores.images.delete(record.name)).rejects.toMatchObject({ code: 'ERR_CONFLICT' });
      expect(await stores.images.protect(record, false)).toBe(true);
      expect(await stores.images.get(record.name)).toEqual(record);
      expect(await stores.images.delete(record.name)).toBe(true);
      expect(await stores.images.protect(record, true)).toBe(false);
    });

    it('protect() keeps an entry without a name too, and the name that it gets', async () => {
      const stores = await open();
      const { record } = await stored(stores, 'a:1');
      const unnamed = { ...record, name: undefined };
      await stores.images.set(unnamed);
      await stores.images.protect(unnamed, true);
      await expect(stores.images.deleteUnnamed(record.manifest)).rejects.toMatchObject({ code: 'ERR_CONFLICT' });
      await stores.images.set(record);
      expect(await stores.images.list()).toEqual([{ ...record, protected: true }]);
    });

    it('set() moves a protected name unless it is to be spared, and protects what it stands for then', async () => {
      const stores = await open();
      const [one, two] = [await stored(stores, 'a:1'), await stored(stores, 'a:1')];
      await stores.images.set(one.record);
      await stores.images.protect(one.record, true);
      const sparing = stores.images.set(two.record, { spareProtected: true });
      await expect(sparing).rejects.toMatchObject({ code: 'ERR_CONFLICT' });
      await stores.images.set(one.record, { spareProtected: true }); // to where it is
      expect(await stores.images.list()).toEqual([{ ...one.record, protected: true }]);
      await stores.images.set(two.record);
      expect(await stores.images.list()).toEqual([
        { ...two.record, protected: true },
        { ...one.record, name: undefined },
      ]);
    });

    it('set() protects nothing, whatever the record or the annotations of its target say', async () => {
      const stores = await open();
      const { record } = await stored(stores, 'a:1');
      const target = { ...record.target, annotations: { 'dev.mydocker.protected': 'true' } };
      await stores.images.set({ ...record, target, protected: true });
      expect(await stores.images.list()).toEqual([record]);
    });

    it('S13 delete() by several at once tells one of them that it was there', async () => {
      const stores = await open();
      const { record } = await stored(stores, 'a:1');
      await stores.images.set(record);
      const answers = await Promise.all(Array.from({ length: 6 }, async () => stores.images.delete(record.name)));
      expect(answers.filter(Boolean)).toHaveLength(1);
      expect(await stores.images.list()).toEqual([]);
    });

    it('S09 set() by many at once loses none', async () => {
      const stores = await open();
      const { record } = await stored(stores, 'a:1');
      const names = Array.from({ length: 16 }, (_, index) => `docker.io/library/a:${index}`);
      await Promise.all(names.map(async (name) => stores.images.set({ ...record, name })));
      const listed = (await stores.images.list()).map(({ name }) => name);
      expect(listed).toHaveLength(16);
      expect(new Set(listed)).toEqual(new Set(names));
    });

    it('set() and delete() end their waiting with ERR_ABORTED when the caller gives up', async () => {
      const stores = await open();
      const { record } = await stored(stores, 'a:1');
      const signal = AbortSignal.abort(new Error('enough'));
      await expect(stores.images.set(record, { signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
      await expect(stores.images.delete(record.name, { signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    });

    it('does what a map of names does, whatever the order of calls', async () => {
      const stores = await open();
      const all = [await stored(stores, 'x:1'), await stored(stores, 'y:1'), await stored(stores, 'z:1')];
      const name = fc.constantFrom('a', 'b', 'c', 'd');
      const step = fc.oneof(fc.record({ set: name, to: fc.nat({ max: all.length - 1 }) }), fc.record({ delete: name }));
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          const model = new Map<string, ImageRecord>();
          for (const record of await stores.images.list()) {
            if (record.name === undefined) await stores.images.deleteUnnamed(record.manifest);
            else await stores.images.delete(record.name);
          }
          for (const step of steps) {
            if ('set' in step) {
              const record = { ...all[step.to]!.record, name: step.set };
              model.set(step.set, record);
              await stores.images.set(record);
            } else expect(await stores.images.delete(step.delete)).toBe(model.delete(step.delete));
          }
          const named = (await stores.images.list()).filter(({ name }) => name !== undefined);
          expect(new Map(named.map((record) => [record.name, record]))).toEqual(model);
          expect(named).toHaveLength(model.size);
        }),
        { numRuns: 30 },
      );
    });
  });
}

async function stored({ blobs }: Stores, name: string): Promise<TestImage> {
  const image = testImage(name);
  await putAll(blobs, image.blobs);
  return image;
}
