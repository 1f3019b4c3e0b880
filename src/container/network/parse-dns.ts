import { isIP } from 'node:net';
import { ToolError } from '../../errors.ts';
import { printable } from '../../printable.ts';

/** What takes the place of the host's settings; what is not given stays as it is. */
export interface DnsOptions {
  servers: readonly string[];
  /** `.` alone: none. */
  search: readonly string[];
  options: readonly string[];
}

export const NO_DNS_OPTIONS: DnsOptions = { servers: [], search: [], options: [] };

/**
 * Reads `--dns`, `--dns-search` and `--dns-option`.
 * @throws {ToolError} ERR_USAGE
 */
export function parseDns({ servers, search, options }: DnsOptions): DnsOptions {
  for (const server of servers) {
    if (isIP(server) === 0 || server.includes('%')) throw refuse(`invalid IP address: ${printable(server)}`);
  }
  for (const domain of search) {
    if (!/^(?:\.|[\w-]+(?:\.[\w-]+)*\.?)$/.test(domain)) throw refuse(`${printable(domain)} is not a valid domain`);
  }
  for (const option of options) {
    if (!/^[\w.:-]+$/.test(option)) throw refuse(`${printable(option)} is not an option of resolv.conf`);
  }
  return { servers, search, options };
}

function refuse(reason: string): ToolError {
  return new ToolError('ERR_USAGE', `Cannot set the name servers: ${reason}`);
}
