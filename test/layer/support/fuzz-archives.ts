import { honestTar } from '../../support/tar/honest-tar.ts';
import {
  archive,
  file,
  folder,
  gnuLong,
  hardlink,
  octal,
  pax,
  rawEntry,
  rawHeader,
  symlink,
  whiteout,
} from '../../support/tar/raw-tar.ts';

/** Where mutations begin: honest archives and hostile ones, in which about everything stands that a reader knows. */
export async function archivesToMutate(): Promise<Buffer[]> {
  return [...HOSTILE, ...(await honestArchives())];
}

async function honestArchives(): Promise<Buffer[]> {
  return Promise.all([
    honestTar([
      { name: 'd/', type: 'directory', mode: 0o755 },
      { name: 'd/f', content: 'content' },
      { name: `long/${'n'.repeat(150)}`, content: 'c'.repeat(600) },
      { name: 'l', type: 'symlink', linkname: 'd' },
      { name: 'h', type: 'link', linkname: 'd/f' },
    ]),
    honestTar([{ name: 'ä', content: 'x', pax: { 'SCHILY.xattr.user.a': 'v', mtime: '1700000000.25' } }]),
  ]);
}

const HOSTILE = [
  archive(folder('d'), file('d/f', 'one'), folder('d/sub'), file('d/sub/g', 'two'), symlink('l', 'd'), file('x')),
  archive(symlink('l', '../victim'), file('l/hello', 'got out'), symlink('up', '../..'), file('up/up/x')),
  archive(file('../victim/hello'), file('/../0-evil/x')),
  archive(hardlink('h', '../victim/hello'), file('a'), hardlink('b', 'a'), file('a', 'new')),
  archive(whiteout('.wh.d'), folder('d'), file('d/new'), whiteout('d/.wh..wh..opq'), whiteout('.wh.x')),
  archive(whiteout('.wh..wh..opq'), file('only'), file('.wh..wh.plnk/1')),
  archive(hardlink('copy', 'd/f'), hardlink('again', 'x'), hardlink('third', 'd/sub/g')),
  archive(gnuLong('L', `${'p/'.repeat(100)}f`), file('short'), gnuLong('K', 't'.repeat(300)), symlink('s', 'short')),
  archive(pax({ path: 'pax/name', uid: 7, size: 3 }), file('short', 'abc'), pax({ comment: 'c' }, { type: 'g' })),
  archive(
    pax({ 'GNU.sparse.numblocks': 2, 'GNU.sparse.map': '10,600,2000,3', 'GNU.sparse.size': 4000 }),
    file('sparse', 's'.repeat(603)),
  ),
  archive(
    pax({ 'GNU.sparse.major': 1, 'GNU.sparse.minor': 0, 'GNU.sparse.name': 'holes', 'GNU.sparse.realsize': 2000 }),
    file('GNUSparseFile.0/holes', `${'1\n100\n3\n'.padEnd(512, '\0')}abc`),
  ),
  archive(
    rawHeader({
      name: 'old-sparse',
      type: 'S',
      format: 'gnu',
      size: 3,
      fields: { sparse: `${octal(5, 12)}\0${octal(3, 12)}\0`, realSize: octal(100, 12) },
    }),
    rawEntry({ body: 'abc' }).subarray(512),
  ),
  archive(rawEntry({ name: 'c', type: '3', deviceMajor: 1, deviceMinor: 3 }), rawEntry({ name: 'p', type: '6' })),
  archive(
    pax({ 'SCHILY.xattr.user.a': 'v', 'SCHILY.xattr.trusted.overlay.opaque': 'y' }),
    folder('d', { mode: 0o1777 }),
    pax({ 'SCHILY.xattr.security.capability': '\x01\0\0\x02\x80'.padEnd(20, '\0') }),
    file('d/f', 'x', { mode: 0o6755, uid: 5 }),
  ),
];
