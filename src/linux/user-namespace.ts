import { constants } from 'node:fs';

import { askNodeSteps } from './ask-node.ts';
import { callerInside } from './ownership.ts';
import type { Ownership } from './ownership.ts';
import { AT, O } from './path-flags.ts';
import { CLONE } from './process-flags.ts';
import type { Step } from './program.ts';
import { RECORD } from './records.ts';

/**
 * Steps that put the program into a user namespace with the ids of `ownership`, as what the caller is in it, with all capabilities.
 * None for 'root'. For 'mapped', pass the same ownership as `idMap` to startRunner: Node writes the maps while the program waits.
 * The steps need /proc, and belong before the first fork.
 */
export function userNamespaceSteps(ownership: Ownership): Step[] {
  if (ownership.kind === 'root') return [];
  const enter: Step = { call: 'unshare', args: [CLONE.NEWUSER], what: 'create a user namespace' };
  if (ownership.kind === 'mapped') {
    return [enter, ...askNodeSteps(RECORD.idMapsWanted, 'map the ids of the user namespace')];
  }
  const { uid, gid } = callerInside(ownership);
  return [
    enter,
    ...writeProcFile('setgroups', 'deny'), // the kernel wants this before an unprivileged gid_map: user_namespaces(7)
    ...writeProcFile('uid_map', `${uid} ${ownership.uid} 1\n`),
    ...writeProcFile('gid_map', `${gid} ${ownership.gid} 1\n`),
  ];
}

function writeProcFile(name: string, text: string): Step[] {
  const path = `/proc/self/${name}`;
  const what = `write ${path}`;
  const bytes = Buffer.from(text);
  const file = `userns ${name}`;
  return [
    { call: 'openat', args: [AT.FDCWD, path, constants.O_WRONLY | O.CLOEXEC], save: file, what },
    { call: 'write', args: [{ result: file }, bytes, bytes.length], what },
    { call: 'close', args: [{ result: file }], what },
  ];
}
