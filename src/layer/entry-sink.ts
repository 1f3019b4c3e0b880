import { cleanPath, type EntryPath } from './entry-path.ts';
import { writeFile, type FileAttributes, type FileWriter } from './file-writer.ts';
import type { LayerContext } from './layer-context.ts';
import { leaveOutDevice, makeFifo, makeFolder, makeSymlink, placeOf, xattrsOf } from './make-entry.ts';
import { makeHardlink } from './make-hardlink.ts';
import type { TarSink } from './read-archive.ts';
import { Refusal } from './refusal.ts';
import type { TarEntry } from './tar-entry.ts';
import { meaningOf } from './whiteout-name.ts';
import type { Xattrs } from './xattr-policy.ts';

/** Makes what a tar reader finds. `close` is to be called at the end, after an error too. */
export function applyEntries(context: LayerContext): TarSink & { close(): void } {
  let writer: FileWriter | undefined; // of the file whose content is coming
  return {
    entry(entry) {
      context.budget.takeEntry();
      context.budget.takeContent(entry.size);
      const path = cleanPath(entry.name);
      const meaning = meaningOf(path);
      if (meaning.kind === 'entry') writer = makeEntry(context, path, entry);
      else if (meaning.kind !== 'nothing') context.markers.add(meaning.path, meaning.kind);
    },
    data(bytes, position) {
      writer?.data(bytes, position);
    },
    end() {
      const finished = writer;
      writer = undefined;
      finished?.end();
    },
    close() {
      writer?.abandon();
      writer = undefined;
    },
  };
}

/** Answers the writer of a file, which is finished when its content has come. */
function makeEntry(context: LayerContext, path: EntryPath, entry: TarEntry): FileWriter | undefined {
  if (path === '') {
    // The root stays as it is, with the attributes that every other engine gives it.
    if (entry.type !== 'folder') throw new Refusal('it would replace the root of the image');
    return undefined;
  }
  const place = placeOf(context, path);
  switch (entry.type) {
    case 'file':
      return writeFile(context, place, fileAttributes(entry, xattrsOf(context, entry)));
    case 'folder':
      makeFolder(context, place, entry);
      break;
    case 'symlink':
      makeSymlink(context, place, { ...entry, target: entry.linkName });
      break;
    case 'hardlink':
      makeHardlink(context, place, entry);
      break;
    case 'fifo':
      makeFifo(context, place, entry);
      break;
    case 'character':
    case 'block':
      leaveOutDevice(context, place, entry);
  }
  return undefined;
}

/** Field by field: spreading an entry takes as long as reading it from the archive. */
function fileAttributes(entry: TarEntry, xattrs: Xattrs | undefined): FileAttributes {
  const { mode, uid, gid, size, mtime, sparse } = entry;
  return { mode, uid, gid, size, mtime, isSparse: sparse !== undefined, xattrs };
}
