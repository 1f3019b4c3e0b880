import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Puts the probe into a layer, as /probe: static, as the image has no libraries. probe/main.c says what it can do. */
export function buildProbe(tree: string): void {
  writeFileSync(join(tree, 'probe'), probeProgram(), { mode: 0o755 });
}

/** The probe as a file outside of an image, for what it shows of the host. */
export function writeProbe(path: string): void {
  writeFileSync(path, probeProgram(), { mode: 0o755 });
}

/** A dynamic program, /dynamic, with the libraries that it needs, and /etc/ld.so.preload that has it load one of the image's. */
export function buildPreload(tree: string): void {
  const program = join(tree, 'dynamic');
  execFileSync('cc', ['-o', program, ...SOURCES.map(sourceOf)]);
  for (const [path] of execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/(?<=\s)\/\S+/g)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    copyFileSync(path, join(tree, path));
  }
  execFileSync('cc', ['-shared', '-fPIC', '-o', join(tree, 'preload.so'), sourceOf('preload.c')]);
  mkdirSync(join(tree, 'etc'), { recursive: true });
  writeFileSync(join(tree, 'etc/ld.so.preload'), '/preload.so\n');
  writeFileSync(join(tree, 'marker'), '', { mode: 0o666 });
}

const SOURCES = ['main.c', 'calls.c', 'files.c', 'keys.c', 'mounts.c', 'network.c', 'processes.c'];

/** Compiled once for all images of a test file. */
function probeProgram(): Uint8Array {
  if (program !== undefined) return program;
  const folder = mkdtempSync(join(tmpdir(), 'mydocker-probe-'));
  try {
    const path = join(folder, 'probe');
    execFileSync('cc', ['-static', '-O1', '-Wall', '-Wextra', '-Werror', '-o', path, ...SOURCES.map(sourceOf)]);
    program = readFileSync(path);
    return program;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

let program: Uint8Array | undefined;

function sourceOf(name: string): string {
  return fileURLToPath(new URL(`probe/${name}`, import.meta.url));
}
