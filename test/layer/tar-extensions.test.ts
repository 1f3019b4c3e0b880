import { describe, expect, it } from 'vitest';

import { Refusal } from '../../src/layer/refusal.ts';
import {
  archive,
  file,
  gnuLong,
  pax,
  paxBody,
  paxRecord,
  rawEntry,
  rawHeader,
  symlink,
} from '../support/tar/raw-tar.ts';
import { readTar } from './support/read-tar.ts';

const F = file('f', 'content');

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

/** What follows a header that was made without its content. */
function padded(body: string): Buffer {
  return rawEntry({ body }).subarray(512);
}
