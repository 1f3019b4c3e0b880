import fs from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { advisoryLockPath } from '../../src/fs/advisory-lock.ts';
import { lockFile } from '../../src/fs/kernel-lock.ts';
import { temporaryPrefix } from '../../src/linux/process-mark.ts';
import { digestHex, type Digest } from '../../src/oci/digest.ts';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';
import { collectGarbage, type ContainerRoots } from '../../src/store/collect-garbage.ts';
import { createLease } from '../../src/store/leases.ts';
import type { Store } from '../../src/store/open-store.ts';
import { listTree, openTestStore } from './open-test-store.ts';
import { NO_CONTAINERS, add, isComplete, unpack } from './operations.ts';
import {
  bytesOf,
  jsonBlob,
  listBlobs,
  putAll,
  testBlob,
  testImage,
  type TestBlob,
  type TestImage,
} from './test-image.ts';

describe('collectGarbage()', () => {
  it('I9 removes a layer whose chain ID is a sha512', async () => {
    const store = await openTestStore();
    const image = testImage('a:1', [testBlob()], 'sha512');
    await unpack(store, image);
    expect(fs.readdirSync(store.paths.layers)).toHaveLength(1);
    await collectGarbage(store, { roots: NO_CONTAINERS });
    expect(fs.readdirSync(store.paths.layers)).toEqual([]);
  });

  it('I9 removes a layer that has the digest of its blob: the lowest one, not compressed', async () => {
    const store = await openTestStore();
    const blob = testBlob();
    await putAll(store.blobs, [blob]);
    const { digest } = blob.descriptor;
    await unpack(store, { ...testImage('a:1'), chain: [digest] });
    const garbage = await collectGarbage(store, { roots: NO_CONTAINERS });
    expect([garbage.blobs, garbage.layers]).toEqual([[digest], [digest]]);
    expect([listBlobs(store.blobs), fs.readdirSync(store.paths.layers)]).toEqual([[], []]);
  });

  it('I9 leaves nothing but an empty store after the last name is gone', async () => {
    const store = await openTestStore();
    const image = await add(store, 'a:1');
    await store.images.delete(image.record.name); // makes the reserve for full disks
    await collectGarbage(store, { roots: NO_CONTAINERS });
    const empty = listTree(store.root);
    const images = [await add(store, 'a:1'), await add(store, 'b:1')];
    for (const { record } of images) await store.images.delete(record.name);
    const garbage = await collectGarbage(store, { roots: NO_CONTAINERS });
    expect(listTree(store.root)).toEqual(empty);
    const blobs = images.flatMap(({ blobs }) => blobs);
    expect(garbage.blobs.sort()).toEqual(blobs.map(({ descriptor }) => descriptor.digest).sort());
    expect(garbage.layers.sort()).toEqual(images.flatMap(({ chain }) => chain).sort());
    expect(garbage.bytes).toBe(bytesOf(blobs));
  });

  it('keeps what a name, an entry without a name, a container or another tool refers to', async () => {
    const store = await openTestStore();
    const shared = testBlob();
    const kept = [await add(store, 'a:1', [shared, testBlob()]), await add(store, 'b:1', [shared, testBlob()])];
    const container = await add(store, 'c:1');
    const unnamed = await add(store, 'd:1');
    const foreign = await add(store, 'e:1');
    const artifact = jsonBlob(MEDIA_TYPES.ociManifest, {
      config: testBlob('not json').descriptor,
      layers: [foreign.layers[0]!.descriptor],
      artifactType: 'x/y',
    });
    await putAll(store.blobs, [artifact, testBlob('not json')]);
    const gone = await add(store, 'f:1', [shared, testBlob()]);
    for (const { record } of [container, unnamed, foreign, gone]) await store.images.delete(record.name);
    await store.images.set({ ...unnamed.record, name: undefined });
    addEntry(store, { ...artifact.descriptor, annotations: { 'org.opencontainers.image.ref.name': 'artifact' } });
    addEntry(store, { mediaType: 'image/png', digest: foreign.layers[1]!.descriptor.digest, size: 1 });
    const garbage = await collectGarbage(store, {
      roots: async () => ({ manifests: [container.record.manifest], layers: [gone.chain[0]!] }),
    });
    const foreignGone = [foreign.manifest, foreign.config];
    expect(garbage.blobs.sort()).toEqual(digests([...foreignGone, gone.manifest, gone.config, gone.layers[1]!]));
    expect(garbage.layers.sort()).toEqual([gone.chain[1]!, ...foreign.chain].sort());
    for (const image of [...kept, container, unnamed]) expect(isComplete(store, image)).toBe(true);
  });

  it('keeps what a lease holds, and what that refers to, and drops it when the lease ends', async () => {
    const store = await openTestStore();
    const image = await add(store, 'a:1');
    await store.images.delete(image.record.name);
    const lease = await createLease(store);
    await lease.add(image.record.manifest, testBlob('never stored').descriptor.digest);
    expect((await collectGarbage(store, { roots: NO_CONTAINERS })).blobs).toEqual([]);
    expect(isComplete(store, image)).toBe(true);
    await lease.release();
    await collectGarbage(store, { roots: NO_CONTAINERS });
    expect(listBlobs(store.blobs)).toEqual([]);
    expect(fs.readdirSync(store.paths.layers)).toEqual([]);
  });

  it('keeps the layers of a leased config, and blobs and layers that a lease names itself', async () => {
    const store = await openTestStore();
    const [one, two] = [await add(store, 'a:1'), await add(store, 'b:1')];
    for (const { record } of [one, two]) await store.images.delete(record.name);
    const lease = await createLease(store);
    await lease.add(one.record.imageId, two.layers[0]!.descriptor.digest, two.chain[0]!);
    await collectGarbage(store, { roots: NO_CONTAINERS });
    expect(listBlobs(store.blobs)).toEqual(digests([one.config, two.layers[0]!]));
    expect(fs.readdirSync(store.paths.layers).sort()).toEqual([...one.chain, two.chain[0]!].map(digestHex).sort());
    await lease.release();
  });

  it('keeps of an index what was pulled of it', async () => {
    const store = await openTestStore();
    const image = await add(store, 'a:1');
    const absent = testImage('never pulled');
    const picture = testBlob('no document');
    const index = jsonBlob(MEDIA_TYPES.ociIndex, {
      manifests: [absent.manifest.descriptor, image.manifest.descriptor, picture.descriptor],
    });
    await putAll(store.blobs, [index, picture]);
    await store.images.set({ ...image.record, target: index.descriptor });
    expect((await collectGarbage(store, { roots: NO_CONTAINERS })).blobs).toEqual([]);
    expect(isComplete(store, image)).toBe(true);
  });

  describe('S28 refuses with ERR_STORE_DAMAGED, and deletes nothing, when', () => {
    it.each<[string, (store: Store, image: TestImage) => void]>([
      ['index.json is cut', (store) => fs.truncateSync(join(store.root, 'index.json'), 20)],
      ['index.json is missing', (store) => fs.unlinkSync(join(store.root, 'index.json'))],
      ["another tool's entry has no known digest", (store) => addEntry(store, { digest: 'blake3:abc' })],
      ['the manifest of a named image is missing', (store, { manifest }) => fs.unlinkSync(pathOf(store, manifest))],
      ['the manifest of a named image is flipped', (store, { manifest }) => flip(pathOf(store, manifest))],
      ['the manifest of a named image is empty', (store, { manifest }) => cut(pathOf(store, manifest))],
      ['the config of a named image is missing', (store, { config }) => fs.unlinkSync(pathOf(store, config))],
      ['the config of a named image is flipped', (store, { config }) => flip(pathOf(store, config))],
      ['the manifest of a container is flipped', (store, { blobs }) => flip(pathOf(store, blobs[4]!))],
    ])('%s', async (_, harm) => {
      const store = await openTestStore();
      const image = await add(store, 'a:1');
      const container = await add(store, 'b:1');
      await store.images.delete(container.record.name);
      await add(store, 'gone:1').then(async ({ record }) => store.images.delete(record.name));
      harm(store, { ...image, blobs: [...image.blobs, container.manifest] });
      const before = listTree(store.root);
      const roots = async (): Promise<ContainerRoots> => ({ manifests: [container.record.manifest], layers: [] });
      await expect(collectGarbage(store, { roots })).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
      expect(listTree(store.root)).toEqual(before);
    });

    it('containers cannot be read', async () => {
      const store = await openTestStore();
      await add(store, 'gone:1').then(async ({ record }) => store.images.delete(record.name));
      const before = listTree(store.root);
      const failure = new Error('unreadable');
      await expect(collectGarbage(store, { roots: async () => Promise.reject(failure) })).rejects.toBe(failure);
      expect(listTree(store.root)).toEqual(before);
    });
  });

  it('works again once the damaged image has no name', async () => {
    const store = await openTestStore();
    const image = await add(store, 'a:1');
    flip(pathOf(store, image.manifest));
    await expect(collectGarbage(store, { roots: NO_CONTAINERS })).rejects.toMatchObject({
      hint: expect.stringContaining('remove that image by name') as string,
    });
    await store.images.delete(image.record.name);
    await collectGarbage(store, { roots: NO_CONTAINERS });
    expect(listBlobs(store.blobs)).toEqual([]);
  });

  it('S21 removes what 100 killed commands have left, and nothing that is in use', async () => {
    const store = await openTestStore();
    const image = await add(store, 'a:1');
    await collectGarbage(store, { roots: NO_CONTAINERS });
    const { paths, root } = store;
    const [layer = ''] = fs.readdirSync(paths.layers);
    const dead = temporaryPrefix().replace(/-\d+-(?=\d+-$)/, '-1-'); // this process's id, but another start
    const before = listTree(root);
    for (let index = 0; index < 100; index++) {
      const hex = index.toString(16).padStart(64, '0');
      fs.writeFileSync(join(paths.ingest, hex), 'part');
      fs.writeFileSync(join(paths.ingest, `${hex}.0123456789abcdef`), 'part');
      fs.mkdirSync(advisoryLockPath(join(paths.ingest, hex)));
      fs.writeFileSync(join(paths.leases, hex), `${image.record.manifest}\n`);
      fs.mkdirSync(join(paths.trash, hex, 'fs'), { recursive: true });
      fs.writeFileSync(join(paths.trash, `file-${hex}`), '');
      fs.mkdirSync(join(paths.layers, `.tmp-${hex}-0123456789ab`, 'fs'), { recursive: true });
      fs.writeFileSync(join(paths.layers, `.lock-${hex}`), '');
      fs.writeFileSync(join(root, `.index.json.${hex.slice(48)}.tmp`), '{');
      fs.writeFileSync(join(root, `.store.json.${hex.slice(48)}.tmp`), '{');
      fs.writeFileSync(join(paths.layers, layer, `.passwd.${hex.slice(48)}.tmp`), 'root');
      fs.mkdirSync(join(paths.containers, `${dead}${index}`, 'upper'), { recursive: true });
      fs.writeFileSync(join(paths.runner, `${dead}driver.json${index}`), '{');
    }
    const busy = 'f'.repeat(64);
    const ingest = await store.blobs.ingest(testBlob().descriptor);
    await ingest?.write(Buffer.from('begun'));
    const lease = await createLease(store);
    const unpacking = await lockFile(join(paths.layers, `.lock-${busy}`), 'exclusive');
    fs.mkdirSync(join(paths.layers, `.tmp-${busy}-0123456789ab`));
    fs.mkdirSync(join(paths.containers, `${temporaryPrefix()}probe`));
    await collectGarbage(store, { roots: NO_CONTAINERS });
    expect(listTree(root).filter((line) => !before.includes(line))).toHaveLength(6);
    await ingest?.discard();
    await lease.release();
    unpacking.release();
    fs.rmdirSync(join(paths.containers, `${temporaryPrefix()}probe`));
    await collectGarbage(store, { roots: NO_CONTAINERS });
    expect(listTree(root)).toEqual(before);
  });

  it('takes the names that expire, and knows what is needed without any', async () => {
    const store = await openTestStore();
    const shared = testBlob();
    const [gone, used, kept] = [
      await add(store, 'a:1', [shared]),
      await add(store, 'b:1'),
      await add(store, 'c:1', [shared]),
    ];
    await store.images.delete(used.record.name);
    const garbage = await collectGarbage(store, {
      roots: async () => ({ manifests: [used.record.manifest], layers: [] }),
      expire: async ({ records, neededOtherwise }) => {
        expect(records).toEqual([gone.record, kept.record]);
        expect(await neededOtherwise()).toEqual(new Set([...digests(used.blobs), ...used.chain]));
        return [gone.record];
      },
    });
    expect(garbage).toEqual({ blobs: [], layers: [], bytes: 0 });
    expect(await store.images.list()).toEqual([kept.record]);
  });

  it('changes nothing with dryRun, not even what killed commands have left', async () => {
    const store = await openTestStore();
    const image = await add(store, 'a:1');
    const { paths, root } = store;
    fs.writeFileSync(join(paths.leases, 'abandoned'), `${image.record.manifest}\n`);
    fs.writeFileSync(join(paths.ingest, 'f'.repeat(64)), 'part');
    fs.mkdirSync(advisoryLockPath(join(paths.ingest, 'f'.repeat(64))));
    fs.mkdirSync(join(paths.trash, 'left/fs'), { recursive: true });
    fs.mkdirSync(join(paths.layers, `.tmp-${'f'.repeat(64)}-0123456789ab`));
    fs.writeFileSync(join(root, '.index.json.0123456789abcdef.tmp'), '{');
    const before = listTree(root);
    const options = { roots: NO_CONTAINERS, expire: async () => [image.record] };
    const told = await collectGarbage(store, { ...options, dryRun: true });
    expect(listTree(root)).toEqual(before);
    expect(told.bytes).toBe(bytesOf(image.blobs) + 'part'.length);
    expect(await collectGarbage(store, options)).toEqual(told);
    expect(listTree(root).filter((line) => /part|left|abandoned|tmp|blobs\/sha256\/./.test(line))).toEqual([]);
  });

  it('keeps downloads that stopped halfway when asked to', async () => {
    const store = await openTestStore();
    const { descriptor } = testBlob('content');
    const ingest = await store.blobs.ingest(descriptor);
    await ingest?.write(Buffer.from('con'));
    await ingest?.suspend();
    await collectGarbage(store, { roots: NO_CONTAINERS, keepPartialDownloads: true });
    const resumed = await store.blobs.ingest(descriptor);
    expect(resumed?.offset).toBe(3);
    await resumed?.suspend();
    await collectGarbage(store, { roots: NO_CONTAINERS });
    expect(fs.readdirSync(store.paths.ingest)).toEqual([]);
  });

  it('removes folders as it is told, and counts layers by what it is told of them', async () => {
    const store = await openTestStore();
    const image = await add(store, 'a:1');
    await store.images.delete(image.record.name);
    const removed: string[] = [];
    const removeFolder = async (path: string): Promise<void> => {
      removed.push(path);
      fs.rmSync(path, { recursive: true });
    };
    const sizeOfLayer = async (chainId: Digest): Promise<number> => (image.chain.includes(chainId) ? 1_000_000 : 0);
    const { bytes } = await collectGarbage(store, { roots: NO_CONTAINERS, removeFolder, sizeOfLayer });
    expect(removed.map((path) => dirname(path))).toEqual([store.paths.trash]);
    expect(bytes).toBe(bytesOf(image.blobs) + image.chain.length * 1_000_000);
  });

  it('goes on after a folder that cannot be removed, and throws at the end', async () => {
    const store = await openTestStore();
    fs.mkdirSync(join(store.paths.trash, 'a'));
    fs.mkdirSync(join(store.paths.trash, 'b'));
    const failure = new Error('not a');
    const removeFolder = async (path: string): Promise<void> => {
      if (path.endsWith('/a')) throw failure;
      fs.rmSync(path, { recursive: true });
    };
    await expect(collectGarbage(store, { roots: NO_CONTAINERS, removeFolder })).rejects.toBe(failure);
    expect(fs.readdirSync(store.paths.trash)).toEqual(['a']);
  });

  it('ends with ERR_ABORTED when the caller gives up while others use the store', async () => {
    const store = await openTestStore();
    const used = await lockFile(store.paths.gcLock, 'shared');
    const signal = AbortSignal.timeout(20);
    await expect(collectGarbage(store, { roots: NO_CONTAINERS, signal })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
    used.release();
  });
});

function digests(blobs: TestBlob[]): Digest[] {
  return [...new Set(blobs.map(({ descriptor }) => descriptor.digest))].sort();
}

function pathOf(store: Store, blob: TestBlob): string {
  return store.blobs.path(blob.descriptor.digest);
}

function addEntry({ root }: Store, entry: object): void {
  const path = join(root, 'index.json');
  const index = JSON.parse(fs.readFileSync(path, 'utf8')) as { manifests: object[] };
  fs.writeFileSync(path, JSON.stringify({ ...index, manifests: [...index.manifests, entry] }));
}

function flip(path: string): void {
  const bytes = fs.readFileSync(path);
  bytes[10]! ^= 1;
  fs.chmodSync(path, 0o644);
  fs.writeFileSync(path, bytes);
}

function cut(path: string): void {
  fs.chmodSync(path, 0o644);
  fs.truncateSync(path);
}
