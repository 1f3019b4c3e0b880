import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';

/** Why a name that is protected does not go away, or over to another image. */
export function protectedImage(action: 'delete' | 'replace', name: string): ToolError {
  const shown = printable(name);
  return new ToolError(
    'ERR_CONFLICT',
    `conflict: unable to ${action} ${shown} (cannot be forced) - image is protected`,
    { hint: `To ${action} it all the same, run this before: mydocker image unprotect ${shown}` },
  );
}
