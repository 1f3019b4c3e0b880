import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** The absolute path of a program on the PATH; undefined where there is none. */
export function findProgram(name) {
  for (const folder of [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

/** What a program says of its version, in a few words; undefined where one of the programs is missing. */
export function versionOf(...names) {
  const versions = names.map((name) => {
    if (findProgram(name) === undefined) return undefined;
    const [line = ''] = execFileSync(name, ['--version'], { encoding: 'utf8' }).split('\n');
    return `${name} ${/\d+[\w.~+-]*/.exec(line)?.[0] ?? ''}`.trim();
  });
  return versions.includes(undefined) ? undefined : versions.join(', ');
}
