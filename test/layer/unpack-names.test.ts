import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { archive, file, folder, gnuLong, hardlink, pax, rawEntry, symlink } from '../support/tar/raw-tar.ts';
import { isLayerError, openWorkspace } from './support/workspace.ts';

const TIME = 1_700_000_000;
const D = 'D 0755 0:0'; // of a folder that the archive does not have
const IMPLIED = `${D} 0`;
const FILE = `F 0644 0:0 ${TIME} "x"`;

describe('unpackLayer() names', requires('root'), () => {
  it.each<[string, Buffer, Record<string, string>]>([
    ['L01: an absolute name', file('/etc/x'), { etc: IMPLIED, 'etc/x': FILE }],
    ['L02: more slashes', file('////etc/x'), { etc: IMPLIED, 'etc/x': FILE }],
    ['L02: dots and slashes', file('/./etc//x'), { etc: IMPLIED, 'etc/x': FILE }],
    ['L06: a parent that is not there is taken back by name', file('dne/../b'), { b: FILE }],
    [
      'L08: the root as a folder means nothing',
      Buffer.concat([folder('./', { mode: 0o700 }), folder('/'), folder('.')]),
      {},
    ],
    [
      'L10: control characters, spaces, dashes and colons',
      file('-a:b,c\\ \n\t\x1b[31m '),
      { '-a:b,c\\ \n\t\x1b[31m ': FILE },
    ],
    [
      'L11: names that differ in bytes that are no UTF-8',
      Buffer.concat([file('n\xff'), file('n\xfe')]),
      { 'n\xfe': FILE, 'n\xff': FILE },
    ],
    ['L11: the same in PAX', Buffer.concat([pax({ path: 'p\xff' }), file('short')]), { 'p\xff': FILE }],
    [
      'L15: NFC and NFD, upper and lower case',
      Buffer.concat([file('\xc3\xa9'), file('e\xcc\x81'), file('A'), file('a')]),
      { A: FILE, a: FILE, 'e\xcc\x81': FILE, '\xc3\xa9': FILE },
    ],
    ['L16: a file with a slash', file('foo/'), { foo: FILE }],
    [
      'L17: names that mean something elsewhere',
      Buffer.concat([file('aux\\..\\x'), file('C:../x')]),
      { 'C:..': IMPLIED, 'C:../x': FILE, 'aux\\..\\x': FILE },
    ],
    ['a name of 255 bytes', Buffer.concat([gnuLong('L', 'n'.repeat(255)), file('short')]), { ['n'.repeat(255)]: FILE }],
  ])('%s', async (_, entries, expected) => {
    expect((await openWorkspace().unpack(archive(entries))).tree).toEqual(expected);
  });

  it('L63: __proto__ is a name', async () => {
    const { tree } = await openWorkspace().unpack(archive(pax([['path', '__proto__/x']]), file('short')));
    expect(Object.keys(tree)).toEqual(['__proto__', '__proto__/x']);
  });

  it.each<[string, Buffer, RegExp]>([
    ['B1, L03: ..', file('../victim/f'), /leads out of the root/],
    ['L04: /..', file('/../victim/f'), /leads out of the root/],
    ['L05: a/../..', file('a/../../victim/f'), /leads out of the root/],
    ['L07: .. as a file', file('..'), /leads out of the root/],
    ['L07: .. as a folder', folder('..'), /leads out of the root/],
    ['L07: .. as a symlink', symlink('..', '/etc/'), /leads out of the root/],
    ['L08: no name', file(''), /replace the root/],
    ['L08: . as a file', file('.'), /replace the root/],
    ['L08: / as a symlink', symlink('/', '/victim'), /replace the root/],
    ['L08: ./ as a file', file('./'), /replace the root/],
    ['B6: /. as a symlink', symlink('/.', '/victim'), /replace the root/],
    ['L12: a name of 256 bytes', Buffer.concat([gnuLong('L', 'n'.repeat(256)), file('short')]), /name longer than 255/],
    [
      'L13: a path of 5000 bytes',
      Buffer.concat([gnuLong('L', Array(25).fill('n'.repeat(199)).join('/')), file('short')]),
      /path is longer/,
    ],
    [
      'L13: a path of 3073 bytes, which the copy driver could not follow from a store that lies deep',
      Buffer.concat([gnuLong('L', `${'d/'.repeat(1000)}${'n'.repeat(255)}`.padEnd(3073, '/n')), file('short')]),
      /path is longer than 3072 bytes/,
    ],
    [
      'L14: 1500 folders in each other',
      Buffer.concat([gnuLong('L', 'd/'.repeat(1500)), folder('short')]),
      /deeper than 1024/,
    ],
  ])('%s is refused', async (_, entry, reason) => {
    const error = await openWorkspace().refuse(archive(file('first'), entry));
    expect(error.code).toBe('ERR_LAYER');
    expect(error.message).toMatch(reason);
    expect(isLayerError(error) && error.index).toBe(1);
  });

  it('P5: names the entry, escaped in the message and raw as data', async () => {
    const error = await openWorkspace().refuse(archive(file('ok'), file('../\x1b[31m\n\xff')));
    expect(error.message).toBe(
      `Cannot unpack layer "${error.message.slice(21, 33)}": entry 1, "../\\x1b[31m\\n\ufffd": its path leads out of the root of the image`,
    );
    expect(error).toMatchObject({
      entry: '../\x1b[31m\n\xff',
      index: 1,
      reason: 'its path leads out of the root of the image',
    });
  });

  it.each<[string, string, string, string]>([
    [
      'L13: a path that is too long',
      `${'n'.repeat(199)}/`.repeat(12),
      `${'m'.repeat(199)}/`.repeat(4),
      'longer than 3072 bytes',
    ],
    ['L14: a path that is too deep', 'd/'.repeat(1000), 'e/'.repeat(30), 'deeper than 1024 folders'],
  ])('%s through a symlink is refused', async (_, target, rest, reason) => {
    const entries = [gnuLong('K', target), symlink('l', 'short'), gnuLong('L', `l/${rest}f`), file('short')];
    const error = await openWorkspace().refuse(archive(...entries));
    expect(error).toMatchObject({ code: 'ERR_LAYER', index: 1, reason: `its path is ${reason}` });
  });

  it('L15: a file system on which names that differ in case are one is refused', async () => {
    const workspace = openWorkspace();
    const root = join(workspace.folder, 'layer-folding');
    mkdirSync(join(root, '.CASE'), { recursive: true }); // what such a file system would show for .case
    const error = await workspace.refuse(archive(file('A'), file('a')), { folder: root });
    expect(error).toMatchObject({
      code: 'ERR_HOST',
      message: expect.stringMatching(/takes names that differ in case for one$/) as string,
    });
  });

  it('a path of 1024 folders can be unpacked and removed again by a later entry', async () => {
    const deep = 'd/'.repeat(1024);
    const { tree } = await openWorkspace().unpack(archive(gnuLong('L', `${deep}f`), file('short'), file('d')));
    expect(tree).toEqual({ d: FILE });
  });
});

