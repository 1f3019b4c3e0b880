import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { isWithin, normalPath } from './container-path.ts';

/**
 * Checks the place in the container where something is to be mounted, and answers with its normal form: `..` and a slash at the
 * end are gone, and with them every way out of the container.
 * @param text the whole flag, for the error
 * @throws {ToolError} ERR_USAGE if it is not absolute, or is `/`, /dev or inside /proc
 */
export function mountTarget(text: string, target: string): string {
  if (!target.startsWith('/')) throw unusable(text, `mount path must be absolute, not "${printable(target)}"`);
  if (target.includes('\0')) throw unusable(text, 'mount path contains a NUL');
  const path = normalPath(target);
  if (path === '/') throw unusable(text, "destination can't be '/'");
  if (path === '/dev') throw unusable(text, `"/dev" is the container's own; a place inside it was wanted`);
  if (isWithin(path, '/proc')) throw unusable(text, `"${printable(path)}" is inside /proc, which is the kernel's`);
  return path;
}

function unusable(text: string, reason: string): ToolError {
  return new ToolError('ERR_USAGE', `Cannot mount "${printable(text)}": invalid mount config: ${reason}`);
}
