import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { execFileSync } from 'node:child_process';

import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';

import { READ_SIZE } from '../../src/layer/blob-source.ts';
import { decompress } from '../../src/layer/decompress.ts';
import { Refusal } from '../../src/layer/refusal.ts';
import { createZstdDecoder } from '../../src/linux/libzstd.ts';
import { createGzipDecoder } from '../../src/linux/zlib.ts';
import { explainMissing, requires } from '../support/requirements.ts';
import { archive, file } from '../support/tar/raw-tar.ts';

const folder = mkdtempSync(join(tmpdir(), 'mydocker-decompress-'));
afterAll(() => rmSync(folder, { recursive: true }));

const TAR = archive(file('a', 'content'), file('b', 'x'.repeat(3_000_000)));
const OTHER = archive(file('other', 'of another member'));
const ZEROS = Buffer.alloc(700);

describe('decompress() gzip', () => {
  it.each<[string, Buffer[], Buffer[]]>([
    ['one member', [gzipSync(TAR)], [TAR]],
    ['L69: two members', [gzipSync(TAR), gzipSync(OTHER)], [TAR, OTHER]],
    ['L69: zeros after it', [gzipSync(TAR), ZEROS], [TAR]],
    ['L69: zeros of more than one read after it', [gzipSync(TAR), Buffer.alloc(2 * READ_SIZE)], [TAR]],
    ['L69: an empty member first', [gzipSync(''), gzipSync(TAR)], [TAR]],
    ['L73: a member of nothing', [gzipSync('')], []],
    ['a member of 1 MiB exactly', [gzipSync(Buffer.alloc(1 << 20))], [Buffer.alloc(1 << 20)]],
    ['name, comment and extra field', [gzipWithFields(TAR)], [TAR]],
  ])('%s', async (_, blob, expected) => {
    expect((await unpacked(blob)).equals(Buffer.concat(expected))).toBe(true); // toEqual takes a second per 100 KB
  });

  it.each<[string, Buffer[], RegExp]>([
    [
      'L69: garbage after it',
      [gzipSync(TAR), Buffer.from('garbage')],
      /gzip stream is damaged|followed by something else/,
    ],
    ['L69: garbage after zeros', [gzipSync(TAR), ZEROS, Buffer.from('garbage')], /followed by something else/],
    [
      'L69: a member after zeros, which Node drops in silence',
      [gzipSync(TAR), ZEROS, gzipSync(OTHER)],
      /followed by something else/,
    ],
    ['L69: cut off', [gzipSync(TAR).subarray(0, -20)], /damaged: unexpected end/],
    ['L69: cut in the trailer', [gzipSync(TAR).subarray(0, -3)], /damaged: unexpected end/],
    ['L69: only a header', [gzipSync(TAR).subarray(0, 10)], /damaged: unexpected end/],
    ['L69: a second member cut off', [gzipSync(TAR), gzipSync(OTHER).subarray(0, -20)], /damaged: unexpected end/],
    ['L69: a wrong CRC', [changed(gzipSync(TAR), -8)], /damaged: incorrect data check/],
    ['L69: a wrong length', [changed(gzipSync(TAR), -4)], /damaged: incorrect length check/],
    ['a reserved flag', [changed(gzipSync(TAR), 3, 0xe0)], /damaged/],
  ])('%s is refused', async (_, blob, reason) => {
    const error: unknown = await unpacked(blob).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(Refusal);
    expect((error as Refusal).message).toMatch(reason);
  });

  it('ends at each length of the first member as Node does, whatever the size of the reads', async () => {
    // Members of lengths around that of one read: the end of a member falls before, on and after its boundary.
    for (const excess of [-1, 0, 1]) {
      const first = gzipOfLength(READ_SIZE + excess);
      expect(
        (await unpacked([first, gzipSync(OTHER)])).equals(gunzipSync(Buffer.concat([first, gzipSync(OTHER)]))),
      ).toBe(true);
      expect((await unpacked([first, ZEROS])).equals(gunzipSync(first))).toBe(true);
      await expect(unpacked([first, ZEROS, gzipSync(OTHER)])).rejects.toThrow(/followed by something else/);
      await expect(unpacked([first, Buffer.from('garbage')])).rejects.toThrow(Refusal);
    }
  });
});

const DECODERS = [
  ['libzstd', createZstdDecoder],
  ['JavaScript', () => undefined],
] as const;

