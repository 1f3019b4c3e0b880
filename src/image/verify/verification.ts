import type { UnpackChildren } from '../../layer/unpack-children.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Engine } from '../engine.ts';
import type { ContentUses } from './content-uses.ts';
import type { Damage, Repair } from './finding.ts';
import type { Mender } from './mender.ts';

/** What the parts of a verification share. */
export interface Verification {
  readonly engine: Engine;
  readonly uses: ContentUses;
  /** Compare the trees of layers; undefined if those are not to be read. */
  readonly children: UnpackChildren | undefined;
  /** Undefined if nothing is to be repaired. */
  readonly mender: Mender | undefined;
  readonly signal: AbortSignal | undefined;
  /** What has been looked at, and whether it is intact by now: nothing is read, or reported, twice. */
  readonly blobs: Map<Digest, boolean>;
  readonly layers: Map<Digest, boolean>;
  readonly report: (damage: Damage, repair?: Repair) => void;
}
