import { describe, expect, it } from 'vitest';

import { Refusal } from '../../src/layer/refusal.ts';
import { createTarReader, type TarReader } from '../../src/layer/tar-reader.ts';
import {
  archive,
  base256,
  END,
  file,
  gnuLong,
  pax,
  rawEntry,
  rawHeader,
  ZERO_BLOCK,
  type RawEntry,
} from '../support/tar/raw-tar.ts';
import { readTar, type ReadEntry } from './support/read-tar.ts';

const F = file('f', 'content');

describe('createTarReader() end of the archive', () => {
  it.each([
    ['G1, L68: stops at two zero blocks; a second archive after them is not read', [F, END, file('second')], ['f']],
    ['G3: garbage after the end is ignored', [F, END, Buffer.from('garbage')], ['f']],
    ['L67: the end may lack both zero blocks', [F], ['f']],
    ['L67: the end may lack the second zero block', [F, ZERO_BLOCK], ['f']],
    ['L73: nothing at all is an empty archive', [], []],
    ['L73: 1024 zeros are an empty archive', [END], []],
    ['L67: the end may be in the padding of the last file', [F.subarray(0, 512 + 7)], ['f']],
    ['L65: a global header at the end belongs to no entry', [F, pax({ comment: 'x' }, { type: 'g' }), END], ['f']],
  ])('%s', (_, parts, names) => {
    expect(readTar(Buffer.concat(parts)).map(({ name }) => name)).toEqual(names);
  });

  it.each([
    ['G2: one zero block and then an entry', [F, ZERO_BLOCK, F], /zeros is followed/],
    ['L67: cut in a header', [F, F.subarray(0, 100)], /cut off/],
    ['L67: cut in the content', [F.subarray(0, 512 + 3)], /cut off/],
    ['L67: cut in the second zero block', [F, ZERO_BLOCK, Buffer.alloc(100)], /cut off/],
    ['L62: PAX header without an entry', [F, pax({ path: 'p' }), END], /ends where it should follow/],
    ['L62: PAX header without an entry, nor an end', [F, pax({ path: 'p' })], /ends where it should follow/],
    ['L62: long name without an entry', [F, gnuLong('L', 'long'), END], /ends where it should follow/],
    ['cut in a PAX header', [pax({ path: 'p' }).subarray(0, 515)], /cut off/],
    [
      'L62, L67: cut in what fills up a PAX header',
      [F, pax({ path: 'p' }).subarray(0, 700)],
      /ends where it should follow/,
    ],
    ['L62, L67: cut in what fills up a long name', [gnuLong('L', 'n').subarray(0, 700)], /ends where it should follow/],
  ])('%s is refused', (_, parts, reason) => {
    expect(() => readTar(Buffer.concat(parts))).toThrow(reason);
  });

  it('counts entries without their extension headers, and says where it is', () => {
    const { reader } = startReading(archive(F, pax({ path: 'long' }), F, pax({ comment: 'x' }, { type: 'g' })));
    reader.finish();
    expect(reader.progress).toEqual({ entries: 2, isInEntry: false, entryName: undefined });
  });

  it('says at which entry it has refused', () => {
    const { reader, error } = startReading(archive(F, pax({ path: 'a/b' }), rawEntry({ name: 'short', type: 'A' })));
    expect(error).toBeInstanceOf(Refusal);
    expect(reader.progress).toEqual({ entries: 2, isInEntry: true, entryName: 'short' });
  });
});

describe('createTarReader() types', () => {
  it.each<[string, RawEntry, Partial<ReadEntry>]>([
    ['L16: 0 with a slash is a file', { name: 'f/', type: '0' }, { type: 'file', name: 'f/' }],
    ['G19, L16: NUL with a slash is a folder', { name: 'd/', type: '\0' }, { type: 'folder' }],
    ['NUL without a slash is a file', { name: 'f', type: '\0', body: 'x' }, { type: 'file', content: 'x' }],
    ['L47: 7 is a file', { type: '7', body: 'x' }, { type: 'file', content: 'x' }],
    ['1 is a hard link', { type: '1', linkName: 'a' }, { type: 'hardlink', linkName: 'a' }],
    ['2 is a symlink', { type: '2', linkName: '../a' }, { type: 'symlink', linkName: '../a' }],
    [
      '3 is a character device',
      { type: '3', deviceMajor: 1, deviceMinor: 3 },
      { type: 'character', deviceMajor: 1, deviceMinor: 3 },
    ],
    [
      '4 is a block device',
      { type: '4', deviceMajor: 8, deviceMinor: 1 },
      { type: 'block', deviceMajor: 8, deviceMinor: 1 },
    ],
    ['5 is a folder', { type: '5' }, { type: 'folder' }],
    ['6 is a fifo', { type: '6' }, { type: 'fifo' }],
    [
      'G18: a header without magic is v7',
      { format: 'v7', name: 'old', body: 'x' },
      { name: 'old', type: 'file', content: 'x' },
    ],
  ])('%s', (_, entry, expected) => {
    expect(readTar(archive(rawEntry(entry)))).toMatchObject([expected]);
  });

  it.each(['A', 'V', 'M', 'D', 'X', 'N', '8', 'Z'])('L47: %s is refused', (type) => {
    expect(() => readTar(archive(rawEntry({ type })))).toThrow(/type .* not supported/);
  });

  it.each(['1', '2', '3', '4', '5', '6'])('G4, G5, L41: type %s has no content, whatever its size says', (type) => {
    const entries = readTar(archive(rawHeader({ name: 'x', type, size: 700, linkName: 'y' }), F));
    expect(entries).toMatchObject([
      { name: 'x', size: 0 },
      { name: 'f', content: 'content' },
    ]);
  });
});

