import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { readCertificateFolder } from './certificate-folder.ts';
import type { HostList, HostSource } from './host-entry.ts';
import { OWN_HOST } from './host-entry.ts';

const FILE = 'hosts.toml';

/** For registries that have no folder of their own. No registry has this name: a host name has no `_`. */
const DEFAULT = '_default';

/**
 * Looks for a registry's folder in folders laid out as containerd's `/etc/containerd/certs.d`. The first that has one
 * says everything: the others are not asked. In it lies a `hosts.toml`, or certificates as docker names them.
 * The file is read at each question. Throws ERR_HOST for one that cannot be read or used.
 */
export function hostsFromFolders(folders: readonly string[]): HostSource {
  return async (registry) => {
    for (const folder of folders) {
      for (const name of folderNames(registry)) {
        const path = join(folder, name);
        if (await isFolder(path)) return readHostFolder(path);
      }
    }
    return undefined;
  };
}

/** `host_5000_` is for those who do not want a colon in a path. */
export function folderNames(registry: string): string[] {
  const host = registry.toLowerCase();
  const withPort = /^(.+):(\d+)$/.exec(host);
  return [...(withPort === null ? [] : [`${withPort[1]}_${withPort[2]}_`]), host, DEFAULT];
}

async function readHostFolder(folder: string): Promise<HostList> {
  const file = join(folder, FILE);
  const text = await readIfThere(file);
  if (text === undefined || text.trim() === '') {
    return { source: folder, hosts: [{ ...OWN_HOST, certificates: await readCertificateFolder(folder) }] };
  }
  const { parseHostsFile } = await import('./hosts-file.ts');
  return { source: file, hosts: await parseHostsFile(text, file) };
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ENOENT') return undefined;
    throw new ToolError('ERR_HOST', `Cannot read "${printable(file)}": ${printable(code)}`, { cause: error });
  }
}
