import { hostFile } from './host-file.ts';
import { networkMode } from './network-name.ts';
import { NO_DNS_OPTIONS } from './parse-dns.ts';
import type { NetworkSources, PreparedNetwork } from './prepared-network.ts';
import { containerResolvConf } from './resolv-conf.ts';

/**
 * Finds what the network takes, and ports of the host for those that are published. Only a private network costs anything.
 * @throws {ToolError} ERR_HOST, ERR_CONFLICT, ERR_USAGE, ERR_UNSUPPORTED, ERR_ABORTED
 */
export async function prepareNetwork(sources: NetworkSources): Promise<PreparedNetwork> {
  const { dns = NO_DNS_OPTIONS, network } = sources.options;
  const mode = networkMode(network);
  const host = hostFile('resolv.conf') ?? '';
  if (mode === 'private') return (await import('./prepare-private-network.ts')).preparePrivateNetwork(sources, host);
  return {
    mode,
    addresses: ['127.0.0.1'],
    gateways: mode === 'host' ? ['127.0.0.1'] : [],
    resolvConf: containerResolvConf(host, dns, undefined).text,
    ports: [],
    connect: undefined,
  };
}
