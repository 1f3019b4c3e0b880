import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { isToolError } from '../../src/errors.ts';
import { digestHex } from '../../src/oci/digest.ts';
import { collectGarbage } from '../../src/store/collect-garbage.ts';
import type { Ingest } from '../../src/store/ingest.ts';
import type { Store } from '../../src/store/open-store.ts';
import { listPartialDownloads, removePartialDownload } from '../../src/store/partial-downloads.ts';
import { rounds } from '../support/soak.ts';
import { openTestStore, wrongBlobs } from './open-test-store.ts';
import { NO_CONTAINERS } from './operations.ts';
import { testBlob } from './test-image.ts';
import type { TestBlob } from './test-image.ts';

const ALPINE = 'docker.io/library/alpine:latest';

/** Begins a download of 2000 bytes, and gets 500 of them. */
async function begin(store: Store, blob: TestBlob, reference?: string): Promise<Ingest> {
  const ingest = await store.blobs.ingest(blob.descriptor, { reference });
  if (ingest === undefined) throw new Error('it is there');
  if (ingest.offset === 0) await ingest.write(blob.bytes.subarray(0, 500));
  return ingest;
}

const infoOf = ({ paths }: Store, { descriptor }: TestBlob): string =>
  join(paths.ingest, `${digestHex(descriptor.digest)}.info`);

async function startHalf(): Promise<{ store: Store; blob: TestBlob }> {
  const [store, blob] = [await openTestStore(), testBlob()];
  await (await begin(store, blob, ALPINE)).suspend();
  return { store, blob };
}

describe('listPartialDownloads()', () => {
  it('tells what is there of which image, and whether a process is at it', async () => {
    const [store, blob] = [await openTestStore(), testBlob()];
    const ingest = await begin(store, blob, ALPINE);
    const expected = { digest: blob.descriptor.digest, size: 500, total: 2000, reference: ALPINE };
    expect(listPartialDownloads(store.paths)).toEqual([
      { ...expected, active: true, changed: expect.any(Date) as Date },
    ]);
    await ingest.suspend();
    expect(listPartialDownloads(store.paths)).toMatchObject([{ ...expected, active: false }]);
  });

  it('names the image that was pulled last', async () => {
    const { store, blob } = await startHalf();
    await (await begin(store, blob, 'docker.io/library/debian:12')).suspend();
    expect(listPartialDownloads(store.paths)).toMatchObject([{ reference: 'docker.io/library/debian:12' }]);
  });

  it('puts the last to change first, whatever its algorithm', async () => {
    const store = await openTestStore();
    const blobs = [testBlob(), testBlob(undefined, 'x/y', 'sha512'), testBlob()];
    for (const [at, blob] of blobs.entries()) {
      await (await begin(store, blob)).suspend();
      fs.utimesSync(join(store.paths.ingest, digestHex(blob.descriptor.digest)), 0, [20, 30, 10][at] ?? 0);
    }
    const [first, second, third] = blobs.map(({ descriptor }) => descriptor.digest);
    expect(listPartialDownloads(store.paths).map(({ digest }) => digest)).toEqual([second, first, third]);
  });

  it.each([
    ['nothing', ''],
    ['half of it', '{"reference":"docker.io/lib'],
    ['another value', '[]'],
    ['a name that is none', '{"reference":"\\u001b[31m","size":2000}'],
    ['a name that is not canonical', '{"reference":"alpine","size":2000}'],
    ['a size that is none', `{"reference":"${ALPINE}","size":-1}`],
    ['more than any info has', JSON.stringify({ reference: ALPINE, size: 2000, more: 'x'.repeat(5000) })],
  ])('does without the info where it has %s', async (_, text) => {
    const { store, blob } = await startHalf();
    fs.writeFileSync(infoOf(store, blob), text);
    expect(listPartialDownloads(store.paths)).toMatchObject([{ size: 500, total: undefined, reference: undefined }]);
  });

  it.each([
    ['a link', (path: string) => fs.symlinkSync('/etc/passwd', path)],
    ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
    ['a folder', (path: string) => fs.mkdirSync(path)],
  ])('does without the info, and a pull goes on, where it is %s', async (_, make) => {
    const { store, blob } = await startHalf();
    fs.rmSync(infoOf(store, blob));
    make(infoOf(store, blob));
    expect(listPartialDownloads(store.paths)).toMatchObject([{ size: 500, total: undefined, reference: undefined }]);
  });

  it('takes a total that is less than what is there for unknown', async () => {
    const { store, blob } = await startHalf();
    fs.writeFileSync(infoOf(store, blob), JSON.stringify({ reference: ALPINE, size: 499 }));
    expect(listPartialDownloads(store.paths)).toMatchObject([{ size: 500, total: undefined, reference: ALPINE }]);
  });
});