describe('createTarReader() numbers', () => {
  it.each<[string, RawEntry, Partial<ReadEntry>]>([
    ['octal with spaces', { fields: { mode: ' 644 \0', size: '          0 ' } }, { mode: 0o644, size: 0 }],
    ['octal with something after a NUL', { fields: { mode: '644\x0077' } }, { mode: 0o644 }],
    ['octal without an end', { fields: { uid: '17777777' } }, { uid: 0o17777777 }],
    ['nothing is 0', { fields: { uid: '', gid: '        ' } }, { uid: 0, gid: 0 }],
    [
      'base 256',
      { fields: { uid: base256(2147483653n, 8), gid: base256(4294967294n, 8) } },
      { uid: 2147483653, gid: 4294967294 },
    ],
    ['G20: a negative time', { fields: { mtime: base256(-1n, 12) } }, { mtime: { seconds: -1, nanoseconds: 0 } }],
    [
      'L56: a time beyond 32 bits',
      { fields: { mtime: base256(2n ** 33n, 12) } },
      { mtime: { seconds: 2 ** 33, nanoseconds: 0 } },
    ],
    ['a base-256 size', { fields: { size: base256(3n, 12) }, body: 'abc' }, { size: 3, content: 'abc' }],
  ])('%s', (_, entry, expected) => {
    expect(readTar(archive(rawEntry(entry)))).toMatchObject([expected]);
  });

  it.each<[string, RawEntry, RegExp]>([
    [
      'G6: a base-256 size of more than 64 bits',
      { fields: { size: Buffer.from('810000000000000000000000', 'hex') } },
      /more than 64 bits/,
    ],
    ['G7: a negative size', { fields: { size: base256(-1n, 12) } }, /size is negative/],
    ['a size beyond 2^53', { fields: { size: base256(2n ** 60n, 12) } }, /size is negative or too large/],
    ['a negative size of a PAX header', { type: 'x', fields: { size: base256(-1n, 12) } }, /larger than 1 MiB/],
    ['a size that is no number', { fields: { size: 'abc' } }, /not octal/],
    ['a size with an 8', { fields: { size: '00000000008' } }, /not octal/],
    ['L55: an id that is no number', { fields: { uid: 'abc' } }, /not octal/],
    ['L66: a wrong checksum', { checksum: 'wrong' }, /checksum/],
    ['a checksum that is no number', { fields: { checksum: 'zzzzzz\0 ' } }, /checksum/],
  ])('%s is refused', (_, entry, reason) => {
    expect(() => readTar(archive(rawEntry(entry)))).toThrow(reason);
  });

  it("L66: Sun's checksum of signed bytes is accepted", () => {
    expect(readTar(archive(rawEntry({ name: 'n\xff\xfe', checksum: 'signed' })))).toMatchObject([
      { name: 'n\xff\xfe' },
    ]);
  });

  it('L66: GNU headers have no prefix, but those that Go wrote before 1.8', () => {
    const prefix = (value: string): ReadEntry[] =>
      readTar(archive(rawEntry({ name: 'n', format: 'gnu', fields: { prefix: value } })));
    expect(prefix('').map(({ name }) => name)).toEqual(['n']);
    expect(prefix('00000000000\x0000000000000').map(({ name }) => name)).toEqual(['n']); // times
    expect(prefix('some/folder').map(({ name }) => name)).toEqual(['some/folder/n']);
    expect(prefix('some/f\xf6lder').map(({ name }) => name)).toEqual(['n']);
  });

  it('ustar and star headers have a prefix', () => {
    const ustar = rawEntry({ name: 'n', fields: { prefix: 'p' } });
    const star = rawHeader({ name: 'n', fields: { prefix: `p${'\0'.repeat(130)}` } });
    star.write('tar\0', 508, 'latin1');
    sign(star);
    expect(readTar(archive(ustar, star)).map(({ name }) => name)).toEqual(['p/n', 'p/n']);
  });
});

function startReading(bytes: Buffer): { reader: TarReader; error: unknown } {
  const reader = createTarReader({ entry: () => undefined, data: () => undefined, end: () => undefined });
  try {
    reader.write(bytes);
    return { reader, error: undefined };
  } catch (error) {
    return { reader, error };
  }
}

function sign(header: Buffer): void {
  header.fill(' ', 148, 156);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}
