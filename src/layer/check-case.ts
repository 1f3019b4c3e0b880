import { lstatSync, mkdirSync, rmdirSync } from 'node:fs';

import { Refusal } from './refusal.ts';

/**
 * Throws a `Refusal` (ERR_HOST) where names that differ in upper and lower case are one, which ext4 and others can be told folder by
 * folder: two files of a layer would become one there. The root of this process is the empty folder that is looked at.
 */
export function checkCase(): void {
  mkdirSync('/.case');
  const other = lstatSync('/.CASE', { throwIfNoEntry: false });
  rmdirSync('/.case');
  if (other === undefined) return;
  throw new Refusal('the file system of the store takes names that differ in case for one', {
    code: 'ERR_HOST',
    hint: 'Put the store on a file system that does not, with --home or MYDOCKER_HOME.',
  });
}
