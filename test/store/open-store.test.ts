import fs from 'node:fs';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import type { Ownership } from '../../src/linux/ownership.ts';
import { openStore } from '../../src/store/open-store.ts';
import { buildChildProgram, withMounts } from '../fs/child-program.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { requires } from '../support/requirements.ts';
import { ROOT, listTree, openTestStore, wrongBlobs } from './open-test-store.ts';
import { putAll, testImage } from './test-image.ts';

const MAPPED: Ownership = { kind: 'mapped', uids: [], gids: [] };
const SINGLE: Ownership = { kind: 'single', uid: 1000, gid: 1000 };
const NOBODY = 65534;

const program = await buildChildProgram(`
  import { createRequire } from 'node:module';
  import { openStore } from './src/store/open-store.ts';
  import { putAll, testImage, testBlob } from './test/store/test-image.ts';
  const [mode, root, ownership = 'root'] = process.argv.slice(2);
  const loaded = () => ['koffi', 'ssri', 'proper-lockfile'].filter((name) =>
    Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('/node_modules/' + name + '/')));
  try {
    const store = await openStore(root, { ownership: { kind: ownership }, readOnly: mode === 'read-only' });
    if (mode === 'loaded') {
      const image = testImage('alpine:latest');
      const { descriptor } = image.manifest;
      for (let round = 0; round < 2; round++) {
        await store.images.get(image.record.name);
        const [found] = await store.images.list();
        await store.blobs.stat(found.manifest);
        await store.blobs.has(found.target);
        await store.blobs.read(found.target, 10_000);
        store.blobs.path(found.manifest);
        console.log('reading:', ...loaded());
        await store.blobs.ingest(testBlob().descriptor).then((ingest) => ingest.discard());
      }
      console.log('writing:', ...loaded());
    } else if (mode === 'put') {
      await putAll(store.blobs, [testBlob()]);
      console.log('put');
    } else {
      console.log('opened', (await store.images.list()).length, store.format.ownership);
    }
  } catch (error) {
    console.log(error.code, error.message, error.hint ?? '');
  }
`);
afterAll(async () => program.remove());

