import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { removeImage } from '../../src/container/remove-image.ts';
import { isToolError } from '../../src/errors.ts';
import { spaceNeed } from '../../src/image/check-space.ts';
import type { SpaceNeed } from '../../src/image/check-space.ts';
import { openEngine } from '../../src/image/engine.ts';
import type { Engine } from '../../src/image/engine.ts';
import { readLocalImage } from '../../src/image/local-image.ts';
import type { LocalImage } from '../../src/image/local-image.ts';
import { protect } from '../../src/image/protect.ts';
import { pullImage } from '../../src/image/pull-image.ts';
import { digestOf } from '../../src/oci/digest.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { layerFolder, stageLayer } from '../../src/snapshot/layers.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { putAll, testImage } from '../store/test-image.ts';
import { putImage, startRegistry } from '../support/registry/index.ts';
import type { TestLayer, TestRegistry } from '../support/registry/index.ts';
import { requires } from '../support/requirements.ts';
import { isSoak, longTimeout } from '../support/soak.ts';
import { startBench } from './bench.ts';

const KIB = 1024;

/** A folder on a tmpfs of its own. */
async function smallDisk(options: string): Promise<string> {
  const folder = await temporaryFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
  onTestFinished(() => void execFileSync('umount', [folder]));
  return folder;
}

async function archive(files: Record<string, Buffer>, links = 0): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) tar.entry({ name }, content);
  const [first = ''] = Object.keys(files);
  for (let at = 0; at < links; at += 1) tar.entry({ name: `link${at}`, type: 'link', linkname: first });
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const gzipped = (tar: Buffer): TestLayer => ({ bytes: gzipSync(tar) });
const plain = (tar: Buffer): TestLayer => ({ bytes: tar, mediaType: 'application/vnd.oci.image.layer.v1.tar' });

async function startWith(...layers: TestLayer[]): Promise<{ registry: TestRegistry; name: string }> {
  const registry = await startRegistry();
  onTestFinished(async () => registry.close());
  putImage(registry, 'app', 'v1', { layers });
  return { registry, name: `${registry.host}/app:v1` };
}

/** `pulled`, `refused` before a layer was asked for, or `full` later. */
async function outcome(engine: Engine, name: string, registry: TestRegistry): Promise<string> {
  registry.log.length = 0;
  try {
    await pullImage(engine, name);
    return 'pulled';
  } catch (error) {
    if (!isToolError(error, 'ERR_NO_SPACE')) throw error;
    const blobs = registry.log.filter(({ path }) => path.includes('/blobs/'));
    const wasRefused = error.message.includes('it needs');
    if (wasRefused) expect(blobs.length).toBeLessThanOrEqual(1); // the config
    return wasRefused ? 'refused' : 'full';
  }
}

