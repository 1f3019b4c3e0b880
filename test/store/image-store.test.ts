import fs from 'node:fs';
import { dirname, join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { lockFile } from '../../src/fs/kernel-lock.ts';
import { collectGarbage } from '../../src/store/collect-garbage.ts';
import type { Store } from '../../src/store/open-store.ts';
import { describeImageStore } from '../conformance/image-store.ts';
import { buildChildProgram, withMounts } from '../fs/child-program.ts';
import { requires } from '../support/requirements.ts';
import { openTestStore } from './open-test-store.ts';
import { putAll, testImage, type TestImage } from './test-image.ts';

describeImageStore('the image store of a folder', openTestStore);

// Names: set and deleted by several processes; and what a full disk does to them.
const program = await buildChildProgram(`
  import fs from 'node:fs';
  import { openStore } from './src/store/open-store.ts';
  import { collectGarbage } from './src/store/collect-garbage.ts';
  import { putAll, testImage, testBlob } from './test/store/test-image.ts';
  const [mode, root, number] = process.argv.slice(2);
  const store = await openStore(root, { ownership: { kind: 'root' } });
  const roots = async () => ({ manifests: [], layers: [] });
  if (mode === 'names') {
    const [record] = await store.images.list();
    for (let index = 0; index < 10; index++) {
      await store.images.set({ ...record, name: 'kept:' + number + '-' + index });
      await store.images.set({ ...record, name: 'gone:' + number + '-' + index });
      await store.images.delete('gone:' + number + '-' + index);
    }
  } else {
    const images = [testImage('small:1'), testImage('large:1', [testBlob(Buffer.alloc(300_000, 1))])];
    for (const { blobs, record } of images) {
      await putAll(store.blobs, blobs);
      await store.images.set(record);
    }
    // Until not one byte more fits anywhere.
    for (let size = 100_000; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      try {
        for (;;) fs.appendFileSync(root + '/../filler-' + size + '-' + Math.random(), Buffer.alloc(size));
      } catch {}
    }
    const first = testImage('new:1');
    const say = (error) => console.log(error.code, error.message);
    await store.blobs.put(first.manifest.descriptor, first.manifest.bytes).catch(say);
    await store.images.set({ ...images[0].record, name: 'another' }).catch(say);
    console.log((await store.images.list()).map(({ name }) => name).join());
    console.log(await store.images.delete(images[1].record.name));
    console.log((await collectGarbage(store, { roots })).bytes > 300_000);
    console.log((await store.images.list()).map(({ name }) => name).join());
    await putAll(store.blobs, first.blobs);
    await store.images.set(first.record);
    console.log((await store.images.list()).map(({ name }) => name).join());
  }
`);
afterAll(async () => program.remove());

describe('createImageStore()', () => {
  it('keeps a valid OCI image layout', async () => {
    const store = await openTestStore();
    expect(readText(store, 'oci-layout')).toBe('{"imageLayoutVersion":"1.0.0"}');
    expect(readText(store, 'index.json')).toBe(
      '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}',
    );
    const image = await store1(store, 'alpine:latest');
    expect(JSON.parse(readText(store, 'index.json'))).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        {
          ...image.record.target,
          platform: { os: 'linux', architecture: 'amd64' },
          annotations: {
            'org.opencontainers.image.ref.name': 'docker.io/library/alpine:latest',
            'dev.mydocker.manifest': image.record.manifest,
            'dev.mydocker.config': image.record.imageId,
            'dev.mydocker.created': image.record.created,
            'dev.mydocker.size': '1234',
            'dev.mydocker.check': expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
          },
        },
      ],
    });
  });

  it('keeps what other tools have written, and what it does not know', async () => {
    const store = await openTestStore();
    const image = await store1(store, 'alpine:latest');
    const foreign = {
      mediaType: 'x/y',
      digest: image.record.manifest,
      size: 1,
      odd: [1, null],
      annotations: { a: 'b' },
    };
    const named = {
      ...image.record.target,
      annotations: { 'org.opencontainers.image.ref.name': 'by-skopeo' },
    };
    change(store, (index) => {
      index['annotations'] = { made: 'elsewhere' };
      index.manifests[0]!['annotations'] = { ...(index.manifests[0]!['annotations'] as object), note: 'kept' };
      index.manifests.unshift(foreign, named);
    });
    expect((await store.images.list()).map(({ name }) => name)).toEqual([image.record.name]);
    expect(await store.images.get('by-skopeo')).toBeUndefined();
    expect(await store.images.delete('by-skopeo')).toBe(false);
    await store.images.set({ ...image.record, created: undefined });
    await store.images.set({ ...image.record, name: 'second' });
    await store.images.delete('second');
    const index = readIndex(store);
    expect(index).toMatchObject({ annotations: { made: 'elsewhere' } });
    expect(index.manifests.slice(0, 2)).toEqual([foreign, named]);
    expect(index.manifests[2]).toMatchObject({ annotations: { note: 'kept' } });
    expect(index.manifests).toHaveLength(3);
  });

  it('takes over a name that another tool has given', async () => {
    const store = await openTestStore();
    const image = await store1(store, 'alpine:latest');
    change(store, (index) => {
      delete (index.manifests[0] as { annotations: Record<string, string> }).annotations['dev.mydocker.manifest'];
    });
    expect(await store.images.list()).toEqual([]);
    await store.images.set(image.record);
    expect(readIndex(store).manifests).toHaveLength(1);
    expect(await store.images.list()).toEqual([image.record]);
  });

  it.each<[string, (path: string) => void]>([
    ['S18 empty', (path) => fs.truncateSync(path, 0)],
    ['S18 cut in half', (path) => fs.truncateSync(path, Math.floor(fs.statSync(path).size / 2))],
    ['S19 missing', (path) => fs.unlinkSync(path)],
    ['S17 not UTF-8', (path) => fs.writeFileSync(path, Buffer.from([0xff]))],
    ['no object', (path) => fs.writeFileSync(path, '[]')],
    ['no index', (path) => fs.writeFileSync(path, '{"schemaVersion":2}')],
    ['of another schema', (path) => fs.writeFileSync(path, '{"schemaVersion":1,"manifests":[]}')],
    ['full of no objects', (path) => fs.writeFileSync(path, '{"schemaVersion":2,"manifests":[1]}')],
  ])('throws ERR_STORE_DAMAGED, and changes nothing, when index.json is %s', async (_, harm) => {
    const store = await openTestStore();
    const { record } = await store1(store, 'alpine:latest');
    const path = join(store.root, 'index.json');
    harm(path);
    const before = fs.existsSync(path) ? fs.readFileSync(path) : undefined;
    const damaged = { code: 'ERR_STORE_DAMAGED', hint: expect.stringContaining('Restore') as string };
    await expect(store.images.get(record.name)).rejects.toMatchObject(damaged);
    await expect(store.images.list()).rejects.toMatchObject(damaged);
    await expect(store.images.set(record)).rejects.toMatchObject(damaged);
    await expect(store.images.delete(record.name)).rejects.toMatchObject(damaged);
    expect(fs.existsSync(path) ? fs.readFileSync(path) : undefined).toEqual(before);
  });

  it.each([
    ['digest', 'digest'],
    ['size', 'size'],
    ['manifest', 'annotations.dev\\.mydocker\\.manifest'],
    ['config', 'annotations.dev\\.mydocker\\.config'],
    ['size of the layers', 'annotations.dev\\.mydocker\\.size'],
    ['platform', 'platform'],
  ])('S17 an entry with a damaged %s throws, the others can still be read, and set() repairs it', async (_, field) => {
    const store = await openTestStore();
    const [one, two] = [await store1(store, 'one:1'), await store1(store, 'two:1')];
    change(store, ({ manifests: [entry] }) => {
      const keys = field.split(/(?<!\\)\./).map((key) => key.replaceAll('\\', ''));
      const holder = (keys.length === 1 ? entry : entry?.[keys[0]!]) as Record<string, unknown>;
      holder[keys.at(-1)!] = 'damaged';
    });
    await expect(store.images.get(one.record.name)).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
    await expect(store.images.list()).rejects.toThrow(one.record.name);
    expect(await store.images.get(two.record.name)).toEqual(two.record);
    await store.images.set(one.record);
    expect(await store.images.list()).toEqual([one.record, two.record]);
  });

  it.each(['dev.mydocker.protected', 'dev.mydocker.created', 'org.example'])(
    'S17 an entry whose %s is no text throws: nothing of it is passed over',
    async (key) => {
      const store = await openTestStore();
      await store1(store, 'a:1');
      change(store, ({ manifests: [entry] }) => {
        entry!['annotations'] = { ...(entry!['annotations'] as object), [key]: true };
      });
      await expect(store.images.list()).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
    },
  );

  it('S17 set() keeps no entry for the manifest that a damaged entry seems to stand for, and garbage can be collected', async () => {
    const store = await openTestStore();
    const { record } = await store1(store, 'a:1');
    const lost = `sha256:${'0'.repeat(64)}`;
    change(store, ({ manifests: [entry] }) => {
      entry!['annotations'] = { ...(entry!['annotations'] as object), 'dev.mydocker.manifest': lost };
    });
    const roots = async (): Promise<{ manifests: []; layers: [] }> => ({ manifests: [], layers: [] });
    await expect(collectGarbage(store, { roots })).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
    await store.images.set(record);
    expect(await store.images.list()).toEqual([record]);
    expect((await collectGarbage(store, { roots })).blobs).toEqual([]);
  });

  it('S11 set() waits while garbage is being collected, which may have read the names already', async () => {
    const store = await openTestStore();
    const { record } = await store1(store, 'a:1');
    const collecting = await lockFile(store.paths.gcLock, 'exclusive');
    const signal = AbortSignal.timeout(30);
    await expect(store.images.set({ ...record, name: 'b' }, { signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    const setting = store.images.set({ ...record, name: 'b' });
    expect(await store.images.get('b')).toBeUndefined();
    collecting.release();
    await setting;
    expect(await store.images.get('b')).toBeDefined();
  });

  it('S09 loses no change of 8 processes that name and unname', async () => {
    const store = await openTestStore();
    await store1(store, 'first:1');
    const numbers = Array.from({ length: 8 }, (_, number) => String(number));
    const results = await Promise.all(
      numbers.map(async (number) => program.run({ args: ['names', store.root, number] })),
    );
    expect(results.map(({ code, stderr }) => `${code}${stderr}`)).toEqual(numbers.map(() => '0'));
    const names = (await store.images.list()).map(({ name }) => name);
    expect(names).toHaveLength(81);
    expect(new Set(names).size).toBe(81);
    expect(names.filter((name) => name?.startsWith('gone'))).toEqual([]);
  });

  it(
    'I8, S07 on a full disk refuses new content, still removes names and garbage, and then works again',
    requires('root'),
    async () => {
      const { root } = await openTestStore();
      const folder = dirname(root);
      const { stdout, stderr } = await program.run({
        args: ['full', join(folder, 'disk/store')],
        wrapper: withMounts('mkdir "$0/disk" && mount -t tmpfs -o size=1m none "$0/disk"', folder),
      });
      expect(stderr).toBe('');
      const lines = stdout.trim().split('\n');
      expect(lines[0]).toMatch(/^ERR_NO_SPACE Cannot \w+ ".*\/disk\/store\/.*": no space is left on the file system$/);
      expect(lines[1]).toMatch(/^ERR_NO_SPACE Cannot write ".*index.json": no space is left on the file system$/);
      const [small, large, fresh] = ['small:1', 'large:1', 'new:1'].map((name) => `docker.io/library/${name}`);
      expect(lines.slice(2)).toEqual([`${small},${large}`, 'true', 'true', small, `${small},${fresh}`]);
    },
  );
});

async function store1(store: Store, name: string): Promise<TestImage> {
  const image = testImage(name);
  await putAll(store.blobs, image.blobs);
  await store.images.set(image.record);
  return image;
}

interface Index extends Record<string, unknown> {
  manifests: Array<Record<string, unknown>>;
}

function readText({ root }: Store, name: string): string {
  return fs.readFileSync(join(root, name), 'utf8');
}

function readIndex(store: Store): Index {
  return JSON.parse(readText(store, 'index.json')) as Index;
}

function change(store: Store, edit: (index: Index) => void): void {
  const index = readIndex(store);
  edit(index);
  fs.writeFileSync(join(store.root, 'index.json'), JSON.stringify(index, undefined, 2));
}
