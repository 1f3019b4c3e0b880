import { ToolError } from '../errors.ts';
import type { Context } from './context.ts';

/**
 * Whether somebody can type into a container's terminal.
 * @throws {ToolError} ERR_USAGE, with docker's text
 */
export function checkStdin({ stdinIsTerminal }: Pick<Context, 'stdinIsTerminal'>): void {
  if (stdinIsTerminal()) return;
  const message = 'cannot attach stdin to a TTY-enabled container because stdin is not a terminal';
  throw new ToolError('ERR_USAGE', message);
}
