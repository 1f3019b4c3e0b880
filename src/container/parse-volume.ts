import { posix } from 'node:path';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { mountTarget } from './mount-target.ts';

/** One `--volume`. Without a source it is part of the container's own copy, as a VOLUME of the image is. */
export interface VolumeRequest {
  /** Absolute path on the host. */
  source?: string | undefined;
  /** Absolute and normal path in the container. */
  target: string;
  readOnly: boolean;
  /** Whether a source that is missing is an error, and not made. */
  mustExist?: boolean | undefined;
}

/**
 * Reads `[HOST-PATH:]CONTAINER-PATH[:OPTIONS]` by docker's rules.
 * @param currentFolder what a host path that starts with a dot is relative to; absolute
 * @throws {ToolError} ERR_USAGE; ERR_UNSUPPORTED for a volume that has a name instead of a path
 */
export function parseVolume(text: string, currentFolder: string): VolumeRequest {
  const parts = text.split(':');
  if (parts.includes('')) throw malformed(text, 'empty section between colons');
  if (parts.length > 3) throw malformed(text, 'it has more than three parts');
  const [first = '', target, options = 'rw'] = parts;
  if (target === undefined) return { target: mountTarget(text, first), readOnly: false };
  return {
    source: sourceOf(text, first, currentFolder),
    target: mountTarget(text, target),
    readOnly: isReadOnly(text, options),
  };
}

function sourceOf(text: string, source: string, currentFolder: string): string {
  if (source.includes('\0')) throw malformed(text, 'its host path contains a NUL');
  if (source.startsWith('/')) return posix.normalize(source);
  if (source.startsWith('.')) return posix.resolve(currentFolder, source);
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(source)) {
    throw new ToolError(
      'ERR_UNSUPPORTED',
      `Cannot use volume "${printable(text)}": volumes with a name are not supported yet`,
      {
        hint: `For the folder "${source}" of the current folder write "./${source}".`,
      },
    );
  }
  throw malformed(text, 'the host path is neither absolute nor starts with a dot');
}

// These change nothing here: mounts are always private, nothing is copied, and there is no SELinux label to set.
const NO_OPERATION = new Set(['z', 'Z', 'private', 'rprivate', 'nocopy', 'consistent', 'cached', 'delegated']);

function isReadOnly(text: string, options: string): boolean {
  const modes = options.split(',').filter((option) => !NO_OPERATION.has(option));
  if (modes.length > 1 || modes.some((mode) => mode !== 'ro' && mode !== 'rw')) {
    throw malformed(text, `invalid mode: ${printable(options)}, and ro or rw was wanted`);
  }
  return modes[0] === 'ro';
}

function malformed(text: string, reason: string): ToolError {
  return new ToolError('ERR_USAGE', `Cannot use volume "${printable(text)}": invalid volume specification: ${reason}`);
}
