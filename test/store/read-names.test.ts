import fs from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { isToolError } from '../../src/errors.ts';
import { readNames, type Names } from '../../src/store/read-names.ts';
import type { Store } from '../../src/store/open-store.ts';
import { openTestStore } from './open-test-store.ts';
import { putAll, testImage } from './test-image.ts';

async function openNamed(...names: string[]): Promise<{ store: Store; index: string }> {
  const store = await openTestStore();
  for (const name of names) {
    const image = testImage(name);
    await putAll(store.blobs, image.blobs);
    await store.images.set(image.record);
  }
  return { store, index: join(store.root, 'index.json') };
}

describe('readNames()', () => {
  it('reads all entries, those of other tools apart', async () => {
    const { store, index } = await openNamed('a:1', 'b:1');
    const records = await store.images.list();
    const document = JSON.parse(fs.readFileSync(index, 'utf8')) as { manifests: object[] };
    const digest = records[0]?.manifest;
    document.manifests.push({
      mediaType: 'x/y',
      digest,
      size: 1,
      annotations: { 'org.opencontainers.image.ref.name': 'x' },
    });
    fs.writeFileSync(index, JSON.stringify(document, undefined, 2)); // with other spaces
    expect(await readNames(index)).toEqual({ records, foreign: [{ name: 'x', digest }], problems: [] });
  });

  it('S17 finds any flipped bit', async () => {
    const { index } = await openNamed('a:1');
    const bytes = fs.readFileSync(index);
    const unnoticed: number[] = [];
    for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      fs.writeFileSync(index, flipped);
      if ((await problemsOf(index)).length === 0) unnoticed.push(bit);
    }
    expect(unnoticed).toEqual([]);
  });

  it('S17 reads the others beside a damaged entry, and names it as far as it can', async () => {
    const { index } = await openNamed('a:1', 'b:1', 'c:1');
    const damaged = fs.readFileSync(index, 'utf8').replace('"dev.mydocker.size":"1234"', '"dev.mydocker.size":"x"');
    fs.writeFileSync(index, damaged.replace('library/b:1', 'library/d:1'));
    const { records, problems } = await readNames(index);
    expect(records.map(({ name }) => name)).toEqual(['docker.io/library/d:1', 'docker.io/library/c:1']);
    expect(problems).toEqual([
      {
        name: 'docker.io/library/a:1',
        problem: expect.stringContaining('its size is not a number') as string,
        isFatal: true,
      },
      { name: 'docker.io/library/d:1', problem: 'its entry is not what was written', isFatal: false },
    ]);
  });

  it('S28 finds an entry of another tool that garbage collection could not follow', async () => {
    const { index } = await openNamed();
    fs.writeFileSync(index, '{"schemaVersion":2,"manifests":[{"digest":"md5:1"}]}');
    expect((await readNames(index)).problems).toEqual([
      { name: undefined, problem: 'it has no digest that is known here', isFatal: true },
    ]);
  });
});

async function problemsOf(index: string): Promise<Names['problems']> {
  try {
    return (await readNames(index)).problems;
  } catch (error) {
    if (isToolError(error, 'ERR_STORE_DAMAGED')) return [{ name: undefined, problem: error.message, isFatal: true }];
    throw error;
  }
}
