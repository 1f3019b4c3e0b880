import { randomBytes } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename } from 'node:path';

import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { pullImage } from '../../../src/image/pull-image.ts';
import type { Finding } from '../../../src/image/verify/finding.ts';
import { findRunnableImage } from '../../../src/image/runnable-image.ts';
import { putImage } from '../../support/registry/index.ts';
import { requires } from '../../support/requirements.ts';
import { tarLayer } from '../test-layers.ts';
import { addContainer } from './add-container.ts';
import { lost, putBlob, startBench, unrepaired, type Bench } from './bench.ts';
import { changedPaths, fingerprints, flipBit } from './damage.ts';

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
    ['one layer', ({ at, layerFolders }: Bench) => rmSync(at(layerFolders[1] ?? ''), { recursive: true }), 1],
    ['all layers', ({ at }: Bench) => rmSync(at('layers'), { recursive: true }), 3],
    [
      'a folder of a layer',
      ({ at, layerFolders }: Bench) => rmSync(at(`${layerFolders[2]}/fs`), { recursive: true }),
      1,
    ],
  ])('S19 finds the loss of %s, and unpacks again what is lost, without the network', async (_, damage, count) => {
    damage(bench);
    await expect(findRunnableImage(bench.engine, bench.name)).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
    bench.registry.log.length = 0;
    expect((await bench.verify()).findings.map(({ kind }) => kind)).toEqual(Array(count).fill('layer'));
    expect(unrepaired(await bench.verify({ repair: true }))).toEqual([]);
    expect(bench.requests()).toEqual([]);
    expect((await bench.verify({ deep: true })).findings).toEqual([]);
    expect(readFileSync(bench.at(`${bench.layerFolders[2]}/group`), 'utf8')).toBe('root:x:0:\nstaff:x:50:\n');
  });

  it.each<[string, (bench: Bench) => string]>([
    ['at the top', () => 'stray'],
    ['among the algorithms', () => 'blobs/md5'],
    ['among the blobs', () => 'blobs/sha256/abc'],
    ['among the layers', () => 'layers/stray'],
    ['beside the tree of a layer', ({ layerFolders }) => `${layerFolders[0]}/stray`],
  ])('I2 finds a file too many %s, and moves it to the trash', async (_, path) => {
    const before = fingerprints(bench.root);
    writeFileSync(bench.at(path(bench)), 'stray');
    expect((await bench.verify()).findings).toMatchObject([{ kind: 'extra', path: path(bench) }]);
    expect(unrepaired(await bench.verify({ repair: true }))).toEqual([]);
    expect(changedPaths(before, fingerprints(bench.root))).toEqual([]);
    expect(readdirSync(bench.at('trash')).join()).toContain(basename(path(bench)));
  });

  it('I2 finds a file too many in a layer, and unpacks the layer again', async () => {
    const folder = bench.layerFolders[1] ?? '';
    writeFileSync(bench.at(`${folder}/fs/bin/stray`), 'stray');
    expect((await bench.verify({ deep: true, repair: true })).findings).toContainEqual(
      expect.objectContaining({ kind: 'layer', problem: 'bin/stray: it is there, and should not be' }),
    );
    expect(readdirSync(bench.at(`${folder}/fs/bin`))).toEqual(['tool']);
    expect(readdirSync(bench.at('trash'))).toEqual([]);
  });

  it('takes nothing for damage that another command is about to add', async () => {
    const hex = 'a'.repeat(64);
    mkdirSync(bench.at(`layers/.tmp-${hex}-0123456789ab/fs`), { recursive: true });
    writeFileSync(bench.at(`layers/.lock-${hex}`), '');
    writeFileSync(bench.at(`ingest/${hex}`), 'part');
    writeFileSync(bench.at('.index.json.0123456789abcdef.tmp'), '{');
    writeFileSync(bench.at(`${bench.layerFolders[2]}/.passwd.0123456789abcdef.tmp`), '');
    expect((await bench.verify({ deep: true })).findings).toEqual([]);
  });

  it('I1 moves a damaged blob and a damaged layer that nothing refers to to the trash', async () => {
    const digest = putBlob(bench, 'nobody needs it');
    flipBit(bench.at(bench.blob(digest)), 3);
    mkdirSync(bench.at(`layers/${'b'.repeat(64)}/fs`), { recursive: true });
    expect((await bench.verify({ repair: true })).findings).toMatchObject([
      { kind: 'blob', digest, role: 'other', images: [], repair: { isDone: true, how: 'moved to the trash' } },
      { kind: 'layer', images: [], repair: { isDone: true, how: 'moved to the trash' } },
    ]);
    expect((await bench.verify()).findings).toEqual([]);
  });

  it('names all images that need what is damaged, and reports it once', async () => {
    putImage(bench.registry, 'app', 'v2', { layers: [...bench.layers, await tarLayer({ 'more/': null })] });
    await pullImage(bench.engine, `${bench.registry.host}/app:v2`);
    flipBit(bench.at(bench.blob(bench.digests.layers[0] ?? lost)), 77);
    expect((await bench.verify()).findings).toMatchObject([
      { kind: 'blob', role: 'layer', images: [bench.name, `${bench.registry.host}/app:v2`] },
    ]);
  });

  it.each<[string, (path: string) => void]>([
    ['a folder', (path) => mkdirSync(path)],
    ['a symlink to good bytes', (path) => symlinkSync(`${path}.away`, path)],
  ])('I1 finds and replaces %s in place of a blob', async (_, put) => {
    const path = bench.at(bench.blob(bench.digests.layers[0] ?? lost));
    renameSync(path, `${path}.away`);
    put(path);
    expect(unrepaired(await bench.verify({ repair: true, image: bench.name }))).toEqual([]);
    expect(lstatSync(path).isFile()).toBe(true);
  });

  it('I6 leaves what it cannot repair as it was: the registry is gone', async () => {
    const layer = bench.digests.layers[1] ?? lost;
    flipBit(bench.at(bench.blob(layer)), 100);
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
    flipBit(bench.at(bench.blob(digest)), 12_345);
    expect((await bench.verify({ repair: true })).findings).toMatchObject([{ digest, repair: { isDone: true } }]);
    expect((await bench.verify()).findings).toEqual([]);
  });

  it('I10 a pull that has to unpack a layer again downloads its blob again if that is damaged too', async () => {
    const layer = bench.digests.layers[1] ?? lost;
    flipBit(bench.at(bench.blob(layer)), 100);
    rmSync(bench.at(bench.layerFolders[1] ?? ''), { recursive: true });
    bench.registry.log.length = 0;
    await pullImage(bench.engine, bench.name);
    expect(bench.requests().filter((line) => line.includes('/blobs/'))).toEqual([`GET /v2/app/blobs/${layer}`]);
    expect((await bench.verify({ deep: true })).findings).toEqual([]);
  });

  it('I1 takes no wrong bytes from a registry in place of wrong bytes', async () => {
    const layer = bench.digests.layers[1] ?? lost;
    const size = lstatSync(bench.at(bench.blob(layer))).size;
    bench.registry.putBlob('app', Buffer.alloc(size), { digest: layer });
    flipBit(bench.at(bench.blob(layer)), 100);
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
    flipBit(bench.at(bench.blob(bench.digests.config)), 1);
    expect((await bench.verify({ repair: true })).findings).toMatchObject([
      {
        images: [bench.digests.config],
        repair: { isDone: false, reason: expect.stringContaining('no image with a name') as string },
      },
    ]);
  });

  it('I4 does not take a layer away from a running container, and says from which', async () => {
    const container = await addContainer(bench, true);
    const [low = '', , top = ''] = bench.layerFolders;
    for (const file of [`${low}/fs/etc/passwd`, `${top}/fs/srv/data`]) flipBit(bench.at(file), 3);
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

  it('says that there is no such image', async () => {
    await expect(bench.verify({ image: 'nope' })).rejects.toMatchObject({ code: 'ERR_NO_SUCH_IMAGE' });
  });

  it('stops when it is told to', async () => {
    await expect(bench.verify({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    const abort = new AbortController();
    flipBit(bench.at(bench.blob(bench.digests.index)), 1);
    await expect(bench.verify({ signal: abort.signal, onFinding: () => abort.abort() })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
    expect(readdirSync(bench.at('leases'))).toEqual([]);
  });
});

/** Of layers: the folder, and why each was not repaired. */
function layersOf(findings: readonly Finding[]): Array<[string, string | undefined]> {
  return findings.flatMap((finding) => {
    if (finding.kind !== 'layer') return [];
    const { chainId, repair } = finding;
    return [[`layers/${chainId.slice('sha256:'.length)}`, repair?.isDone === false ? repair.reason : undefined]];
  });
}
