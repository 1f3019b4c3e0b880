import { ToolError } from '../../errors.ts';
import { throwIfAborted } from '../../fs/abort.ts';
import { hasErrno } from '../../fs/disk-error.ts';
import { bindPort } from './bind-port.ts';
import type { PortRequest, Protocol, PublishedPort } from './published-port.ts';

/**
 * Finds a port of the host for each request, and makes sure that it can be had: the programs that publish say nothing of some
 * that they cannot bind. What somebody else takes between this and their start they do report.
 * @param everywhere the addresses that stand for all of the host's
 * @throws {ToolError} ERR_CONFLICT for a port that is taken, ERR_HOST, ERR_USAGE, ERR_ABORTED
 */
export async function choosePorts(
  requests: readonly PortRequest[],
  everywhere: readonly string[],
  signal: AbortSignal | undefined,
): Promise<PublishedPort[]> {
  const chosen: PublishedPort[] = [];
  for (const request of withoutRepetitions(requests)) {
    throwIfAborted(signal, 'publish ports');
    const hostPort = await choosePort(request, { chosen, everywhere });
    const { protocol, address, containerPort } = request;
    chosen.push({ protocol, address, hostPort, containerPort });
  }
  return chosen;
}

interface Surroundings {
  chosen: readonly PublishedPort[];
  everywhere: readonly string[];
}

async function choosePort(request: PortRequest, surroundings: Surroundings): Promise<number> {
  const { hostPorts } = request;
  if (hostPorts === undefined) return anyPort(request, surroundings);
  let failure: unknown;
  for (let port = hostPorts.first; port <= hostPorts.last; port += 1) {
    try {
      return await takePort(request, port, surroundings);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

const ATTEMPTS = 20;

/** One that is free at the first address may be taken at the other. */
async function anyPort(request: PortRequest, surroundings: Surroundings): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const [first = ''] = addressesOf(request, surroundings);
    const port = await bindPort(request.protocol, first, 0).catch((error: unknown) => {
      throw explain(error, { ...request, address: first, port: 0 });
    });
    try {
      return await takePort(request, port, surroundings);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

async function takePort(request: PortRequest, port: number, surroundings: Surroundings): Promise<number> {
  for (const address of addressesOf(request, surroundings)) {
    const place = { protocol: request.protocol, containerPort: request.containerPort, address, port };
    if (surroundings.chosen.some((other) => isSamePort(other, place, surroundings))) throw taken(place);
    try {
      await bindPort(request.protocol, address, port);
    } catch (error) {
      throw explain(error, place);
    }
  }
  return port;
}

function addressesOf({ address }: Pick<PortRequest, 'address'>, { everywhere }: Surroundings): readonly string[] {
  return address === '' ? everywhere : [address];
}

interface Place {
  protocol: Protocol;
  containerPort: number;
  address: string;
  port: number;
}

/** Where one of both is for all addresses of a family, it is for the other's too. */
function isSamePort(other: PublishedPort, place: Place, surroundings: Surroundings): boolean {
  if (other.protocol !== place.protocol || other.hostPort !== place.port) return false;
  return addressesOf(other, surroundings).some((address) => {
    const isSameFamily = address.includes(':') === place.address.includes(':');
    return address === place.address || (isSameFamily && [address, place.address].some(isWildcard));
  });
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function taken(place: Place, cause?: unknown): ToolError {
  const { protocol, containerPort } = place;
  return new ToolError(
    'ERR_CONFLICT',
    `Cannot publish port ${containerPort}/${protocol}: Bind for ${joined(place)} failed: port is already allocated`,
    { cause, hint: 'Another program or container listens there: choose another port, or end that one.' },
  );
}

function explain(error: unknown, place: Place): Error {
  const { protocol, containerPort, address, port } = place;
  const text = `Cannot publish port ${containerPort}/${protocol}: listen ${protocol} ${joined(place)}: bind:`;
  if (hasErrno(error, 'EADDRINUSE')) return taken(place, error);
  if (hasErrno(error, 'EACCES')) {
    return new ToolError('ERR_HOST', `${text} permission denied`, {
      cause: error,
      hint: `Ordinary users get ports from 1024: choose one of those, or let them have it with "sysctl net.ipv4.ip_unprivileged_port_start=${port}".`,
    });
  }
  if (hasErrno(error, 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL')) {
    return new ToolError('ERR_USAGE', `${text} cannot assign requested address`, {
      cause: error,
      hint: `The host has no address ${address}.`,
    });
  }
  return error instanceof Error ? error : new Error(String(error));
}

function joined({ address, port }: Pick<Place, 'address' | 'port'>): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** As docker: to say the same twice is to say it once. */
function withoutRepetitions(requests: readonly PortRequest[]): PortRequest[] {
  const keyOf = ({ protocol, address, hostPorts, containerPort }: PortRequest): string =>
    JSON.stringify([protocol, address, hostPorts?.first, hostPorts?.last, containerPort]);
  const firsts = new Map(requests.toReversed().map((request) => [keyOf(request), request]));
  return requests.filter((request) => firsts.get(keyOf(request)) === request);
}
