import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { removeImage } from '../../src/container/remove-image.ts';
import { listImages } from '../../src/image/list-images.ts';
import { protect, unprotect } from '../../src/image/protect.ts';
import { pullImage } from '../../src/image/pull-image.ts';
import { tag } from '../../src/image/tag.ts';
import { shortDigest } from '../../src/oci/digest.ts';
import { storePaths } from '../../src/store/layout.ts';
import { putImage } from '../support/registry/index.ts';
import { startBench } from './bench.ts';
import type { Bench } from './bench.ts';
import { tarLayer } from './test-layers.ts';

async function startPulled(): Promise<Bench & { home: string; image: string; id: string }> {
  const bench = await startBench();
  const image = `${bench.name}:v1`;
  const { imageId } = await pullImage(bench.engine, image);
  return { ...bench, home: bench.engine.store.root, image, id: shortDigest(imageId) };
}

async function protection({ engine }: Bench): Promise<Record<string, boolean>> {
  const images = await listImages(engine);
  return Object.fromEntries(images.map((image) => [image.tag ?? '<none>', image.protected]));
}

describe('protect()', () => {
  it.each([
    ['by name', {}],
    ['by name, forced', { force: true }],
  ])('keeps an image from being removed %s', async (_, options) => {
    const bench = await startPulled();
    await protect(bench.image, bench);
    await expect(removeImage(bench.engine, bench.image, options)).rejects.toMatchObject({
      code: 'ERR_CONFLICT',
      message: `conflict: unable to delete ${bench.image} (cannot be forced) - image is protected`,
      hint: `To delete it all the same, run this before: mydocker image unprotect ${bench.image}`,
    });
    await unprotect(bench.image, bench);
    await removeImage(bench.engine, bench.image);
    expect(await listImages(bench.engine)).toEqual([]);
  });

  it('S17 does not seal anew what is damaged: verify is to find it', async () => {
    const bench = await startPulled();
    const { index } = storePaths(bench.home);
    const damaged = readFileSync(index, 'utf8').replace(/("dev\.mydocker\.size":\s*")\d+/, '$17');
    writeFileSync(index, damaged);
    await expect(protect(bench.image, bench)).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
    expect(readFileSync(index, 'utf8')).toBe(damaged);
  });

  it('of one name keeps the whole image from being removed by ID, but not its other names', async () => {
    const bench = await startPulled();
    await protect(bench.image, bench);
    await tag(bench.image, `${bench.name}:other`, bench);
    for (const force of [false, true]) {
      await expect(removeImage(bench.engine, bench.id, { force })).rejects.toMatchObject({
        code: 'ERR_CONFLICT',
        message: `conflict: unable to delete ${bench.image} (cannot be forced) - image is protected`,
      });
    }
    await removeImage(bench.engine, `${bench.name}:other`);
    expect(await protection(bench)).toEqual({ v1: true });
  });

  it('of a digest keeps it when the last tag of its repository goes, which takes digests along', async () => {
    const bench = await startPulled();
    const { digest } = await pullImage(bench.engine, bench.image);
    await pullImage(bench.engine, `${bench.name}@${digest}`);
    await protect(`${bench.name}@${digest}`, bench);
    await expect(removeImage(bench.engine, bench.image)).rejects.toMatchObject({ code: 'ERR_CONFLICT' });
    expect(await listImages(bench.engine)).toHaveLength(2);
  });

  it('by ID protects all names, and unprotect() by ID none', async () => {
    const bench = await startPulled();
    await tag(bench.image, `${bench.name}:other`, bench);
    await protect(bench.id, bench);
    expect(await protection(bench)).toEqual({ v1: true, other: true });
    await unprotect(bench.id, bench);
    expect(await protection(bench)).toEqual({ v1: false, other: false });
  });

  it('stays with the name when a pull moves it to a newer image', async () => {
    const bench = await startPulled();
    await protect(bench.image, bench);
    expect((await pullImage(bench.engine, bench.image)).upToDate).toBe(true);
    putImage(bench.registry, 'app', 'v1', { layers: [await tarLayer({ new: 'new' })] });
    await pullImage(bench.engine, bench.image);
    expect(await protection(bench)).toEqual({ v1: true, '<none>': false });
    await removeImage(bench.engine, bench.id); // the one that has lost its name
    expect(await protection(bench)).toEqual({ v1: true });
  });

  it('says when there is no such image', async () => {
    const bench = await startPulled();
    await expect(protect('nope', bench)).rejects.toMatchObject({ code: 'ERR_NO_SUCH_IMAGE' });
    await expect(unprotect('nope', bench)).rejects.toMatchObject({ code: 'ERR_NO_SUCH_IMAGE' });
  });
});
