import { createHash } from 'node:crypto';

import { IntegrityError } from '../errors.ts';
import type { FileCalls } from '../linux/libc-files.ts';
import type { XattrCalls } from '../linux/libc-xattr.ts';
import type { Ownership } from '../linux/ownership.ts';
import { digestAlgorithm, parseDigest, type Digest } from '../oci/digest.ts';
import type { BlobSource } from './blob-source.ts';
import { createBudget } from './budget.ts';
import { checkCase } from './check-case.ts';
import { decompress, type Decoders } from './decompress.ts';
import type { EntryPath } from './entry-path.ts';
import { applyEntries } from './entry-sink.ts';
import { explainFailure } from './explain-failure.ts';
import { finishLayer } from './finish-layer.ts';
import { Folders } from './folders.ts';
import type { LayerContext } from './layer-context.ts';
import type { LayerLimits } from './layer-limits.ts';
import { LeftOut } from './left-out.ts';
import { LowerLayers } from './lower-layers.ts';
import { Markers } from './markers.ts';
import { createTarReader, type TarReader } from './tar-reader.ts';
import { createManifestWriter, type WrittenManifest } from './tree-manifest.ts';
import { collectWarnings } from './warnings.ts';

/** What the applier needs of the system, bound before the root was changed. */
export interface SystemCalls {
  files: FileCalls;
  xattrs: XattrCalls;
  decoders: Decoders;
}

export interface ApplyOptions {
  system: SystemCalls;
  blob: BlobSource;
  /** What the layer is called in messages. */
  label: string;
  /** What the unpacked archive has to have. */
  diffId: Digest;
  /** An empty file, open for writing. */
  manifest: number;
  lowerCount: number;
  /**
   * Blocks until the layers below are complete, and answers their trees opened with O_PATH, bottom first. Called at most once, and
   * only if something of them is needed.
   */
  openLowers: () => readonly number[];
  ownership: Ownership;
  whiteouts: 'trusted' | 'user';
  limits: LayerLimits;
}

export interface AppliedLayer {
  diffId: Digest;
  /** Of the unpacked archive, in bytes. */
  size: number;
  entries: number;
  /** The tree manifest. */
  manifest: WrittenManifest;
  warnings: string[];
}

/**
 * Unpacks a layer into the root of this process, which is an empty folder, in the form that overlayfs reads; the umask is 0.
 * Throws LayerError (ERR_LAYER), IntegrityError, or a ToolError with ERR_LIMIT, ERR_UNSUPPORTED, ERR_NO_SPACE, ERR_STORE or
 * ERR_HOST; the folder then holds anything.
 */
export async function applyLayer(options: ApplyOptions): Promise<AppliedLayer> {
  const context = createContext(options);
  const sink = applyEntries(context);
  const reader = createTarReader(sink);
  try {
    checkCase();
    const { diffId, size } = await readArchive(options, reader, context);
    checkDiffId(options, diffId);
    finishLayer(context, `${options.whiteouts}.overlay.opaque`);
    const manifest = context.manifest.finish();
    return { diffId, size, entries: reader.progress.entries, manifest, warnings: context.warnings.list() };
  } catch (error) {
    throw explainFailure(error, { label: options.label, ...reader.progress });
  } finally {
    sink.close();
  }
}

function createContext(options: ApplyOptions): LayerContext {
  const { system, ownership, limits, lowerCount, openLowers, manifest } = options;
  const budget = createBudget(limits);
  const takePath = (path: EntryPath): void => budget.takePath(path.length);
  return {
    ownership,
    files: system.files,
    xattrs: system.xattrs,
    folders: new Folders(takePath),
    markers: new Markers(takePath),
    leftOut: new LeftOut(takePath),
    lowers: new LowerLayers({
      count: lowerCount,
      opaqueXattr: `${options.whiteouts}.overlay.opaque`,
      files: system.files,
      xattrs: system.xattrs,
      openFolders: openLowers,
    }),
    manifest: createManifestWriter(manifest, (bytes) => budget.takeManifest(bytes)),
    warnings: collectWarnings(),
    budget,
  };
}

async function readArchive(
  options: ApplyOptions,
  reader: TarReader,
  context: LayerContext,
): Promise<{ diffId: Digest; size: number }> {
  const algorithm = digestAlgorithm(options.diffId);
  const hash = createHash(algorithm);
  let size = 0;
  for await (const chunk of decompress(options.blob, options.system.decoders)) {
    size += chunk.length;
    context.budget.takeArchive(chunk.length);
    hash.update(chunk);
    reader.write(chunk);
  }
  reader.finish();
  return { diffId: parseDigest(`${algorithm}:${hash.digest('hex')}`), size };
}

function checkDiffId({ diffId, label }: ApplyOptions, actual: Digest): void {
  if (actual === diffId) return;
  const message = `Cannot unpack layer "${label}": its content has the digest ${actual}, and the image's config wants ${diffId}`;
  throw new IntegrityError(message, diffId, actual);
}
