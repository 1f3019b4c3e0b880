import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { basename, join } from 'node:path';

import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { createContainerFolder, writeRecord } from '../../../src/container/container-record.ts';
import { lockFile } from '../../../src/fs/kernel-lock.ts';
import { pullImage } from '../../../src/image/pull-image.ts';
import type { Finding } from '../../../src/image/verify/finding.ts';
import { findRunnableImage } from '../../../src/image/runnable-image.ts';
import { digestOf, parseDigest } from '../../../src/oci/digest.ts';
import { putImage } from '../../support/registry/index.ts';
import { requires } from '../../support/requirements.ts';
import { tarLayer } from '../test-layers.ts';
import { startBench, unrepaired, type Bench } from './bench.ts';
import { DAMAGES, changedPaths, fingerprints, flipBit } from './damage.ts';

describe('verify()', requires('root'), () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await startBench();
    onTestFinished(async () => bench.close());
  });

  it('finds nothing in a store that is as it should be', async () => {
    expect(await bench.verify({ deep: true })).toEqual({ images: 1, blobs: 6, layers: 3, findings: [] });
  });

  it.each([
    [
      'one layer',
      (at: (name: string) => string, { layerFolders }: Bench) => rmSync(at(layerFolders[1] ?? ''), { recursive: true }),
      1,
    ],
    ['all layers', (at: (name: string) => string) => rmSync(at('layers'), { recursive: true }), 3],
    [
      'a folder of a layer',
      (at: (name: string) => string, { layerFolders }: Bench) =>
        rmSync(at(`${layerFolders[2]}/fs`), { recursive: true }),
      1,
    ],
  ])('S19 finds that %s are gone, and unpacks them again without the network', async (_, damage, count) => {
    damage(at, bench);
    await expect(findRunnableImage(bench.engine, bench.name)).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
    bench.registry.log.length = 0;
    expect((await bench.verify()).findings.map(({ kind }) => kind)).toEqual(Array(count).fill('layer'));
    expect(unrepaired(await bench.verify({ repair: true }))).toEqual([]);
    expect(bench.requests()).toEqual([]);
    expect((await bench.verify({ deep: true })).findings).toEqual([]);
    expect(readFileSync(at(`${bench.layerFolders[2]}/group`), 'utf8')).toBe('root:x:0:\nstaff:x:50:\n');
  });

  it.each<[string, (bench: Bench) => string]>([
    ['at the top', () => 'stray'],
    ['among the algorithms', () => 'blobs/md5'],
    ['among the blobs', () => 'blobs/sha256/abc'],
    ['among the layers', () => 'layers/stray'],
    ['beside the tree of a layer', ({ layerFolders }) => `${layerFolders[0]}/stray`],
  ])('I2 finds a file too many %s, and moves it to the trash', async (_, path) => {
    const before = fingerprints(bench.root);
    writeFileSync(at(path(bench)), 'stray');
    expect((await bench.verify()).findings).toMatchObject([{ kind: 'extra', path: path(bench) }]);
    expect(unrepaired(await bench.verify({ repair: true }))).toEqual([]);
    expect(changedPaths(before, fingerprints(bench.root))).toEqual([]);
    expect(readdirSync(at('trash')).join()).toContain(basename(path(bench)));
  });

  it('I2 finds a file too many in a layer, and unpacks the layer again', async () => {
    const folder = bench.layerFolders[1] ?? '';
    writeFileSync(at(`${folder}/fs/bin/stray`), 'stray');
    expect((await bench.verify({ deep: true, repair: true })).findings).toContainEqual(
      expect.objectContaining({ kind: 'layer', problem: 'bin/stray: it is there, and should not be' }),
    );
    expect(readdirSync(at(`${folder}/fs/bin`))).toEqual(['tool']);
    expect(readdirSync(at('trash'))).toEqual([]);
  });

  it('takes nothing for damage that another command is about to add', async () => {
    const hex = 'a'.repeat(64);
    mkdirSync(at(`layers/.tmp-${hex}-0123456789ab/fs`), { recursive: true });
    writeFileSync(at(`layers/.lock-${hex}`), '');
    writeFileSync(at(`ingest/${hex}`), 'part');
    writeFileSync(at('.index.json.0123456789abcdef.tmp'), '{');
    writeFileSync(at(`${bench.layerFolders[2]}/.passwd.0123456789abcdef.tmp`), '');
    expect((await bench.verify({ deep: true })).findings).toEqual([]);
  });

  it.each(Object.entries(DAMAGES))(
    'store.json: %s: repair unpacks the layers again, and downloads nothing',
    async (_, damage) => {
      damage(at('store.json'));
      await expect(bench.verify()).rejects.toThrow();
      bench.registry.log.length = 0;
      const { findings } = await bench.verify({ repair: true });
      expect(findings[0]).toMatchObject({ kind: 'file', path: 'store.json', repair: { isDone: true } });
      expect(bench.requests()).toEqual([]);
      expect((await bench.verify({ deep: true })).findings).toEqual([]);
      expect(await findRunnableImage(bench.engine, bench.name)).toBeDefined();
    },
  );

  it('leaves a damaged store.json to people if there are containers', async () => {
    await addContainer(false);
    writeFileSync(at('store.json'), '{');
    await expect(bench.verify({ repair: true })).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
    expect(readFileSync(at('store.json'), 'utf8')).toBe('{');
    expect(existsSync(at(bench.layerFolders[0] ?? ''))).toBe(true);
  });

  it.each(Object.entries(DAMAGES))('S28 index.json: %s: is reported, and stays', async (_, damage) => {
    damage(at('index.json'));
    const before = fingerprints(bench.root);
    const { findings } = await bench.verify({ repair: true });
    expect(['file', 'name']).toContain(findings[0]?.kind);
    expect(findings.map(({ repair }) => repair?.isDone)).not.toContain(true);
    expect(changedPaths(before, fingerprints(bench.root))).toEqual([]);
  });

  it('S28 repairs nothing while index.json cannot be read: nobody knows what is needed', async () => {
    rmSync(at('index.json'));
    flipBit(at(bench.blob(bench.digests.config)), 9);
    const before = fingerprints(bench.root);
    expect((await bench.verify({ repair: true })).findings).toMatchObject([
      { kind: 'file', path: 'index.json', repair: { isDone: false } },
      { kind: 'blob', digest: bench.digests.config },
    ]);
    expect(changedPaths(before, fingerprints(bench.root))).toEqual([]);
  });

  it('finds a name that is not what was given, and goes on with the others', async () => {
    const text = readFileSync(at('index.json'), 'utf8');
    writeFileSync(at('index.json'), text.replace(`${bench.registry.host}/app:v1`, `${bench.registry.host}/app:w1`));
    flipBit(at(bench.blob(bench.digests.config)), 9);
    bench.registry.log.length = 0;
    // It may be anybody's name, so nobody is asked for what it needs.
    const config = { kind: 'blob', digest: bench.digests.config };
    const name = { kind: 'name', name: `${bench.registry.host}/app:w1`, repair: { isDone: false } };
    expect((await bench.verify({ repair: true })).findings).toMatchObject([
      name,
      { ...config, repair: { isDone: false } },
    ]);
    expect(bench.requests()).toEqual([]);
    await pullImage(bench.engine, bench.name);
    await bench.engine.store.images.delete(`${bench.registry.host}/app:w1`);
    expect((await bench.verify({ deep: true })).findings).toEqual([]);
  });

  it('accepts what other tools put into index.json, and leaves their blobs to them', async () => {
    const document = JSON.stringify({
      schemaVersion: 2,
      manifests: [{ digest: bench.digests.manifest }, { digest: lost }],
    });
    const damaged = 'what another tool has put there';
    const digests = [document, damaged].map((text) => putBlob(text));
    const index = JSON.parse(readFileSync(at('index.json'), 'utf8')) as { manifests: object[] };
    index.manifests.push(
      ...[...digests, lost].map((digest, at) => ({
        mediaType: 'x/y',
        digest,
        size: 1,
        annotations: { 'org.opencontainers.image.ref.name': `v${at}` },
      })),
    );
    writeFileSync(at('index.json'), JSON.stringify(index, undefined, 2));
    expect((await bench.verify({ deep: true })).findings).toEqual([]);
    const [, foreign = lost] = digests;
    flipBit(at(bench.blob(foreign)), 0);
    expect((await bench.verify({ repair: true })).findings).toMatchObject([
      {
        kind: 'blob',
        digest: foreign,
        role: 'other',
        repair: { isDone: false, reason: 'another tool has put it there, for "v1"' },
      },
    ]);
    expect(existsSync(at(bench.blob(foreign)))).toBe(true);
  });

  it('I1 moves a damaged blob and a damaged layer that nothing refers to to the trash', async () => {
    const digest = putBlob('nobody needs it');
    flipBit(at(bench.blob(digest)), 3);
    mkdirSync(at(`layers/${'b'.repeat(64)}/fs`), { recursive: true });
    expect((await bench.verify({ repair: true })).findings).toMatchObject([
      { kind: 'blob', digest, role: 'other', images: [], repair: { isDone: true, how: 'moved to the trash' } },
      { kind: 'layer', images: [], repair: { isDone: true, how: 'moved to the trash' } },
    ]);
    expect((await bench.verify()).findings).toEqual([]);
  });

  it('names all images that need what is damaged, and reports it once', async () => {
    putImage(bench.registry, 'app', 'v2', { layers: [...bench.layers, await tarLayer({ 'more/': null })] });
    await pullImage(bench.engine, `${bench.registry.host}/app:v2`);
    flipBit(at(bench.blob(bench.digests.layers[0] ?? lost)), 77);
    expect((await bench.verify()).findings).toMatchObject([
      { kind: 'blob', role: 'layer', images: [bench.name, `${bench.registry.host}/app:v2`] },
    ]);
  });

  it.each<[string, (path: string) => void]>([
    ['a folder', (path) => mkdirSync(path)],
    ['a symlink to good bytes', (path) => symlinkSync(`${path}.away`, path)],
  ])('I1 finds and replaces %s in place of a blob', async (_, put) => {
    const path = at(bench.blob(bench.digests.layers[0] ?? lost));
    renameSync(path, `${path}.away`);
    put(path);
    expect(unrepaired(await bench.verify({ repair: true, image: bench.name }))).toEqual([]);
    expect(lstatSync(path).isFile()).toBe(true);
  });

  it('I6 leaves what it cannot repair as it was: the registry is gone', async () => {
    const layer = bench.digests.layers[1] ?? lost;
    flipBit(at(bench.blob(layer)), 100);
    bench.registry.remove('app', layer);
    const before = fingerprints(bench.root);
    const { findings } = await bench.verify({ repair: true });
    expect(findings).toMatchObject([{ kind: 'blob', digest: layer, repair: { isDone: false } }]);
    expect(changedPaths(before, fingerprints(bench.root))).toEqual([]);
  });

  it('I10 replaces a blob that is too large to be hashed on every pull', async () => {
    const { layers } = putImage(bench.registry, 'app', 'large', {
      layers: [await tarLayer({ large: randomBytes(5 * 1024 * 1024).toString('latin1') })],
    });
    await pullImage(bench.engine, `${bench.registry.host}/app:large`);
    const digest = layers[0]?.digest ?? lost;
    flipBit(at(bench.blob(digest)), 12_345);
    expect((await bench.verify({ repair: true })).findings).toMatchObject([{ digest, repair: { isDone: true } }]);
    expect((await bench.verify()).findings).toEqual([]);
  });

  it('I10 a pull that has to unpack a layer again downloads its blob again if that is damaged too', async () => {
    const layer = bench.digests.layers[1] ?? lost;
    flipBit(at(bench.blob(layer)), 100);
    rmSync(at(bench.layerFolders[1] ?? ''), { recursive: true });
    bench.registry.log.length = 0;
    await pullImage(bench.engine, bench.name);
    expect(bench.requests().filter((line) => line.includes('/blobs/'))).toEqual([`GET /v2/app/blobs/${layer}`]);
    expect((await bench.verify({ deep: true })).findings).toEqual([]);
  });

  it('I1 takes no wrong bytes from a registry in place of wrong bytes', async () => {
    const layer = bench.digests.layers[1] ?? lost;
    const size = lstatSync(at(bench.blob(layer))).size;
    bench.registry.putBlob('app', Buffer.alloc(size), { digest: layer });
    flipBit(at(bench.blob(layer)), 100);
    const before = fingerprints(bench.root);
    const { findings } = await bench.verify({ repair: true });
    expect(findings).toMatchObject([{ digest: layer, repair: { isDone: false } }]);
    expect(changedPaths(before, fingerprints(bench.root))).toEqual([]);
  });

  it('cannot download what only an image without a name needs, and says so', async () => {
    const [record] = await bench.engine.store.images.list();
    if (record === undefined) throw new Error('no record');
    await bench.engine.store.images.set({ ...record, name: undefined });
    await bench.engine.store.images.delete(bench.name);
    flipBit(at(bench.blob(bench.digests.config)), 1);
    expect((await bench.verify({ repair: true })).findings).toMatchObject([
      {
        images: [bench.digests.config],
        repair: { isDone: false, reason: expect.stringContaining('no image with a name') as string },
      },
    ]);
  });

  it('I4 does not take a layer away from a running container, and says from which', async () => {
    const container = await addContainer(true);
    const [low = '', , top = ''] = bench.layerFolders;
    for (const file of [`${low}/fs/etc/passwd`, `${top}/fs/srv/data`]) flipBit(at(file), 3);
    const before = fingerprints(bench.root);
    const { findings } = await bench.verify({ deep: true, repair: true });
    expect(layersOf(findings)).toEqual([
      [low, expect.stringContaining(`the running container ${container.id.slice(0, 12)} uses it`)],
      [top, undefined],
    ]);
    expect(changedPaths(before, fingerprints(bench.root)).filter((path) => !path.startsWith(top))).toEqual([]);
    container.end();
    expect(unrepaired(await bench.verify({ deep: true, repair: true }))).toEqual([]);
  });

  it('accepts layers and names of the first version, which have no digest of themselves', async () => {
    for (const folder of bench.layerFolders) {
      const path = at(`${folder}/done`);
      const { diffId, size, entries } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
      chmodSync(path, 0o600);
      writeFileSync(path, `${JSON.stringify({ diffId, size, entries })}\n`);
    }
    const index = readFileSync(at('index.json'), 'utf8');
    writeFileSync(at('index.json'), index.replace(/,"dev.mydocker.check":"[^"]*"/, ''));
    expect(readFileSync(at('index.json'), 'utf8')).not.toBe(index);
    expect(await findRunnableImage(bench.engine, bench.name)).toBeDefined();
    expect((await bench.verify({ deep: true })).findings).toEqual([]);
    expect((await pullImage(bench.engine, bench.name)).upToDate).toBe(true);
  });

  it('says that there is no such image', async () => {
    await expect(bench.verify({ image: 'nope' })).rejects.toMatchObject({ code: 'ERR_NO_SUCH_IMAGE' });
  });

  it('stops when it is told to', async () => {
    await expect(bench.verify({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    const abort = new AbortController();
    flipBit(at(bench.blob(bench.digests.index)), 1);
    await expect(bench.verify({ signal: abort.signal, onFinding: () => abort.abort() })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
    expect(readdirSync(at('leases'))).toEqual([]);
  });

  function at(name: string): string {
    return join(bench.root, name);
  }

  function putBlob(text: string): typeof lost {
    const digest = digestOf(Buffer.from(text));
    writeFileSync(at(bench.blob(digest)), text);
    return digest;
  }

  /** The record of a container over the lowest layer alone, and the lock that it holds while it runs. */
  async function addContainer(isRunning: boolean): Promise<{ id: string; end(): void }> {
    const id = 'c'.repeat(64);
    const { folder } = createContainerFolder(at('containers'), id);
    writeRecord(folder, {
      version: 1,
      id,
      name: 'c',
      image: bench.name,
      imageId: bench.digests.config,
      manifest: bench.digests.manifest,
      layers: [basename(bench.layerFolders[0] ?? '')],
      command: ['sh'],
      created: '2026-01-01T00:00:00Z',
      autoRemove: false,
    });
    const lock = isRunning ? await lockFile(join(folder, 'lock'), 'exclusive') : undefined;
    return { id, end: () => lock?.release() };
  }
});

const lost = parseDigest(`sha256:${'0'.repeat(64)}`);

/** Of layers: the folder, and why each was not repaired. */
function layersOf(findings: readonly Finding[]): Array<[string, string | undefined]> {
  return findings.flatMap((finding) => {
    if (finding.kind !== 'layer') return [];
    const { chainId, repair } = finding;
    return [[`layers/${chainId.slice('sha256:'.length)}`, repair?.isDone === false ? repair.reason : undefined]];
  });
}
