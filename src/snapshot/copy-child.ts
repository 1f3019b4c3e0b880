import { writeSync } from 'node:fs';
import { copyMergedTree } from './copy-merged-tree.ts';
import { libcAttributes } from './node-attributes.ts';
import { overlayMarks } from './overlay-marks.ts';
import type { OwnerMap } from './translate-id.ts';

/** What the copying process is told, as JSON in its first argument. */
export interface CopyJob {
  /** Bottom first. */
  trees: string[];
  destination: string;
  whiteouts: 'trusted' | 'user';
  /** See copyMergedTree. */
  owners?: OwnerMap | undefined;
}

/** The program that copies a merged tree, as root of the user namespace whose ids the files have. */
export function copyChild(argument: string): void {
  const { trees, destination, whiteouts, owners } = JSON.parse(argument) as CopyJob;
  try {
    copyMergedTree({ trees, destination, marks: overlayMarks(whiteouts), attributes: libcAttributes(), owners });
  } catch (error) {
    writeSync(2, error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

copyChild(process.argv[2] ?? '');
