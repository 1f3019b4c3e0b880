import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { digestOf } from '../../src/oci/digest.ts';
import type { BlobStore } from '../../src/store/blob-store.ts';
import { listBlobs, testBlob } from '../store/test-image.ts';

/** What every BlobStore has to do. `open` answers an empty one that goes away with the test. */
export function describeBlobStore(name: string, open: () => Promise<BlobStore>): void {
  describe(`${name}: put()`, () => {
    it.each(['sha256', 'sha512'] as const)('stores bytes under their %s digest', async (algorithm) => {
      const store = await open();
      const { descriptor, bytes } = testBlob('content', undefined, algorithm);
      await store.put(descriptor, bytes);
      expect(Buffer.from(await store.read(descriptor, 100))).toEqual(bytes);
      expect(listBlobs(store)).toEqual([descriptor.digest]);
    });

    it('stores an empty blob', async () => {
      const store = await open();
      const { descriptor, bytes } = testBlob('');
      await store.put(descriptor, bytes);
      expect(await store.stat(descriptor.digest)).toEqual({ size: 0 });
      await store.put(descriptor, chunks());
      expect(await store.read(descriptor, 0)).toHaveLength(0);
    });

    it('stores a stream of chunks', async () => {
      const store = await open();
      const { descriptor, bytes } = testBlob('abcdef');
      await store.put(descriptor, chunks('ab', '', 'cdef'));
      expect(Buffer.from(await store.read(descriptor, 6))).toEqual(bytes);
    });

    it('takes what is stored already for success', async () => {
      const store = await open();
      const { descriptor, bytes } = testBlob();
      await store.put(descriptor, bytes);
      await store.put(descriptor, bytes);
      await store.put(descriptor, chunks('something else that nobody reads'));
      expect(Buffer.from(await store.read(descriptor, bytes.length))).toEqual(bytes);
    });

    it('S09 may be called by many at once', async () => {
      const store = await open();
      const { descriptor, bytes } = testBlob(randomBytes(100_000));
      await Promise.all([
        ...Array.from({ length: 8 }, async () => store.put(descriptor, bytes)),
        ...Array.from({ length: 8 }, async () => store.put(descriptor, slices(bytes, 1000))),
      ]);
      expect(Buffer.from(await store.read(descriptor, bytes.length))).toEqual(bytes);
      expect(listBlobs(store)).toEqual([descriptor.digest]);
    });

    it.each([
      ['other bytes of the same size', 'contend'],
      ['fewer bytes', 'conten'],
      ['no bytes', ''],
      ['more bytes', 'content!'],
    ])('A6 refuses %s with ERR_INTEGRITY, and stores nothing', async (_, text) => {
      const store = await open();
      const { descriptor } = testBlob('content');
      await expect(store.put(descriptor, Buffer.from(text))).rejects.toMatchObject({ code: 'ERR_INTEGRITY' });
      await expect(store.put(descriptor, chunks(text))).rejects.toMatchObject({ code: 'ERR_INTEGRITY' });
      expect(await store.stat(descriptor.digest)).toBeUndefined();
      expect(listBlobs(store)).toEqual([]);
    });

    it('says what was expected and what came', async () => {
      const store = await open();
      const { descriptor } = testBlob('content');
      const other = digestOf(Buffer.from('contend'));
      await expect(store.put(descriptor, chunks('contend'))).rejects.toMatchObject({
        expected: descriptor.digest,
        actual: other,
        message: `Cannot store "${descriptor.digest}": its content has the digest ${other}, ${descriptor.digest} was wanted`,
      });
      await expect(store.put(descriptor, chunks('short'))).rejects.toMatchObject({
        expected: '7 bytes',
        actual: '5 bytes',
        message: `Cannot store "${descriptor.digest}": it has 5 bytes, 7 bytes were wanted`,
      });
    });

    it('begins at the first byte, whatever an earlier ingest left', async () => {
      const store = await open();
      const { descriptor } = testBlob('content');
      const earlier = await store.ingest(descriptor);
      await earlier?.write(Buffer.from('con'));
      await earlier?.suspend();
      await store.put(descriptor, chunks('cont', 'ent'));
      expect(await store.has(descriptor)).toBe(true);
    });

    it('A15 stops reading at the first byte too many', async () => {
      const store = await open();
      const { descriptor } = testBlob('content');
      let given = 0;
      let closed = false;
      async function* endless(): AsyncGenerator<Uint8Array> {
        try {
          for (;;) yield Buffer.alloc((given += 4) > 0 ? 4 : 0);
        } finally {
          closed = true;
        }
      }
      await expect(store.put(descriptor, endless())).rejects.toMatchObject({ code: 'ERR_INTEGRITY' });
      expect(given).toBe(8);
      expect(closed).toBe(true);
    });

    it('throws on what the content throws, and stores nothing', async () => {
      const store = await open();
      const { descriptor } = testBlob('content');
      const failure = new Error('broken');
      async function* breaking(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('con');
        throw failure;
      }
      await expect(store.put(descriptor, breaking())).rejects.toBe(failure);
      expect(await store.stat(descriptor.digest)).toBeUndefined();
      await store.put(descriptor, chunks('content'));
    });

    it("does not believe a size that is not the content's, whatever the digest", async () => {
      const store = await open();
      const { descriptor, bytes } = testBlob('content');
      const lying = { ...descriptor, size: 6 };
      await expect(store.put(lying, bytes)).rejects.toMatchObject({ code: 'ERR_INTEGRITY' });
      await expect(store.put({ ...descriptor, size: 8 }, bytes)).rejects.toMatchObject({ code: 'ERR_INTEGRITY' });
    });
  });

  describe(`${name}: read(), stat(), has(), delete(), list()`, () => {
    it('read() refuses with ERR_LIMIT what the descriptor says is larger than wanted', async () => {
      const store = await open();
      const { descriptor, bytes } = testBlob('content');
      await store.put(descriptor, bytes);
      await expect(store.read(descriptor, 6)).rejects.toMatchObject({ code: 'ERR_LIMIT' });
      await expect(store.read(descriptor, 7)).resolves.toHaveLength(7);
    });

    it('read() throws ERR_STORE_DAMAGED for what is not there, or has another size', async () => {
      const store = await open();
      const { descriptor, bytes } = testBlob('content');
      await expect(store.read(descriptor, 100)).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
      await store.put(descriptor, bytes);
      const other = { ...descriptor, size: 6 };
      await expect(store.read(other, 100)).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
    });

    it('stat() and has() tell what is there, and with which size', async () => {
      const store = await open();
      const { descriptor, bytes } = testBlob('content');
      expect(await store.stat(descriptor.digest)).toBeUndefined();
      expect(await store.has(descriptor)).toBe(false);
      await store.put(descriptor, bytes);
      expect(await store.stat(descriptor.digest)).toEqual({ size: 7 });
      expect(await store.has(descriptor)).toBe(true);
      expect(await store.has({ ...descriptor, size: 8 })).toBe(false);
    });

    it('delete() answers whether it was there', async () => {
      const store = await open();
      const { descriptor, bytes } = testBlob('content');
      await store.put(descriptor, bytes);
      expect(await store.delete(descriptor.digest)).toBe(true);
      expect(await store.delete(descriptor.digest)).toBe(false);
      expect(await store.stat(descriptor.digest)).toBeUndefined();
    });

    it('list() yields every digest once, of both algorithms', async () => {
      const store = await open();
      const blobs = [testBlob(), testBlob(), testBlob('x', undefined, 'sha512')];
      for (const { descriptor, bytes } of blobs) await store.put(descriptor, bytes);
      expect(listBlobs(store)).toEqual(blobs.map(({ descriptor }) => descriptor.digest).sort());
    });
  });
}

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function* slices(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
