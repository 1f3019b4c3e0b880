import type { Ownership } from '../linux/ownership.ts';
import type { Digest } from '../oci/digest.ts';
import type { LayerLimits } from './layer-limits.ts';
import type { WrittenManifest } from './tree-manifest.ts';

/** Descriptors that the unpack child is given beside its standard ones. */
export const CHILD_FDS = {
  /** The layer's blob, open for reading. */
  blob: 3,
  /** The tree manifest: empty and open for writing, or to be read. */
  manifest: 4,
  /** A pipe for its messages, a line of JSON each. */
  messages: 5,
} as const;

/** What the unpack child is to do: the first line that it reads from its standard input, as JSON. */
export type ChildJob = UnpackJob | VerifyJob;

interface CommonJob {
  /** What the layer is called in messages. */
  label: string;
  /** Becomes the root of the child. */
  folder: string;
  /** Process id of the parent, if it is the same there; the child ends if it finds another. */
  parent?: number;
}

/** Is answered with a result. */
export interface UnpackJob extends CommonJob {
  kind: 'unpack';
  diffId: Digest;
  /** How many layers are below. */
  lowerCount: number;
  /** For the owners of files; the child is root of its user namespace already. */
  ownership: Ownership;
  whiteouts: 'trusted' | 'user';
  limits: LayerLimits;
}

/** Is answered with any number of differences and an end. */
export interface VerifyJob extends CommonJob {
  kind: 'verify';
  /** False where all files belong to one user, whatever the manifest says. */
  comparesOwners: boolean;
}

/**
 * The second line, for which the child may wait: the layers below are complete now, and have the names that they keep.
 * Absolute paths without symlinks, bottom first.
 */
export interface LowersComplete {
  folders: readonly string[];
}

/** What the child says. The last message is `result`, `verified` or `failure`. */
export type ChildMessage =
  /** Bytes of the blob that have been read. */
  | { kind: 'progress'; bytesRead: number }
  | {
      kind: 'result';
      diffId: string;
      size: number;
      entries: number;
      manifest: WrittenManifest;
      warnings: string[];
    }
  /** `path` is latin1. */
  | { kind: 'difference'; path: string; difference: string }
  | { kind: 'verified' }
  | { kind: 'failure'; failure: Failure };

/** An error that can be written down. `code` is undefined for what nobody has foreseen. */
export interface Failure {
  code: string | undefined;
  message: string;
  hint?: string;
  stack?: string;
  layer?: { reason: string; entry?: string; index?: number };
  integrity?: { expected: string; actual: string };
}
