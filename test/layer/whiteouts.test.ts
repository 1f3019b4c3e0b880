import { describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { archive, file, folder, hardlink, pax, rawEntry, symlink, whiteout } from '../support/tar/raw-tar.ts';
import { openWorkspace, type UnpackedArchive } from './support/workspace.ts';

const TIME = 1_700_000_000;
const FILE = `F 0644 0:0 ${TIME} "x"`;
const FOLDER = `D 0755 0:0 ${TIME}`;
const IMPLIED = 'D 0755 0:0 0';
/** An overlay whiteout; its time is of no interest. */
const GONE = 'W';
const OPAQUE = 'trusted.overlay.opaque=y';

const LOWER = archive(folder('d'), file('d/old'), folder('d/sub'), file('d/sub/old'), file('f'));

describe('unpackLayer() whiteouts', requires('root'), () => {
  it.each<[string, Buffer[], Record<string, string>]>([
    ['L82: of a file', [whiteout('.wh.f')], { f: GONE }],
    ['L82: of a folder', [whiteout('.wh.d')], { d: GONE }],
    ['L83: of nothing', [whiteout('.wh.nonexistent'), whiteout('no/such/.wh.file')], {}],
    ['L85: of a file that comes before it', [file('f'), whiteout('.wh.f')], { f: FILE }],
    ['L85: of a file that comes after it', [whiteout('.wh.f'), file('f')], { f: FILE }],
    [
      'L86: of a folder that comes before it',
      [folder('d'), file('d/new'), whiteout('.wh.d')],
      { d: `${FOLDER} ${OPAQUE}`, 'd/new': FILE },
    ],
    [
      'L87: of a folder that comes after it',
      [whiteout('.wh.d'), folder('d'), file('d/new')],
      { d: `${FOLDER} ${OPAQUE}`, 'd/new': FILE },
    ],
    [
      'L89: of a folder that the archive only has something in',
      [whiteout('.wh.d'), file('d/x/y')],
      { d: `${IMPLIED} ${OPAQUE}`, 'd/x': IMPLIED, 'd/x/y': FILE },
    ],
    [
      'L81: an entry and then a whiteout of its folder',
      [file('d/a'), whiteout('.wh.d')],
      { d: `${IMPLIED} ${OPAQUE}`, 'd/a': FILE },
    ],
    ['a file in place of a folder', [whiteout('.wh.d'), file('d')], { d: FILE }],
    ['a symlink in place of a folder', [symlink('d', 'x'), whiteout('.wh.d')], { d: `S 0777 0:0 ${TIME} -> x` }],
    [
      'L30: in a folder that becomes a symlink',
      [symlink('d', 'e'), whiteout('d/.wh.old')],
      { d: `S 0777 0:0 ${TIME} -> e` },
    ],
    ['in a folder that becomes a file', [whiteout('d/.wh.old'), file('d')], { d: FILE }],
    ['L82: in a folder that the archive does not have', [whiteout('d/.wh.old')], { d: FOLDER, 'd/old': GONE }],
    ['L90: opaque, first', [whiteout('d/.wh..wh..opq'), file('d/new')], { d: `${FOLDER} ${OPAQUE}`, 'd/new': FILE }],
    ['L91: opaque, last', [file('d/new'), whiteout('d/.wh..wh..opq')], { d: `${FOLDER} ${OPAQUE}`, 'd/new': FILE }],
    ['opaque, alone', [whiteout('d/.wh..wh..opq')], { d: `${FOLDER} ${OPAQUE}` }],
    ['opaque of nothing', [whiteout('no/.wh..wh..opq')], {}],
    ['opaque of a file', [whiteout('f/.wh..wh..opq')], {}],
    ['opaque of a folder that is new', [folder('new'), whiteout('new/.wh..wh..opq')], { new: FOLDER }],
    [
      'both kinds of one folder',
      [whiteout('.wh.d'), whiteout('d/.wh..wh..opq'), file('d/new')],
      { d: `${IMPLIED} ${OPAQUE}`, 'd/new': FILE },
    ],
    ['both kinds, without content', [whiteout('d/.wh..wh..opq'), whiteout('.wh.d')], { d: GONE }],
    ['L92: an opaque root', [whiteout('.wh..wh..opq')], { d: GONE, f: GONE }],
    [
      'L92: an opaque root with entries',
      [folder('d'), file('d/new'), whiteout('.wh..wh..opq'), file('g')],
      { d: `${FOLDER} ${OPAQUE}`, 'd/new': FILE, f: GONE, g: FILE },
    ],
    [
      'L94: in an opaque folder, after',
      [whiteout('d/.wh..wh..opq'), whiteout('d/.wh.old'), whiteout('d/sub/.wh.old')],
      { d: `${FOLDER} ${OPAQUE}` },
    ],
    [
      'L94: in an opaque folder, before',
      [whiteout('d/sub/.wh.old'), whiteout('d/.wh.old'), whiteout('d/.wh..wh..opq')],
      { d: `${FOLDER} ${OPAQUE}` },
    ],
    [
      'L95: metadata of AUFS',
      [file('.wh..wh.plnk/1.2'), file('d/.wh..wh.aufs'), file('.wh..wh..opq.x'), folder('.wh..wh.orph')],
      {},
    ],
    ['L97: as a folder', [folder('.wh.f/')], { f: GONE }],
    ['L97: as a symlink', [symlink('.wh.f', '/etc')], { f: GONE }],
    ['L97: as a hard link', [hardlink('.wh.f', 'nothing')], { f: GONE }],
    ['L97: with content', [whiteout('.wh.f', { body: 'b'.repeat(10_000_000) }), file('g')], { f: GONE, g: FILE }],
    ['of a name that has .wh. inside', [file('a.wh.b')], { 'a.wh.b': FILE }],
    ['with dots and slashes in its name', [whiteout('./d/..//.wh.f')], { f: GONE }],
  ])('%s', async (_, entries, expected) => {
    const workspace = openWorkspace();
    const lower = await workspace.unpack(LOWER);
    expect(withoutTimes(await workspace.unpack(archive(...entries), { lowers: [lower.root] }))).toEqual(expected);
  });

  it.each(['.wh.', '.wh..', '.wh...', 'd/.wh.', 'd/.wh..', 'd/.wh...'])('B7, L84: %s is refused', async (name) => {
    const error = await openWorkspace().refuse(archive(whiteout(name)));
    expect(error).toMatchObject({
      code: 'ERR_LAYER',
      message: expect.stringMatching(/whiteout of no valid name/) as string,
    });
  });

  it('L96: a folder named like a whiteout is refused', async () => {
    const error = await openWorkspace().refuse(archive(file('.wh.etc/somefile')));
    expect(error).toMatchObject({
      code: 'ERR_LAYER',
      message: expect.stringMatching(/named like a whiteout/) as string,
    });
  });

  it('L99: of a symlink takes the symlink and not what it leads to', async () => {
    const { upper } = await chain([folder('etc'), symlink('l', '/etc')], [whiteout('.wh.l')]);
    expect(withoutTimes(upper)).toEqual({ l: GONE });
  });

  it('through a symlink of the layers below means nothing', async () => {
    const { upper } = await chain([file('etc/x'), symlink('l', 'etc')], [whiteout('l/.wh.x')]);
    expect(upper.tree).toEqual({});
  });

  it('L100: its folders are made as they are below', async () => {
    const { upper } = await chain(
      [folder('a', { mode: 0o711, mtime: 5 }), folder('a/b', { uid: 7 }), folder('a/b/c'), file('a/b/c/x')],
      [whiteout('a/b/c/.wh.x')],
    );
    expect(withoutTimes(upper)).toEqual({
      a: 'D 0711 0:0 5',
      'a/b': `D 0755 7:0 ${TIME}`,
      'a/b/c': FOLDER,
      'a/b/c/x': GONE,
    });
  });

  it('in the form of a user namespace where that is wanted', async () => {
    const workspace = openWorkspace();
    const lower = await workspace.unpack(LOWER);
    const upper = await workspace.unpack(archive(whiteout('d/.wh..wh..opq')), {
      lowers: [lower.root],
      whiteouts: 'user',
    });
    expect(upper.tree).toEqual({ d: `${FOLDER} user.overlay.opaque=y` });
  });
});

describe('unpackLayer() and the layers below', requires('root'), () => {
  it('L79: folders that the archive does not have stay as they are', async () => {
    const attribute = pax({ 'SCHILY.xattr.user.a': 'v' });
    const { upper } = await chain(
      [attribute, folder('tmp', { mode: 0o1777, uid: 3, gid: 4, mtime: 5 })],
      [file('tmp/x')],
    );
    expect(upper.tree).toEqual({ tmp: 'D 1777 3:4 5 user.a=v', 'tmp/x': FILE });
  });

  it('L79: through several layers, the topmost that shows the folder decides', async () => {
    const workspace = openWorkspace();
    const first = await workspace.unpack(archive(folder('a', { mode: 0o700 }), folder('a/b', { mode: 0o711 })));
    const second = await workspace.unpack(archive(folder('a', { mode: 0o755 })), { lowers: [first.root] });
    const third = await workspace.unpack(archive(file('a/b/f')), { lowers: [first.root, second.root] });
    expect(third.tree).toEqual({ a: FOLDER, 'a/b': `D 0711 0:0 ${TIME}`, 'a/b/f': FILE });
  });

  it.each<[string, Buffer[]]>([
    ['a whiteout', [whiteout('.wh.a')]],
    ['an opaque folder', [whiteout('a/.wh..wh..opq')]],
    ['a file in its place', [file('a')]],
    ['a symlink in its place', [symlink('a', 'x')]],
  ])('L79: nothing is taken from below %s', async (_, between) => {
    const workspace = openWorkspace();
    const first = await workspace.unpack(archive(folder('a', { mode: 0o700 }), folder('a/b', { mode: 0o711 })));
    const second = await workspace.unpack(archive(...between), { lowers: [first.root] });
    const third = await workspace.unpack(archive(file('a/b/f')), { lowers: [first.root, second.root] });
    expect(third.tree['a/b']).toBe(IMPLIED);
  });

  it.each<[string, Buffer[]]>([
    ['before', [whiteout('a/.wh..wh..opq'), file('a/b/f')]],
    ['after', [file('a/b/f'), whiteout('a/.wh..wh..opq')]],
  ])('L79: nor from what the layer itself takes away, %s', async (_, entries) => {
    const { upper } = await chain([folder('a', { mode: 0o700 }), folder('a/b', { mode: 0o711 })], entries);
    expect(upper.tree).toEqual({ a: `D 0700 0:0 ${TIME} ${OPAQUE}`, 'a/b': IMPLIED, 'a/b/f': FILE });
  });

  it('L29: a symlink below becomes a folder, with a warning', async () => {
    const { upper } = await chain([folder('usr/lib'), symlink('lib', 'usr/lib')], [file('lib/x')]);
    expect(upper.tree).toEqual({ lib: IMPLIED, 'lib/x': FILE });
    expect(upper.warnings).toEqual([expect.stringMatching(/symlink in the layers below, and replaces it: "lib"$/)]);
  });

  it('L38: a hard link to a file below copies it into the layer', async () => {
    const lower = [
      pax({ 'SCHILY.xattr.user.a': 'v' }),
      file('d/a', 'x', { mode: 0o4711, uid: 3, gid: 4, mtime: 5 }),
      hardlink('other', 'd/a'),
    ];
    const { upper } = await chain(lower, [hardlink('b', 'd/a'), hardlink('c', 'd/a')]);
    const copy = 'F 4711 3:4 5 "x" #1 user.a=v';
    expect(upper.tree).toEqual({ b: copy, c: copy, d: IMPLIED, 'd/a': copy });
  });

  it.each<[string, Buffer[], RegExp]>([
    ['L38: to a file that a whiteout has taken away', [whiteout('.wh.f'), hardlink('b', 'f')], /not there yet/],
    [
      'L38: to a file that a whiteout takes away later',
      [hardlink('b', 'f'), whiteout('.wh.f')],
      /also takes away: "f"/,
    ],
    [
      'L38: to a file in a folder that is opaque later',
      [hardlink('b', 'd/old'), whiteout('d/.wh..wh..opq')],
      /also takes away: "d\/old"/,
    ],
    ['L35: to a folder below', [hardlink('b', 'd')], /something other than a file/],
    ['to a file below a symlink of this layer', [symlink('d', 'nowhere'), hardlink('b', 'd/old')], /not there yet/],
  ])('%s is refused', async (_, entries, reason) => {
    const workspace = openWorkspace();
    const lower = await workspace.unpack(LOWER);
    const error = await workspace.refuse(archive(...entries), { lowers: [lower.root] });
    expect(error).toMatchObject({ code: 'ERR_LAYER', message: expect.stringMatching(reason) as string });
    expect(error).toMatchObject({
      entry: 'b',
      index: entries.findIndex((entry) => entry.toString('latin1', 0, 1) === 'b'),
    });
  });

  it('never follows a symlink of the layers below out of them', async () => {
    const workspace = openWorkspace();
    const lower = await workspace.unpack(archive(symlink('l', workspace.folder), symlink('up', '../..')));
    for (const target of ['l/victim/hello', 'up/victim/hello']) {
      const error = await workspace.refuse(archive(hardlink('b', target)), { lowers: [lower.root] });
      expect(error.message).toMatch(/not there yet/);
    }
  });

  it('a pipe of the layers below is no file to link to, and is not waited for', async () => {
    const { lower, workspace } = await chain([rawEntry({ name: 'p', type: '6' })], []);
    const error = await workspace.refuse(archive(hardlink('b', 'p')), { lowers: [lower.root] });
    expect(error.message).toMatch(/something other than a file/);
  });
});

async function chain(
  below: Buffer[],
  above: Buffer[],
): Promise<{ lower: UnpackedArchive; upper: UnpackedArchive; workspace: ReturnType<typeof openWorkspace> }> {
  const workspace = openWorkspace();
  const lower = await workspace.unpack(archive(...below));
  const upper = await workspace.unpack(archive(...above), { lowers: [lower.root] });
  return { lower, upper, workspace };
}

/** The tree, with nothing but their type of whiteouts. */
function withoutTimes({ tree }: UnpackedArchive): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).map(([path, line]) => [path, line.startsWith('W ') ? GONE : line]));
}
