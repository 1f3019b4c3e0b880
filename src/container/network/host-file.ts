import { readFileSync } from 'node:fs';
import { hasErrno } from '../../fs/disk-error.ts';

/** Text of a file of the host's /etc; undefined if there is none, or none for us. */
export function hostFile(name: string): string | undefined {
  try {
    return readFileSync(`/etc/${name}`, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EACCES')) return undefined;
    throw error;
  }
}
