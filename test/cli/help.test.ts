import { describe, expect, it } from 'vitest';
import { booleanFlag, stringFlag } from '../../src/cli/flags.ts';
import { commandHelp } from '../../src/cli/help.ts';

const SPEC = {
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  about: 'Download an image from a registry',
  paths: ['image pull', 'pull'],
  takes: [1, 1] as const,
  flags: {
    quiet: booleanFlag({ short: 'q', about: 'Suppress verbose output' }),
    platform: stringFlag({ about: 'Set platform if server is multi-platform capable' }),
    help: booleanFlag({ about: 'Print usage', hidden: true }),
  },
};

describe('commandHelp()', () => {
  it('has docker’s layout, flags by name, hidden ones left out', () => {
    expect(commandHelp(SPEC, 'mydocker pull', 80)).toBe(`Usage:  mydocker pull [OPTIONS] NAME[:TAG|@DIGEST]

Download an image from a registry

Aliases:
  mydocker image pull, mydocker pull

Options:
      --platform string   Set platform if server is multi-platform capable
  -q, --quiet             Suppress verbose output
`);
  });

  it('wraps to the terminal, in the column of the text', () => {
    expect(commandHelp(SPEC, 'mydocker pull', 60)).toContain(
      '      --platform string   Set platform if server is\n                          multi-platform capable\n',
    );
  });

  it('does not give up on a terminal that is too narrow', () => {
    expect(commandHelp(SPEC, 'mydocker pull', 10)).toContain('  -q, --quiet             Suppress verbose output\n');
  });
});
