import { ToolError } from '../errors.ts';

export interface CommandSources {
  /** Entrypoint and Cmd of the image. */
  image: { entrypoint: readonly string[]; cmd: readonly string[] };
  /** `--entrypoint`; the empty string removes the image's and puts nothing in its place. */
  entrypoint?: string | undefined;
  /** What stood after the image's name. */
  args: readonly string[];
}

/**
 * What is run, by docker's rules: the entrypoint and then the arguments, or the image's Cmd if none were given.
 * An entrypoint of the user's own also discards the image's Cmd, which was meant for another program.
 * @throws {ToolError} ERR_USAGE if nothing is left to run
 */
export function containerCommand(sources: CommandSources): string[] {
  const { image, entrypoint, args } = sources;
  const head = entrypoint === undefined ? image.entrypoint : [entrypoint].filter((word) => word !== '');
  const tail = args.length === 0 && entrypoint === undefined ? image.cmd : args;
  const command = [...head, ...tail];
  if (command.length === 0) {
    throw new ToolError('ERR_USAGE', 'no command specified', {
      hint: 'The image names no command of its own: give one after its name.',
    });
  }
  return command;
}
