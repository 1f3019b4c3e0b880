import { printable } from '../printable.ts';

const MAX_PORT = 65_535;
const MAX_QUOTED = 40; // characters in a message

/** What keeps `registry` from being `host[:port]`, as the end of a sentence; undefined when it is one. */
export function hostProblem(registry: string): string | undefined {
  const { host = registry, port } = /^(?<host>\[.*\]|[^[:]*)(?::(?<port>.*))?$/.exec(registry)?.groups ?? {};
  if (port?.includes(':') === true) {
    return `registry "${printable(registry, MAX_QUOTED)}" has more than one ":", an IPv6 address stands in brackets`;
  }
  return hostNameProblem(host) ?? (port === undefined ? undefined : portProblem(port));
}

function hostNameProblem(host: string): string | undefined {
  const wrong = (problem: string): string => `registry host "${printable(host, MAX_QUOTED)}" ${problem}`;
  const url = URL.canParse(`https://${host}`) ? new URL(`https://${host}`) : undefined;
  if (host.startsWith('[')) {
    // Dotted and zoned forms are outside distribution's grammar.
    return /^\[[0-9a-fA-F:]+\]$/.test(host) && url !== undefined ? undefined : wrong('is not an IPv6 address');
  }
  const isName = host.split('.').every((label) => /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/.test(label));
  if (!isName) return wrong('is not a host name');
  // In a URL `127.1`, `0x7f.1` and `2130706433` all mean 127.0.0.1, to which other rules apply than to a public registry.
  return url?.hostname === host.toLowerCase() ? undefined : wrong('is not a host name or address as a URL has it');
}

function portProblem(port: string): string | undefined {
  const isPort = /^[0-9]{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= MAX_PORT;
  return isPort ? undefined : `registry port "${printable(port, MAX_QUOTED)}" is not a number from 1 to ${MAX_PORT}`;
}
