import { constants } from 'node:fs';
import { AT, O } from '../../linux/path-flags.ts';
import type { Step } from '../../linux/program.ts';

/** `--oom-score-adj`. Before the fork, as it is only until then that an ordinary user may: the waiter gets it, too. */
export function oomScoreSteps(adjustment: number | undefined): Step[] {
  if (adjustment === undefined) return [];
  const [text, save, what] = [String(adjustment), 'oom score', 'adjust the score for the OOM killer'];
  return [
    { call: 'openat', args: [AT.FDCWD, '/proc/self/oom_score_adj', constants.O_WRONLY | O.CLOEXEC], save, what },
    { call: 'write', args: [{ result: save }, text, text.length], what },
    { call: 'close', args: [{ result: save }], what },
  ];
}
