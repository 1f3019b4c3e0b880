import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { openCliHome, type CliHome } from './support/cli-home.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

const CONSUMER = `
import { diskUsage, images, isToolError, prune, pull, remove, run } from 'mydocker';
import type { DiskUsage, PruneReport, PullEvent, PulledImage, RunResult } from 'mydocker';

const [home = '', name = ''] = process.argv.slice(2);
const kinds = new Set<PullEvent['kind']>();
const pulled: PulledImage = await pull(name, { home, onProgress: (event) => kinds.add(event.kind) });

let output = '';
const ran: RunResult = await run(name, ['/bin/sh', '-c', 'echo hey; exit 5'], {
  home,
  rm: true,
  pull: 'never',
  stdio: ['ignore', 'pipe', 'inherit'],
  onLaunched: (child) => child.stdout?.on('data', (chunk) => (output += String(chunk))),
});

const aborted: unknown = await pull(name, { home, signal: AbortSignal.abort() }).catch((error: unknown) => error);
const listed = await images({ home });
const usage: DiskUsage = await diskUsage({ home });
const told: PruneReport = await prune({ home, all: true, dryRun: true });
await remove(name, { home });
console.log(JSON.stringify({
  kinds: [...kinds],
  digest: pulled.digest,
  exitCode: ran.exitCode,
  output,
  abortedBySignal: isToolError(aborted, 'ERR_ABORTED') || (aborted instanceof Error && aborted.name === 'AbortError'),
  listed: listed.length,
  reclaimable: usage.images.reclaimableBytes > 0 && usage.images.reclaimableBytes === told.reclaimedBytes,
  left: (await images({ home })).length,
}));
`;

describe('the library', requires(...TEST_BED_NEEDS), () => {
  let home: CliHome;
  let installed: string;

  beforeEach(() => {
    home = openCliHome();
    installed = join(dirname(testBed().cli), '../../../..'); // the folder with node_modules/mydocker
    writeFileSync(join(installed, 'consumer.mts'), CONSUMER);
  });

  afterEach(() => home.remove());

  it('pulls, runs, lists, measures and removes', async () => {
    await stripTypes(installed);
    const args = [join(installed, 'consumer.mjs'), home.store, `${testBed().registry}/library/busybox`];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(JSON.parse(stdout)).toEqual({
      kinds: expect.arrayContaining(['resolving', 'layers', 'layer', 'done']) as string[],
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
      exitCode: 5,
      output: 'hey\n',
      abortedBySignal: true,
      listed: 1,
      reclaimable: true,
      left: 0,
    });
  });

  it('has types that a strict program compiles against', async () => {
    await expect(compile(installed, '--noEmit')).resolves.toBe('');
  });
});

async function stripTypes(folder: string): Promise<void> {
  await compile(folder, '--noCheck');
}

/** Runs tsc on the consumer as its own project would, and answers with what it says. */
async function compile(folder: string, ...options: string[]): Promise<string> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
  const target = ['--strict', '--exactOptionalPropertyTypes', '--target', 'es2023', '--module', 'nodenext'];
  const args = [join(root, 'node_modules/typescript/bin/tsc'), ...target, ...types, ...options, 'consumer.mts'];
  return promisify(execFile)(process.execPath, args, { cwd: folder }).then(
    ({ stdout }) => stdout,
    (error: unknown) => {
      throw new Error((error as { stdout: string }).stdout);
    },
  );
}
