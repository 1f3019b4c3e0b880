import { COMMANDS, GROUPS, HIDDEN } from './command-table.ts';
import type { CommandGroup } from './command-table.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';
import { flagList } from './help.ts';

/** `mydocker --help`, in docker's layout. */
export function rootHelp(columns: number): string {
  const flags = Object.entries(GLOBAL_FLAGS).filter(([, flag]) => flag.hidden !== true);
  return `${[
    'Usage:  mydocker [OPTIONS] COMMAND',
    'A container engine without a daemon',
    `Common Commands:\n${commandList(COMMANDS)}`,
    `Management Commands:\n${commandList(GROUPS)}`,
    `Global Options:\n${flagList(flags, columns)}`,
    "Run 'mydocker COMMAND --help' for more information on a command.",
  ].join('\n\n')}\n`;
}

/** `mydocker image --help` */
export function groupHelp(word: string, group: CommandGroup): string {
  const shown = Object.entries(group.commands).filter(([name]) => !HIDDEN.has(name));
  return `${[
    `Usage:  mydocker ${word} COMMAND`,
    group.about,
    `Commands:\n${commandList(Object.fromEntries(shown))}`,
    `Run 'mydocker ${word} COMMAND --help' for more information on a command.`,
  ].join('\n\n')}\n`;
}

function commandList(commands: Readonly<Record<string, { about: string }>>): string {
  const column = Math.max(...Object.keys(commands).map((name) => name.length)) + 2;
  return Object.entries(commands)
    .map(([name, { about }]) => `  ${name.padEnd(column)}${about}`)
    .join('\n');
}
