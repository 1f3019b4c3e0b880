import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { removeImage } from '../../src/container/remove-image.ts';
import { isToolError } from '../../src/errors.ts';
import { openEngine } from '../../src/image/engine.ts';
import type { Engine } from '../../src/image/engine.ts';
import { imageDamage } from '../../src/image/image-damage.ts';
import { readLocalImage } from '../../src/image/local-image.ts';
import { protect, unprotect } from '../../src/image/protect.ts';
import { tag } from '../../src/image/tag.ts';
import { digestHex } from '../../src/oci/digest.ts';
import { keptAccountFiles } from '../../src/snapshot/account-files.ts';
import { encodeLayerInfo } from '../../src/snapshot/layer-info.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { putAll, testBlob, testImage } from '../store/test-image.ts';
import type { TestImage } from '../store/test-image.ts';
import { rounds } from '../support/soak.ts';

interface Bench {
  engine: Engine;
  home: string;
}

async function open(): Promise<Bench> {
  const home = join(await temporaryFolder(), 'store');
  return { engine: await openEngine({ home }), home };
}

const make = (name: string): TestImage =>
  testImage(name, [testBlob(undefined, 'application/vnd.oci.image.layer.v1.tar+gzip')]);

/** Puts the image into the store, as a pull does. */
async function store({ engine }: Bench, image: TestImage): Promise<TestImage> {
  await putAll(engine.store.blobs, image.blobs);
  for (const chainId of image.chain) {
    const folder = join(engine.store.paths.layers, digestHex(chainId));
    await mkdir(join(folder, 'fs'), { recursive: true });
    await writeFile(join(folder, 'done'), encodeLayerInfo({ diffId: chainId, size: 1, entries: 1 }));
    for (const path of [join(folder, 'manifest'), ...keptAccountFiles([folder])]) await writeFile(path, '');
  }
  await engine.store.images.set(image.record);
  return image;
}

const familiar = (image: TestImage): string => image.record.name.replace('docker.io/library/', '');

async function names({ engine }: Bench): Promise<Array<[string | undefined, string]>> {
  return (await engine.store.images.list()).map(({ name, manifest }) => [name, manifest]);
}

