import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

import type { LayerLimits } from '../../../src/layer/layer-limits.ts';
import { createUnpackChildren } from '../../../src/layer/unpack-children.ts';
import { unpackLayer } from '../../../src/layer/unpack-layer.ts';
import { digestOf, parseDigest, type Digest } from '../../../src/oci/digest.ts';
import { bundle } from './bundle.ts';

const MIB = 1024 * 1024;

export interface Measurement {
  /** 'unpacked', or the code of the error. */
  outcome: string;
  /** The most memory that the child has had, in MiB (its maximum resident set). */
  memory: number;
}

export interface MeasureOptions {
  limits?: Partial<LayerLimits>;
  lowers?: string[];
}

/** Unpacks an archive that is too large to be held in memory into `place`, an empty folder, and measures the child. */
export async function measureUnpacking(
  place: string,
  parts: Iterable<Buffer>,
  { limits, lowers = [] }: MeasureOptions = {},
): Promise<Measurement> {
  const blobPath = join(place, 'blob');
  const diffId = await writeBlob(blobPath, parts);
  const folder = join(place, 'root');
  mkdirSync(folder);
  const memoryPath = join(place, 'memory');
  const children = createUnpackChildren({
    ownership: { kind: 'root' },
    runnerFolder: place,
    childPath: await measuredChild(place, memoryPath),
  });
  const outcome = await unpackLayer({
    blobPath,
    descriptor: { mediaType: '', digest: digestOf(Buffer.alloc(0)), size: statSync(blobPath).size },
    diffId,
    folder,
    manifestPath: join(place, 'manifest'),
    lowerFolders: lowers,
    whiteouts: 'trusted',
    limits,
    children,
  }).then(
    () => 'unpacked',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  );
  await children.close();
  return { outcome, memory: Math.round(Number(readFileSync(memoryPath, 'utf8')) / 1024) };
}

/**
 * The child's program with a last act: its maximum resident set goes into a file that was opened before its root changed. It is taken
 * from its status, as getrusage counts what the process was before its execve: a copy of this one.
 */
async function measuredChild(place: string, memoryPath: string): Promise<string> {
  const path = join(place, 'measured.cjs');
  const program = await bundle('src/layer/unpack-child.ts');
  writeFileSync(
    path,
    `const { openSync, readFileSync, writeSync } = require('node:fs');
     const status = openSync('/proc/self/status', 'r');
     const memory = openSync(${JSON.stringify(memoryPath)}, 'w');
     process.on('exit', () => writeSync(memory, /^VmHWM:\\s*(\\d+) kB/m.exec(readFileSync(status, 'utf8'))[1]));
     require(${JSON.stringify(program)});`,
  );
  return path;
}

async function writeBlob(path: string, parts: Iterable<Buffer>): Promise<Digest> {
  const hash = createHash('sha256');
  function* hashed(): Generator<Buffer> {
    for (const piece of piecesOf(parts)) {
      hash.update(piece);
      yield piece;
    }
  }
  await pipeline(Readable.from(hashed()), createGzip({ level: 1, chunkSize: MIB }), createWriteStream(path));
  return parseDigest(`sha256:${hash.digest('hex')}`);
}

/** The same bytes in fewer pieces. */
function* piecesOf(parts: Iterable<Buffer>): Generator<Buffer> {
  let waiting: Buffer[] = [];
  let length = 0;
  for (const part of parts) {
    waiting.push(part);
    length += part.length;
    if (length < MIB) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    length = 0;
  }
  yield Buffer.concat(waiting);
}
