import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { requires } from '../support/requirements.ts';
import { isSoak, longTimeout, rounds } from '../support/soak.ts';
import { END, file, folder, gnuLong, hardlink, pax, rawEntry, symlink, whiteout } from '../support/tar/raw-tar.ts';
import { measureUnpacking, type Measurement, type MeasureOptions } from './support/measured-unpack.ts';

const MAX_MEMORY = 300; // MiB
const TIMEOUT = longTimeout(60_000);
const ENDLESS = { bytes: 1e13 }; // the memory that a limit would save is what is looked at here

/** An entry by its number. */
type EntryOf = (index: number) => Buffer;

/** Thirteen characters: what V8 makes a part of a string without copying it. */
const numbered = (index: number): string => String(index).padStart(13, '0');

describe('unpackLayer() memory', requires('root'), () => {
  const small: EntryOf[] = [
    (index) => file(`file-${numbered(index % 1_000_000)}`, ''), // a tmpfs has only so many inodes
    (index) => hardlink(`link-${numbered(index % 1_000_000)}`, `file-${numbered(0)}`), // counts there as well
    (index) => symlink(`symlink-${numbered(index % 1_000_000)}`, numbered(index)),
    (index) => rawEntry({ name: `pipe-${index % 1000}`, type: '6' }),
  ];

  it(
    'L71: stays flat with many entries of all kinds that nothing has to be remembered of',
    async () => {
      const every: EntryOf = (index) => small[index % small.length]!(index - (index % small.length));
      const { outcome, memory } = await measure(every, rounds(80_000, 4_000_000));
      expect(outcome).toBe('unpacked');
      expect(memory).toBeLessThan(MAX_MEMORY);
    },
    TIMEOUT,
  );

  it.each<[string, EntryOf]>([
    ['files', small[0]!],
    ['hard links', (index) => (index === 0 ? file(`file-${numbered(0)}`) : small[1]!(index))],
  ])(
    'L71: stays flat with many %s',
    async (_, entry) => {
      const count = rounds(30_000, 5_000_000);
      const { outcome, memory } = await measure(entry, count, { limits: { ...ENDLESS, entries: count } });
      expect(outcome).toBe('unpacked');
      expect(memory).toBeLessThan(MAX_MEMORY);
    },
    TIMEOUT,
  );

  it.each<[string, EntryOf]>([
    ['folders', (index) => folder(`folder-${numbered(index)}`)],
    [
      'folders of long names and late times',
      (index) => Buffer.concat([gnuLong('L', `${'x'.repeat(140)}${numbered(index)}`), folder('', { mtime: 2 ** 32 })]),
    ],
    ['folders that are implied', (index) => file(`folder-${numbered(index)}/${'f'.repeat(70)}`, '')],
    ['whiteouts', (index) => whiteout(`.wh.${numbered(index)}`)],
    ['opaque folders', (index) => whiteout(`${numbered(index)}/.wh..wh..opq`)],
    ['folders with attributes', (index) => Buffer.concat([ATTRIBUTE, folder(`folder-${numbered(index)}`)])],
  ])(
    'L71: of %s is bounded by a limit',
    async (_, entry) => {
      const { outcome, memory } = await measure(entry, rounds(20_000, 1_000_000));
      expect(outcome).toBe(isSoak ? 'ERR_LIMIT' : 'unpacked');
      expect(memory).toBeLessThan(MAX_MEMORY);
    },
    TIMEOUT,
  );

  it(
    'L71: does not keep the megabyte that a name of a few bytes stands at the end of',
    async () => {
      const entries: EntryOf[] = [
        (index) => Buffer.concat([long('L', index, 'folder-'), folder('')]),
        (index) => Buffer.concat([long('L', index, '.wh.'), whiteout('')]),
        (index) => Buffer.concat([long('L', index, 'implied-', '/f'), file('')]),
      ];
      const { outcome, memory } = await measure((index) => entries[index % 3]!(index), rounds(450, 9000));
      expect(outcome).toBe('unpacked');
      expect(memory).toBeLessThan(MAX_MEMORY);
    },
    TIMEOUT,
  );

  it(
    'L71: of hard links to files below is bounded, whatever they are called in the archive',
    async () => {
      const place = openPlace();
      const count = rounds(250, 3000);
      const below = await measureIn(join(place, 'below'), (index) => file(`file-${numbered(index)}`), count);
      expect(below.outcome).toBe('unpacked');
      const { outcome, memory } = await measureIn(
        join(place, 'above'),
        (index) => Buffer.concat([long('K', index, 'file-'), hardlink(`link-${numbered(index)}`, '')]),
        count,
        { lowers: [join(place, 'below', 'root')] },
      );
      expect(outcome).toBe('unpacked');
      expect(memory).toBeLessThan(MAX_MEMORY);
    },
    TIMEOUT,
  );
});

const ATTRIBUTE = pax({ 'SCHILY.xattr.user.a': 'x' });

/** A long name that means the short one at its end. */
function long(type: 'L' | 'K', index: number, prefix: string, suffix = ''): Buffer {
  return gnuLong(type, `${'x'.repeat(1_000_000)}/../${prefix}${numbered(index)}${suffix}`);
}

function openPlace(): string {
  const place = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'mydocker-memory-'));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  return place;
}

async function measure(entry: EntryOf, count: number, options: MeasureOptions = {}): Promise<Measurement> {
  return measureIn(join(openPlace(), 'layer'), entry, count, options);
}

async function measureIn(
  place: string,
  entry: EntryOf,
  count: number,
  options: MeasureOptions = {},
): Promise<Measurement> {
  mkdirSync(place);
  function* parts(): Generator<Buffer> {
    for (let index = 0; index < count; index += 1) yield entry(index);
    yield END;
  }
  return measureUnpacking(place, parts(), { limits: ENDLESS, ...options });
}
