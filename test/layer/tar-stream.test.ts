import fc from 'fast-check';
import { extract } from 'tar-stream';
import { describe, expect, it } from 'vitest';

import { parsePaxRecords } from '../../src/layer/pax-records.ts';
import { Refusal } from '../../src/layer/refusal.ts';
import { longTimeout, rounds, seed } from '../support/soak.ts';
import { honestTar, type HonestEntry } from '../support/tar/honest-tar.ts';
import {
  archive,
  base256,
  END,
  file,
  gnuLong,
  octal,
  pax,
  paxBody,
  rawEntry,
  rawHeader,
  symlink,
  ZERO_BLOCK,
} from '../support/tar/raw-tar.ts';
import { readTar } from './support/read-tar.ts';
import { readWithTarStream, type SeenEntry } from './support/read-with-tar-stream.ts';

const F = file('f', 'content');

const MAP = '1\n2\n3\n'.padEnd(512, '\0');
const SPARSE_00 = [
  ['GNU.sparse.size', 8],
  ['GNU.sparse.numblocks', 1],
  ['GNU.sparse.offset', 2],
  ['GNU.sparse.numbytes', 3],
] as const;
const SPARSE_01 = {
  'GNU.sparse.size': 8,
  'GNU.sparse.numblocks': 1,
  'GNU.sparse.map': '2,3',
  'GNU.sparse.name': 'sparse',
};
const SPARSE_10 = {
  'GNU.sparse.major': 1,
  'GNU.sparse.minor': 0,
  'GNU.sparse.name': 'sparse',
  'GNU.sparse.realsize': 8,
};
const OLD_SPARSE = archive(
  rawHeader({
    name: 'sparse',
    type: 'S',
    format: 'gnu',
    size: 3,
    fields: { sparse: `${octal(2, 12)}\0${octal(3, 12)}\0`, realSize: octal(8, 12) },
  }),
  rawEntry({ body: 'abc' }).subarray(512),
);

