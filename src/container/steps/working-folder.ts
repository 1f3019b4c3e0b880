import { printable } from '../../printable.ts';
import type { Step } from '../../linux/program.ts';
import { folderTarget, targetName } from './targets.ts';

/** Makes the working folder if it is missing and opens it: before the root may become read-only. */
export function makeWorkingFolderSteps(path: string): Step[] {
  return folderTarget(path, describe(path));
}

/**
 * Enters the working folder by the descriptor that was found inside the container's root, so no path can lead elsewhere
 * (CVE-2024-21626).
 */
export function enterWorkingFolderSteps(path: string): Step[] {
  return [{ call: 'fchdir', args: [{ result: targetName(path) }], what: describe(path) }];
}

function describe(path: string): string {
  return `use the working folder "${printable(path)}"`;
}
