import { PR, SIGNAL } from './process-flags.ts';
import type { Step } from './program.ts';
import { encodeRecord, RECORD, RECORD_SIZE } from './records.ts';

/**
 * Steps after which the kernel kills this process when the one that started it ends. They belong right before the execve of a
 * program without a fork, and after all changes of user, group or capabilities: those make the kernel forget, as does an execve
 * of a set-user-id file.
 */
export function dieWithParentSteps(): Step[] {
  const what = 'be ended together with the parent';
  return [
    { call: 'prctl', args: [PR.SET_PDEATHSIG, SIGNAL.KILL], what },
    // It may have ended before that: then this is EPIPE and SIGPIPE.
    {
      call: 'write',
      args: [{ descriptor: 'control' }, encodeRecord({ step: RECORD.alive, value: 0 }), RECORD_SIZE],
      what,
    },
  ];
}
