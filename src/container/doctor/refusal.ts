import { ToolError } from '../../errors.ts';
import { diskError } from '../../fs/disk-error.ts';
import { StepError } from '../../linux/step-error.ts';
import { printable } from '../../printable.ts';
import { explainFailure } from '../explain-failure.ts';
import type { FailureContext } from '../explain-failure.ts';

/** Why something that was tried did not work, in the words that a run has for it. */
export interface Refusal {
  problem: string;
  remedy: string | undefined;
}

/** Makes something that was tried of an error, whatever it is. */
export function refusalOf(error: unknown, host: FailureContext['host']): Refusal {
  const explained =
    error instanceof StepError ? explainFailure(error, { program: '', isNoexec: () => false, host }) : error;
  const { message, hint } = toolError(explained);
  return { problem: message, remedy: hint };
}

function toolError(error: unknown): Pick<ToolError, 'message' | 'hint'> {
  const translated = diskError(error, 'try', 'this machine');
  return translated instanceof ToolError ? translated : { message: printable(translated.message), hint: undefined };
}
