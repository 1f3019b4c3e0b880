import { ToolError } from '../../errors.ts';
import type { ContainerOptions } from '../container-options.ts';
import type { RunOptions } from '../run-options.ts';
import { networkMode, parseNetworkName } from './network-name.ts';
import { parseDns } from './parse-dns.ts';
import { parseHostName } from './parse-host-name.ts';
import { parsePublish } from './parse-publish.ts';

/**
 * Reads what a caller says about the network. Who publishes ports wants a network of the container's own.
 * @throws {ToolError} ERR_USAGE, ERR_UNSUPPORTED
 */
export function readNetworkOptions(
  options: RunOptions,
): Pick<ContainerOptions, 'network' | 'publish' | 'publishAll' | 'dns' | 'hostNames'> {
  const publish = options.publish?.flatMap(parsePublish) ?? [];
  const publishAll = options.publishAll ?? false;
  const publishes = publish.length > 0 || publishAll;
  const network = parseNetworkName(options.network) ?? (publishes ? 'private' : 'host');
  if (publishes && networkMode(network) !== 'private') {
    throw new ToolError('ERR_USAGE', `conflicting options: port publishing and the ${network} type network mode`);
  }
  return {
    network,
    publish,
    publishAll,
    dns: parseDns({
      servers: options.dns ?? [],
      search: options.dnsSearch ?? [],
      options: options.dnsOption ?? [],
    }),
    hostNames: options.addHost?.map(parseHostName),
  };
}
