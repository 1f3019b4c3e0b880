import { fstatSync } from 'node:fs';

/** Whether this process has the descriptor. */
export function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}
