// Where everything happens: one tmpfs for every store and the registry, which listens on loopback.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Hands a workspace to `work`, and unmounts, ends and removes it all afterwards. Needs root. */
export async function withWorkspace({ size }, work) {
  const folder = mkdtempSync('/tmp/mydocker-bench-');
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'mydocker-bench', folder]);
  const closers = [];
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one();
    execFileSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true });
  };
  const interrupted = () => void close().finally(() => process.exit(1));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, interrupted);
  try {
    const workspace = {
      folder,
      /** An empty folder. */
      makeFolder: (name) => {
        const path = join(folder, name);
        rmSync(path, { recursive: true, force: true });
        mkdirSync(path, { recursive: true });
        return path;
      },
      /** Runs at the end, the last first. */
      onClose: (one) => closers.push(one),
    };
    return await work({ ...workspace, registry: await startRegistry(workspace) });
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, interrupted);
    await close();
  }
}

/** Starts a program that stays until the workspace is closed; `isReady` is asked until it says so. */
export async function startDaemon(workspace, argv, isReady) {
  const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (log = (log + text).slice(-3000)));
  const closed = new Promise((resolve) => child.once('close', resolve));
  workspace.onClose(async () => {
    child.kill('SIGTERM');
    await closed;
  });
  const deadline = Date.now() + READY_MS;
  while (!(await isReady())) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${argv[0]} is not ready: ${log}`);
    await pause(50);
  }
  return child.pid;
}

const READY_MS = 30_000;

/** Answers with host:port of a Distribution with an empty store. */
async function startRegistry(workspace) {
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(workspace.folder, 'registry.json'); // JSON is YAML
  writeFileSync(
    config,
    JSON.stringify({
      version: 0.1,
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: workspace.makeFolder('registry') } },
      http: { addr: host },
    }),
  );
  const answers = async () => fetch(`http://${host}/v2/`).then(({ ok }) => ok, () => false); // prettier-ignore
  await startDaemon(workspace, ['docker-registry', 'serve', config], answers);
  return host;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