describe.each(DECODERS)('decompress() zstd by %s', requires('zstd'), (_, createDecoder) => {
  const zstd = (bytes: Buffer, ...args: string[]): Buffer =>
    execFileSync('zstd', ['-q', '-c', ...args], { input: bytes, maxBuffer: 1 << 28 });
  const skippable = (size: number): Buffer =>
    Buffer.concat([Buffer.from('5a2a4d18', 'hex'), Buffer.from([size, 0, 0, 0]), Buffer.alloc(size, 'i')]);
  const first = explainMissing('zstd') === undefined ? zstd(TAR) : Buffer.alloc(0);
  const second = explainMissing('zstd') === undefined ? zstd(OTHER, '--no-check') : Buffer.alloc(0);

  it.each<[string, () => Buffer[], Buffer[]]>([
    ['one frame', () => [first], [TAR]],
    ['without a checksum', () => [second], [OTHER]],
    ['several frames', () => [first, second, first], [TAR, OTHER, TAR]],
    ['a frame of nothing first', () => [zstd(Buffer.alloc(0)), first], [TAR]],
    [
      'L75: skippable frames before, between and after',
      () => [skippable(100), first, skippable(0), second, skippable(9)],
      [TAR, OTHER],
    ],
    ['content that fills the output exactly', () => [zstd(NOISE.subarray(0, 1 << 20))], [NOISE.subarray(0, 1 << 20)]],
    ['the highest level', () => [zstd(TAR, '-19')], [TAR]],
    ['content that does not compress', () => [zstd(NOISE)], [NOISE]],
    [
      'content of one byte, a thousand times smaller',
      () => [zstd(Buffer.alloc(20_000_000))],
      [Buffer.alloc(20_000_000)],
    ],
  ])('%s', async (_, blob, expected) => {
    const bytes = await unpacked(blob(), createDecoder());
    expect(bytes.equals(Buffer.concat(expected))).toBe(true);
  });

  it.each<[string, () => Buffer[]]>([
    ['cut off', () => [first.subarray(0, -20)]],
    ['cut in its checksum', () => [first.subarray(0, -1)]],
    ['cut in its header', () => [first.subarray(0, 5)]],
    ['a second frame cut off', () => [first, second.subarray(0, -1)]],
    ['a skippable frame cut off', () => [first, skippable(50).subarray(0, -1)]],
    ['garbage after it', () => [first, Buffer.from('garbage!')]],
    ['zeros after it', () => [first, ZEROS]],
    ['a window of 1 GiB', () => [Buffer.from('28b52ffd00a0010000', 'hex')]],
  ])('%s is refused', async (_, blob) => {
    await expect(unpacked(blob(), createDecoder())).rejects.toThrow(Refusal);
  });
});

describe('decompress() by what the bytes are (L74)', () => {
  it('plain tar', async () => {
    expect((await unpacked([TAR])).equals(TAR)).toBe(true);
  });

  it('a tar whose first name looks like another compression', async () => {
    const tar = archive(file('BZh91AY'));
    expect(await unpacked([tar])).toEqual(tar);
  });

  it('nothing is nothing', async () => {
    expect(await unpacked([])).toEqual(Buffer.alloc(0));
  });

  it.each([
    ['xz', 'fd377a585a000004'],
    ['bzip2', '425a6839314159265359'],
    ['lz4', '04224d186440'],
    ['lzip', '4c5a495001'],
    ['compress', '1f9d90'],
  ])('%s is refused by its name', async (name, magic) => {
    const error: unknown = await unpacked([Buffer.from(magic, 'hex')]).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED', message: expect.stringContaining(name) as string });
  });

  it('gzip of gzip is unpacked once', async () => {
    expect(await unpacked([gzipSync(gzipSync(TAR))])).toEqual(gzipSync(TAR));
  });
});

describe('decompress() of anything', () => {
  it('answers or refuses', async () => {
    const magic = fc.constantFrom('', '1f8b', '1f8b08', '28b52ffd', '50 2a 4d 18'.replaceAll(' ', ''));
    await fc.assert(
      fc.asyncProperty(magic, fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (head, tail, isNative) => {
        const blob = Buffer.concat([Buffer.from(head, 'hex'), tail]);
        const error: unknown = await unpacked([blob], isNative ? createZstdDecoder() : undefined).catch(
          (cause: unknown) => cause,
        );
        expect(Buffer.isBuffer(error) || error instanceof Refusal).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

const NOISE = Buffer.from(
  Array.from({ length: 3_000_000 }, (_, index) => (Math.imul(index ^ (index >>> 7), 0x9e3779b1) >>> 13) & 0xff),
);

/** Each piece is overwritten when the next one is asked for, as the applier may find it. */
async function unpacked(blob: Buffer[], zstd?: ReturnType<typeof createZstdDecoder>): Promise<Buffer> {
  const path = join(folder, 'blob');
  const bytes = Buffer.concat(blob);
  writeFileSync(path, bytes);
  const fd = openSync(path, 'r');
  const gzip = createGzipDecoder();
  const pieces: Buffer[] = [];
  const reads: number[] = [];
  try {
    for await (const piece of decompress(
      { fd, size: bytes.length, onRead: (count) => reads.push(count) },
      { gzip, zstd },
    ))
      pieces.push(Buffer.from(piece));
  } finally {
    closeSync(fd);
    gzip.free();
    zstd?.free();
  }
  expect(Math.max(0, ...reads)).toBeLessThanOrEqual(bytes.length);
  return Buffer.concat(pieces);
}

function changed(bytes: Buffer, at: number, value?: number): Buffer {
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = value ?? bytes[index]! ^ 1;
  return bytes;
}

function gzipWithFields(bytes: Buffer): Buffer {
  const plain = gzipSync(bytes);
  const extra = Buffer.from('\x04\0abcd', 'latin1');
  const head = Buffer.concat([plain.subarray(0, 10), extra, Buffer.from('name\0comment\0')]);
  head[3] = 4 + 8 + 16;
  return Buffer.concat([head, plain.subarray(10)]);
}

/** A member of `length` bytes: noise that is stored, and the rest in its name. */
function gzipOfLength(length: number): Buffer {
  const plain = gzipSync(NOISE.subarray(0, length - 1000), { level: 0 });
  const name = 'n'.repeat(length - plain.length - 1);
  const head = Buffer.concat([plain.subarray(0, 10), Buffer.from(`${name}\0`)]);
  head[3] = 8;
  return Buffer.concat([head, plain.subarray(10)]);
}
