import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { MAX_DOCUMENT_BYTES } from '../../src/oci/json.ts';
import { describeBlobStore } from '../conformance/blob-store.ts';
import { listTree, openTestStore } from './open-test-store.ts';
import { listBlobs, testBlob } from './test-image.ts';

describeBlobStore('the blob store of a folder', async () => (await openTestStore()).blobs);

const HEX = '5'.repeat(64);

describe('createBlobStore()', () => {
  it('keeps blobs as blobs/<algorithm>/<hex>, read-only', async () => {
    const { root, blobs } = await openTestStore();
    const one = testBlob('one');
    const two = testBlob('two', undefined, 'sha512');
    for (const { descriptor, bytes } of [one, two]) await blobs.put(descriptor, bytes);
    const files = [one, two].map(({ descriptor }) => blobs.path(descriptor.digest));
    expect(files).toEqual([one, two].map(({ descriptor }) => join(root, 'blobs', descriptor.digest.replace(':', '/'))));
    for (const file of files) expect(fs.statSync(file).mode & 0o7777).toBe(0o444);
    expect(listTree(join(root, 'ingest'))).toEqual([]);
  });

  it('leaves nothing in ingest/ after wrong content', async () => {
    const { root, blobs } = await openTestStore();
    const { descriptor } = testBlob('content');
    await expect(blobs.put(descriptor, Buffer.from('contend'))).rejects.toThrow('digest');
    const ingest = await blobs.ingest(descriptor);
    await ingest?.write(Buffer.from('contend'));
    await expect(ingest?.commit()).rejects.toThrow('digest');
    expect(listTree(join(root, 'ingest'))).toEqual([]);
  });

  it('list() passes over what is no digest', async () => {
    const { root, blobs } = await openTestStore();
    fs.writeFileSync(join(root, 'blobs/sha256/notes.txt'), '');
    fs.writeFileSync(join(root, 'blobs/sha256', HEX), '');
    fs.mkdirSync(join(root, 'blobs/md5'));
    expect(listBlobs(blobs)).toEqual([`sha256:${HEX}`]);
  });

  it.each<[string, (path: string) => void]>([
    ['S17 one flipped bit', flipBit],
    ['S18 half of it', (path) => fs.truncateSync(path, 4)],
    ['S18 nothing of it', (path) => fs.truncateSync(path, 0)],
    ['more than it', (path) => fs.appendFileSync(path, 'x')],
    ['S19 no file', (path) => fs.unlinkSync(path)],
    ['a symlink in its place', (path) => fs.renameSync(path, `${path}.x`)],
  ])('I10 with %s on the disk, read() throws ERR_STORE_DAMAGED, and put() and ingest() replace it', async (_, harm) => {
    const { blobs } = await openTestStore();
    const { descriptor, bytes } = testBlob('manifest');
    const path = blobs.path(descriptor.digest);
    for (const repair of ['put', 'ingest'] as const) {
      await blobs.put(descriptor, bytes);
      fs.chmodSync(path, 0o644);
      harm(path);
      if (!fs.existsSync(path)) fs.symlinkSync(`${path}.x`, path);
      await expect(blobs.read(descriptor, 100)).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
      if (repair === 'put') await blobs.put(descriptor, bytes);
      else {
        const ingest = await blobs.ingest(descriptor);
        await ingest?.write(bytes);
        await ingest?.commit();
      }
      expect(Buffer.from(await blobs.read(descriptor, 100))).toEqual(bytes);
      expect(fs.lstatSync(path).isFile()).toBe(true);
      fs.rmSync(`${path}.x`, { force: true });
    }
  });

  it.each<[string, (path: string) => void]>([
    ['nothing', () => undefined],
    ['a folder', (path) => fs.mkdirSync(path)],
    ['a symlink', (path) => fs.symlinkSync('/etc/passwd', path)],
    ['a FIFO that nobody writes to', (path) => execFileSync('mkfifo', [path])],
  ])('readDocument() takes %s for a blob that is not there', async (_, make) => {
    const { blobs } = await openTestStore();
    const { digest } = testBlob().descriptor;
    make(blobs.path(digest));
    expect(blobs.readDocument(digest)).toBeUndefined();
  });

  it('I10 readDocument() answers what is intact, and throws for one flipped bit and for more than a document has', async () => {
    const { blobs } = await openTestStore();
    const { descriptor, bytes } = testBlob('{"schemaVersion":2}');
    await blobs.put(descriptor, bytes);
    const path = blobs.path(descriptor.digest);
    expect(Buffer.from(blobs.readDocument(descriptor.digest) ?? [])).toEqual(bytes);
    fs.chmodSync(path, 0o644);
    flipBit(path);
    expect(() => blobs.readDocument(descriptor.digest)).toThrow(expect.objectContaining({ code: 'ERR_STORE_DAMAGED' }));
    fs.truncateSync(path, MAX_DOCUMENT_BYTES + 1);
    expect(() => blobs.readDocument(descriptor.digest)).toThrow(expect.objectContaining({ code: 'ERR_LIMIT' }));
  });

  it('stores again when the folders of blobs are gone', async () => {
    const { root, blobs } = await openTestStore();
    fs.rmSync(join(root, 'blobs'), { recursive: true });
    const { descriptor, bytes } = testBlob();
    expect(listBlobs(blobs)).toEqual([]);
    expect(await blobs.has(descriptor)).toBe(false);
    await blobs.put(descriptor, bytes);
    expect(await blobs.has(descriptor)).toBe(true);
  });

  it('keeps no descriptor open, whatever happens (S30)', async () => {
    const { blobs } = await openTestStore();
    const attempt = async (): Promise<void> => {
      const { descriptor, bytes } = testBlob();
      await blobs.put(descriptor, Buffer.from('wrong')).catch(() => undefined);
      await blobs.put(descriptor, bytes);
      const ingest = await blobs.ingest(testBlob().descriptor);
      await ingest?.write(Buffer.from('begun'));
      await ingest?.suspend();
      await blobs.read(descriptor, 1).catch(() => undefined);
      await blobs.read({ ...descriptor, size: 3 }, 10_000).catch(() => undefined);
      blobs.readDocument(descriptor.digest);
    };
    await attempt();
    const before = fs.readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 50; round++) await attempt();
    expect(fs.readdirSync('/proc/self/fd').length).toBe(before);
  });
});

function flipBit(path: string): void {
  const bytes = fs.readFileSync(path);
  bytes[3]! ^= 4;
  fs.writeFileSync(path, bytes);
}
