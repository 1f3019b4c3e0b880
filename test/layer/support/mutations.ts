import { base256, FIELDS, gnuLong, octal, pax, type FieldName } from '../../support/tar/raw-tar.ts';
import type { Random } from './random.ts';

const BLOCK = 512;

/** One of `archives` with a few things changed that leave it an archive more often than not. */
export function mutateArchive(random: Random, archives: readonly Buffer[]): Buffer {
  let bytes: Buffer = Buffer.from(random.pick(archives));
  for (let count = 1 + random.below(4); count > 0; count -= 1) {
    bytes = random.pick(ARCHIVE_MUTATIONS)(random, bytes, archives);
  }
  return bytes;
}

/** `bytes` with something changed, whatever they are. */
export function mutateBytes(random: Random, bytes: Buffer, others: readonly Buffer[]): Buffer {
  let changed: Buffer = Buffer.from(bytes);
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    changed = random.pick([flipBits, flipBits, cut, splice, insertBytes])(random, changed, others);
  }
  return changed;
}

type Mutation = (random: Random, bytes: Buffer, others: readonly Buffer[]) => Buffer;

function flipBits(random: Random, bytes: Buffer): Buffer {
  for (let count = 1 + random.below(8); count > 0 && bytes.length > 0; count -= 1) {
    bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  }
  return bytes;
}

function cut(random: Random, bytes: Buffer): Buffer {
  return bytes.subarray(0, random.below(bytes.length + 1));
}

function insertBytes(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length + 1);
  const value = random.pick([0, 0xff, 0x2e, 0x1f]);
  return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(1 + random.below(600), value), bytes.subarray(at)]);
}

/** The start of one and the end of another. */
function splice(random: Random, bytes: Buffer, others: readonly Buffer[]): Buffer {
  const other = random.pick(others);
  return Buffer.concat([cut(random, bytes), other.subarray(random.below(other.length + 1))]);
}

/** Some blocks are taken out, put elsewhere, or come from another archive. */
function moveBlocks(random: Random, bytes: Buffer, others: readonly Buffer[]): Buffer {
  const [source, from] = [random.pick([bytes, random.pick(others)]), random.pick([0, 1])];
  const start = BLOCK * random.below(Math.floor(source.length / BLOCK) + 1);
  const blocks = source.subarray(start, start + BLOCK * (1 + random.below(4)));
  const rest = from === 0 ? bytes : Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + blocks.length)]);
  const at = BLOCK * random.below(Math.floor(rest.length / BLOCK) + 1);
  return Buffer.concat([rest.subarray(0, at), random.pick([blocks, Buffer.alloc(0)]), rest.subarray(at)]);
}

/** An extension header before some entry. */
function extend(random: Random, bytes: Buffer): Buffer {
  const at = BLOCK * random.below(Math.floor(bytes.length / BLOCK) + 1);
  const text = random.pick(NAMES);
  const key = random.pick(PAX_KEYS);
  const value = random.pick([text, random.pick(PAX_VALUES)]);
  const header = random.pick([
    () => gnuLong('L', text),
    () => gnuLong('K', text),
    () => pax({ [key]: value }),
    () =>
      pax([
        [key, value],
        [random.pick(PAX_KEYS), random.pick(PAX_VALUES)],
      ]),
    () => pax({ [key]: value }, { type: 'g' }),
  ])();
  return Buffer.concat([bytes.subarray(0, at), header, bytes.subarray(at)]);
}

/** A field of a header gets a value that means something, and the header the checksum that it should have. */
function editField(random: Random, bytes: Buffer): Buffer {
  const headers: number[] = [];
  for (let at = 0; at + BLOCK <= bytes.length; at += BLOCK) {
    if (bytes.toString('latin1', at + 257, at + 262) === 'ustar') headers.push(at);
  }
  if (headers.length === 0) return bytes;
  const header = bytes.subarray(random.pick(headers)).subarray(0, BLOCK);
  const [start, length] = FIELDS[random.pick(Object.keys(FIELDS) as FieldName[])];
  header.fill(0, start, start + length);
  const value = length === 1 ? random.pick(TYPES) : random.pick([random.pick(NAMES), random.pick(NUMBERS)(length)]);
  Buffer.from(value, 'latin1').copy(header, start, 0, length);
  if (random.below(10) > 0) sign(header);
  return bytes;
}

function sign(header: Buffer): void {
  header.fill(' ', 148, 156);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

const ARCHIVE_MUTATIONS: readonly Mutation[] = [
  editField,
  editField,
  editField,
  editField,
  editField,
  moveBlocks,
  moveBlocks,
  extend,
  extend,
  splice,
  flipBits,
  cut,
];

const TYPES = ['0', '\0', '1', '2', '3', '4', '5', '6', '7', 'x', 'g', 'L', 'K', 'S', 'A', 'D', 'V'];

const NAMES = [
  ['', '.', '..', '/', '../victim/hello', '/../0-evil/x', 'a/../../victim', 'd', 'd/', 'd/f', 'd/f/g', 'l', 'l/x'],
  ['.wh.d', 'd/.wh.f', '.wh..wh..opq', 'd/.wh..wh..opq', '.wh.', '.wh..', '.wh...', '.wh..wh.plnk/1', '.wh.x/y'],
  ['\xff\xfe', '\x1b[31m', 'a\0b', '__proto__', 'n'.repeat(256), 'd/'.repeat(40), 'proc/self/root', 'dev/null'],
  ['./'.repeat(2000), 'p/'.repeat(1500), '/proc/self/fd/3', '../'.repeat(300)],
].flat();

const NUMBERS: readonly ((length: number) => string)[] = [
  ...[0, 1, 511, 512, 513, 0o7777, 0o777777].map((value) => (length: number) => octal(value, length)),
  ...[-1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)].map(
    (value) => (length: number) => base256(value, length).toString('latin1'),
  ),
  (length) => '7'.repeat(length),
  () => ' 12 ',
  () => '9',
  () => '\x80',
];

const PAX_KEYS = [
  ['path', 'linkpath', 'size', 'uid', 'gid', 'mtime', 'atime', 'comment', '__proto__', 'charset'],
  ['GNU.sparse.major', 'GNU.sparse.minor', 'GNU.sparse.name', 'GNU.sparse.size', 'GNU.sparse.realsize'],
  ['GNU.sparse.map', 'GNU.sparse.numblocks', 'GNU.sparse.offset', 'GNU.sparse.numbytes'],
  ['SCHILY.xattr.user.a', 'SCHILY.xattr.security.capability', 'SCHILY.xattr.trusted.overlay.opaque'],
  ['SCHILY.xattr.user.overlay.whiteout', 'SCHILY.xattr.system.posix_acl_default', 'SCHILY.xattr.', 'SCHILY.fflags'],
].flat();

const PAX_VALUES = [
  ['', '0', '1', '5', '-1', '1e3', ' 5', '512', '4294967295', '4294967296', '9007199254740993', '99999999999999999'],
  ['1700000000.5', '-1.5', 'NaN', '0,1', '0,1,2', '5,1,0,1', '0,0,0,0,9,0', '\0', 'y'],
].flat();
