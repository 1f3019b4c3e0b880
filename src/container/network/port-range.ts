import type { ExposedPort, PortRange } from './published-port.ts';

/** Reads `80` or `80-90`; undefined if it is not one: ports are 1 to 65535. */
export function parsePortRange(text: string): PortRange | undefined {
  const [, from, to] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  if (from === undefined) return undefined;
  const [first, last] = [Number(from), Number(to ?? from)];
  return first >= 1 && first <= last && last <= 65_535 ? { first, last } : undefined;
}

/** Reads an image's EXPOSE, `80` or `80/udp`, ports in order; what is none is left out. */
export function exposedPorts(texts: readonly string[]): ExposedPort[] {
  const seen = new Map<string, ExposedPort>();
  for (const text of texts) {
    const [, ports = '', protocol = 'tcp'] = /^([\d-]+)(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
    const range = parsePortRange(ports);
    if (range === undefined || (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp')) continue;
    for (let port = range.first; port <= range.last; port += 1) {
      seen.set(`${port}/${protocol}`, { protocol, containerPort: port });
    }
  }
  return [...seen.values()].sort((a, b) => a.containerPort - b.containerPort || (a.protocol < b.protocol ? -1 : 1));
}
