import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import { LayerError, ToolError } from '../../../src/errors.ts';
import { createUnpackChildren, type ChildPlace, type UnpackChildren } from '../../../src/layer/unpack-children.ts';
import { unpackLayer, type UnpackedLayer, type UnpackOptions } from '../../../src/layer/unpack-layer.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { bundle } from './bundle.ts';
import { readTree } from './read-tree.ts';

/** A folder for layers, beside a victim that no layer may touch. */
export interface Workspace {
  folder: string;
  /** Unpacks `archive` on top of `lowers`, which are roots of layers, bottom first. Rejects as unpackLayer does. */
  unpack(archive: Buffer, options?: UnpackArchiveOptions): Promise<UnpackedArchive>;
  /** The same for one that has to be refused; answers the error. */
  refuse(archive: Buffer, options?: UnpackArchiveOptions): Promise<ToolError>;
}

export interface UnpackArchiveOptions extends Partial<UnpackOptions & ChildPlace> {
  /** What the archive is in the blob; itself unless given. */
  compressed?: Buffer;
  lowers?: string[];
}

export interface UnpackedArchive extends UnpackedLayer {
  /** The root of the layer. */
  root: string;
  /** See readTree. */
  tree: Record<string, string>;
  manifestPath: string;
}

/**
 * Makes a workspace that goes away with the test, or fails it if anything outside of the layers was changed (P1), or if a refused
 * layer left a manifest behind (P4).
 */
export function openWorkspace(): Workspace {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'mydocker-layer-'));
  let count = 0;
  plantVictims(folder);
  const victims = readTree(folder);
  const prepare = async (archive: Buffer, options: UnpackArchiveOptions): Promise<UnpackOptions & { root: string }> => {
    count += 1;
    const place = join(folder, `layer-${count}`);
    const root = join(place, 'root');
    mkdirSync(root, { recursive: true });
    const { compressed = archive, lowers = [], ...others } = options;
    const blobPath = join(folder, `blob-${count}`);
    writeFileSync(blobPath, compressed);
    return {
      blobPath,
      descriptor: {
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        digest: digestOf(compressed),
        size: compressed.length,
      },
      diffId: digestOf(archive),
      folder: root,
      root,
      manifestPath: join(place, 'manifest'),
      lowerFolders: lowers,
      whiteouts: 'trusted',
      children: createUnpackChildren({
        ownership: { kind: 'root' },
        runnerFolder: folder,
        childPath: await bundle('src/layer/unpack-child.ts'),
        ...others,
      }),
      ...others,
    };
  };
  onTestFinished(() => {
    const left = Object.entries(readTree(folder)).filter(([path]) => !/^(layer|blob)-|^mydocker-runner/.test(path));
    rmSync(folder, { recursive: true, force: true });
    if (JSON.stringify(left) !== JSON.stringify(Object.entries(victims))) {
      throw new Error(`Something outside of the layer was changed: ${JSON.stringify(left)}`);
    }
  });
  return {
    folder,
    async unpack(archive, options = {}) {
      const { root, ...complete } = await prepare(archive, options);
      const unpacked = unpackLayer(complete);
      await unpacked.catch(() => undefined);
      await closeOwn(complete.children, options);
      const result = await unpacked;
      return { ...result, root, tree: readTree(root), manifestPath: complete.manifestPath };
    },
    async refuse(archive, options = {}) {
      const complete = await prepare(archive, options);
      const error: unknown = await unpackLayer(complete).then(
        () => new Error(`It was not refused, and made ${JSON.stringify(readTree(complete.root))}`),
        (reason: unknown) => reason,
      );
      await closeOwn(complete.children, options);
      if (!(error instanceof ToolError)) throw error;
      if (existsSync(complete.manifestPath)) throw new Error('The manifest of a refused layer is still there');
      return error;
    },
  };
}

/** Those of the caller's go on. */
async function closeOwn(children: UnpackChildren, given: UnpackArchiveOptions): Promise<void> {
  if (given.children === undefined) await children.close();
}

/** Files and folders beside the layers, with names that a careless check could take for theirs. */
function plantVictims(folder: string): void {
  for (const name of ['victim', 'layer', 'root-evil', 'etc']) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'hello'), 'untouched');
  }
}

/** The records of a tree manifest without its first and last line. */
export function readManifest(path: string): Record<string, unknown>[] {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.slice(1, -1).map((line) => JSON.parse(line) as Record<string, unknown>);
}

export function isLayerError(error: unknown): error is LayerError {
  return error instanceof LayerError;
}
