import { inspect } from 'node:util';
import { isToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { CliError } from './cli-error.ts';
import type { Context } from './context.ts';
import { TemplateError } from './go-template/template-error.ts';

/** Tells an error on stderr, and answers with the exit code. With MYDOCKER_DEBUG, where it came from as well. */
export function reportError(error: unknown, context: Pick<Context, 'stderr' | 'env'>): number {
  context.stderr.write(`${errorText(error)}\n`);
  if ((context.env['MYDOCKER_DEBUG'] ?? '') !== '') context.stderr.write(`${debugText(error)}\n`);
  return error instanceof CliError ? error.exitCode : 1;
}

/**
 * An error as a command other than `run` shows it. Docker's "Error response from daemon: " shrinks to "Error: ", as there is
 * no daemon; what is wrong with the command line has its own beginning.
 */
export function errorText(error: unknown): string {
  if (error instanceof CliError) return error.message;
  if (error instanceof TemplateError) return `template parsing error: ${error.message}`;
  return `Error: ${errorMessage(error)}`;
}

/** Message and hint, without a beginning. */
export function errorMessage(error: unknown): string {
  if (isToolError(error)) return error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
  return printable(error instanceof Error ? error.message : String(error), MAX_UNEXPECTED);
}

const MAX_UNEXPECTED = 2000; // characters

function debugText(error: unknown): string {
  return inspect(error)
    .split('\n')
    .map((line) => printable(line, MAX_UNEXPECTED))
    .join('\n');
}
