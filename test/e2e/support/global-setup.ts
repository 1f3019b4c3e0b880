import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { TestProject } from 'vitest/node';

import { explainMissing } from '../../support/requirements.ts';
import { buildImages } from './build-images.ts';
import { startDistribution } from './distribution.ts';
import { installPackage } from './install-package.ts';
import { TEST_BED_NEEDS } from './test-bed.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Builds and installs the CLI, builds the images where this machine has none yet, and serves them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (TEST_BED_NEEDS.some((requirement) => explainMissing(requirement) !== undefined)) {
    project.provide('testBed', undefined); // each test file says what is missing
    return async () => undefined;
  }
  buildIfStale();
  const { storage, layout, archive } = await buildImages(cacheFolder());
  const installed = mkdtempSync(join(tmpdir(), 'mydocker-installed-'));
  const registry = await startDistribution({ storage });
  project.provide('testBed', {
    cli: installPackage(ROOT, installed),
    registry: registry.host,
    storage,
    layout,
    archive,
  });
  return async () => {
    await registry.stop();
    rmSync(installed, { recursive: true });
  };
}

function cacheFolder(): string {
  const ownCache = process.getuid?.() === 0 ? '/var/cache' : join(homedir(), '.cache');
  return join(process.env['XDG_CACHE_HOME'] ?? ownCache, 'mydocker-test');
}

function buildIfStale(): void {
  const built = statSync(join(ROOT, 'dist/bin/mydocker.cjs'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = [join(ROOT, 'package.json'), join(ROOT, 'scripts/build.mjs'), ...filesBelow(join(ROOT, 'src'))];
  if (sources.every((source) => statSync(source).mtimeMs <= built)) return;
  const { status } = spawnSync(process.execPath, [join(ROOT, 'scripts/build.mjs')], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) throw new Error('Cannot test the CLI: the build failed');
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
}
