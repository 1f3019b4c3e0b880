/** Ends the command: `message` goes to stderr as it stands, `exitCode` to the caller. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = 1, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}