describe('unpackLayer() symlinks', requires('root'), () => {
  const link = (target: string): string => `S 0777 0:0 ${TIME} -> ${target}`;

  it.each<[string, Buffer[], Record<string, string>]>([
    [
      'L18: one that leads out, and a file through it',
      [symlink('l', '../victim'), file('l/f')],
      { l: link('../victim'), victim: IMPLIED, 'victim/f': FILE },
    ],
    [
      'L19: one to the root',
      [symlink('l', '/'), file('l/tmp/breakout')],
      { l: link('/'), tmp: IMPLIED, 'tmp/breakout': FILE },
    ],
    [
      'L20: an absolute one',
      [symlink('l', '/etc'), file('l/passwd')],
      { etc: IMPLIED, 'etc/passwd': FILE, l: link('/etc') },
    ],
    [
      'L20: an absolute one in a folder',
      [symlink('d/l', '/etc'), file('d/l/passwd')],
      { d: IMPLIED, 'd/l': link('/etc'), etc: IMPLIED, 'etc/passwd': FILE },
    ],
    [
      'L21: two of them that climb',
      [
        folder('inner'),
        symlink('inner/go_up', '..'),
        symlink('inner/go_up/escape', '../victim'),
        file('inner/go_up/escape/new'),
      ],
      {
        escape: link('../victim'),
        inner: `${D} ${TIME}`,
        'inner/go_up': link('..'),
        victim: IMPLIED,
        'victim/new': FILE,
      },
    ],
    [
      'B3: through folders that are no parents',
      [symlink('a/up', '../..'), symlink('a/esc', 'up/../..'), file('a/esc/f')],
      { a: IMPLIED, 'a/esc': link('up/../..'), 'a/up': link('../..'), f: FILE },
    ],
    [
      'L24: one to nothing',
      [symlink('l', 'dne/x'), file('l/f')],
      { dne: IMPLIED, 'dne/x': IMPLIED, 'dne/x/f': FILE, l: link('dne/x') },
    ],
    [
      'L25: one in place of a folder',
      [folder('d'), file('d/old'), symlink('d', '/victim'), file('d/f')],
      { d: link('/victim'), victim: IMPLIED, 'victim/f': FILE },
    ],
    [
      'L26: a folder in place of one',
      [folder('target'), symlink('d', 'target'), folder('d', { mode: 0o777 })],
      { d: `D 0777 0:0 ${TIME}`, target: `${D} ${TIME}` },
    ],
    [
      'L27: mode and owner are its own',
      [file('x'), symlink('s', 'x', { mode: 0o7777, uid: 5, gid: 6, mtime: 77 })],
      { s: 'S 0777 5:6 77 -> x', x: FILE },
    ],
    ['L27: one to nothing has a time too', [symlink('s', '/nowhere', { mtime: 5 })], { s: 'S 0777 0:0 5 -> /nowhere' }],
    ['one of 4095 bytes', [gnuLong('K', 't'.repeat(4095)), symlink('s', 'short')], { s: link('t'.repeat(4095)) }],
    [
      'a file in place of one',
      [file('x', 'old'), symlink('s', 'x'), file('s')],
      { s: FILE, x: `F 0644 0:0 ${TIME} "old"` },
    ],
    [
      'a folder of the archive through one',
      [symlink('l', 'real'), folder('l/sub', { mode: 0o711 })],
      { l: link('real'), real: IMPLIED, 'real/sub': `D 0711 0:0 ${TIME}` },
    ],
  ])('%s', async (_, entries, expected) => {
    expect((await openWorkspace().unpack(archive(...entries))).tree).toEqual(expected);
  });

  it.each<[string, Buffer[], RegExp]>([
    ['L23: a circle', [symlink('l1', 'l2'), symlink('l2', 'l1'), file('l1/f')], /too many symlinks/],
    ['L28: a target of 4096 bytes', [gnuLong('K', 't'.repeat(4096)), symlink('s', 'short')], /ENAMETOOLONG/],
    ['L28: no target', [symlink('s', '')], /without a target/],
    ['L96: one to a folder named like a whiteout', [symlink('l', '.wh.d'), file('l/f')], /named like a whiteout/],
    [
      'L96: the same on the way',
      [symlink('l', '/'), symlink('m', 'l/.wh.d/e'), folder('m/f')],
      /named like a whiteout/,
    ],
    ['one to a file, as a folder', [file('x'), symlink('l', 'x'), file('l/f')], /not a folder stands in its path/],
  ])('%s is refused', async (_, entries, reason) => {
    const error = await openWorkspace().refuse(archive(...entries));
    expect(error).toMatchObject({ code: 'ERR_LAYER', message: expect.stringMatching(reason) as string });
  });
});