describe('checkSpace()', requires('root'), () => {
  it('refuses what cannot fit before a layer is downloaded, and says how to make room (S07)', async () => {
    const { registry, name } = await startWith(gzipped(await archive({ noise: randomBytes(1000 * KIB) })));
    const home = join(await smallDisk('size=1900k'), 'store');
    const engine = await openEngine({ home });
    expect(freeBytes(home)).toBeGreaterThan(1000 * KIB); // the download alone would fit
    await expect(pullImage(engine, name)).rejects.toMatchObject({
      code: 'ERR_NO_SPACE',
      message: expect.stringMatching(
        new RegExp(
          `^Cannot pull "${name}": it needs about 2\\.0\\d+MB \\(1\\.02\\d*MB to download, at least 1\\.02\\d*MB unpacked\\) and 1\\.[789]\\d*MB is free on "${home}"$`,
        ),
      ) as unknown,
      hint: 'Free some space, or use another file system with --home or MYDOCKER_HOME.',
    });
    expect(registry.log.filter(({ path }) => path.includes('/blobs/'))).toHaveLength(1); // the config
  });

  it('says what partial downloads, dangling images and other images take', async () => {
    const { name } = await startWith(gzipped(await archive({ noise: randomBytes(1000 * KIB) })));
    const engine = await openEngine({ home: join(await smallDisk('size=1000k'), 'store') });
    const { images, blobs } = engine.store;
    for (const [of, sizeBytes] of [
      ['a:1', 111_000],
      ['b:1', 222_000],
      ['c:1', 444_000],
    ] as const) {
      const image = testImage(of);
      await putAll(blobs, image.blobs);
      await images.set({ ...image.record, sizeBytes, name: of === 'a:1' ? undefined : image.record.name });
      if (of === 'b:1') await images.set({ ...image.record, sizeBytes, name: 'docker.io/library/again:1' });
    }
    await protect('c:1', { home: engine.store.root });
    const ingest = await blobs.ingest({ mediaType: '', digest: digestOf(Buffer.from('x')), size: 5000 });
    await ingest?.write(Buffer.alloc(3000));
    await ingest?.suspend();
    await expect(pullImage(engine, name)).rejects.toMatchObject({
      hint:
        'Free some space with `mydocker pulls rm --all` (partial downloads: 3kB), `mydocker prune` (dangling images: up to 111kB), ' +
        '`mydocker rmi` (other images: up to 222kB), or use another file system with --home or MYDOCKER_HOME.',
    });
  });

  it('refuses a pull for which there are not enough files', async () => {
    const { name } = await startWith(gzipped(await archive({ a: Buffer.from('a') })));
    const folder = await smallDisk('size=4m,nr_inodes=60');
    const engine = await openEngine({ home: join(folder, 'store') });
    // All but what a lease and the config take.
    for (let at = 0; statfsSync(folder).ffree > 4; at += 1) writeFileSync(join(folder, `file${at}`), '');
    await expect(pullImage(engine, name)).rejects.toMatchObject({
      code: 'ERR_NO_SPACE',
      message: expect.stringContaining('it needs at least 5 files and folders, and there is room for ') as unknown,
    });
  });

  it.each([
    ['of noise', async () => gzipped(await archive({ noise: randomBytes(48 * KIB) }))],
    ['of zeros', async () => gzipped(await archive({ zeros: Buffer.alloc(96 * KIB) }))],
    ['of links, not compressed', async () => plain(await archive({ noise: randomBytes(9 * KIB) }, 200))],
    ['of empty files, not compressed', async () => plain(await archive(emptyFiles(150)))],
    ['of empty files', async () => gzipped(await archive(emptyFiles(700)))],
  ])(
    'refuses nothing that would fit: a layer %s',
    async (_, layer) => {
      const made = await layer();
      const { registry, name } = await startWith(made, made);
      const outcomes: string[] = [];
      // From far too small to large enough, a page at a time around the size that decides.
      for (let pages = 24; outcomes.at(-1) !== 'pulled'; pages += outcomes.at(-1) === 'refused' || isSoak ? 1 : 6) {
        const home = join(await smallDisk(`size=${80 + pages * 4}k`), 'store');
        outcomes.push(await outcome(await openEngine({ home }), name, registry));
      }
      // Where the check no longer refuses there is still not enough: it asks for less than what is needed.
      expect(outcomes.join(' ')).toMatch(/^(refused )*(full )+pulled$/);
    },
    longTimeout(60_000),
  );
});

