import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Compiles the probe into a layer, as /probe: static, as the image has no libraries. */
export function buildProbe(tree: string): void {
  execFileSync('cc', ['-static', '-O1', '-o', join(tree, 'probe'), sourceOf('probe.c')]);
}

/** A dynamic program, /dynamic, with the libraries that it needs, and /etc/ld.so.preload that has it load one of the image's. */
export function buildPreload(tree: string): void {
  const program = join(tree, 'dynamic');
  execFileSync('cc', ['-o', program, sourceOf('probe.c')]);
  for (const [path] of execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/(?<=\s)\/\S+/g)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    copyFileSync(path, join(tree, path));
  }
  execFileSync('cc', ['-shared', '-fPIC', '-o', join(tree, 'preload.so'), sourceOf('preload.c')]);
  mkdirSync(join(tree, 'etc'), { recursive: true });
  writeFileSync(join(tree, 'etc/ld.so.preload'), '/preload.so\n');
  writeFileSync(join(tree, 'marker'), '', { mode: 0o666 });
}

function sourceOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