describe('unpackLayer() hard links', requires('root'), () => {
  it.each<[string, Buffer[], Record<string, string>]>([
    ['L31: b => a', [file('a'), hardlink('b', 'a')], { a: `${FILE} #1`, b: `${FILE} #1` }],
    ['L31: b => /a', [file('a'), hardlink('b', '/a')], { a: `${FILE} #1`, b: `${FILE} #1` }],
    ['L31: b => ./a', [file('a'), hardlink('b', './a')], { a: `${FILE} #1`, b: `${FILE} #1` }],
    [
      'L39: mode and owner of the link entry mean nothing',
      [file('a'), hardlink('b', 'a', { mode: 0o4777, uid: 5 })],
      { a: `${FILE} #1`, b: `${FILE} #1` },
    ],
    [
      'L40: a file that is replaced leaves its other names',
      [file('a'), hardlink('b', 'a'), file('a', 'new')],
      { a: `F 0644 0:0 ${TIME} "new"`, b: FILE },
    ],
    [
      'through a symlink in the target',
      [file('d/a'), symlink('l', 'd'), hardlink('b', 'l/a')],
      { b: `${FILE} #1`, d: IMPLIED, 'd/a': `${FILE} #1`, l: `S 0777 0:0 ${TIME} -> d` },
    ],
    ['in place of a folder', [file('a'), file('d/x'), hardlink('d', 'a')], { a: `${FILE} #1`, d: `${FILE} #1` }],
  ])('%s', async (_, entries, expected) => {
    expect((await openWorkspace().unpack(archive(...entries))).tree).toEqual(expected);
  });

  it('L34, B5: to a symlink is one to the symlink itself', async () => {
    const { tree } = await openWorkspace().unpack(
      archive(
        file('etc/shadow', 'x', { mode: 0o600, uid: 1 }),
        symlink('s', '/etc/shadow'),
        hardlink('h', 's', { mode: 0o777, uid: 5 }),
      ),
    );
    expect(tree).toMatchObject({
      'etc/shadow': `F 0600 1:0 ${TIME} "x"`,
      h: `S 0777 0:0 ${TIME} -> /etc/shadow #1`,
      s: `S 0777 0:0 ${TIME} -> /etc/shadow #1`,
    });
  });

  it.each<[string, Buffer[], RegExp]>([
    ['L32: out of the root', [hardlink('x', '../victim/hello')], /leads out of the root/],
    ['L32: out of the root, absolute', [hardlink('x', '/../victim/hello')], /leads out of the root/],
    ['B4: a sibling with the same prefix', [hardlink('x', '../root-evil/hello')], /leads out of the root/],
    ['L32: through a symlink that leads out', [symlink('l', '../victim'), hardlink('x', 'l/hello')], /not there yet/],
    ['L35: to a folder', [folder('d'), hardlink('h', 'd')], /hard link to a folder/],
    [
      'L35: to a folder through a symlink',
      [folder('d/e'), symlink('l', 'd'), hardlink('h', 'l/e')],
      /hard link to a folder/,
    ],
    ['L36: to a later file', [hardlink('h', 'later'), file('later')], /"later", which is not there yet/],
    ['L37: to .', [hardlink('h', '.')], /hard link to the root/],
    ['L37: to /', [hardlink('/', '.')], /replace the root/],
    ['to itself', [file('a'), hardlink('a', 'a')], /hard link to itself/],
    ['to nothing', [hardlink('a', '')], /hard link to the root/],
    ['to a file in the folder that it replaces', [file('d/a'), hardlink('d', 'd/a')], /ENOENT/],
    ['through a file', [file('a'), hardlink('b', 'a/c')], /not a folder stands/],
  ])('%s is refused', async (_, entries, reason) => {
    const error = await openWorkspace().refuse(archive(...entries));
    expect(error).toMatchObject({ code: 'ERR_LAYER', message: expect.stringMatching(reason) as string });
  });

  it('L41: with a size and no content', async () => {
    const { tree } = await openWorkspace().unpack(archive(file('a'), hardlink('b', 'a', { size: 700 }), file('c')));
    expect(tree).toEqual({ a: `${FILE} #1`, b: `${FILE} #1`, c: FILE });
  });
});

