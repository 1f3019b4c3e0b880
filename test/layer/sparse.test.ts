import { describe, expect, it } from 'vitest';

import {
  archive,
  base256,
  file,
  octal,
  pax,
  rawEntry,
  rawHeader,
  type PaxRecords,
  type RawEntry,
} from '../support/tar/raw-tar.ts';
import { readTar } from './support/read-tar.ts';

const F = file('next', 'n');

describe('createTarReader() sparse files of the old GNU format', () => {
  it('L50: expands four fragments', () => {
    const content = readTar(
      archive(
        oldGnu(
          [
            [2, 3],
            [6, 1],
            [8, 2],
            [12, 0],
          ],
          'abcdefz'.slice(0, 6),
          12,
        ),
        F,
      ),
    );
    expect(content).toMatchObject([
      { name: 'sparse', type: 'file', size: 12, content: '\0\0abc\0d\0ef\0\0' },
      { name: 'next' },
    ]);
  });

  it('L50: reads extension blocks until one is not extended', () => {
    const fragments = Array.from({ length: 4 + 21 + 5 }, (_, index): [number, number] => [index * 3, 2]);
    const body = fragments.map((_, index) => String(index).padStart(2, '0')).join('');
    const [entry, next] = readTar(archive(oldGnu(fragments, body, 100), F));
    expect(entry?.content).toBe(
      fragments
        .map((_, index) => String(index).padStart(2, '0'))
        .join('\0')
        .padEnd(100, '\0'),
    );
    expect(next?.name).toBe('next');
  });

  it('a file that is one hole has no content', () => {
    expect(readTar(archive(oldGnu([[1_000, 0]], '', 1_000), F))).toMatchObject([
      { size: 1000, content: '\0'.repeat(1000) },
      {},
    ]);
  });

  it.each<[string, Buffer, RegExp]>([
    [
      'L53: fragments that overlap',
      oldGnu(
        [
          [0, 4],
          [2, 4],
        ],
        'abcdefgh',
        10,
      ),
      /not in order/,
    ],
    [
      'L53: fragments out of order',
      oldGnu(
        [
          [5, 2],
          [0, 2],
        ],
        'abcd',
        10,
      ),
      /not in order/,
    ],
    ['L53: a fragment beyond the end', oldGnu([[8, 4]], 'abcd', 10), /beyond the end/],
    ['less content than the map says', oldGnu([[0, 4]], 'ab', 10), /another amount/],
    ['more content than the map says', oldGnu([[0, 1]], 'ab', 10), /another amount/],
    [
      'a map with something else than numbers',
      oldGnu([], '', 10, { fields: { sparse: 'abc', realSize: octal(1, 12) } }),
      /not octal/,
    ],
    ['a negative offset', oldGnu([], '', 10, { fields: { sparse: base256(-1n, 12) } }), /not in order/],
    ['L53: a file of 8 EiB', oldGnu([], '', 0, { fields: { realSize: base256(2n ** 63n - 1n, 12) } }), /too large/],
    ['a header that is not GNU', oldGnu([[0, 1]], 'a', 1, { format: 'ustar' }), /other than that of GNU/],
    ['L53: extension blocks without end', oldGnuEndless(), /map is larger than 1 MiB/],
  ])('%s is refused', (_, entry, reason) => {
    expect(() => readTar(archive(entry, F))).toThrow(reason);
  });

  it('cut in an extension block is refused', () => {
    const whole = oldGnu(
      Array.from({ length: 9 }, (_, index): [number, number] => [index, 1]),
      'abcdefghi',
      9,
    );
    expect(() => readTar(whole.subarray(0, 512 + 100))).toThrow(/cut off/);
    expect(() => readTar(whole.subarray(0, 512))).toThrow(/cut off/);
  });
});

