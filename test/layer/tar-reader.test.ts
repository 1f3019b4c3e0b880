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
  paxBody,
  paxRecord,
  rawEntry,
  rawHeader,
  symlink,
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

describe('createTarReader() PAX', () => {
  it('G9: applies name, link target, ids, size and time', () => {
    const records = {
      path: 'long/n',
      linkpath: 'long/l',
      uid: 5000000,
      gid: 6000000,
      size: 3,
      mtime: '1700000000.123456789',
    };
    expect(readTar(archive(pax(records), rawEntry({ size: 0 }), padded('abc')))).toMatchObject([
      {
        name: 'long/n',
        linkName: 'long/l',
        uid: 5000000,
        gid: 6000000,
        content: 'abc',
        mtime: { seconds: 1700000000, nanoseconds: 123456789 },
      },
    ]);
  });

  it.each([
    ['-1', -1, 0],
    ['-1.5', -2, 500_000_000],
    ['1.1234567899', 1, 123_456_789],
    ['7.', 7, 0],
    ['4611686018427387904', 2 ** 62, 0],
  ])('L56: mtime %s', (mtime, seconds, nanoseconds) => {
    expect(readTar(archive(pax({ mtime }), F))).toMatchObject([{ mtime: { seconds, nanoseconds } }]);
  });

  it.each([
    ['G8: size 1e3', { size: '1e3' }, /"size"/],
    ['G8: size 0x10', { size: '0x10' }, /"size"/],
    ['G8: size with a space', { size: ' 5' }, /"size"/],
    ['a negative size', { size: '-5' }, /"size"/],
    ['L55: uid -1', { uid: '-1' }, /"uid"/],
    ['L55: gid abc', { gid: 'abc' }, /"gid"/],
    ['L56: mtime NaN', { mtime: 'NaN' }, /"mtime"/],
    ['mtime of 20 digits', { mtime: '99999999999999999999' }, /"mtime"/],
    ['mtime of 64 bits', { mtime: '9223372036854775808' }, /"mtime"/],
    ['atime abc', { atime: 'abc' }, /"atime"/],
    ['G12, L09: NUL in path', { path: 'a\0b' }, /NUL/],
    ['G12, L09: NUL in linkpath', { linkpath: 'a\0b' }, /NUL/],
    ['NUL in uname', { uname: 'a\0b' }, /NUL/],
    ['L61: NUL in a key', { 'a\0b': 'x' }, /NUL/],
  ])('%s is refused', (_, records, reason) => {
    expect(() => readTar(archive(pax(records), F))).toThrow(reason);
  });

  it.each([
    ['record length 0', '0 a=b\n'],
    ['negative length', '-7 a=b\n'],
    ['length with a plus', '+6 a=b\n'],
    ['length beyond the header', '99 a=b\n'],
    ['length too short', '4 a=b\n'],
    ['a record without a newline', '6 a=bc'],
    ['a record without =', '6 abc\n'],
    ['no space', '6'],
    ['no length', ' a=b\n'],
    ['garbage after a record', `${paxRecord('a', 'b')}garbage`],
    ['a length that ends before its space', '5     \n'],
  ])('G10, L61: %s is refused', (_, body) => {
    expect(() => readTar(archive(rawEntry({ type: 'x', body }), F))).toThrow(Refusal);
  });

  it('L61: the last of equal keys wins', () => {
    expect(
      readTar(
        archive(
          pax([
            ['path', 'first'],
            ['path', 'last'],
          ]),
          F,
        ),
      ),
    ).toMatchObject([{ name: 'last' }]);
  });

  it('G15: the last of two PAX headers wins, all of it', () => {
    expect(readTar(archive(pax({ path: 'p', uid: 5 }), pax({ gid: 6 }), F))).toMatchObject([
      { name: 'f', uid: 0, gid: 6 },
    ]);
  });

  it("an empty value leaves the header's own", () => {
    expect(readTar(archive(pax({ path: '', uid: '' }), file('f', '', { uid: 7 })))).toMatchObject([
      { name: 'f', uid: 7 },
    ]);
  });

  it('G11, L57: keeps every byte of an extended attribute', () => {
    const value = Buffer.from('0100000280000000000000000000000000000000', 'hex').toString('latin1');
    const [entry] = readTar(archive(pax({ 'SCHILY.xattr.security.capability': value }), F));
    expect(entry?.xattrs).toEqual(new Map([['security.capability', value]]));
  });

  it('G11: attributes may hold NUL, newline and =', () => {
    const [entry] = readTar(archive(pax({ 'SCHILY.xattr.user.a': 'x\0\n=y' }), F));
    expect(entry?.xattrs).toEqual(new Map([['user.a', 'x\0\n=y']]));
  });

  it('G22, L63: keys and names that mean something to JavaScript are plain text', () => {
    const records = { __proto__x: '1', constructor: '2', 'SCHILY.xattr.__proto__': '3', path: '12345' };
    const [entry] = readTar(archive(pax(Object.entries(records)), F));
    expect(entry?.name).toBe('12345');
    expect(entry?.xattrs).toEqual(new Map([['__proto__', '3']]));
    expect(
      readTar(
        archive(
          pax([
            ['__proto__', 'x'],
            ['path', '__proto__/x'],
          ]),
          F,
        ),
      ),
    ).toMatchObject([{ name: '__proto__/x' }]);
  });

  it('G16, L11: names keep bytes that are not UTF-8', () => {
    const names = readTar(archive(file('n\xff'), file('n\xfe'), pax({ path: 'p\xff\xfe' }), F)).map(({ name }) => name);
    expect(names).toEqual(['n\xff', 'n\xfe', 'p\xff\xfe']);
  });

  it.each([
    ['comment only', { comment: 'of git archive' }],
    ['path, size and owner', { path: 'G', size: 99, uid: 5 }],
  ])('G13, L65: a global header is ignored: %s', (_, records) => {
    const entries = [F, pax({ mtime: 5 }), file('g', 'second')];
    expect(readTar(archive(pax(records, { type: 'g' }), ...entries))).toEqual(readTar(archive(...entries)));
  });

  it('a global header that is malformed is refused', () => {
    expect(() => readTar(archive(rawEntry({ type: 'g', body: 'x' }), F))).toThrow(Refusal);
  });

  it('a global header between a PAX header and its entry is refused: readers differ', () => {
    expect(() => readTar(archive(pax({ path: 'p' }), pax({ comment: 'c' }, { type: 'g' }), F))).toThrow(
      /global header/,
    );
  });

  it('L64: an archive as the content of a file whose size only PAX has stays content', () => {
    const inner = archive(file('inner'));
    const entries = readTar(archive(pax({ size: inner.length }), rawHeader({ name: 'outer', size: 0 }), inner, F));
    expect(entries.map(({ name }) => name)).toEqual(['outer', 'f']);
    expect(entries[0]?.content).toBe(inner.toString('latin1'));
  });

  it('L64: a PAX size of 0 before a header with a size lets the next header follow at once', () => {
    const entries = readTar(archive(pax({ size: 0 }), rawHeader({ name: 'outer', size: 1024 }), F));
    expect(entries).toMatchObject([{ name: 'outer', size: 0 }, { name: 'f' }]);
  });

  it('L64: a PAX size is for the entry and not for a long-name header between them', () => {
    const entries = readTar(
      archive(pax({ size: 1024 }), gnuLong('L', 'long'), rawHeader({ size: 0 }), Buffer.alloc(1024, 'x'), F),
    );
    expect(entries).toMatchObject([{ name: 'long', size: 1024 }, { name: 'f' }]);
  });
});