describe('unpackLayer() entries of one path', requires('root'), () => {
  it.each<[string, Buffer[], Record<string, string>]>([
    ['L76: the last file wins', [file('a', '1'), file('a', 'x')], { a: FILE }],
    ['L76: a file in place of a folder', [file('a/b/c'), file('a')], { a: FILE }],
    ['L76: a folder in place of a file', [file('a'), folder('a')], { a: `${D} ${TIME}` }],
    [
      'a folder twice: the last attributes, the content stays',
      [folder('a', { mode: 0o700 }), file('a/f'), folder('a', { mode: 0o711 })],
      { a: `D 0711 0:0 ${TIME}`, 'a/f': FILE },
    ],
    [
      'L78: a folder after what is in it',
      [file('d/f'), folder('d', { mode: 0o555, mtime: 1_000 })],
      { d: 'D 0555 0:0 1000', 'd/f': FILE },
    ],
    [
      'L49: a folder of mode 0 still takes later children',
      [folder('d', { mode: 0, mtime: 1_000 }), file('d/e/f')],
      { d: 'D 0000 0:0 1000', 'd/e': IMPLIED, 'd/e/f': FILE },
    ],
    [
      'a set-group-id folder does not give its group away',
      [folder('d', { mode: 0o2755, gid: 50 }), file('d/f'), folder('d/e')],
      { d: `D 2755 0:50 ${TIME}`, 'd/e': `${D} ${TIME}`, 'd/f': FILE },
    ],
  ])('%s', async (_, entries, expected) => {
    expect((await openWorkspace().unpack(archive(...entries))).tree).toEqual(expected);
  });

  it('L77: a file and then something in it is refused', async () => {
    const error = await openWorkspace().refuse(archive(file('a'), file('a/b')));
    expect(error).toMatchObject({
      code: 'ERR_LAYER',
      message: expect.stringMatching(/not a folder stands in its path/) as string,
    });
  });

  it('L80: the attributes of the root do not come from the archive', async () => {
    const { root } = await openWorkspace().unpack(archive(rawEntry({ name: './', type: '5', mode: 0o700, uid: 1000 })));
    expect(statSync(root)).toMatchObject({ mode: 0o40755, uid: 0, gid: 0 });
  });
});
