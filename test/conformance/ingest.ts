import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Descriptor } from '../../src/oci/descriptor.ts';
import type { BlobStore } from '../../src/store/blob-store.ts';
import type { Ingest } from '../../src/store/ingest.ts';
import { testBlob } from '../store/test-image.ts';

/** What every BlobStore's `ingest` has to do. `open` answers an empty store that goes away with the test. */
export function describeIngest(name: string, open: () => Promise<BlobStore>): void {
  describe(name, () => {
    it('answers undefined for what is stored', async () => {
      const store = await open();
      const { descriptor, bytes } = testBlob();
      await store.put(descriptor, bytes);
      expect(await store.ingest(descriptor)).toBeUndefined();
    });

    it('makes content visible at commit(), not before', async () => {
      const store = await open();
      const { descriptor, bytes } = testBlob('content');
      const ingest = await begin(store, descriptor);
      await ingest.write(bytes);
      expect(ingest.offset).toBe(7);
      expect(await store.has(descriptor)).toBe(false);
      await ingest.commit();
      expect(await store.has(descriptor)).toBe(true);
    });

    it('goes on after suspend() where it stopped', async () => {
      const store = await open();
      const { descriptor } = testBlob('content');
      const first = await begin(store, descriptor);
      await first.write(Buffer.from('con'));
      await first.suspend();
      const second = await begin(store, descriptor);
      expect(second.offset).toBe(3);
      await second.write(Buffer.from('tent'));
      await second.commit();
      expect(await store.has(descriptor)).toBe(true);
    });

    it('begins at 0 after discard(), and after reset()', async () => {
      const store = await open();
      const { descriptor } = testBlob('content');
      const first = await begin(store, descriptor);
      await first.write(Buffer.from('xyz'));
      await first.discard();
      const second = await begin(store, descriptor);
      expect(second.offset).toBe(0);
      await second.write(Buffer.from('xyz'));
      await second.reset();
      expect(second.offset).toBe(0);
      await second.write(Buffer.from('content'));
      await second.commit();
      expect(await store.has(descriptor)).toBe(true);
    });

    it('S25 verifies what an earlier attempt left together with the rest', async () => {
      const store = await open();
      const { descriptor } = testBlob('content');
      const first = await begin(store, descriptor);
      await first.write(Buffer.from('XXX'));
      await first.suspend();
      const second = await begin(store, descriptor);
      await second.write(Buffer.from('tent'));
      await expect(second.commit()).rejects.toMatchObject({ code: 'ERR_INTEGRITY' });
      const third = await begin(store, descriptor);
      expect(third.offset).toBe(0);
      await third.discard();
    });

    it('takes nothing of a chunk that goes beyond the size', async () => {
      const store = await open();
      const { descriptor } = testBlob('content');
      const ingest = await begin(store, descriptor);
      await ingest.write(Buffer.from('conte'));
      await expect(ingest.write(Buffer.from('nt!'))).rejects.toMatchObject({ code: 'ERR_INTEGRITY' });
      expect(ingest.offset).toBe(5);
      await ingest.write(Buffer.from('nt'));
      await ingest.commit();
    });

    it('ends only after a write that is still going on', async () => {
      const store = await open();
      const { descriptor, bytes } = testBlob(Buffer.alloc(3_000_000, 'content'));
      for (const end of ['suspend', 'discard', 'reset'] as const) {
        const ingest = await begin(store, descriptor);
        const writing = ingest.write(bytes.subarray(ingest.offset, 2_000_000));
        let written = false;
        const done = writing.then(() => (written = true));
        await ingest[end]();
        await Promise.race([done, new Promise(setImmediate)]);
        expect(written).toBe(true);
        await ingest.discard();
      }
    });

    it('is of no more use after its end', async () => {
      const store = await open();
      const { descriptor, bytes } = testBlob('content');
      const ingest = await begin(store, descriptor);
      await ingest.write(bytes);
      await ingest.commit();
      await expect(ingest.write(bytes)).rejects.toThrow(TypeError);
      await expect(ingest.reset()).rejects.toThrow(TypeError);
      await expect(ingest.commit()).rejects.toThrow(TypeError);
      await ingest.suspend();
      await ingest.discard();
      expect(await store.has(descriptor)).toBe(true);
    });

    it('lets a second one wait, and then find the blob', async () => {
      const store = await open();
      const { descriptor, bytes } = testBlob('content');
      const first = await begin(store, descriptor);
      const second = await startWaiting(store, descriptor);
      await first.write(bytes);
      await first.commit();
      expect(await second.ingest).toBeUndefined();
    });

    it('lets a second one go on with what the first suspends', async () => {
      const store = await open();
      const { descriptor } = testBlob('content');
      const first = await begin(store, descriptor);
      await first.write(Buffer.from('con'));
      const waiting = await startWaiting(store, descriptor);
      await first.suspend();
      const second = await waiting.ingest;
      expect(second?.offset).toBe(3);
      await second?.discard();
    });

    it('ends the waiting with ERR_ABORTED when the caller gives up', async () => {
      const store = await open();
      const { descriptor } = testBlob('content');
      const first = await begin(store, descriptor);
      const abort = new AbortController();
      const onWait = (): void => abort.abort(new Error('enough'));
      await expect(store.ingest(descriptor, { signal: abort.signal, onWait })).rejects.toMatchObject({
        code: 'ERR_ABORTED',
      });
      await first.discard();
    });

    it('stores any content however it is cut and interrupted', async () => {
      const store = await open();
      const step = fc.oneof(
        { weight: 8, arbitrary: fc.nat({ max: 40 }) },
        { weight: 1, arbitrary: fc.constantFrom('suspend' as const, 'reset' as const, 'discard' as const) },
      );
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.array(step), async (bytes, steps) => {
          const { descriptor } = testBlob(Buffer.from(bytes));
          let ingest = await store.ingest(descriptor);
          if (ingest === undefined) return; // stored by an earlier example
          for (const step of steps) {
            if (typeof step === 'number') await ingest.write(bytes.subarray(ingest.offset, ingest.offset + step));
            else if (step === 'reset') await ingest.reset();
            else {
              await ingest[step]();
              ingest = await begin(store, descriptor);
            }
          }
          await ingest.write(bytes.subarray(ingest.offset));
          await ingest.commit();
          expect(Buffer.from(await store.read(descriptor, 200))).toEqual(Buffer.from(bytes));
        }),
        { numRuns: 60 },
      );
    });
  });
}

async function begin(store: BlobStore, descriptor: Descriptor): Promise<Ingest> {
  const ingest = await store.ingest(descriptor);
  if (ingest === undefined) throw new Error('the blob is stored already');
  return ingest;
}

/** Answers once a second ingest of the same blob has found out that it has to wait. */
async function startWaiting(
  store: BlobStore,
  descriptor: Descriptor,
): Promise<{ ingest: ReturnType<typeof store.ingest> }> {
  return new Promise((resolve, reject) => {
    const ingest = store.ingest(descriptor, { onWait: () => resolve({ ingest }) });
    ingest.catch(reject);
  });
}
