import { errnoName, errnoText, type Errno } from './errno.ts';
import type { Step } from './program.ts';

/** A step of a program that failed. Message: `Cannot <what>: <text of the error>`. */
export class StepError extends Error {
  /** Index in the program; negative for what the runner does before the first step. */
  readonly step: number;
  /** The verb phrase of the step. */
  readonly what: string;
  readonly call: string;
  /** Name of the error; undefined when the call returned less than the step wanted (errno is 0 then), or an unknown number. */
  readonly code: Errno | undefined;
  readonly errno: number;

  constructor(index: number, { what, call }: Pick<Step, 'what' | 'call'>, errno: number) {
    super(`Cannot ${what}: ${errno === 0 ? 'the call returned less than wanted' : errnoText(errno)}`);
    this.name = 'StepError';
    this.step = index;
    this.what = what;
    this.call = call;
    this.code = errnoName(errno);
    this.errno = errno;
  }
}