describe('createTarReader() sparse files in PAX', () => {
  const expanded = { name: 'real/name', size: 12, content: '\0\0abc\0\0\0de\0\0' };

  it('L52: format 0.0, with a record per number', () => {
    const records: PaxRecords = [
      ['GNU.sparse.size', 12],
      ['GNU.sparse.numblocks', 2],
      ['GNU.sparse.offset', 2],
      ['GNU.sparse.numbytes', 3],
      ['GNU.sparse.offset', 8],
      ['GNU.sparse.numbytes', 2],
      ['GNU.sparse.name', 'real/name'],
    ];
    expect(readTar(archive(pax(records), file('GNUSparseFile.0/name', 'abcde'), F))).toMatchObject([
      expanded,
      { name: 'next' },
    ]);
  });

  it('L52: format 0.1, with a map in one record', () => {
    const records = {
      'GNU.sparse.major': 0,
      'GNU.sparse.minor': 1,
      'GNU.sparse.size': 12,
      'GNU.sparse.numblocks': 2,
      'GNU.sparse.map': '2,3,8,2',
      'GNU.sparse.name': 'real/name',
    };
    expect(readTar(archive(pax(records), file('GNUSparseFile.0/name', 'abcde'), F))).toMatchObject([
      expanded,
      { name: 'next' },
    ]);
  });

  it('L52: format 1.0, with the map before the content', () => {
    expect(readTar(archive(...sparse10(['2', '2', '3', '8', '2'], 'abcde', 12), F))).toMatchObject([
      expanded,
      { name: 'next' },
    ]);
  });

  it('L52: format 1.0 with a map of several blocks', () => {
    const numbers = Array.from({ length: 300 }, (_, index) => [String(index * 2), '1']).flat();
    const [entry, next] = readTar(archive(...sparse10(['300', ...numbers], 'x'.repeat(300), 600), F));
    expect(entry?.content).toBe('x\0'.repeat(300));
    expect(next?.name).toBe('next');
  });

  it('an unknown version is a plain file, as in Go', () => {
    const records = {
      'GNU.sparse.major': 2,
      'GNU.sparse.minor': 0,
      'GNU.sparse.name': 'real',
      'GNU.sparse.realsize': 99,
    };
    expect(readTar(archive(pax(records), file('plain', 'abc')))).toMatchObject([{ name: 'plain', content: 'abc' }]);
  });

  const version1 = { 'GNU.sparse.major': 1, 'GNU.sparse.minor': 0, 'GNU.sparse.realsize': 10 };
  const map = { 'GNU.sparse.numblocks': 1, 'GNU.sparse.map': '0,1', 'GNU.sparse.size': 10 };
  it.each<[string, Buffer[], RegExp]>([
    ['a map of another length', [pax({ ...map, 'GNU.sparse.numblocks': 2 }), file('f')], /another length/],
    [
      'L09: a NUL in its name, as the fuzzer had it,',
      [pax({ ...map, 'GNU.sparse.name': 'a\0b' }), file('f')],
      /NUL byte/,
    ],
    ['no number of entries', [pax({ 'GNU.sparse.map': '0,1' }), file('f')], /no valid number/],
    ['a negative number of entries', [pax({ ...map, 'GNU.sparse.numblocks': -1 }), file('f')], /no valid number/],
    ['a map of text', [pax({ ...map, 'GNU.sparse.map': '0,a' }), file('f')], /something else than numbers/],
    ['a size of text', [pax({ ...map, 'GNU.sparse.size': '1e3' }), file('f')], /not a whole number/],
    ['L53: 8 EiB', [pax({ ...map, 'GNU.sparse.size': '9223372036854775807' }), file('f')], /not a whole number/],
    ['a folder', [pax(map), rawEntry({ type: '5' })], /sparse, but not a file/],
    [
      '0.0 records in the wrong order',
      [
        pax([
          ['GNU.sparse.numbytes', 1],
          ['GNU.sparse.offset', 0],
        ]),
        F,
      ],
      /wrong order/,
    ],
    ['0.0 records with a comma', [pax([['GNU.sparse.offset', '0,1']]), F], /wrong order/],
    ['1.0 without a map', [pax(version1), file('f', '')], /cut off/],
    ['1.0 with a map that does not end', [pax(version1), file('f', 'x'.repeat(600))], /cut off/],
    [
      'L53: 1.0 with a map of 2 MiB',
      sparse10(['1048576', ...Array<string>(2 << 20).fill('0')], '', 10),
      /larger than 1 MiB/,
    ],
    ['1.0 with text in its map', sparse10(['1', 'a', '1'], 'x', 10), /something else than numbers/],
    ['1.0 with a hexadecimal number', sparse10(['1', '0x0', '1'], 'x', 10), /something else than numbers/],
  ])('%s is refused', (_, entry, reason) => {
    expect(() => readTar(archive(...entry, F))).toThrow(reason);
  });
});

type Fragment = [offset: number, length: number];

function oldGnu(fragments: Fragment[], body: string, realSize: number, entry: RawEntry = {}): Buffer {
  const [first, rest] = [fragments.slice(0, 4), fragments.slice(4)];
  const extensions: Buffer[] = [];
  for (let at = 0; at < rest.length; at += 21) {
    const block = Buffer.alloc(512);
    block.write(mapOf(rest.slice(at, at + 21)), 'latin1');
    block[504] = at + 21 < rest.length ? 1 : 0;
    extensions.push(block);
  }
  const fields = {
    sparse: mapOf(first),
    isExtended: rest.length > 0 ? '\x01' : '',
    realSize: octal(realSize, 12),
    ...entry.fields,
  };
  const header = rawHeader({ name: 'sparse', type: 'S', format: 'gnu', size: body.length, ...entry, fields });
  return Buffer.concat([header, ...extensions, rawEntry({ body }).subarray(512)]);
}

function oldGnuEndless(): Buffer {
  const block = Buffer.alloc(512);
  block[504] = 1;
  const header = rawHeader({ type: 'S', format: 'gnu', fields: { isExtended: '\x01' } });
  return Buffer.concat([header, ...Array<Buffer>(2049).fill(block)]);
}

function mapOf(fragments: Fragment[]): string {
  return fragments.map(([offset, length]) => `${octal(offset, 12)}\0${octal(length, 12)}\0`).join('');
}

function sparse10(lines: string[], body: string, realSize: number): Buffer[] {
  const map = lines.map((line) => `${line}\n`).join('');
  const blocks = map.padEnd(Math.ceil(map.length / 512) * 512, '\0');
  const records = {
    'GNU.sparse.major': 1,
    'GNU.sparse.minor': 0,
    'GNU.sparse.name': 'real/name',
    'GNU.sparse.realsize': realSize,
  };
  return [pax(records), file('GNUSparseFile.0/name', blocks + body)];
}
