import fs from 'node:fs';
import { parseMounts } from '../linux/mount-info.ts';

/** Where something is mounted at `folder` or below it, as this process sees it. `folder` has no symlink in it. */
export function mountsInside(folder: string): string[] {
  const inside = `${folder}/`;
  // One character per byte: not every name is text.
  return parseMounts(fs.readFileSync('/proc/self/mountinfo', 'latin1'))
    .map(({ point }) => Buffer.from(point, 'latin1').toString())
    .filter((point) => point === folder || point.startsWith(inside));
}
