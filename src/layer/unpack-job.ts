import type { Ownership } from '../linux/ownership.ts';
import type { Digest } from '../oci/digest.ts';
import type { LayerLimits } from './layer-limits.ts';
import type { WrittenManifest } from './tree-manifest.ts';

/** The descriptor, beside its standard ones, of a pipe for the messages of the unpack child: a line of JSON each. */
export const MESSAGES_FD = 3;

/** A line of JSON that the unpack child reads from its standard input: a job, or what it may wait for while it is at one. */
export type ChildInput = ChildJob | LowersComplete;

/** What the unpack child is to do, one after the other. All paths are absolute. */
export type ChildJob = UnpackJob | VerifyJob;

interface CommonJob {
  /** What the layer is called in messages. */
  label: string;
  /** Becomes the root of the child, until the job is done. */
  folder: string;
  /** The tree manifest: empty, or to be read. */
  manifestPath: string;
  /** Process id of the parent, if it is the same there; the child ends if it finds another. */
  parent?: number;
}

/** Is answered with a result. */
export interface UnpackJob extends CommonJob {
  kind: 'unpack';
  blobPath: string;
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

/** The layers below are complete now, and have the names that they keep. It may come when its job is done already. */
export interface LowersComplete {
  kind: 'lowers';
  /** Absolute paths without symlinks, bottom first. */
  folders: readonly string[];
}

/** What the child says. */
export type ChildMessage = NewsMessage | LastMessage;

/** What it says of a job that it is at. */
export type NewsMessage =
  /** Bytes of the blob that have been read. */
  | { kind: 'progress'; bytesRead: number }
  /** `path` is latin1. */
  | { kind: 'difference'; path: string; difference: string };

/** The last word on a job. After a failure it ends. */
export type LastMessage =
  | {
      kind: 'result';
      diffId: string;
      size: number;
      entries: number;
      manifest: WrittenManifest;
      warnings: string[];
    }
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
