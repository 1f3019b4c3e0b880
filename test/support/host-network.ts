import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { transformSync } from 'esbuild';

import type { Requirement } from './requirements.ts';

export const HOST_NETWORK_NEEDS: Requirement[] = ['root', 'veth', 'pasta', 'slirp4netns'];

/**
 * A machine with one neighbour, both in network namespaces of their own: what listens there is in reach of nobody else. Its
 * /dev/net/tun is open to everybody, as it is where a distribution has set it up, and its /etc/resolv.conf names `NAME_SERVER`.
 */
export interface HostNetwork {
  /** Program and arguments that start something on the machine, for root to execute. */
  host: (user?: string) => string[];
  /** The same for the neighbour. */
  neighbour: string[];
  /** Starts network-peer.ts, and waits until it serves. */
  serve: (where: readonly string[], ...words: string[]) => Promise<Peer>;
  /** Sends a message: the answer, or the name of the error. */
  ask: (where: readonly string[], ...words: string[]) => string;
  /** Gets a page over HTTP: its text, or the name of the error. */
  fetch: (where: readonly string[], url: string) => string;
  /** Ids of the processes on the machine that were started as this program, by its path. */
  processes: (program: string) => number[];
  remove: () => void;
}

export interface Peer {
  port: number;
  /** What it has heard until now. */
  heard: () => string[];
}

export const HOST_IPV4 = '198.51.100.1';
export const HOST_IPV6 = 'fd77::1';
export const NEIGHBOUR_IPV4 = '198.51.100.9';
export const NAME_SERVER = '127.0.0.77';

/** Words that have Node execute network-peer.ts. */
function peerWords(): string[] {
  const source = readFileSync(fileURLToPath(new URL('network-peer.ts', import.meta.url)), 'utf8');
  return ['--input-type=module', '-e', transformSync(source, { loader: 'ts' }).code, '--'];
}

const SET_UP = `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mknod /mnt/tun c 10 200
chmod 666 /mnt/tun
mount --bind /mnt/tun /dev/net/tun
echo nameserver ${NAME_SERVER} >/mnt/resolv.conf
mount --bind /mnt/resolv.conf /etc/resolv.conf
ip link set lo up
unshare -n sleep infinity &
neighbour=$!
trap 'kill $neighbour' EXIT
until [ "$(readlink /proc/$neighbour/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do :; done
ip link add eth0 type veth peer name eth0 netns $neighbour
ip addr add ${HOST_IPV4}/24 dev eth0
ip addr add ${HOST_IPV6}/64 dev eth0 nodad
ip link set eth0 up
nsenter -t $neighbour -n sh -ec 'ip link set lo up
  ip addr add ${NEIGHBOUR_IPV4}/24 dev eth0; ip addr add fd77::9/64 dev eth0 nodad; ip link set eth0 up'
ip route add default via ${NEIGHBOUR_IPV4}
ip -6 route add default via fd77::9
echo "ready $neighbour"
read _
`;

export async function openHostNetwork(): Promise<HostNetwork> {
  const machine = spawn('unshare', ['-mn', 'sh', '-c', SET_UP], { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = await firstLine(machine);
  const [pid, neighbourPid] = [`${machine.pid}`, said.split(' ')[1] ?? ''];
  const peers: ChildProcess[] = [];
  const peer = peerWords();
  const neighbour = ['nsenter', '-t', neighbourPid, '-n'];
  const host = (user?: string): string[] => [
    'nsenter',
    '-t',
    pid,
    '-m',
    '-n',
    ...(user === undefined ? [] : ['setpriv', '--reuid', user, '--regid', user, '--init-groups']),
  ];
  return {
    host,
    neighbour,
    serve: async ([program = '', ...args], ...words) => {
      const child = spawn(program, [...args, process.execPath, ...peer, ...words], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      peers.push(child);
      const port = Number((await firstLine(child)).split(' ')[1]);
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
      return { port, heard: () => text.split('\n').filter((line) => line !== '') };
    },
    ask: ([program = '', ...args], ...words) => ask(program, [...args, process.execPath, ...peer, 'ask', ...words]),
    fetch: ([program = '', ...args], url) => ask(program, [...args, process.execPath, ...peer, 'fetch', url]),
    processes: (program) => {
      const namespace = readlinkSync(`/proc/${pid}/ns/net`);
      const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
      return all.filter((process) => isIn(process, namespace, program)).map(Number);
    },
    remove: () => {
      for (const child of peers) child.kill('SIGKILL');
      machine.stdin.end();
    },
  };
}

function ask(program: string, args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', timeout: 10_000 }).trim();
  } catch (error) {
    return String((error as { stdout?: string }).stdout).trim();
  }
}

function isIn(pid: string, namespace: string, program: string): boolean {
  try {
    const [name] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return name === program && readlinkSync(`/proc/${pid}/ns/net`) === namespace;
  } catch {
    return false; // it has ended
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  const stream = child.stdout as Readable;
  const [chunk] = (await Promise.race([
    once(stream, 'data'),
    once(child, 'exit').then(() => {
      throw new Error('Cannot set up the network: see above');
    }),
  ])) as [Buffer];
  return chunk.toString().trim();
}
