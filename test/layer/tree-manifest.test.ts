import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { createUnpackChildren } from '../../src/layer/unpack-children.ts';
import { verifyLayer } from '../../src/layer/verify-layer.ts';
import { requires } from '../support/requirements.ts';
import { archive, file, folder, hardlink, pax, rawEntry, symlink, whiteout } from '../support/tar/raw-tar.ts';
import { bundle } from './support/bundle.ts';
import { openWorkspace, readManifest, type UnpackedArchive } from './support/workspace.ts';

const TIME = '1700000000.000000000';

describe('unpackLayer() tree manifest', requires('root'), () => {
  it('has a record of everything', async () => {
    const workspace = openWorkspace();
    const lower = await workspace.unpack(archive(file('gone'), folder('hidden'), file('hidden/x')));
    const entries = [
      file('d/f', 'content', { mode: 0o4755, uid: 3, gid: 4 }),
      hardlink('h', 'd/f'),
      symlink('s\xff', 'n\xfe'),
      rawEntry({ name: 'p', type: '6' }),
      rawEntry({ name: 'c', type: '3', deviceMajor: 1, deviceMinor: 3 }),
      pax({ 'SCHILY.xattr.user.a': 'v' }),
      folder('hidden', { mode: 0o700 }),
      whiteout('hidden/.wh..wh..opq'),
      whiteout('.wh.gone'),
    ];
    const { manifestPath } = await workspace.unpack(archive(...entries), { lowers: [lower.root] });
    const attributes = { mode: 0o644, uid: 0, gid: 0, mtime: TIME };
    const crc32 = 0xfec530a9; // of "content"
    expect(readManifest(manifestPath)).toEqual([
      { path: 'd/f', type: 'file', mode: 0o4755, uid: 3, gid: 4, size: 7, mtime: TIME, crc32 },
      { path: 'h', type: 'hardlink', target: 'd/f' },
      { path: 's\xff', type: 'symlink', target: 'n\xfe', uid: 0, gid: 0, mtime: TIME },
      { path: 'p', type: 'fifo', ...attributes },
      { path: 'c', type: 'removed' },
      { path: 'gone', type: 'whiteout' },
      { path: 'd', type: 'folder', mode: 0o755, uid: 0, gid: 0, mtime: '0.000000000' },
      { path: 'hidden', type: 'folder', ...attributes, mode: 0o700, xattrs: { 'user.a': 'dg==' }, isOpaque: true },
    ]);
  });

  it('has the checksum of a file with holes, the holes included', async () => {
    const records = { 'GNU.sparse.numblocks': 1, 'GNU.sparse.map': '2,3', 'GNU.sparse.size': 3_000_000 };
    const { manifestPath } = await openWorkspace().unpack(archive(pax(records), file('f', 'abc')));
    const content = Buffer.alloc(3_000_000);
    content.write('abc', 2);
    expect(readManifest(manifestPath)).toMatchObject([{ size: 3_000_000, crc32: crc32(content) }]);
  });

  it('has the checksum of a file that comes in several pieces', async () => {
    const content = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 7) & 0xff));
    const { manifestPath } = await openWorkspace().unpack(archive(file('f', content)));
    expect(readManifest(manifestPath)).toMatchObject([{ size: 3_000_000, crc32: crc32(content) }]);
  });

  it('begins with its format and ends with the number of records', async () => {
    const { manifestPath } = await openWorkspace().unpack(archive(file('a'), file('b')));
    const lines = readFileSync(manifestPath, 'utf8').trimEnd().split('\n');
    expect([lines[0], lines.at(-1)]).toEqual(['{"format":"mydocker-tree","version":2}', '{"records":2}']);
  });

  it('is not written over another file', async () => {
    const workspace = openWorkspace();
    const manifestPath = join(workspace.folder, 'layer-manifest');
    writeFileSync(manifestPath, 'precious');
    await expect(workspace.unpack(archive(), { manifestPath })).rejects.toMatchObject({ code: 'ERR_STORE' });
    expect(readFileSync(manifestPath, 'utf8')).toBe('precious');
  });
});

