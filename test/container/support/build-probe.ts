import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('probe.c', import.meta.url));

/** Compiles the probe into a layer, as /probe: static, as the image has no libraries. */
export function buildProbe(tree: string): void {
  execFileSync('cc', ['-static', '-O1', '-o', join(tree, 'probe'), SOURCE]);
}
