import { describe, it } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { longTimeout } from '../../support/soak.ts';
import { SUBID_USER } from '../../support/test-users.ts';
import { CALL_KINDS, FAULT_NEEDS } from './faulty-run.ts';
import { TITLED_OPERATIONS } from './operations.ts';
import { sweep, type SweptFault } from './sweep.ts';

/** The CLI is killed; or whichever process makes the call, of those that unpack, copy and set up. */
const KILLS = (points: number): SweptFault[] => [
  { effect: 'kill', kinds: CALL_KINDS, points },
  { effect: 'kill-caller', kinds: CALL_KINDS, ofChildren: true, points: points / 2 },
];

describe('SIGKILL at any call that changes a file or makes a container', requires(...FAULT_NEEDS), () => {
  it.each(TITLED_OPERATIONS)(
    '%s: I6 F1 F6 F7 nothing is broken, and the next command mends the rest',
    async (_, operation) => sweep({ operation, faults: KILLS(4) }),
    longTimeout(300_000),
  );

  it.each(TITLED_OPERATIONS)(
    '%s, as a user with subordinate ids: the same',
    async (_, operation) => sweep({ operation, faults: KILLS(2), user: SUBID_USER }),
    longTimeout(300_000),
  );
});