describe('tag()', () => {
  it.each([
    ['a name', (image: TestImage) => familiar(image)],
    ['a whole ID', (image: TestImage) => image.record.imageId],
    ['the beginning of an ID', (image: TestImage) => digestHex(image.record.imageId).slice(0, 12)],
    ['a name and digest', (image: TestImage) => `alpine@${image.record.target.digest}`],
  ])('gives an image, found by %s, a second name', async (_, source) => {
    const bench = await open();
    const image = await store(bench, make('alpine:3.19'));
    expect(await tag(source(image), 'team/mine:v1', bench)).toBe('docker.io/team/mine:v1');
    expect(await bench.engine.store.images.list()).toEqual([
      image.record,
      { ...image.record, name: 'docker.io/team/mine:v1' },
    ]);
  });

  it('adds the tag latest, and changes nothing the second time', async () => {
    const bench = await open();
    await store(bench, make('alpine:3.19'));
    expect(await tag('alpine:3.19', 'mine', bench)).toBe('docker.io/library/mine:latest');
    const before = await names(bench);
    await tag('alpine:3.19', 'mine', bench);
    expect(await names(bench)).toEqual(before);
  });

  it('moves a name that another image has, which stays without one', async () => {
    const bench = await open();
    const [one, two] = [await store(bench, make('one:1')), await store(bench, make('two:1'))];
    await tag('one:1', 'two:1', bench);
    expect(await names(bench)).toEqual([
      [one.record.name, one.record.manifest],
      [two.record.name, one.record.manifest],
      [undefined, two.record.manifest],
    ]);
  });

  it('names an image that has lost its last name', async () => {
    const bench = await open();
    const image = await store(bench, make('one:1'));
    await bench.engine.store.images.set({ ...image.record, name: undefined });
    await bench.engine.store.images.delete(image.record.name);
    await bench.engine.store.images.set({ ...image.record, name: undefined });
    await tag(image.record.imageId, 'back:1', bench);
    expect(await names(bench)).toEqual([['docker.io/library/back:1', image.record.manifest]]);
  });

  it.each([
    [
      'alpine:3.19',
      `mine@sha256:${'a'.repeat(64)}`,
      'ERR_REFERENCE',
      'refusing to create a tag with a digest reference',
    ],
    ['alpine:3.19', 'sha256:1', 'ERR_REFERENCE', 'refusing to create an ambiguous tag using digest algorithm as name'],
    ['alpine:3.19', 'Mine', 'ERR_REFERENCE', 'invalid reference format: repository name must be lowercase'],
    ['alpine:3.19', 'a'.repeat(64), 'ERR_REFERENCE', 'invalid reference format'],
    ['Alpine', 'mine', 'ERR_REFERENCE', 'invalid reference format: repository name must be lowercase'],
    ['nope', 'mine', 'ERR_NO_SUCH_IMAGE', 'No such image: nope:latest'],
    ['a'.repeat(64), 'mine', 'ERR_NO_SUCH_IMAGE', `No such image: ${'a'.repeat(64)}`],
  ])('refuses %s as %s', async (source, target, code, message) => {
    const bench = await open();
    await store(bench, make('alpine:3.19'));
    const before = await names(bench);
    await expect(tag(source, target, bench)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as unknown,
    });
    expect(await names(bench)).toEqual(before);
  });

  it.each([
    [
      'whose manifest has changed (S17)',
      (path: (image: TestImage) => string[], image: TestImage) => flip(path(image)[0]),
    ],
    [
      'whose config has changed (S17)',
      (path: (image: TestImage) => string[], image: TestImage) => flip(path(image)[1]),
    ],
    [
      'that lacks a layer blob (S19)',
      (path: (image: TestImage) => string[], image: TestImage) => rmSync(path(image)[2] ?? ''),
    ],
    [
      'that lacks its manifest (S19)',
      (path: (image: TestImage) => string[], image: TestImage) => rmSync(path(image)[0] ?? ''),
    ],
  ])('refuses an image %s', async (_, damage) => {
    const bench = await open();
    const image = await store(bench, make('alpine:3.19'));
    damage(({ blobs }) => blobs.map(({ descriptor }) => bench.engine.store.blobs.path(descriptor.digest)), image);
    await expect(tag('alpine:3.19', 'mine', bench)).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
    expect(await names(bench)).toHaveLength(1);
  });

  it('does not take a protected name from the image that has it', async () => {
    const bench = await open();
    await store(bench, make('one:1'));
    await store(bench, make('two:1'));
    await protect('two:1', bench);
    const before = await names(bench);
    await expect(tag('one:1', 'two:1', bench)).rejects.toMatchObject({
      code: 'ERR_CONFLICT',
      message: 'conflict: unable to replace docker.io/library/two:1 (cannot be forced) - image is protected',
    });
    expect(await names(bench)).toEqual(before);
    await unprotect('two:1', bench);
    await tag('one:1', 'two:1', bench);
  });

  it('leaves its own tag unprotected', async () => {
    const bench = await open();
    await store(bench, make('one:1'));
    await protect('one:1', bench);
    await tag('one:1', 'two:1', bench);
    expect((await bench.engine.store.images.list()).map((record) => record.protected)).toEqual([true, undefined]);
  });

  it('never leaves a name without content while the source is removed (S10)', async () => {
    const bench = await open();
    const image = make('one:1');
    for (let round = 0; round < rounds(40, 400); round += 1) {
      await store(bench, image);
      const removing = removeImage(bench.engine, 'one:1');
      await setTimeout(round % 20); // so that the rounds meet it at different steps
      const tagging = tag('one:1', 'two:1', bench).catch((error: unknown) => {
        if (!isToolError(error, 'ERR_NO_SUCH_IMAGE')) throw error;
      });
      await Promise.all([tagging, removing]);
      for (const { manifest } of await bench.engine.store.images.list()) {
        const local = await readLocalImage(bench.engine.store, manifest);
        expect(local && imageDamage(bench.engine.store, local)).toBeUndefined();
        expect(local).toBeDefined();
      }
      if (await bench.engine.store.images.delete('docker.io/library/two:1')) continue;
      expect(await names(bench)).toEqual([]);
    }
  });
});

function flip(path = ''): void {
  chmodSync(path, 0o600);
  writeFileSync(path, '{}');
}
