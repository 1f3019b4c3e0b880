import { existsSync, statSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { longTimeout } from '../../support/soak.ts';
import type { CliHome } from '../support/cli-home.ts';
import { FAULT_NEEDS, type CallKind, type FaultyEnd } from './faulty-run.ts';
import { TITLED_OPERATIONS } from './operations.ts';
import { sweep, type SweptFault } from './sweep.ts';

const TAKES_SPACE: CallKind[] = ['write', 'create', 'rename', 'link', 'mkdir', 'truncate', 'fsync'];
const ANY_CALL: CallKind[] = [...TAKES_SPACE, 'unlink', 'chmod'];

const FAULTS: SweptFault[] = [
  { effect: 'ENOSPC', kinds: TAKES_SPACE, points: 1 },
  { effect: 'EDQUOT', kinds: TAKES_SPACE, onwards: true, points: 1 },
  { effect: 'EIO', kinds: ANY_CALL, points: 2 },
  { effect: 'EMFILE', kinds: ['create'], points: 1 },
  { effect: 'EINTR', kinds: ['write', 'create', 'fsync'], points: 1 },
];

describe('a call on a file that fails with ENOSPC, EDQUOT, EIO, EMFILE or EINTR', requires(...FAULT_NEEDS), () => {
  it.each(TITLED_OPERATIONS)(
    'S05 F4 in %s: a message that says what could not be done, nothing is broken, and the next command works',
    async (_, operation) => sweep({ operation, faults: FAULTS, onEnd: explained }),
    longTimeout(300_000),
  );
});

describe('an fsync that fails once', requires(...FAULT_NEEDS), () => {
  it.each(TITLED_OPERATIONS.filter(([title]) => title.includes('pull')))(
    'S06 F3 in %s: what was not synced gets no name, and is not synced again',
    async (_, operation) =>
      sweep({ operation, faults: [{ effect: 'EIO', kinds: ['fsync'], points: 2 }], onEnd: discarded }),
    longTimeout(300_000),
  );
});

/** The kernel may have dropped the pages, and a second fsync would find nothing to complain about. */
function discarded(ended: FaultyEnd, home: CliHome, where: string): void {
  explained(ended, home, where);
  // Without a reserve a full disk is only harder to clean: nobody is told.
  if (!isOfReserve(ended)) expect(ended.code, where).toBe(1);
  const [failed, ...later] = ended.calls.slice(ended.calls.findIndex((one) => one === ended.hit));
  const isFile = !existsSync(failed?.path ?? '') || !statSync(failed?.path ?? '').isDirectory();
  if (isFile)
    expect(
      later.filter(({ path }) => path === failed?.path),
      where,
    ).toEqual([]);
}

/** The file that only takes space, and after it the folder that it is in. */
function isOfReserve({ calls, hit }: FaultyEnd): boolean {
  const at = calls.findIndex((one) => one === hit);
  return calls.slice(Math.max(0, at - 1), at + 1).some(({ path }) => path.includes('/.space-reserve.'));
}

/** It succeeded all the same, or says in one line what it could not do. */
function explained({ code, stderr }: FaultyEnd, _home: CliHome, where: string): void {
  if (code === 0) return;
  expect(code, where).toBeLessThan(128);
  expect(stderr, where).toMatch(/^(Error|mydocker): Cannot [^\n]+: [^\n]+\n/);
  expect(stderr, where).not.toContain('    at ');
}
