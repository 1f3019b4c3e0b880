import { closeSync, constants, readSync, type BigIntStats } from 'node:fs';

import type { FileTime } from '../linux/libc-files.ts';
import type { EntryId } from './entry-id.ts';
import { writeFile } from './file-writer.ts';
import type { LayerContext } from './layer-context.ts';
import type { LowerEntry } from './lower-layers.ts';
import { placeOf } from './make-entry.ts';
import { readXattrs } from './read-xattrs.ts';
import { Refusal } from './refusal.ts';

const CHUNK_SIZE = 1024 * 1024;

/**
 * Copies a file of the layers below to the same path of this one, with all its attributes and holes. From then on the layer must
 * not have a whiteout of it: see `Markers.need`, which is told that `by` wants the file.
 */
export function copyUp(context: LayerContext, lower: LowerEntry, by: EntryId): void {
  if (!lower.stats.isFile()) throw new Refusal('it is a hard link to something other than a file of the layers below');
  const attributes = attributesOf(lower.stats);
  context.budget.takeContent(attributes.size);
  const path = placeOf(context, lower.path);
  const fd = lower.open(constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const writer = writeFile(context, path, {
      ...attributes,
      isSparse: true,
      xattrs: readXattrs(context.xattrs, fd, 'file'),
    });
    try {
      forEachChunk(fd, (bytes, position) => writer.data(bytes, position));
    } catch (error) {
      writer.abandon();
      throw error;
    }
    writer.end();
  } finally {
    closeSync(fd);
  }
  context.markers.need(lower.path, by);
}

function forEachChunk(fd: number, visit: (bytes: Buffer, position: number) => void): void {
  const buffer = Buffer.allocUnsafe(CHUNK_SIZE);
  const zeros = Buffer.alloc(CHUNK_SIZE);
  let position = 0;
  for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer)) {
    const bytes = buffer.subarray(0, count);
    if (!bytes.equals(zeros.subarray(0, count))) visit(bytes, position);
    position += count;
  }
}

interface LowerAttributes {
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: FileTime;
}

/** What stat(2) says, in the terms of an archive. */
export function attributesOf(stats: BigIntStats): LowerAttributes {
  const billion = 1_000_000_000n;
  return {
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: Number(stats.size),
    mtime: { seconds: Number(stats.mtimeNs / billion), nanoseconds: Number(stats.mtimeNs % billion) },
  };
}