describe('openStore()', () => {
  it('makes the whole layout, closed to others', async () => {
    const root = join(await temporaryFolder(), 'home/store');
    const store = await openStore(root, { ownership: ROOT });
    expect(
      listTree(root)
        .map((line) => line.replace(/ \d+$/, ''))
        .join(' '),
    ).toBe(
      'blobs/ blobs/sha256/ blobs/sha512/ containers/ gc.lock images.lock index.json ingest/ layers/ leases/ ' +
        'oci-layout runner/ space-reserve store.json trash/',
    );
    for (const name of ['', 'blobs', 'layers', 'containers', 'trash', 'blobs/sha512']) {
      expect(fs.statSync(join(root, name)).mode & 0o777).toBe(0o700);
    }
    expect(store.root).toBe(root);
    expect(store.format).toEqual({ version: 1, whiteouts: 'trusted', ownership: 'root' });
    expect(store.paths).toMatchObject({ layers: join(root, 'layers'), gcLock: join(root, 'gc.lock') });
  });

  it('changes nothing in a store that is there', async () => {
    const { root } = await openTestStore();
    const before = listTree(root);
    const times = before.map((line) => fs.statSync(join(root, line.replace(/ \d+$/, ''))).ctimeMs);
    await openStore(`${root}/`, { ownership: ROOT });
    expect(listTree(root)).toEqual(before);
    expect(before.map((line) => fs.statSync(join(root, line.replace(/ \d+$/, ''))).ctimeMs)).toEqual(times);
  });

  it('loads neither koffi nor ssri nor proper-lockfile for what `run` does', async () => {
    const { root, blobs, images } = await openTestStore();
    const image = testImage('alpine:latest');
    await putAll(blobs, image.blobs);
    await images.set(image.record);
    const { stdout } = await program.run({ args: ['loaded', root] });
    const [first, , last] = stdout.trim().split('\n');
    expect(first).toBe('reading:');
    expect(last).toBe('writing: koffi ssri proper-lockfile');
  });

  it('makes folders that somebody has deleted', async () => {
    const { root } = await openTestStore();
    fs.rmSync(join(root, 'layers'), { recursive: true });
    await openStore(root, { ownership: ROOT });
    expect(fs.statSync(join(root, 'layers')).mode & 0o777).toBe(0o700);
  });

  it('16 processes make one store', async () => {
    const root = join(await temporaryFolder(), 'store');
    const results = await Promise.all(Array.from({ length: 16 }, async () => program.run({ args: ['open', root] })));
    expect(results.map(({ stdout, stderr }) => stdout + stderr)).toEqual(results.map(() => 'opened 0 root\n'));
    expect(fs.readdirSync(root).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  describe('refuses with ERR_STORE', () => {
    it('E1 a folder that others may write to, and says how to close it', async () => {
      const { root } = await openTestStore();
      for (const mode of [0o770, 0o702, 0o777]) {
        fs.chmodSync(root, mode);
        await expect(openStore(root, { ownership: ROOT })).rejects.toMatchObject({
          code: 'ERR_STORE',
          message: `Cannot open store "${root}": others may write to it (its mode is 0${mode.toString(8)}, 0700 was wanted)`,
          hint: `If nobody else has changed anything in it: chmod 700 ${root}`,
        });
      }
    });

    it('a folder that nobody can make', async () => {
      for (const root of ['/proc/no-such/store', '/proc/no-such']) {
        await expect(openStore(root, { ownership: ROOT })).rejects.toMatchObject({
          code: 'ERR_STORE',
          message: expect.stringContaining('"/proc/no-such') as string,
        });
      }
    });

    it('E2 a symlink, also with a slash behind it', async () => {
      const { root } = await openTestStore();
      const link = `${root}-link`;
      fs.symlinkSync(root, link);
      for (const path of [link, `${link}/`]) {
        await expect(openStore(path, { ownership: ROOT })).rejects.toThrow(
          `Cannot open store "${link}": it is a symbolic link`,
        );
      }
    });

    it('a file, and a folder that holds something else', async () => {
      const folder = await temporaryFolder();
      fs.writeFileSync(join(folder, 'file'), '');
      await expect(openStore(join(folder, 'file'), { ownership: ROOT })).rejects.toThrow('it is not a folder');
      await expect(openStore(join(folder, 'file/x'), { ownership: ROOT })).rejects.toMatchObject({ code: 'ERR_STORE' });
      await expect(openStore(folder, { ownership: ROOT })).rejects.toThrow('it is not empty, and not a store');
      expect(fs.readdirSync(folder)).toEqual(['file']);
    });

    it('S22, E4 the store of another user, as root and as that user', requires('root'), async () => {
      const { root } = await openTestStore();
      fs.chmodSync(join(root, '..'), 0o755);
      const asUser = await program.run({ args: ['open', root], uid: NOBODY });
      expect(asUser.stdout).toMatch(/^ERR_STORE .*it belongs to uid 0, and this is uid 65534 Use a folder of your own/);
      fs.chownSync(root, NOBODY, NOBODY);
      const asRoot = await program.run({ args: ['open', root] });
      expect(asRoot.stdout).toMatch(
        /^ERR_STORE .*it belongs to uid 65534, and this is uid 0 Run mydocker without sudo/,
      );
    });

    it('S23 a store of a newer version, and leaves it alone', async () => {
      const { root } = await openTestStore();
      const newer = '{"version":2,"whiteouts":["other"],"more":true}';
      fs.writeFileSync(join(root, 'store.json'), newer);
      await expect(openStore(root, { ownership: ROOT })).rejects.toMatchObject({
        code: 'ERR_STORE',
        message: `Cannot open "${root}/store.json": it has store format 2, and this version knows 1`,
      });
      expect(fs.readFileSync(join(root, 'store.json'), 'utf8')).toBe(newer);
    });

    it('layers without the store.json that tells how they were unpacked', async () => {
      const { root } = await openTestStore();
      fs.mkdirSync(join(root, 'layers', 'a'.repeat(64)));
      fs.unlinkSync(join(root, 'store.json'));
      await expect(openStore(root, { ownership: ROOT })).rejects.toThrow('it has layers, but no store.json');
    });

    it('to make a store when it may only read', async () => {
      const folder = await temporaryFolder();
      const root = join(folder, 'store');
      await expect(openStore(root, { ownership: ROOT, readOnly: true })).rejects.toThrow('there is no store');
      expect(fs.readdirSync(folder)).toEqual([]);
    });
  });

  it('closes a folder that others can read (CVE-2021-41091)', async () => {
    const { root } = await openTestStore();
    fs.chmodSync(root, 0o755);
    await openStore(root, { ownership: ROOT, readOnly: true });
    expect(fs.statSync(root).mode & 0o777).toBe(0o755);
    await openStore(root, { ownership: ROOT });
    expect(fs.statSync(root).mode & 0o777).toBe(0o700);
  });

  it.each([
    ['S18 empty', ''],
    ['S18 cut', '{"version":1,"white'],
    ['no object', 'null'],
    ['S17 of an unknown whiteout format', '{"version":1,"whiteouts":"trurted","ownership":"root"}'],
    ['S17 of an unknown ownership', '{"version":1,"whiteouts":"trusted","ownership":"rooT"}'],
    ['S17 without a version', '{"versioo":1,"whiteouts":"trusted","ownership":"root"}'],
    ['of version 0', '{"version":0,"whiteouts":"trusted","ownership":"root"}'],
  ])('throws ERR_STORE_DAMAGED for a store.json that is %s, with a remedy that works', async (_, text) => {
    const { root, blobs, images } = await openTestStore();
    const image = testImage('alpine:latest');
    await putAll(blobs, image.blobs);
    await images.set(image.record);
    fs.mkdirSync(join(root, 'layers', 'a'.repeat(64)));
    fs.writeFileSync(join(root, 'store.json'), text);
    await expect(openStore(root, { ownership: ROOT })).rejects.toMatchObject({
      code: 'ERR_STORE_DAMAGED',
      hint: expect.stringContaining('mydocker verify --repair') as string,
    });
    fs.unlinkSync(join(root, 'store.json'));
    fs.rmSync(join(root, 'layers', 'a'.repeat(64)), { recursive: true });
    const store = await openStore(root, { ownership: ROOT });
    expect(store.format.ownership).toBe('root');
    expect(await store.images.list()).toEqual([image.record]);
    expect(await store.blobs.has(image.manifest.descriptor)).toBe(true);
  });

  it(
    'S08 opens a store on a read-only file system, and says so when something is to be written',
    requires('root'),
    async () => {
      const { root } = await openTestStore();
      const wrapper = withMounts('mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"', root);
      expect((await program.run({ args: ['open', root], wrapper })).stdout).toBe('opened 0 root\n');
      expect((await program.run({ args: ['read-only', root], wrapper })).stdout).toBe('opened 0 root\n');
      const { stdout } = await program.run({ args: ['put', root], wrapper });
      expect(stdout).toMatch(
        /^ERR_STORE Cannot lock ".*": the file system is read-only Make it writable, or use another/,
      );
    },
  );

  it('E6 takes the format of the caller as long as there are no layers, and never mixes layers', async () => {
    const { root } = await openTestStore();
    fs.writeFileSync(join(root, 'layers/.lock-x'), '');
    expect((await openStore(root, { ownership: SINGLE })).format).toEqual({
      version: 1,
      whiteouts: 'user',
      ownership: 'single',
    });
    fs.mkdirSync(join(root, 'layers', 'a'.repeat(64)));
    expect((await openStore(root, { ownership: MAPPED })).format.ownership).toBe('single');
    await expect(openStore(root, { ownership: ROOT })).rejects.toMatchObject({
      code: 'ERR_STORE',
      message: `Cannot open store "${root}": its layers were unpacked by a user without subordinate ids, and this is root`,
    });
    fs.rmdirSync(join(root, 'layers', 'a'.repeat(64)));
    expect((await openStore(root, { ownership: MAPPED })).format.ownership).toBe('mapped');
    fs.mkdirSync(join(root, 'layers', '.tmp-a'));
    await expect(openStore(root, { ownership: SINGLE })).rejects.toThrow(
      'were unpacked by a user with subordinate ids',
    );
  });

  it('works again after being killed at any call while it makes the store', async () => {
    for (let call = 1; ; call++) {
      const root = join(await temporaryFolder(), 'store');
      const { signal } = await program.run({ args: ['open', root], fault: `*:${call}:kill` });
      const store = await openStore(root, { ownership: ROOT });
      expect(await store.images.list()).toEqual([]);
      expect(wrongBlobs(root)).toEqual([]);
      if (signal === null) break;
    }
  }, 60_000);

  it('S05 throws, and works again, when any call fails while it makes the store', async () => {
    for (let call = 1; ; call++) {
      const root = join(await temporaryFolder(), 'store');
      const { stdout, stderr } = await program.run({ args: ['open', root], fault: `*:${call}:ENOSPC` });
      expect(stderr).toBe('');
      expect(stdout).toMatch(/^ERR_NO_SPACE Cannot \w+ "|^opened/);
      expect(await (await openStore(root, { ownership: ROOT })).images.list()).toEqual([]);
      if (stdout.startsWith('opened')) break;
    }
  }, 60_000);
});