/** A second opinion on our reader: see docs/decisions/0002-own-tar-reader.md. */
describe('createTarReader() and tar-stream (B10)', () => {
  it(
    'read the same in what tar-stream has written',
    async () => {
      const entries = fc.array(honestEntry(), { maxLength: 6 });
      const property = fc.asyncProperty(entries, async (honest) => {
        const bytes = await honestTar(honest);
        expect(readWithOurs(bytes)).toEqual(await readWithTarStream(bytes));
      });
      await fc.assert(property, { numRuns: rounds(300, 20_000), seed });
    },
    longTimeout(20_000),
  );

  it.each<[string, Buffer]>([
    ['G15: two PAX headers in a row', archive(pax({ path: 'first' }), pax({ path: 'second' }), F)],
    ['a prefix', archive(rawEntry({ name: 'n', fields: { prefix: 'some/folder' } }))],
    ['long names of GNU', archive(gnuLong('L', 'n'.repeat(300)), gnuLong('K', 't'.repeat(300)), symlink('s', 't'))],
    [
      'a size in PAX',
      archive(pax({ size: 3 }), rawHeader({ name: 'f', size: 0 }), rawEntry({ body: 'abc' }).subarray(512)),
    ],
    ['a size in base 256', archive(rawEntry({ fields: { size: base256(3n, 12) }, body: 'abc' }))],
    ['no end marker', F],
  ])('agree on %s', async (_, bytes) => {
    expect(readWithOurs(bytes)).toEqual(await readWithTarStream(bytes));
  });

  const refused = expect.stringMatching(/^refused: /) as unknown;
  const failed = expect.stringMatching(/^error: /) as unknown;
  const stuck = expect.stringMatching(/^waits for ever/) as unknown;

  /** Theirs is written down as well: a version of tar-stream that has changed its mind is worth a look. */
  it.each<[string, Buffer, ours: unknown, theirs: unknown]>([
    [
      'G1: entries behind the end',
      Buffer.concat([F, END, file('second')]),
      ['file f: content'],
      ['file f: content', 'file second: x'],
    ],
    [
      'G2: one block of zeros between entries',
      Buffer.concat([F, ZERO_BLOCK, file('second')]),
      refused,
      ['file f: content', 'file second: x'],
    ],
    ['G3: garbage behind the end', Buffer.concat([F, END, Buffer.alloc(512, 'g')]), ['file f: content'], failed],
    [
      'G4: a symlink with a size',
      archive(rawHeader({ name: 's', type: '2', size: 512 + 7 }), F, file('after')),
      ['symlink s: ', 'file f: content', 'file after: x'],
      [expect.stringMatching(/^symlink s: f\0/), 'file after: x'],
    ],
    [
      'G5: a folder with a size',
      archive(rawHeader({ name: 'd', type: '5', size: 600 }), F),
      ['directory d: ', 'file f: content'],
      stuck,
    ],
    [
      'G6: a size of more than 64 bits',
      archive(rawEntry({ fields: { size: Buffer.from('810000000000000000000000', 'hex') } })),
      refused,
      stuck,
    ],
    [
      'G7: a size of -1',
      archive(rawEntry({ fields: { size: base256(-1n, 12) } }), F),
      refused,
      ['file file: ', 'file f: content'],
    ],
    ['G8: a PAX size of 1e3', archive(pax({ size: '1e3' }), file('f', 'x')), refused, ['file f: x']],
    ['G8: a PAX size of 0x10', archive(pax({ size: '0x10' }), file('f', '')), refused, ['file f: ']],
    ['G8: a PAX size with a space', archive(pax({ size: ' 5' }), file('f', 'abcde')), refused, ['file f: abcde']],
    [
      'G10: a PAX record that is cut',
      archive(rawEntry({ type: 'x', body: '14 path=/evil' }), F),
      refused,
      ['file /evil: content'],
    ],
    ['G12: a NUL in a PAX name', archive(pax({ path: 'a\0b' }), F), refused, ['file a\0b: content']],
    [
      'G13: a global header with a name and a size',
      archive(pax({ path: 'G', size: 0 }, { type: 'g' }), pax({ mtime: 5 }), F),
      ['file f: content'],
      failed,
    ],
    ['G14: two names', archive(gnuLong('L', 'gnu'), pax({ path: 'pax' }), F), refused, ['file pax: content']],
    ['G17: the old sparse format', OLD_SPARSE, ['file sparse: \0\0abc\0\0\0'], ['null sparse: abc']],
    [
      'G17: sparse format 0.0',
      archive(pax([...SPARSE_00, ['GNU.sparse.name', 'sparse']]), file('GNUSparseFile.0/sparse', 'abc')),
      ['file sparse: \0\0abc\0\0\0'],
      ['file GNUSparseFile.0/sparse: abc'],
    ],
    [
      'G17: sparse format 0.1',
      archive(pax(SPARSE_01), file('GNUSparseFile.0/sparse', 'abc')),
      ['file sparse: \0\0abc\0\0\0'],
      ['file GNUSparseFile.0/sparse: abc'],
    ],
    [
      'G17: sparse format 1.0',
      archive(pax(SPARSE_10), file('GNUSparseFile.0/sparse', `${MAP}abc`)),
      ['file sparse: \0\0abc\0\0\0'],
      [`file GNUSparseFile.0/sparse: ${MAP}abc`],
    ],
    ['G18: a header without magic', archive(rawEntry({ name: 'v7', format: 'v7' })), ['file v7: '], failed],
    ['G19: a folder of v7', archive(rawEntry({ name: 'd/', type: '\0' })), ['directory d/: '], ['file d/: ']],
    ['G21: a PAX header of 2 MiB', archive(pax({ comment: 'c'.repeat(2 << 20) }), F), refused, ['file f: content']],
    ['G21: a PAX header of 5 MiB', archive(pax({ comment: 'c'.repeat(5 << 20) }), F), refused, failed],
  ])('differ on %s', async (_, bytes, ours, theirs) => {
    expect(shown(readWithOurs(bytes))).toEqual(ours);
    expect(shown(await readWithTarStream(bytes))).toEqual(theirs);
  });

  it('differ on G9: owner and time in PAX', async () => {
    const bytes = archive(pax({ uid: 5, gid: 6, mtime: 7 }), F);
    expect(readWithOurs(bytes)).toMatchObject([{ uid: 5, gid: 6, seconds: 7 }]);
    expect(await readWithTarStream(bytes)).toMatchObject([{ uid: 0, gid: 0, seconds: 1_700_000_000 }]);
  });

  it('differ on G11: attributes that are no UTF-8', async () => {
    const bytes = archive(pax({ 'SCHILY.xattr.security.capability': '\x01\0\0\x02\x80' }), F);
    expect(readTar(bytes)[0]!.xattrs).toEqual(new Map([['security.capability', '\x01\0\0\x02\x80']]));
    expect(await readWithTarStream(bytes)).toMatchObject([{ xattrs: { 'security.capability': '\x01\0\0\x02\ufffd' } }]);
  });

  it('differ on G16: names that are no UTF-8', async () => {
    const bytes = archive(file('n\xff'), file('n\xfe'));
    expect(readTar(bytes).map(({ name }) => name)).toEqual(['n\xff', 'n\xfe']);
    expect(shown(await readWithTarStream(bytes))).toEqual(['file n\ufffd: x', 'file n\ufffd: x']);
  });

  it('differ on G20: times before 1970', async () => {
    const bytes = archive(rawEntry({ fields: { mtime: base256(-1n, 12) } }));
    expect(readWithOurs(bytes)).toMatchObject([{ seconds: -1 }]);
    expect(await readWithTarStream(bytes)).toMatchObject([{ seconds: 0 }]);
  });

  it('differ on G22: a key that means something to JavaScript', async () => {
    const records = [
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ] as const;
    expect([...parsePaxRecords(Buffer.from(paxBody(records)))]).toEqual(records);
    const reader = extract();
    reader.end(archive(pax(records), F));
    for await (const { header } of reader) expect(header.pax).toEqual({ constructor: 'y' });
  });
});

