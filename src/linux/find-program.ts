import { accessSync, constants } from 'node:fs';

// Never by PATH: some of these run with privileges, and this engine may run with another user's environment. The first is NixOS.
const FOLDERS = [
  '/run/wrappers/bin',
  '/usr/bin',
  '/bin',
  '/usr/local/bin',
  '/usr/sbin',
  '/sbin',
  '/run/current-system/sw/bin',
];

/** Absolute path of a program of the system, undefined when this user has none of that name to execute. */
export function findProgram(name: string): string | undefined {
  return FOLDERS.map((folder) => `${folder}/${name}`).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
