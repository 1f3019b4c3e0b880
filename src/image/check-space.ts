import { existsSync } from 'node:fs';
import { lstat, statfs } from 'node:fs/promises';
import { ToolError } from '../errors.ts';
import { humanSize } from '../human-size.ts';
import { chainIds } from '../oci/chain-id.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { digestHex } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import type { ImageManifest } from '../oci/manifest.ts';
import { familiarReference } from '../oci/reference.ts';
import type { Reference } from '../oci/reference.ts';
import { printable } from '../printable.ts';
import { layerFolder, stagedLayers, statLayer } from '../snapshot/layers.ts';
import { partialSize } from '../store/partial-downloads.ts';
import type { Engine } from './engine.ts';
import { roomPlan } from './room-plan.ts';

export interface SpaceCheck {
  engine: Engine;
  reference: Reference;
  manifest: ImageManifest;
  config: ImageConfig;
}

/**
 * Refuses a pull that cannot fit, before a layer is downloaded: ERR_NO_SPACE, with a plan for making room as the hint.
 *
 * What the layers take unpacked is not known yet, so all numbers are the least that it can be: what would fit is never refused,
 * and the disk may still fill up later.
 */
export async function checkSpace(check: SpaceCheck): Promise<void> {
  const { engine, reference, manifest } = check;
  const disk = await readDisk(engine);
  if (disk === undefined) return;
  const need = await spaceNeed(check, disk.isPlain);
  const shortage = findShortage(need, disk);
  if (shortage === undefined) return;
  const root = printable(engine.store.root, Infinity);
  throw new ToolError('ERR_NO_SPACE', `Cannot pull "${familiarReference(reference)}": ${shortage} on "${root}"`, {
    hint: await roomPlan(engine, new Set(manifest.layers.map(({ digest }) => digest))),
  });
}

/** Bytes, unless said otherwise. */
interface Disk {
  free: number;
  /** How many files can be made; undefined where the file system does not count them. */
  freeFiles: number | undefined;
  /** What is written takes as much room as it has bytes. */
  isPlain: boolean;
}

/** The least that a pull will take. */
export interface SpaceNeed {
  download: number;
  unpack: number;
  files: number;
}

// Of statfs(2). Others may compress, or find the same content twice, or be a view of one that does.
const PLAIN_FILE_SYSTEMS: ReadonlySet<bigint> = new Set([
  0xef53n, // ext2, ext3, ext4
  0x5846_5342n, // XFS
  0x0102_1994n, // tmpfs
]);

/** Undefined where nothing can be told: blobs and layers are on different disks, or the file system gives no numbers. */
async function readDisk({ store, host }: Engine): Promise<Disk | undefined> {
  try {
    const { layers, ingest } = store.paths;
    const [stats, one, other] = await Promise.all([statfs(layers, { bigint: true }), lstat(layers), lstat(ingest)]);
    if (stats.blocks === 0n || one.dev !== other.dev) return undefined;
    const blocks = host.uid === 0 ? stats.bfree : stats.bavail; // root may use what is reserved
    return {
      free: Number(blocks * stats.bsize),
      freeFiles: stats.files === 0n ? undefined : Number(stats.ffree),
      isPlain: PLAIN_FILE_SYSTEMS.has(stats.type),
    };
  } catch {
    return undefined; // the pull itself meets whatever is wrong, and says it better
  }
}

const FILES_OF_A_LAYER = 4; // two folders, the tree manifest and `done`

/** `isPlain` as for a `Disk`. */
export async function spaceNeed({ engine, manifest, config }: SpaceCheck, isPlain: boolean): Promise<SpaceNeed> {
  const { blobs, paths } = engine.store;
  const need: SpaceNeed = { download: 0, unpack: 0, files: 0 };
  const chain = chainIds(config.diffIds);
  const staged = await stagedLayers(paths.layers);
  const counted = new Set<Digest>();
  for (const [at, layer] of manifest.layers.entries()) {
    const chainId = chain[at];
    // What another process unpacks has taken some of its room already, and is not unpacked twice.
    if (chainId !== undefined && !staged.has(digestHex(chainId)) && mustUnpack(paths.layers, chainId)) {
      need.files += FILES_OF_A_LAYER;
      if (isPlain && isCompressed(layer)) need.unpack += layer.size;
    }
    const stored = (await blobs.stat(layer.digest))?.size;
    if (counted.has(layer.digest) || stored === layer.size) continue;
    counted.add(layer.digest);
    const partial = await partialSize(paths, layer.digest);
    if (partial === undefined) need.files += 1;
    // A blob of another size is damaged, and gives its room back.
    const there = (partial ?? 0) + (stored ?? 0);
    if (isPlain || isCompressed(layer)) need.download += Math.max(0, layer.size - there);
  }
  return need;
}

/** A damaged layer is removed when it is unpacked anew: nobody can tell what that gives back. */
function mustUnpack(layers: string, chainId: Digest): boolean {
  return statLayer(layers, chainId) === undefined && !existsSync(layerFolder(layers, chainId));
}

/**
 * Unpacked, such a layer takes at least its own size: headers and padding, all that a tar has and a disk has not, are compressed
 * to little. In a plain tar they count in full, and a tar of links may take no room at all. (So it is with a gzip that only
 * stores; nobody can tell it from another before it is downloaded, and nobody makes one of links.)
 */
function isCompressed({ mediaType }: Descriptor): boolean {
  return /[.+](gzip|zstd)$/.test(mediaType);
}

function findShortage({ download, unpack, files }: SpaceNeed, { free, freeFiles }: Disk): string | undefined {
  if (download + unpack > free) {
    const parts = [
      ...(download > 0 ? [`${size(download)} to download`] : []),
      ...(unpack > 0 ? [`at least ${size(unpack)} unpacked`] : []),
    ];
    return `it needs about ${size(download + unpack)} (${parts.join(', ')}) and ${size(free)} is free`;
  }
  if (freeFiles === undefined || files <= freeFiles) return undefined;
  return `it needs at least ${files} files and folders, and there is room for ${freeFiles}`;
}

function size(bytes: number): string {
  return humanSize(bytes, 4);
}
