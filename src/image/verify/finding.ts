import type { Digest } from '../../oci/digest.ts';

/** What a blob is to an image. `other`: no image that this engine has pulled refers to it. */
export type BlobRole = 'index' | 'manifest' | 'config' | 'layer' | 'other';

/** Something in the store that is not what it should be. `problem` is a clause for people, safe for a terminal. */
export type Damage =
  | {
      kind: 'blob';
      state: 'missing' | 'damaged';
      digest: Digest;
      role: BlobRole;
      /** Canonical names of the images that need it; the ID of one without a name. */
      images: readonly string[];
      problem: string;
    }
  | { kind: 'layer'; state: 'missing' | 'damaged'; chainId: Digest; images: readonly string[]; problem: string }
  /** A file of the store itself, or of what it keeps beside a layer. `path` is relative to the store. */
  | { kind: 'file'; path: string; problem: string }
  /** An entry of index.json; without `name`, something else in it. */
  | { kind: 'name'; name: string | undefined; problem: string }
  /** `path` is relative to the store. */
  | { kind: 'extra'; path: string; problem: string };

/** What has become of a damage that was to be repaired. */
export type Repair =
  | { isDone: true; how: 'downloaded again' | 'unpacked again' | 'written again' | 'moved to the trash' }
  /** `reason` is a sentence or a clause for people. */
  | { isDone: false; reason: string };

/** `repair` is undefined if none was asked for. */
export type Finding = Damage & { repair?: Repair | undefined };