function shown(seen: SeenEntry[] | string): unknown {
  if (typeof seen === 'string') return seen;
  return seen.map(({ type, name, content }) => `${type} ${name}: ${content}`);
}

function honestEntry(): fc.Arbitrary<HonestEntry> {
  const name = fc
    .array(fc.constantFrom('a', 'bc', 'ä', 'x'.repeat(90), 'é.txt', '\u{1f980}'), { minLength: 1, maxLength: 4 })
    .map((names) => names.join('/'));
  const common = {
    name,
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.nat(200_000),
    gid: fc.nat(200_000),
    pax: fc.constantFrom<Record<string, string>[]>({}, { 'SCHILY.xattr.user.a': 'ü=\n', comment: 'c' }),
    mtime: fc.nat(2 ** 31 - 1).map((seconds) => new Date(seconds * 1000)),
  };
  const device = { devmajor: fc.nat(0o7777), devminor: fc.nat(0o77777) };
  return fc.oneof(
    fc.record({ ...common, type: fc.constant('file' as const), content: fc.string({ maxLength: 2000 }) }),
    fc.record({ ...common, type: fc.constant('contiguous-file' as const), content: fc.string({ maxLength: 600 }) }),
    fc.record({ ...common, type: fc.constantFrom('directory' as const, 'fifo' as const) }),
    fc.record({ ...common, type: fc.constantFrom('symlink' as const, 'link' as const), linkname: name }),
    fc.record({ ...common, ...device, type: fc.constantFrom('character-device' as const, 'block-device' as const) }),
  );
}

/** What our reader makes of an archive, in the terms of tar-stream. */
function readWithOurs(bytes: Buffer): SeenEntry[] | string {
  try {
    return readTar(bytes).map(({ name, linkName, mode, uid, gid, mtime, size, content, ...entry }) => {
      const isDevice = entry.type === 'character' || entry.type === 'block';
      return {
        name: text(name),
        linkName: text(linkName),
        type: TYPES[entry.type],
        mode,
        uid,
        gid,
        size,
        seconds: mtime.seconds,
        device: isDevice ? `${entry.deviceMajor}:${entry.deviceMinor}` : '',
        content: text(content),
        xattrs: Object.fromEntries([...(entry.xattrs ?? [])].map(([key, value]) => [text(key), text(value)])),
      };
    });
  } catch (error) {
    if (error instanceof Refusal) return `refused: ${error.message}`;
    throw error;
  }
}

function text(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString();
}

const TYPES = {
  file: 'file',
  folder: 'directory',
  symlink: 'symlink',
  hardlink: 'link',
  character: 'character-device',
  block: 'block-device',
  fifo: 'fifo',
} as const;
