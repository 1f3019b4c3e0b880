import type { FileCalls } from '../linux/libc-files.ts';
import type { XattrCalls } from '../linux/libc-xattr.ts';
import type { Ownership } from '../linux/ownership.ts';
import type { Budget } from './budget.ts';
import type { Folders } from './folders.ts';
import type { LeftOut } from './left-out.ts';
import type { LowerLayers } from './lower-layers.ts';
import type { Markers } from './markers.ts';
import type { ManifestWriter } from './tree-manifest.ts';
import type { Warnings } from './warnings.ts';

/** What the makers of the different types of entries work with. The process's root is the layer's folder. */
export interface LayerContext {
  readonly ownership: Ownership;
  readonly files: FileCalls;
  readonly xattrs: XattrCalls;
  readonly folders: Folders;
  readonly markers: Markers;
  readonly leftOut: LeftOut;
  readonly lowers: LowerLayers;
  readonly budget: Budget;
  readonly manifest: ManifestWriter;
  readonly warnings: Warnings;
}
