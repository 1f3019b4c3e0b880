import type { CommandSpec } from './command-spec.ts';
import type { Flag } from './flags.ts';

/**
 * The help of one command in docker's layout, wrapped to `columns`.
 * Source: the usage template of https://github.com/docker/cli/blob/v29.0.0/cli/cobra.go and FlagUsagesWrapped of pflag.
 */
export function commandHelp(spec: CommandSpec, path: string, columns: number): string {
  const sections = [`Usage:  ${path} ${spec.usage}`, spec.about];
  if (spec.paths.length > 1) sections.push(`Aliases:\n  ${spec.paths.map((other) => `mydocker ${other}`).join(', ')}`);
  const flags = Object.entries(spec.flags).filter(([, flag]) => flag.hidden !== true);
  sections.push(`Options:\n${flagList(flags, columns)}`);
  return `${sections.join('\n\n')}\n`;
}

/** A line for each flag, by name; what they are about starts in the same column. */
export function flagList(flags: ReadonlyArray<readonly [string, Flag<unknown>]>, columns: number): string {
  const sorted = [...flags].sort(([a], [b]) => (a < b ? -1 : 1));
  const heads = sorted.map(([name, flag]) => {
    const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
    return `  ${short}--${name}${flag.placeholder === '' ? '' : ` ${flag.placeholder}`}`;
  });
  const indent = Math.max(...heads.map((head) => head.length)) + 3;
  const width = Math.max(MIN_TEXT, columns - 1 - indent);
  return sorted
    .map(([, flag], at) => heads[at]?.padEnd(indent) + wrap(flag.about, width).join(`\n${' '.repeat(indent)}`))
    .join('\n');
}

const MIN_TEXT = 24; // columns; on a terminal narrower than that lines run over

/** Words in lines of at most `width` columns; a line break in the text stays one. */
function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    for (const word of paragraph.split(' ')) {
      const last = lines.at(-1);
      if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
      else lines.push(word);
    }
    return lines;
  });
}
