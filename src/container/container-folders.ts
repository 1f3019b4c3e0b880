import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { isWithin, normalPath } from './container-path.ts';

const MAX_PATH = 4095; // PATH_MAX without the NUL
const MAX_VOLUMES = 16_384; // characters of all paths together: thousands of folders are an attack on the set-up

/**
 * Where the command starts: `--workdir`, or WORKDIR of the image, or `/`.
 * @throws {ToolError} ERR_USAGE for a flag that is not absolute, ERR_CONTAINER for what no container may start in
 */
export function workingFolder(image: string, flag: string | undefined): string {
  if (flag !== undefined && !flag.startsWith('/')) {
    throw new ToolError(
      'ERR_USAGE',
      `Cannot use working folder "${printable(flag)}": the working directory is invalid, it needs to be an absolute path`,
    );
  }
  const wanted = flag ?? image;
  if (wanted.length > MAX_PATH || wanted.includes('\0')) throw unusable(wanted, 'it is no possible path');
  const path = normalPath(wanted);
  // Not folders to work in, but places where a name may stand for something of the set-up (CVE-2024-21626).
  if (isWithin(path, '/proc') || isWithin(path, '/sys')) throw unusable(wanted, 'it is inside /proc or /sys');
  return path;
}

/**
 * Folders that the image's VOLUME asks for, without those that a mount of the user's provides or contains.
 * @throws {ToolError} ERR_LIMIT
 */
export function imageVolumes(volumes: readonly string[], mountTargets: readonly string[]): string[] {
  if (volumes.reduce((sum, volume) => sum + volume.length, 0) > MAX_VOLUMES) {
    throw new ToolError(
      'ERR_LIMIT',
      `Cannot prepare the volumes of the image: their paths have more than ${MAX_VOLUMES} characters in all`,
    );
  }
  const paths = new Set(volumes.map(normalPath));
  const covers = ['/proc', '/sys', '/dev', ...mountTargets];
  return [...paths].filter((path) => path !== '/' && !covers.some((folder) => isWithin(path, folder)));
}

function unusable(path: string, reason: string): ToolError {
  return new ToolError('ERR_CONTAINER', `Cannot use working folder "${printable(path)}": ${reason}`);
}
