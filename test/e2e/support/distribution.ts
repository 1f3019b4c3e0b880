import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from './free-port.ts';

/** A running Distribution (Debian's docker-registry). */
export interface Distribution {
  /** host:port on loopback. */
  host: string;
  /** By SIGKILL; a second time is none. */
  stop(): Promise<void>;
}

export interface DistributionOptions {
  /** Folder of its blobs. */
  storage: string;
  /** Contents of an htpasswd file (bcrypt); without it everybody may read and write. */
  htpasswd?: string | undefined;
  /** Paths of PEM files; without them it speaks plain HTTP. */
  tls?: { certificate: string; key: string; clientcas?: string[] } | undefined;
  /** host:port of the registry that it is a pull-through cache for. */
  cacheOf?: string | undefined;
}

const TRIES = 5; // another program may take the free port between the look and the start

export async function startDistribution(options: DistributionOptions): Promise<Distribution> {
  const folder = await mkdtemp(join(tmpdir(), 'mydocker-distribution-'));
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(folder, options);
    } catch (error) {
      if (attempt < TRIES) continue;
      await rm(folder, { recursive: true });
      throw error;
    }
  }
}

async function start(folder: string, options: DistributionOptions): Promise<Distribution> {
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(folder, 'config.json'); // JSON is YAML
  if (options.htpasswd !== undefined) await writeFile(join(folder, 'htpasswd'), options.htpasswd);
  await writeFile(config, JSON.stringify(configuration(host, folder, options)));

  const server = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  const closed = once(server, 'close');
  let log = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-4000)));
  while (!(await listens(host))) {
    if (server.exitCode !== null) throw new Error(`docker-registry on ${host} ended with ${server.exitCode}: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    host,
    async stop() {
      server.kill('SIGKILL');
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration(host: string, folder: string, options: DistributionOptions): object {
  const { storage, htpasswd, tls, cacheOf } = options;
  return {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr: host, ...(tls === undefined ? {} : { tls }) },
    ...(cacheOf === undefined ? {} : { proxy: { remoteurl: `http://${cacheOf}` } }),
    ...(htpasswd === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: join(folder, 'htpasswd') } } }),
  };
}

async function listens(host: string): Promise<boolean> {
  const { hostname, port } = new URL(`tcp://${host}`);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