describe('what tells of a partial download', () => {
  it.each([
    ['is stored', async (ingest: Ingest, rest: Buffer) => ingest.write(rest).then(async () => ingest.commit())],
    ['is discarded', async (ingest: Ingest) => ingest.discard()],
  ])('goes when the download %s', async (_, finish) => {
    const { store, blob } = await startHalf();
    await finish(await begin(store, blob, ALPINE), blob.bytes.subarray(500));
    expect(fs.readdirSync(store.paths.ingest)).toEqual([]);
  });

  it('stays with it when garbage is collected, and goes when it has none (S21)', async () => {
    const { store, blob } = await startHalf();
    const orphan = join(store.paths.ingest, `${'a'.repeat(64)}.info`);
    fs.writeFileSync(orphan, '{}');
    const collect = { roots: NO_CONTAINERS, keepPartialDownloads: true };
    await collectGarbage(store, collect);
    expect(fs.existsSync(orphan)).toBe(false);
    expect(listPartialDownloads(store.paths)).toMatchObject([{ reference: ALPINE }]);
    const ingest = await begin(store, blob, ALPINE);
    await collectGarbage(store, { ...collect, keepPartialDownloads: false });
    expect(listPartialDownloads(store.paths)).toMatchObject([{ reference: ALPINE, active: true }]);
    await ingest.suspend();
    await collectGarbage(store, { ...collect, keepPartialDownloads: false });
    expect(fs.readdirSync(store.paths.ingest)).toEqual([]);
  });
});

describe('removePartialDownload()', () => {
  it('frees the space, and leaves nothing of it', async () => {
    const { store, blob } = await startHalf();
    fs.mkdirSync(join(store.paths.ingest, `${digestHex(blob.descriptor.digest)}.lock`)); // a pull was killed
    expect(removePartialDownload(store.paths, blob.descriptor.digest)).toBe(500);
    expect(fs.readdirSync(store.paths.ingest)).toEqual([]);
    expect(removePartialDownload(store.paths, blob.descriptor.digest)).toBeUndefined();
  });

  it('costs a pull that begins at the same moment no more than what was there', async () => {
    const store = await openTestStore();
    const partial = { kept: 0, removed: 0 };
    const wanted = rounds(40, 400);
    const isOneSided = (): boolean => Math.min(partial.kept, partial.removed) === 0;
    for (let round = 0; round < wanted || (isOneSided() && round < 2 * wanted); round += 1) {
      const blob = testBlob();
      await (await begin(store, blob, ALPINE)).suspend();
      const resuming = begin(store, blob, ALPINE);
      const turns = round < wanted ? round % 8 : round; // to meet it at each of its steps, on a busy machine too
      for (let turn = 0; turn < turns; turn += 1) await setImmediate();
      const freed = unlessTaken(() => removePartialDownload(store.paths, blob.descriptor.digest));
      const ingest = await resuming;
      partial[freed === undefined ? 'kept' : 'removed'] += 1;
      await ingest.write(blob.bytes.subarray(ingest.offset));
      await ingest.commit();
      expect(await store.blobs.has(blob.descriptor)).toBe(true);
    }
    expect([wrongBlobs(store.root), fs.readdirSync(store.paths.ingest)]).toEqual([[], []]);
    expect(partial.kept).toBeGreaterThan(0);
    expect(partial.removed).toBeGreaterThan(0);
  });

  it('takes nothing from a process that is at it', async () => {
    const [store, blob] = [await openTestStore(), testBlob()];
    const ingest = await begin(store, blob, ALPINE);
    expect(() => removePartialDownload(store.paths, blob.descriptor.digest)).toThrow('a pull is at it');
    await ingest.write(blob.bytes.subarray(500));
    await ingest.commit();
    expect(await store.blobs.has(blob.descriptor)).toBe(true);
  });
});

function unlessTaken<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isToolError(error, 'ERR_CONFLICT')) return undefined;
    throw error;
  }
}
