import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '../fs/disk-error.ts';
import type { NetworkMode } from './steps/namespaces.ts';

/**
 * Writes the files that are bound over the image's: who the container is, and how it finds others, which with the host's
 * network is as the host does.
 */
export function writeEtcFiles(folder: string, options: { hostname: string; network: NetworkMode }): void {
  const { hostname, network } = options;
  const hosts = network === 'host' ? (readIfThere('/etc/hosts') ?? LOCAL_HOSTS) : LOCAL_HOSTS;
  const files = {
    hostname: `${hostname}\n`,
    // Its own name too: many programs look it up.
    hosts: `${hosts.replace(/\n*$/, '\n')}127.0.0.1\t${hostname}\n`,
    'resolv.conf': readIfThere('/etc/resolv.conf') ?? '',
  };
  mkdirSync(join(folder, 'etc'), { mode: 0o700 });
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, 'etc', name);
    writeFileSync(path, content, { flag: 'wx' });
    chmodSync(path, 0o644); // whatever the caller's umask is: every user of the container reads these
  }
}

const LOCAL_HOSTS = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EACCES')) return undefined;
    throw error;
  }
}
