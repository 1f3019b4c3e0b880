import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';

export type LayerState =
  'waiting' | 'downloading' | 'retrying' | 'verifying' | 'downloaded' | 'extracting' | 'complete' | 'exists';

/** What a pull tells while it works, in the order in which it happens. */
export type PullEvent =
  | { kind: 'resolving'; reference: Reference }
  /** The layers of the image, in the manifest's order. Comes before any `layer`. */
  | { kind: 'layers'; layers: Descriptor[] }
  | {
      kind: 'layer';
      digest: Digest;
      state: LayerState;
      /** Bytes of the compressed layer. */
      current?: number | undefined;
      total?: number | undefined;
      /** With `retrying`: until the next try. */
      seconds?: number | undefined;
    }
  | { kind: 'done'; result: PulledImage };

export interface PulledImage {
  reference: Reference;
  /** The canonical name under which the image is now in the store. */
  name: string;
  /** Of what the registry's tag names: an index or a manifest. */
  digest: Digest;
  manifestDigest: Digest;
  /** The digest of the image config. */
  imageId: Digest;
  platform: Platform;
  /** Nothing was downloaded and no name has changed. */
  upToDate: boolean;
}
