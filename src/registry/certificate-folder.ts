import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { HostCertificates } from './host-entry.ts';
import { NO_CERTIFICATES } from './host-entry.ts';

/** The certificates of `host` in the first folder that has some: `/etc/docker/certs.d/localhost:5000/`. */
export async function readCertificateFolders(folders: readonly string[], host: string): Promise<HostCertificates> {
  for (const folder of folders) {
    const found = await readCertificateFolder(join(folder, host.toLowerCase()));
    if (found.ca.length > 0 || found.client.length > 0) return found;
  }
  return NO_CERTIFICATES;
}

/**
 * The certificates in a folder as docker lays it out: `*.crt` are authorities, `NAME.cert` and `NAME.key` what we show of
 * ourselves. None if there is no such folder, or none that we may read. Throws ERR_HOST for half a pair.
 * https://docs.docker.com/engine/security/certificates/
 */
export async function readCertificateFolder(folder: string): Promise<HostCertificates> {
  const names = await readdir(folder).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return undefined; // EACCES: root's alone
    throw new ToolError('ERR_HOST', `Cannot read "${printable(folder)}": ${printable(code)}`, { cause: error });
  });
  if (names === undefined) return NO_CERTIFICATES;
  const withEnding = (ending: string): string[] => names.filter((name) => name.endsWith(ending)).sort();
  const partner = (name: string, ending: string, wanted: string): string => {
    const other = `${name.slice(0, -ending.length)}${wanted}`;
    if (names.includes(other)) return join(folder, other);
    throw new ToolError(
      'ERR_HOST',
      `Cannot use "${printable(join(folder, name))}": there is no "${printable(other)}"`,
      {
        hint: 'Certificates of authorities end in .crt.',
      },
    );
  };
  for (const name of withEnding('.key')) partner(name, '.key', '.cert');
  return {
    ca: withEnding('.crt').map((name) => join(folder, name)),
    client: withEnding('.cert').map((name) => ({
      certificate: join(folder, name),
      key: partner(name, '.cert', '.key'),
    })),
  };
}
