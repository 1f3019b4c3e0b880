import { isIP } from 'node:net';
import { ToolError } from '../../errors.ts';
import { printable } from '../../printable.ts';

/** A line for /etc/hosts. */
export interface HostName {
  name: string;
  /** HOST_GATEWAY stands for the host's own. */
  address: string;
}

export const HOST_GATEWAY = 'host-gateway';

/**
 * Reads one `--add-host`: `NAME:ADDRESS` or `NAME=ADDRESS`, an IPv6 address with or without brackets.
 * @throws {ToolError} ERR_USAGE
 */
export function parseHostName(text: string): HostName {
  const [, name, value] = /^([^:=]*)[:=](.*)$/s.exec(text) ?? [];
  // Into a file of lines and fields: nothing that ends either, nor starts a comment.
  if (name === undefined || value === undefined || !/^[\w.-]{1,255}$/.test(name)) {
    throw new ToolError('ERR_USAGE', `bad format for add-host: "${printable(text)}"`, {
      hint: 'The form is NAME:ADDRESS, as in db:192.0.2.7 or host.docker.internal:host-gateway.',
    });
  }
  const address = /^\[(.*)\]$/.exec(value)?.[1] ?? value;
  if (address !== HOST_GATEWAY && (isIP(address) === 0 || address.includes('%'))) {
    throw new ToolError('ERR_USAGE', `invalid IP address in add-host: "${printable(value)}"`);
  }
  return { name, address };
}
