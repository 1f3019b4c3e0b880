import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostFile } from './network/host-file.ts';
import { containerHosts } from './network/hosts-file.ts';
import type { HostName } from './network/parse-host-name.ts';
import type { PreparedNetwork } from './network/prepared-network.ts';

export interface EtcSources {
  hostname: string;
  network: Pick<PreparedNetwork, 'mode' | 'addresses' | 'gateways' | 'resolvConf'>;
  /** `--add-host` */
  hostNames?: readonly HostName[] | undefined;
}

/**
 * Writes the files that are bound over the image's: who the container is, and how it finds others, which with the host's
 * network is as the host does.
 * @throws {ToolError} ERR_USAGE
 */
export function writeEtcFiles(folder: string, { hostname, network, hostNames = [] }: EtcSources): void {
  const files = {
    hostname: `${hostname}\n`,
    hosts: containerHosts({
      host: network.mode === 'host' ? hostFile('hosts') : undefined,
      hostname,
      addresses: network.addresses,
      gateways: network.gateways,
      added: hostNames,
      namesHost: network.mode === 'private',
    }),
    'resolv.conf': network.resolvConf,
  };
  mkdirSync(join(folder, 'etc'), { mode: 0o700 });
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, 'etc', name);
    writeFileSync(path, content, { flag: 'wx' });
    chmodSync(path, 0o644); // whatever the caller's umask is: every user of the container reads these
  }
}
