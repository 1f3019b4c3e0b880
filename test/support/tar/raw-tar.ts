/**
 * Builds tar archives block by block, so that every field can be wrong: what an honest writer refuses to write.
 * Text is latin1, one character per byte.
 */

/** Where the fields of a header are: POSIX ustar, with the places that GNU's format has in its stead. */
export const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  linkName: [157, 100],
  magic: [257, 8],
  userName: [265, 32],
  groupName: [297, 32],
  deviceMajor: [329, 8],
  deviceMinor: [337, 8],
  prefix: [345, 155],
  sparse: [386, 96],
  isExtended: [482, 1],
  realSize: [483, 12],
} as const;

export type FieldName = keyof typeof FIELDS;

export interface RawEntry {
  name?: string;
  /** The type flag: '0' is a file. */
  type?: string;
  linkName?: string;
  mode?: number;
  uid?: number;
  gid?: number;
  /** Unless given, the length of the body. */
  size?: number;
  mtime?: number;
  deviceMajor?: number;
  deviceMinor?: number;
  format?: 'ustar' | 'gnu' | 'v7';
  body?: string | Buffer;
  /** Bytes of single fields as they are to stand there, NULs after them. */
  fields?: Partial<Record<FieldName, string | Buffer>>;
  checksum?: 'unsigned' | 'signed' | 'wrong';
}

const BLOCK = 512;
const MAGIC = { ustar: 'ustar\x0000', gnu: 'ustar  \0', v7: '' } as const;

/** An entry: its header, and its body filled up to whole blocks. */
export function rawEntry(entry: RawEntry): Buffer {
  const body = toBytes(entry.body ?? '');
  return Buffer.concat([rawHeader({ size: body.length, ...entry }), padded(body)]);
}

/** A header alone. */
export function rawHeader(entry: RawEntry): Buffer {
  const header = Buffer.alloc(BLOCK);
  const put = (name: FieldName, value: string | Buffer): void => {
    const [start, length] = FIELDS[name];
    const bytes = toBytes(value);
    if (bytes.length > length) throw new RangeError(`"${name}" has ${length} bytes`);
    header.fill(0, start, start + length);
    bytes.copy(header, start);
  };
  put('name', entry.name ?? 'file');
  put('mode', octal(entry.mode ?? 0o644, 8));
  put('uid', octal(entry.uid ?? 0, 8));
  put('gid', octal(entry.gid ?? 0, 8));
  put('size', octal(entry.size ?? 0, 12));
  put('mtime', octal(entry.mtime ?? 1_700_000_000, 12));
  put('type', entry.type ?? '0');
  put('linkName', entry.linkName ?? '');
  put('magic', MAGIC[entry.format ?? 'ustar']);
  if (entry.deviceMajor !== undefined) put('deviceMajor', octal(entry.deviceMajor, 8));
  if (entry.deviceMinor !== undefined) put('deviceMinor', octal(entry.deviceMinor, 8));
  for (const [name, value] of Object.entries(entry.fields ?? {})) put(name as FieldName, value);
  if (entry.fields?.checksum === undefined) put('checksum', checksumOf(header, entry.checksum ?? 'unsigned'));
  return header;
}

function checksumOf(header: Buffer, kind: NonNullable<RawEntry['checksum']>): string {
  header.fill(' ', 148, 156);
  let sum = kind === 'wrong' ? 1 : 0;
  for (const byte of header) sum += kind === 'signed' && byte > 127 ? byte - 256 : byte;
  return `${sum.toString(8).padStart(6, '0')}\0 `;
}

/** Octal digits for a field of `length` bytes, with the NUL at its end if there is room. */
export function octal(value: number, length: number): string {
  return value.toString(8).padStart(length - 1, '0');
}

/** GNU's numbers in base 256: two's complement, with the first bit set. */
export function base256(value: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = length - 1, rest = value; at >= 0; at -= 1, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes;
}

export type PaxRecords = Record<string, string | number> | readonly (readonly [string, string | number])[];

/** A PAX header for the entry after it; a list of pairs may repeat keys. */
export function pax(records: PaxRecords, entry: RawEntry = {}): Buffer {
  return rawEntry({ name: 'PaxHeaders/0', type: 'x', body: paxBody(records), ...entry });
}

export function paxBody(records: PaxRecords): string {
  const pairs = Array.isArray(records) ? records : Object.entries(records as Record<string, string | number>);
  return (pairs as [string, string | number][]).map(([key, value]) => paxRecord(key, String(value))).join('');
}

/** `<length> <key>=<value>\n`, where the length counts itself. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

/** GNU's headers for a long name ('L') or link target ('K') of the entry after it. */
export function gnuLong(type: 'L' | 'K', text: string): Buffer {
  return rawEntry({ name: '././@LongLink', type, format: 'gnu', body: `${text}\0` });
}

export const ZERO_BLOCK: Buffer = Buffer.alloc(BLOCK);
export const END: Buffer = Buffer.alloc(2 * BLOCK);

/** An archive with its end marker. */
export function archive(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([...parts, END]);
}

// What the catalogue of hostile layers writes as D, F, S, H and W.

export function folder(name: string, entry: RawEntry = {}): Buffer {
  return rawEntry({ name, type: '5', mode: 0o755, ...entry });
}

export function file(name: string, body: string | Buffer = 'x', entry: RawEntry = {}): Buffer {
  return rawEntry({ name, type: '0', body, ...entry });
}

export function symlink(name: string, target: string, entry: RawEntry = {}): Buffer {
  return rawEntry({ name, type: '2', linkName: target, mode: 0o777, ...entry });
}

export function hardlink(name: string, target: string, entry: RawEntry = {}): Buffer {
  return rawEntry({ name, type: '1', linkName: target, ...entry });
}

/** `name` as in the archive: `.wh.x`, `d/.wh..wh..opq`. */
export function whiteout(name: string, entry: RawEntry = {}): Buffer {
  return rawEntry({ name, type: '0', ...entry });
}

function toBytes(value: string | Buffer): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
}

function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)]);
}
