import {
  chmodSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lastUse } from '../../src/image/last-use.ts';
import { listImages } from '../../src/image/list-images.ts';
import type { PullEvent } from '../../src/image/pull-event.ts';
import { pullImage } from '../../src/image/pull-image.ts';
import { findRunnableImage } from '../../src/image/runnable-image.ts';
import { removeImage } from '../../src/container/remove-image.ts';
import { putImage, putIndex } from '../support/registry/index.ts';
import type { TestLayer } from '../support/registry/index.ts';
import { listTree, wrongBlobs } from '../store/open-test-store.ts';
import { startBench } from './bench.ts';
import type { Bench } from './bench.ts';
import { tarLayer } from './test-layers.ts';

const paths = ({ registry }: Bench): string[] => registry.log.map(({ method, path }) => `${method} ${path}`);
const blobRequests = (bench: Bench): string[] => paths(bench).filter((path) => path.includes('/blobs/'));

async function chainOf({ engine, name }: Bench, tag = 'v1'): Promise<string[]> {
  return (await findRunnableImage(engine, `${name}:${tag}`))?.layerFolders ?? [];
}

describe('pullImage()', () => {
  it('brings manifest, config and layers into the store, each verified, and names the image last', async () => {
    const bench = await startBench();
    const events: PullEvent[] = [];
    const pulled = await pullImage(bench.engine, `${bench.name}:v1`, { onProgress: (event) => events.push(event) });
    expect(pulled).toMatchObject({ name: `${bench.name}:v1`, upToDate: false });
    expect(wrongBlobs(bench.engine.store.root)).toEqual([]);
    const image = await findRunnableImage(bench.engine, `${bench.name}:v1`);
    expect(image?.config.config.cmd).toEqual(['/bin/tool']);
    expect(readFileSync(join(image?.layerFolders[1] ?? '', 'fs/bin/tool'), 'utf8')).toBe('a tool');
    expect(readdirSync(bench.engine.store.paths.ingest)).toEqual([]);
    expect(events.map(({ kind }) => kind).filter((kind) => kind !== 'layer')).toEqual(['resolving', 'layers', 'done']);
    const states = events.filter((event) => event.kind === 'layer').map(({ state }) => state);
    expect(new Set(states)).toEqual(
      new Set(['waiting', 'downloading', 'verifying', 'downloaded', 'extracting', 'complete']),
    );
  });

  it('asks once, for the digest of the tag, when nothing has changed', async () => {
    const bench = await startBench();
    await pullImage(bench.engine, `${bench.name}:v1`);
    bench.registry.log.length = 0;
    expect((await pullImage(bench.engine, `${bench.name}:v1`)).upToDate).toBe(true);
    expect(paths(bench)).toEqual(['HEAD /v2/app/manifests/v1']); // and no ping, no token, no second look
  });

  it('asks nothing for a digest that is there', async () => {
    const bench = await startBench();
    const { digest } = await pullImage(bench.engine, `${bench.name}:v1`);
    await pullImage(bench.engine, `${bench.name}@${digest}`);
    bench.registry.log.length = 0;
    expect((await pullImage(bench.engine, `${bench.name}@${digest}`)).upToDate).toBe(true);
    expect(paths(bench)).toEqual([]);
  });

  it('remembers the pull as a use of the image, also when nothing has changed', async () => {
    const bench = await startBench();
    putImage(bench.registry, 'app', 'same', { layers: bench.layers, config: { Cmd: ['/bin/tool'] } });
    const { manifestDigest } = await pullImage(bench.engine, `${bench.name}:v1`);
    for (const tag of ['v1', 'same']) {
      utimesSync(bench.engine.store.blobs.path(manifestDigest), 0, 0);
      expect((await pullImage(bench.engine, `${bench.name}:${tag}`)).upToDate).toBe(tag === 'v1');
      expect(lastUse(bench.engine.store, manifestDigest)).toBeGreaterThan(Date.UTC(2020));
    }
  });

  it('downloads only the layers that another image has not brought', async () => {
    const bench = await startBench();
    await pullImage(bench.engine, `${bench.name}:v1`);
    const more = await tarLayer({ 'bin/more': 'more' });
    const { layers, config } = putImage(bench.registry, 'app', 'v2', { layers: [...bench.layers, more] });
    bench.registry.log.length = 0;
    await pullImage(bench.engine, `${bench.name}:v2`);
    expect(blobRequests(bench).sort()).toEqual(
      [config.digest, layers[2]?.digest].map((digest) => `GET /v2/app/blobs/${digest}`).sort(),
    );
  });

  it('downloads a layer once that an image has twice', async () => {
    const bench = await startBench();
    const [layer] = bench.layers;
    if (layer === undefined) throw new Error('no layer');
    putImage(bench.registry, 'app', 'twice', { layers: [layer, layer] });
    await pullImage(bench.engine, `${bench.name}:twice`);
    expect(blobRequests(bench)).toHaveLength(2);
    expect(await chainOf(bench, 'twice')).toHaveLength(2);
  });

  it('chooses the platform from an index, and keeps the index', async () => {
    const bench = await startBench();
    const arm = putImage(bench.registry, 'app', 'arm', { layers: bench.layers, architecture: 'arm64' });
    const amd = putImage(bench.registry, 'app', 'amd', { layers: bench.layers });
    const index = putIndex(bench.registry, 'app', 'both', [
      { ...arm.manifest, platform: { os: 'linux', architecture: 'arm64' } },
      { ...amd.manifest, platform: { os: 'linux', architecture: 'amd64' } },
    ]);
    const platform = { os: 'linux', architecture: 'arm64' };
    const pulled = await pullImage(bench.engine, `${bench.name}:both`, { platform });
    expect(pulled).toMatchObject({ digest: index.digest, manifestDigest: arm.manifest.digest, platform });
    expect(await bench.engine.store.blobs.stat(index.digest)).toBeDefined();
  });

  it('says what there is when the platform is not (R23)', async () => {
    const bench = await startBench();
    const arm = putImage(bench.registry, 'app', 'arm', { layers: bench.layers, architecture: 'arm64' });
    putIndex(bench.registry, 'app', 'both', [{ ...arm.manifest, platform: { os: 'linux', architecture: 'arm64' } }]);
    const platform = { os: 'linux', architecture: 's390x' };
    await expect(pullImage(bench.engine, `${bench.name}:both`, { platform })).rejects.toMatchObject({
      code: 'ERR_PLATFORM',
      message: `Cannot pull "${bench.name}:both": no matching manifest for linux/s390x in the manifest list entries: it has linux/arm64`,
    });
  });

  it('replaces a blob that has been cut, and leaves the layers alone (I10)', async () => {
    const bench = await startBench();
    await pullImage(bench.engine, `${bench.name}:v1`);
    const before = (await chainOf(bench)).map((folder) => statSync(folder).ino);
    const { digest } =
      putImage(bench.registry, 'app', 'v1', { layers: bench.layers, config: { Cmd: ['/bin/tool'] } }).layers[0] ?? {};
    const blob = join(bench.engine.store.root, 'blobs/sha256', digest?.slice('sha256:'.length) ?? '');
    chmodSync(blob, 0o600);
    truncateSync(blob, 10);
    await pullImage(bench.engine, `${bench.name}:v1`);
    expect(wrongBlobs(bench.engine.store.root)).toEqual([]);
    expect((await chainOf(bench)).map((folder) => statSync(folder).ino)).toEqual(before);
  });

  it.each([
    ['its folder', (folder: string) => rmSync(folder, { recursive: true })],
    ['its done', (folder: string) => rmSync(join(folder, 'done'))],
    ['its tree', (folder: string) => rmSync(join(folder, 'fs'), { recursive: true })],
    [
      'the text of its done',
      (folder: string) => {
        chmodSync(join(folder, 'done'), 0o600);
        writeFileSync(join(folder, 'done'), '{');
      },
    ],
  ])('unpacks a layer again that has lost %s, without downloading (I10, S18, S19)', async (_, damage) => {
    const bench = await startBench();
    await pullImage(bench.engine, `${bench.name}:v1`);
    const [folder = ''] = await chainOf(bench);
    damage(folder);
    await expect(findRunnableImage(bench.engine, `${bench.name}:v1`)).rejects.toThrow('the image is damaged');
    bench.registry.log.length = 0;
    await pullImage(bench.engine, `${bench.name}:v1`);
    expect(blobRequests(bench)).toEqual([]);
    expect(readFileSync(join(folder, 'fs/etc/group'), 'utf8')).toBe('root:x:0:\n');
  });

  it('refuses a layer whose content is not what the config says, and keeps nothing of it (C02, A9)', async () => {
    const bench = await startBench();
    await pullImage(bench.engine, `${bench.name}:v1`);
    const honest = listTree(bench.engine.store.paths.layers);
    const [first, second] = bench.layers;
    const evil = await tarLayer({ 'bin/tool': 'evil' });
    const diffId = (await diffIdsOf(bench))[1];
    if (first === undefined || second === undefined || diffId === undefined) throw new Error('no layers');
    const lie = { ...evil, diffId: `sha256:${'0'.repeat(64)}` };
    putImage(bench.registry, 'app', 'evil', { layers: [first, lie] });
    await expect(pullImage(bench.engine, `${bench.name}:evil`)).rejects.toMatchObject({ code: 'ERR_INTEGRITY' });
    expect(listTree(bench.engine.store.paths.layers)).toEqual(honest);
    // Under the name of a layer that is cached, the cached one is used, which is what the digest says.
    putImage(bench.registry, 'app', 'poison', { layers: [first, { ...evil, diffId }] });
    await pullImage(bench.engine, `${bench.name}:poison`);
    expect(readFileSync(join((await chainOf(bench, 'poison'))[1] ?? '', 'fs/bin/tool'), 'utf8')).toBe('a tool');
  });

  it.each([
    ['more', (layers: TestLayer[]) => layers.slice(0, 1)],
    ['fewer', (layers: TestLayer[]) => [...layers, ...layers]],
  ])('refuses a manifest with %s layers than the config before it downloads one (C01)', async (_, change) => {
    const bench = await startBench();
    const full = putImage(bench.registry, 'app', 'full', { layers: bench.layers });
    const other = change(bench.layers).map(({ bytes }) =>
      bench.registry.putBlob('app', bytes, { mediaType: full.layers[0]?.mediaType ?? '' }),
    );
    putImage(bench.registry, 'app', 'bad', { layers: bench.layers, manifest: { layers: other } });
    await expect(pullImage(bench.engine, `${bench.name}:bad`)).rejects.toMatchObject({ code: 'ERR_MANIFEST' });
    expect(blobRequests(bench)).toEqual([`GET /v2/app/blobs/${full.config.digest}`]);
  });

  it('ends the other downloads when one fails, keeps what is verified, and names nothing (R69)', async () => {
    const bench = await startBench();
    const bad = bench.registry.putBlob('app', Buffer.from('not this'), { digest: `sha256:${'1'.repeat(64)}` });
    const good = putImage(bench.registry, 'app', 'v1', { layers: bench.layers });
    putImage(bench.registry, 'app', 'half', {
      layers: bench.layers,
      manifest: { layers: [good.layers[0], { ...good.layers[1], digest: bad.digest, size: bad.size }] },
    });
    await expect(pullImage(bench.engine, `${bench.name}:half`)).rejects.toMatchObject({ code: 'ERR_INTEGRITY' });
    expect(await listImages(bench.engine)).toEqual([]);
    expect(wrongBlobs(bench.engine.store.root)).toEqual([]);
  });

  it('stops when it is told to, and leaves no lock, no staging folder and no name (R68)', async () => {
    const bench = await startBench();
    const { layers } = putImage(bench.registry, 'app', 'v1', { layers: bench.layers });
    bench.registry.faults.add({ path: `/blobs/${layers[1]?.digest}`, stallAfter: 5 });
    const controller = new AbortController();
    const pull = pullImage(bench.engine, `${bench.name}:v1`, {
      signal: controller.signal,
      onProgress: (event) => {
        if (event.kind === 'layer' && event.state === 'downloading' && event.current === 5) controller.abort();
      },
    });
    await expect(pull).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(readdirSync(bench.engine.store.paths.layers).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(await listImages(bench.engine)).toEqual([]);
    expect((await pullImage(bench.engine, `${bench.name}:v1`)).upToDate).toBe(false);
  });

  it('leaves the image that a tag has named before in the list, without a name', async () => {
    const bench = await startBench();
    const old = await pullImage(bench.engine, `${bench.name}:v1`);
    putImage(bench.registry, 'app', 'v1', { layers: [await tarLayer({ new: 'new' })] });
    await pullImage(bench.engine, `${bench.name}:v1`);
    const dangling = (await listImages(bench.engine)).filter((image) => image.dangling);
    expect(dangling).toMatchObject([{ id: old.imageId, name: undefined }]);
    await removeImage(bench.engine, old.imageId);
    expect(await listImages(bench.engine)).toHaveLength(1);
  });
});

async function diffIdsOf({ engine, name }: Bench): Promise<string[]> {
  return (await findRunnableImage(engine, `${name}:v1`))?.config.diffIds ?? [];
}

describe('removeImage()', () => {
  it('frees what only this image needs, and leaves what others share', async () => {
    const bench = await startBench();
    await pullImage(bench.engine, `${bench.name}:v1`);
    const shared = await chainOf(bench);
    putImage(bench.registry, 'app', 'v2', { layers: [...bench.layers, await tarLayer({ 'bin/more': 'more' })] });
    await pullImage(bench.engine, `${bench.name}:v2`);
    const all = await chainOf(bench, 'v2');
    const own = all[2] ?? '';
    const events = await removeImage(bench.engine, `${bench.name}:v2`);
    expect(events.map(({ kind }) => kind)).toEqual(['untagged', 'deleted', 'deleted']);
    expect([own, ...shared].map((folder) => existsSync(folder))).toEqual([false, true, true]);
    expect(await findRunnableImage(bench.engine, `${bench.name}:v1`)).toBeDefined();
  });

  it('leaves a store as large as an empty one (I9)', async () => {
    const bench = await startBench();
    const before = listTree(bench.engine.store.root);
    await pullImage(bench.engine, `${bench.name}:v1`);
    await removeImage(bench.engine, `${bench.name}:v1`);
    // An ordinary user's pull has needed the runner, which stays.
    const after = listTree(bench.engine.store.root).filter((entry) => !entry.startsWith('runner/runner-'));
    expect(after).toEqual(before);
  });

  it('only takes the name while another one is left', async () => {
    const bench = await startBench();
    putImage(bench.registry, 'app', 'same', { layers: bench.layers, config: { Cmd: ['/bin/tool'] } });
    await pullImage(bench.engine, `${bench.name}:v1`);
    await pullImage(bench.engine, `${bench.name}:same`);
    expect(await removeImage(bench.engine, `${bench.name}:v1`)).toEqual([
      { kind: 'untagged', reference: `${bench.name}:v1` },
    ]);
    expect(await chainOf(bench, 'same')).toHaveLength(2);
  });

  it('refuses an ID with several names unless forced', async () => {
    const bench = await startBench();
    putImage(bench.registry, 'app', 'same', { layers: bench.layers, config: { Cmd: ['/bin/tool'] } });
    const { imageId } = await pullImage(bench.engine, `${bench.name}:v1`);
    await pullImage(bench.engine, `${bench.name}:same`);
    const short = imageId.slice('sha256:'.length, 'sha256:'.length + 12);
    await expect(removeImage(bench.engine, short)).rejects.toThrow(
      `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
    );
    await removeImage(bench.engine, short, { force: true });
    expect(await listImages(bench.engine)).toEqual([]);
  });

  it('says that there is no such image as docker does', async () => {
    const { engine } = await startBench();
    await expect(removeImage(engine, 'nope')).rejects.toMatchObject({
      code: 'ERR_NO_SUCH_IMAGE',
      message: 'No such image: nope:latest',
    });
  });
});
