import { printable } from '../printable.ts';
import { CliError } from './cli-error.ts';
import { COMMANDS, GROUPS } from './command-table.ts';
import type { CommandEntry } from './command-table.ts';
import type { Context } from './context.ts';
import { FlagError } from './flags.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';
import { normalizeFlags } from './normalize-flags.ts';
import { withOffline } from './offline.ts';

/**
 * Runs a command line and answers with the exit code. What stands before the command's word is read here, what follows it
 * by the command, which is loaded only then.
 */
export async function main(argv: readonly string[], context: Context): Promise<number> {
  try {
    return await dispatch(argv, context);
  } catch (error) {
    const { reportError } = await import('./report-error.ts');
    return reportError(error, context);
  }
}

async function dispatch(argv: readonly string[], context: Context): Promise<number> {
  const { home, offline, help, version, words } = readGlobalFlags(argv);
  const env = withOffline(context.env, offline);
  const inStore = { ...context, env, home: home ?? homeFrom(context.env) };
  if (version) return printVersion(context);
  if (help || words.length === 0) return printHelp([], { context, isWanted: help });
  if (words[0] === 'help') return printHelp(words.slice(1), { context, isWanted: true });
  const { entry, path, rest } = findCommand(words);
  if (entry !== undefined) return (await entry.load()).execute({ path, argv: rest }, inStore);
  const isHelp = HELP.includes(rest[0] ?? '');
  if (rest.length === 0 || isHelp) return printHelp(words.slice(0, 1), { context, isWanted: isHelp });
  const usage = `\n\nUsage:  ${path} COMMAND\n\nRun '${path} --help' for more information`;
  if (rest[0]?.startsWith('-') === true) throw new CliError(`unknown flag: ${printable(rest[0])}${usage}`);
  throw new CliError(`mydocker: unknown command: ${path} ${printable(rest[0] ?? '')}${usage}`);
}

const HELP: readonly string[] = ['--help', '-h'];

function homeFrom(env: Context['env']): string | undefined {
  const home = env['MYDOCKER_HOME'];
  return home === '' ? undefined : home;
}

interface GlobalFlags {
  home: string | undefined;
  offline: boolean | undefined;
  help: boolean;
  version: boolean;
  /** The command's word and what follows it. */
  words: readonly string[];
}

function readGlobalFlags(argv: readonly string[]): GlobalFlags {
  try {
    const { flags, operands } = normalizeFlags(GLOBAL_FLAGS, argv, true);
    const value = (name: string): string | undefined => flags.findLast(([key]) => key === name)?.[1];
    const isSet = (name: string): boolean => GLOBAL_FLAGS.help.merge(value(name) ?? 'false', false);
    const offline = value('offline');
    return {
      home: value('home'),
      offline: offline === undefined ? undefined : GLOBAL_FLAGS.offline.merge(offline, undefined),
      help: isSet('help'),
      version: isSet('version'),
      words: operands,
    };
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    const usage = "Usage:  mydocker [OPTIONS] COMMAND [ARG...]\n\nRun 'mydocker --help' for more information";
    throw new CliError(`${printable(error.message)}\n\n${usage}`);
  }
}

interface FoundCommand {
  /** `undefined` for a group without a command of it. */
  entry: CommandEntry | undefined;
  path: string;
  rest: readonly string[];
}

function findCommand([word = '', ...rest]: readonly string[]): FoundCommand {
  const path = `mydocker ${word}`;
  if (Object.hasOwn(COMMANDS, word)) return { entry: COMMANDS[word], path, rest };
  if (!Object.hasOwn(GROUPS, word)) {
    throw new CliError(
      `mydocker: unknown command: mydocker ${printable(word)}\n\nRun 'mydocker --help' for more information`,
    );
  }
  const { commands = {}, alone } = GROUPS[word] ?? {};
  const second = rest[0] ?? '';
  const isAlone = second === '' || (second.startsWith('-') && !HELP.includes(second));
  if (!Object.hasOwn(commands, second)) return { entry: isAlone ? alone : undefined, path, rest };
  return { entry: commands[second], path: `${path} ${second}`, rest: rest.slice(1) };
}

async function printVersion({ stdout }: Context): Promise<number> {
  const { readVersion } = await import('./version.ts');
  stdout.write(`MyDocker version ${readVersion()}\n`);
  return 0;
}

/** Help that was asked for goes to stdout, help for want of a command to stderr; both succeed, as with docker. */
async function printHelp(
  words: readonly string[],
  { context, isWanted }: { context: Context; isWanted: boolean },
): Promise<number> {
  const output = isWanted ? context.stdout : context.stderr;
  const { groupHelp, rootHelp } = await import('./root-help.ts');
  const [word] = words;
  if (word === undefined) {
    output.write(rootHelp(output.columns()));
    return 0;
  }
  const group = Object.hasOwn(GROUPS, word) ? GROUPS[word] : undefined;
  if (group !== undefined && words.length === 1) {
    output.write(groupHelp(word, group));
    return 0;
  }
  const isKnown = group !== undefined || Object.hasOwn(COMMANDS, word);
  const { entry, path } = isKnown ? findCommand(words) : {};
  if (entry === undefined) throw new CliError(`unknown help topic: ${printable(words.join(' '))}`);
  return (await entry.load()).execute({ path: path ?? '', argv: ['--help'] }, context);
}