describe('spaceNeed()', () => {
  interface Wanted {
    engine: Engine;
    image: LocalImage;
    layers: TestLayer[];
    need: (isPlain?: boolean) => Promise<SpaceNeed>;
  }

  /** An image that has been pulled; `layers` in place of the bench's own. */
  async function start(layers?: TestLayer[]): Promise<Wanted> {
    const bench = await startBench();
    const { engine } = bench;
    if (layers !== undefined) putImage(bench.registry, 'app', 'v1', { layers });
    const { manifestDigest } = await pullImage(engine, `${bench.name}:v1`);
    const image = await readLocalImage(engine.store, manifestDigest);
    if (image === undefined) throw new Error('it was pulled');
    const check = { engine, reference: parseReference(bench.name), ...image };
    return { engine, image, layers: layers ?? bench.layers, need: async (isPlain = true) => spaceNeed(check, isPlain) };
  }

  /** The same, and nothing of it is left. */
  async function startEmpty(layers?: TestLayer[]): Promise<Wanted & { sizes: [number, number] }> {
    const wanted = await start(layers);
    await removeImage(wanted.engine, wanted.image.imageId);
    const [first = 0, second = 0] = wanted.layers.map(({ bytes }) => bytes.length);
    return { ...wanted, sizes: [first, second] };
  }

  it('is nothing for what is there', async () => {
    expect(await (await start()).need()).toEqual({ download: 0, unpack: 0, files: 0 });
  });

  it('is what the layers have, to download and once more to unpack', async () => {
    const { need, sizes } = await startEmpty();
    const total = sizes[0] + sizes[1];
    expect(await need()).toEqual({ download: total, unpack: total, files: 10 });
    // Where the file system may compress, only what cannot be compressed again is sure.
    expect(await need(false)).toEqual({ download: total, unpack: 0, files: 10 });
  });

  it('of a plain tar is the download, and nothing where it may be compressed', async () => {
    const { need, sizes } = await startEmpty([plain(await archive({ a: Buffer.from('a') }))]);
    expect(await need()).toEqual({ download: sizes[0], unpack: 0, files: 5 });
    expect(await need(false)).toEqual({ download: 0, unpack: 0, files: 5 });
  });

  it('of a layer that the image has twice is one download', async () => {
    const layer = gzipped(await archive({ a: Buffer.from('a') }));
    const { need, sizes } = await startEmpty([layer, layer]);
    expect(await need()).toEqual({ download: sizes[0], unpack: 2 * sizes[0], files: 9 });
  });

  it('leaves out what an earlier pull has got', async () => {
    const { engine, image, layers, need, sizes } = await startEmpty();
    const [descriptor] = image.manifest.layers;
    if (descriptor === undefined) throw new Error('no layer');
    const ingest = await engine.store.blobs.ingest(descriptor);
    await ingest?.write(layers[0]?.bytes.subarray(0, 7) ?? Buffer.alloc(0));
    await ingest?.suspend();
    const total = sizes[0] + sizes[1];
    expect(await need()).toEqual({ download: total - 7, unpack: total, files: 9 });
    await engine.store.blobs.put(descriptor, layers[0]?.bytes ?? Buffer.alloc(0));
    expect(await need()).toEqual({ download: sizes[1], unpack: total, files: 9 });
  });

  it('leaves out what a damaged blob gives back', async () => {
    const { engine, image, need } = await start();
    const [descriptor] = image.manifest.layers;
    if (descriptor === undefined) throw new Error('no layer');
    const path = engine.store.blobs.path(descriptor.digest);
    chmodSync(path, 0o600);
    truncateSync(path, 10);
    expect(await need()).toEqual({ download: descriptor.size - 10, unpack: 0, files: 1 });
  });

  it.each([
    ['that another process unpacks', async (layers: string, chainId: Digest) => stageLayer(layers, chainId)],
    ['that is damaged', async (layers: string, chainId: Digest) => mkdir(layerFolder(layers, chainId))],
  ])('leaves out the unpacking of a layer %s', async (_, make) => {
    const { engine, image, need, sizes } = await startEmpty();
    const [bottom] = image.chain;
    if (bottom === undefined) throw new Error('no layer');
    await make(engine.store.paths.layers, bottom);
    expect(await need()).toMatchObject({ unpack: sizes[1], files: 6 });
  });
});

function freeBytes(path: string): number {
  const { bfree, bsize } = statfsSync(path);
  return bfree * bsize;
}

function emptyFiles(count: number): Record<string, Buffer> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`file${at}`, Buffer.alloc(0)]));
}
