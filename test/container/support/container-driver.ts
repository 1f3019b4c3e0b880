import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import type { TerminalStreams } from '../../../src/container/connect-terminal.ts';
import { parseTmpfs } from '../../../src/container/parse-tmpfs.ts';
import { parseUlimit } from '../../../src/container/parse-ulimit.ts';
import { parseVolume } from '../../../src/container/parse-volume.ts';
import { runContainer } from '../../../src/container/run-container.ts';
import { isToolError } from '../../../src/errors.ts';
import { readHostFacts } from '../../../src/linux/host-facts.ts';
import { keepIds } from '../../../src/linux/keep-ids.ts';
import type { KeptIds } from '../../../src/linux/keep-ids.ts';
import type { Ownership } from '../../../src/linux/ownership.ts';
import { copyDriver } from '../../../src/snapshot/copy.ts';
import type { SnapshotDriver } from '../../../src/snapshot/mount.ts';
import { overlayDriver } from '../../../src/snapshot/overlay.ts';
import type { DriverRequest, DriverReport } from './box.ts';

// A process that runs one container, as the CLI is: it can be another user's, get signals, and be killed. box.ts bundles it.

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1'] as const;
const REPORTS = 3; // descriptor: a line of JSON for each DriverReport

const request = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as DriverRequest;

function report(value: DriverReport): void {
  writeSync(REPORTS, `${JSON.stringify(value)}\n`);
}

function driverFor(ownership: Ownership, kept: KeptIds | undefined): SnapshotDriver {
  const whiteouts = ownership.kind === 'root' ? 'trusted' : 'user';
  const runnerFolder = request.paths.runner;
  if (kept?.needsCopy === true) return copyDriver({ whiteouts, ownership, runnerFolder, owners: kept.owners });
  if (request.driver === 'overlay') return overlayDriver(whiteouts);
  return {
    name: 'copy',
    // oxlint-disable-next-line typescript/require-await -- the interface waits
    async prepare({ folder, layers }) {
      mkdirSync(join(folder, 'rootfs'));
      for (const layer of layers) {
        // A link of a lower layer is replaced, not followed.
        execFileSync('cp', ['-a', '--remove-destination', `${layer}/fs/.`, join(folder, 'rootfs')]);
      }
      return { type: 'bind', source: 'rootfs' };
    },
  };
}

const TERMINAL: TerminalStreams = {
  input: process.stdin,
  output: process.stdout,
  size: () => ({ columns: 80, rows: 24 }),
};

async function drive(): Promise<void> {
  const host = readHostFacts();
  const { userns } = request.options;
  const kept = userns?.kind === 'keep-id' ? keepIds(host, userns) : undefined;
  const { volumes = [], tmpfs = [], ulimits = [], terminal, ...options } = request.options;
  const { containerId, exitCode, isOutOfMemory } = await runContainer({
    paths: request.paths,
    host,
    image: request.image,
    driver: driverFor(host.ownership, kept),
    kept,
    options: {
      ...options,
      volumes: volumes.map((text) => parseVolume(text, process.cwd())),
      tmpfs: tmpfs.map(parseTmpfs),
      ulimits: ulimits.map(parseUlimit),
      ...(terminal === true ? { terminal: TERMINAL } : {}),
    },
    stdio: ['inherit', 'inherit', 'inherit'],
    onStarted: ({ id, name }) => report({ started: { id, name } }),
    signals: (listener) => {
      for (const signal of SIGNALS) process.on(signal, listener);
      return () => {
        for (const signal of SIGNALS) process.off(signal, listener);
      };
    },
  });
  report({ ended: { id: containerId, exitCode, isOutOfMemory } });
}

drive().catch((error: unknown) => {
  if (!isToolError(error)) throw error;
  report({ failed: { code: error.code, message: error.message, hint: error.hint } });
});