describe('createTarReader() long names', () => {
  it('of GNU', () => {
    const [name, target] = ['n'.repeat(300), 't'.repeat(400)];
    expect(readTar(archive(gnuLong('L', name), gnuLong('K', target), symlink('short', 'short')))).toMatchObject([
      { name, linkName: target },
    ]);
  });

  it('G14: refused where PAX says something else, accepted where it says the same', () => {
    expect(() => readTar(archive(gnuLong('L', 'gnu'), pax({ path: 'pax' }), F))).toThrow(/different name/);
    expect(() => readTar(archive(gnuLong('K', 'gnu'), pax({ linkpath: 'pax' }), symlink('s', 't')))).toThrow(
      /different link target/,
    );
    expect(readTar(archive(gnuLong('L', 'same'), pax({ path: 'same' }), F))).toMatchObject([{ name: 'same' }]);
  });

  it('end at the first NUL', () => {
    expect(readTar(archive(rawEntry({ type: 'L', body: 'long\0junk' }), F))).toMatchObject([{ name: 'long' }]);
  });

  it.each([
    ['G21, L62: a PAX header of 2 MiB', rawHeader({ type: 'x', size: 2 << 20 }), /1 MiB/],
    ['G21, L62: a long name of 2 MiB', rawHeader({ type: 'L', size: 2 << 20 }), /1 MiB/],
    [
      'L62: 1000 PAX headers in a row',
      Buffer.concat(Array.from({ length: 1000 }, () => pax({ uid: 1 }))),
      /more than 16/,
    ],
    [
      '1000 global headers in a row',
      Buffer.concat(Array.from({ length: 1000 }, () => pax({ a: 1 }, { type: 'g' }))),
      /more than 16/,
    ],
  ])('%s is refused', (_, headers, reason) => {
    expect(() => readTar(archive(headers, F))).toThrow(reason);
  });

  it('a PAX header of 1 MiB is accepted', () => {
    const comment = 'c'.repeat((1 << 20) - '1048576 comment=\n'.length);
    expect(paxBody({ comment }).length).toBe(1 << 20);
    expect(readTar(archive(pax({ comment }), F))).toMatchObject([{ name: 'f' }]);
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

/** What follows a header that was made without its content. */
function padded(body: string): Buffer {
  return rawEntry({ body }).subarray(512);
}

function sign(header: Buffer): void {
  header.fill(' ', 148, 156);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}
