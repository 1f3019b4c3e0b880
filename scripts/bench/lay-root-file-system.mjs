import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const BUSYBOX = '/bin/busybox'; // static: package busybox-static

/** Makes the root file system of the image of busyboxLayer in a folder. */
export function layRootFileSystem(folder) {
  for (const name of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp']) mkdirSync(join(folder, name), { recursive: true });
  copyFileSync(BUSYBOX, join(folder, 'bin/busybox'));
  for (const name of BUSYBOX_TOOLS) symlinkSync('busybox', join(folder, 'bin', name));
}

export const BUSYBOX_TOOLS = ['sh', 'true', 'ls'];