describe('verifyLayer()', requires('root', 'setfattr'), () => {
  it('finds nothing wrong with what was unpacked, replaced entries and all', async () => {
    expect(await (await unpackEverything()).verify()).toEqual([]);
  });

  it.each<[string, (path: (name: string) => string) => void, string[]]>([
    ['a changed byte', (at) => rewrite(at('other'), 'Content'), ['other: its content is not what was unpacked']],
    [
      'a shorter file',
      (at) => keepingTime(at('other'), (path) => truncateSync(path, 3)),
      ['other: its size is 3 and should be 7'],
    ],
    ['a mode', (at) => chmodSync(at('other'), 0o755), ['other: its mode is 0755 and should be 4755']],
    ['an owner', (at) => chownSync(at('p'), 1, 2), ['p: its owner is 1:2 and should be 0:0']],
    [
      'a time',
      (at) => utimesSync(at('twice/in'), 5, 5),
      ['twice/in: its time is 5000000000 ns and should be 1700000000.000000000'],
    ],
    [
      'a nanosecond',
      (at) => execFileSync('touch', ['-d', '@1.000000008', at('hidden')]),
      ['hidden: its time is 1000000008 ns and should be 1.000000007'],
    ],
    ['something that is missing', (at) => keepingTime(at('d'), () => unlinkSync(at('d/f'))), ['d/f: it is missing']],
    [
      'something new',
      (at) => keepingTime(at('twice'), () => writeFileSync(at('twice/new'), '')),
      ['twice/new: it is there, and should not be'],
    ],
    [
      'a folder in place of a file',
      (at) => {
        unlinkSync(at('other'));
        mkdirSync(at('other'));
      },
      ['other: it is a folder and should be a file'],
    ],
    [
      'another target',
      (at) => {
        unlinkSync(Buffer.from(at('s\xff'), 'latin1'));
        symlinkSync('other', Buffer.from(at('s\xff'), 'latin1'));
      },
      ['s\ufffd: its target is other and should be n\xfe'],
    ],
    ['a lost whiteout', (at) => unlinkSync(at('gone')), ['gone: it is missing']],
    [
      'a whiteout that is a device',
      (at) => {
        unlinkSync(at('gone'));
        execFileSync('mknod', [at('gone'), 'c', '1', '3']);
      },
      ['gone: it is a device and should be a whiteout'],
    ],
    ['a device', (at) => execFileSync('mknod', [at('c'), 'c', '1', '5']), ['c: it is there, and should not be']],
    [
      'a folder that is not opaque any more',
      (at) => setfattr('-x', 'trusted.overlay.opaque', at('hidden')),
      ['hidden: it should be opaque'],
    ],
    [
      'a folder that is opaque',
      (at) => setfattr('-n', 'trusted.overlay.opaque', '-v', 'y', at('d')),
      ['d: it should not be opaque'],
    ],
    [
      'an attribute',
      (at) => setfattr('-n', 'user.a', '-v', 'w', at('hidden')),
      ['hidden: its extended attribute user.a is not what was unpacked'],
    ],
    [
      'an attribute too many',
      (at) => setfattr('-n', 'user.b', '-v', 'w', at('d/f')),
      ['d/f: its extended attribute user.b was not unpacked', 'h: its extended attribute user.b was not unpacked'],
    ],
    ['the mode of the root', (at) => chmodSync(at('.'), 0o777), ['.: its mode is 0777 and should be 0755']],
    ['the owner of the root', (at) => chownSync(at('.'), 1, 2), ['.: its owner is 1:2 and should be 0:0']],
    [
      'a hard link that is a copy',
      (at) => copyInPlace(at('h')),
      ['h: it is a hard link of another file than was unpacked'],
    ],
    [
      'two files that are one',
      (at) => {
        unlinkSync(at('other'));
        linkSync(at('d/f'), at('other'));
      },
      ['other: it is a hard link of another file than was unpacked'],
    ],
  ])('finds %s', async (_, damage, expected) => {
    const layer = await unpackEverything();
    damage((name) => join(layer.root, name));
    const found = (await layer.verify()).filter((line) => !/^[^/]*: its time/.test(line) || expected.includes(line));
    expect(found).toEqual(expect.arrayContaining(expected));
    expect(found.length).toBeLessThanOrEqual(expected.length + 1);
  });
});

/** A layer with everything that a manifest can speak of. */
async function unpackEverything(): Promise<UnpackedArchive & { verify(): Promise<string[]> }> {
  const workspace = openWorkspace();
  const lower = await workspace.unpack(archive(file('gone'), folder('hidden'), file('hidden/x')));
  const entries = [
    file('d/f', 'content', { mode: 0o4755, uid: 3, gid: 4 }),
    hardlink('h', 'd/f'),
    file('other', 'content', { mode: 0o4755, uid: 3, gid: 4 }),
    symlink('s\xff', 'n\xfe'),
    rawEntry({ name: 'p', type: '6' }),
    rawEntry({ name: 'c', type: '3', deviceMajor: 1, deviceMinor: 3 }),
    pax({ 'SCHILY.xattr.user.a': 'v', mtime: '1.000000007' }),
    folder('hidden', { mode: 0o700 }),
    whiteout('hidden/.wh..wh..opq'),
    whiteout('.wh.gone'),
    file('twice', 'old'),
    folder('twice'),
    file('twice/in', 'it'),
    folder('folder'),
    file('folder/in', 'it'),
    file('folder', 'now a file'),
    file('a', 'x'),
    hardlink('b', 'a'),
    file('a', 'another'),
  ];
  const unpacked = await workspace.unpack(archive(...entries), { lowers: [lower.root] });
  const { root: place, manifestPath } = unpacked;
  const childPath = await bundle('src/layer/unpack-child.ts');
  return {
    ...unpacked,
    verify: async () => {
      const runnerFolder = workspace.folder;
      const children = createUnpackChildren({ ownership: { kind: 'root' }, runnerFolder, childPath });
      try {
        return await verifyLayer({ label: 'test', folder: place, manifestPath, children });
      } finally {
        await children.close();
      }
    },
  };
}

function rewrite(path: string, content: string): void {
  keepingTime(path, () => writeFileSync(path, content));
}

/** Does something that would change the time of `path`, and sets it back. */
function keepingTime(path: string, change: (path: string) => void): void {
  change(path);
  const time = path.endsWith('/d') ? 0 : 1_700_000_000;
  utimesSync(path, time, time);
}

function setfattr(...args: string[]): void {
  execFileSync('setfattr', args);
}

function copyInPlace(path: string): void {
  execFileSync('cp', ['-p', path, `${path}.copy`]);
  renameSync(`${path}.copy`, path);
}
