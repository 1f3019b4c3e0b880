import { posix } from 'node:path';

/** An absolute path without `.`, `..`, double slashes and a slash at the end: nothing in it leads above `/`. */
export function normalPath(path: string): string {
  const normal = posix.normalize(`/${path}`);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** Whether `path` is `folder` or lies in it, by name; both are normal. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(posix.join(folder, '/'));
}
