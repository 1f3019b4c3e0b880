import { chmodSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';

import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { sweepStore } from '../../../src/container/sweep-store.ts';
import { pullImage } from '../../../src/image/pull-image.ts';
import { findRunnableImage } from '../../../src/image/runnable-image.ts';
import { putImage } from '../../support/registry/index.ts';
import { requires } from '../../support/requirements.ts';
import { addContainer } from './add-container.ts';
import { lost, putBlob, startBench, type Bench } from './bench.ts';
import { DAMAGES, changedPaths, fingerprints, flipBit } from './damage.ts';

const AMD = { os: 'linux', architecture: 'amd64' };

describe('verify() of the files of the store itself', requires('root'), () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await startBench();
    onTestFinished(async () => bench.close());
  });

  it.each(Object.entries(DAMAGES))(
    'store.json: %s: repair unpacks the layers again, and downloads nothing',
    async (_, damage) => {
      damage(bench.at('store.json'));
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
    await addContainer(bench, false);
    writeFileSync(bench.at('store.json'), '{');
    await expect(bench.verify({ repair: true })).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
    expect(readFileSync(bench.at('store.json'), 'utf8')).toBe('{');
    expect(existsSync(bench.at(bench.layerFolders[0] ?? ''))).toBe(true);
  });

  it.each(Object.entries(DAMAGES))(
    'S28 index.json: %s: an image that loses its name by that keeps its content',
    async (_, damage) => {
      damage(bench.at('index.json'));
      const before = fingerprints(bench.root);
      expect((await bench.verify()).findings).not.toEqual([]);
      const { findings } = await bench.verify({ repair: true });
      expect(changedPaths(before, fingerprints(bench.root)).filter((path) => path !== 'index.json')).toEqual([]);
      if (findings[0]?.kind === 'name') {
        // It says something else now, which is not there: that the sweep refuses, and the next pull mends.
        await expect(sweepStore(bench.engine, { keepPartialDownloads: true })).rejects.toMatchObject({
          code: 'ERR_STORE_DAMAGED',
        });
      } else {
        await sweepStore(bench.engine, { keepPartialDownloads: true }); // of the image's content, it takes the index that only the name led to
      }
      bench.registry.log.length = 0;
      await pullImage(bench.engine, bench.name, { platform: AMD });
      expect(bench.requests().filter((line) => line.includes('/blobs/'))).toEqual([]);
      expect((await bench.verify({ deep: true })).findings).toEqual([]);
    },
  );

  it.each<[string, (text: string) => string, string[], number]>([
    ['cut off', (text) => text.slice(0, -200), ['a:1', 'b:1'], 1],
    [
      'with an entry that cannot be read',
      (text) => text.replace('"dev.mydocker.size"', '"dev.mydocker.sizf"'),
      ['b:1', 'c:1'],
      1,
    ],
    ['with a flipped quote', (text) => text.replace('"platform"', '"platform#'), ['b:1', 'c:1'], 1],
    ['with a lost brace', (text) => text.slice(1), ['a:1', 'b:1', 'c:1'], 0],
    ['empty', () => '', [], 3],
  ])(
    'S18 index.json: saves the names of one %s, and lists the other images without names',
    async (_, damage, names, lost) => {
      const [record] = await bench.engine.store.images.list();
      if (record === undefined) throw new Error('no record');
      await bench.engine.store.images.delete(bench.name);
      for (const name of ['a:1', 'b:1', 'c:1']) {
        const { manifest } = putImage(bench.registry, 'app', name.slice(0, 1), {
          layers: bench.layers,
          created: `2024-01-0${name.charCodeAt(0) - 96}T00:00:00Z`,
        });
        const { imageId } = await pullImage(bench.engine, `${bench.registry.host}/app:${name.slice(0, 1)}`);
        await bench.engine.store.images.delete(`${bench.registry.host}/app:${name.slice(0, 1)}`);
        await bench.engine.store.images.set({ ...record, target: manifest, manifest: manifest.digest, imageId, name });
      }
      rmSync(bench.at(bench.blob(bench.digests.manifest))); // the image of the bench is no part of this
      const text = readFileSync(bench.at('index.json'), 'utf8');
      writeFileSync(bench.at('index.json'), damage(text));
      const { findings } = await bench.verify({ repair: true });
      expect(findings[0]).toMatchObject({ kind: 'file', path: 'index.json', repair: { isDone: true } });
      const listed = await bench.engine.store.images.list();
      expect(listed.flatMap(({ name }) => name ?? [])).toEqual(names);
      expect(listed.filter(({ name }) => name === undefined)).toHaveLength(lost);
      expect(readdirSync(bench.at('trash')).join()).toContain('index.json');
    },
  );

  it('finds a name that is not what was given, and goes on with the others', async () => {
    const text = readFileSync(bench.at('index.json'), 'utf8');
    writeFileSync(
      bench.at('index.json'),
      text.replace(`${bench.registry.host}/app:v1`, `${bench.registry.host}/app:w1`),
    );
    flipBit(bench.at(bench.blob(bench.digests.config)), 9);
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

  it('S17 finds an entry that is not what was written, which a pull writes again', async () => {
    const text = readFileSync(bench.at('index.json'), 'utf8');
    writeFileSync(bench.at('index.json'), text.replace(/("dev.mydocker.size":")\d/, '$17'));
    expect((await bench.verify({ image: bench.name })).findings).toMatchObject([{ kind: 'name', name: bench.name }]);
    await pullImage(bench.engine, bench.name, { platform: AMD });
    expect(readFileSync(bench.at('index.json'), 'utf8')).toBe(text);
    expect((await bench.verify()).findings).toEqual([]);
  });

  it('accepts what other tools put into index.json, and leaves their blobs to them', async () => {
    const document = JSON.stringify({
      schemaVersion: 2,
      manifests: [{ digest: bench.digests.manifest }, { digest: lost }],
    });
    const damaged = 'what another tool has put there';
    const digests = [document, damaged].map((text) => putBlob(bench, text));
    const index = JSON.parse(readFileSync(bench.at('index.json'), 'utf8')) as { manifests: object[] };
    index.manifests.push(
      ...[...digests, lost].map((digest, at) => ({
        mediaType: 'x/y',
        digest,
        size: 1,
        annotations: { 'org.opencontainers.image.ref.name': `v${at}` },
      })),
    );
    writeFileSync(bench.at('index.json'), JSON.stringify(index, undefined, 2));
    expect((await bench.verify({ deep: true })).findings).toEqual([]);
    const [, foreign = lost] = digests;
    flipBit(bench.at(bench.blob(foreign)), 0);
    expect((await bench.verify({ repair: true })).findings).toMatchObject([
      {
        kind: 'blob',
        digest: foreign,
        role: 'other',
        repair: { isDone: false, reason: 'another tool has put it there, for "v1"' },
      },
    ]);
    expect(existsSync(bench.at(bench.blob(foreign)))).toBe(true);
  });

  it('accepts layers and names of the first version, which have no digest of themselves', async () => {
    for (const folder of bench.layerFolders) {
      const path = bench.at(`${folder}/done`);
      const { diffId, size, entries } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
      chmodSync(path, 0o600);
      writeFileSync(path, `${JSON.stringify({ diffId, size, entries })}\n`);
    }
    const index = readFileSync(bench.at('index.json'), 'utf8');
    writeFileSync(bench.at('index.json'), index.replace(/,"dev.mydocker.check":"[^"]*"/, ''));
    expect(readFileSync(bench.at('index.json'), 'utf8')).not.toBe(index);
    expect(await findRunnableImage(bench.engine, bench.name)).toBeDefined();
    expect((await bench.verify({ deep: true })).findings).toEqual([]);
    expect((await pullImage(bench.engine, bench.name)).upToDate).toBe(true);
  });
});
