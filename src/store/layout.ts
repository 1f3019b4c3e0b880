import { join } from 'node:path';

import { digestAlgorithm, digestHex, type Digest } from '../oci/digest.ts';

/** Where things are in a store. All absolute. */
export interface StorePaths {
  layers: string;
  containers: string;
  ingest: string;
  leases: string;
  trash: string;
  runner: string;
  /** Locked shared by whoever makes content reachable, exclusively by garbage collection while it decides. */
  gcLock: string;
  /** Locked exclusively by whoever changes `index.json`. */
  imagesLock: string;
}

/** The parts of a store that only the store itself touches. */
export interface InternalPaths extends StorePaths {
  root: string;
  blobs: string;
  index: string;
  ociLayout: string;
  format: string;
  spaceReserve: string;
}

export const FOLDERS: readonly string[] = ['blobs', 'ingest', 'leases', 'layers', 'containers', 'trash', 'runner'];

export const BLOB_FOLDERS: readonly string[] = ['blobs/sha256', 'blobs/sha512'];

const FILES: readonly string[] = ['oci-layout', 'index.json', 'store.json', 'gc.lock', 'images.lock', 'space-reserve'];

/** The last file that is written into a layer folder: where it is, the layer is complete. */
export const LAYER_DONE = 'done';

/** `root` is absolute and has no slash at its end. */
export function storePaths(root: string): InternalPaths {
  const at = (name: string): string => join(root, name);
  return {
    root,
    blobs: at('blobs'),
    ingest: at('ingest'),
    leases: at('leases'),
    layers: at('layers'),
    containers: at('containers'),
    trash: at('trash'),
    runner: at('runner'),
    index: at('index.json'),
    ociLayout: at('oci-layout'),
    format: at('store.json'),
    spaceReserve: at('space-reserve'),
    gcLock: at('gc.lock'),
    imagesLock: at('images.lock'),
  };
}

/** Whether a store has something of this name at its top. */
export function isLayoutName(name: string): boolean {
  return FOLDERS.includes(name) || FILES.includes(name);
}

/** A digest has been checked when it was made, so it cannot lead out of the folder. */
export function blobPath(blobs: string, digest: Digest): string {
  return `${blobs}/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}
