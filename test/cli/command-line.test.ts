import { describe, expect, it } from 'vitest';
import { CliError } from '../../src/cli/cli-error.ts';
import { checkOperandCount, parseCommandLine } from '../../src/cli/command-line.ts';
import { FlagError, booleanFlag, integerFlag, listFlag, stringFlag } from '../../src/cli/flags.ts';

const SPEC = {
  usage: '[OPTIONS] IMAGE',
  about: '',
  paths: ['pull'],
  takes: [1, 1] as const,
  flags: {
    env: listFlag({
      short: 'e',
      about: '',
      check: (value) => {
        if (value === '') throw new FlagError('it is empty');
      },
    }),
    last: integerFlag({ short: 'n', about: '', least: 0 }),
    name: stringFlag({ about: '' }),
    'no-trunc': booleanFlag({ about: '' }),
    rm: booleanFlag({ about: '' }),
    trunc: stringFlag({ about: '' }),
  },
};

describe('parseCommandLine()', () => {
  function parse(...argv: string[]): unknown {
    const { flags, operands } = parseCommandLine(SPEC, 'mydocker pull', argv);
    return { ...flags, operands };
  }

  const nothing = { env: [], last: undefined, name: undefined, 'no-trunc': false, rm: false, trunc: undefined };

  it('has a value for every flag that was not given', () => {
    expect(parse()).toEqual({ ...nothing, operands: [] });
  });

  it('adds to lists, and lets the last of other flags win', () => {
    const parsed = parse('-e', 'A=1', '--name', 'x', '-eB=2', '--rm', '--name=y', '--rm=false', '-n', '5', 'image');
    expect(parsed).toEqual({ ...nothing, env: ['A=1', 'B=2'], name: 'y', last: 5, operands: ['image'] });
  });

  it('takes a flag that begins with no- for one of its own', () => {
    expect(parse('--no-trunc')).toEqual({ ...nothing, 'no-trunc': true, operands: [] });
    expect(parse('--no-trunc=false', '--trunc=x')).toEqual({ ...nothing, trunc: 'x', operands: [] });
  });

  it('keeps values and operands as they are written', () => {
    const parsed = parse('--name', '--env=1', '--', '--rm', '-e', '');
    expect(parsed).toEqual({ ...nothing, name: '--env=1', operands: ['--rm', '-e', ''] });
  });

  it.each([
    [['--foo'], 'unknown flag: --foo'],
    [['--rm=maybe'], 'invalid argument "maybe" for "--rm" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
    [['-n', 'x'], 'invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax'],
    [
      ['-n', '1e400'],
      'invalid argument "1e400" for "-n, --last" flag: strconv.ParseInt: parsing "1e400": invalid syntax',
    ],
    [['-n', '99999999999999999999'], 'strconv.ParseInt: parsing "99999999999999999999": value out of range'],
    [['-n', '-1'], 'invalid argument "-1" for "-n, --last" flag: must be 0 or more'],
    [['-e', ''], 'invalid argument "" for "-e, --env" flag: it is empty'],
    [['--\u001b[31m'], 'unknown flag: --\\x1b[31m'],
  ])('says what is wrong with %j, and the usage', (argv, message) => {
    const usage = "Usage:  mydocker pull [OPTIONS] IMAGE\n\nRun 'mydocker pull --help' for more information";
    expect(() => parse(...argv)).toThrow(`${message}\n\n${usage}`);
  });

  it('fails with the exit code of the command', () => {
    const codeOf = (failureCode?: number): unknown => {
      try {
        return parseCommandLine({ ...SPEC, failureCode }, 'mydocker run', ['--foo']);
      } catch (error) {
        return error instanceof CliError ? error.exitCode : error;
      }
    };
    expect([codeOf(), codeOf(125)]).toEqual([1, 125]);
  });
});

describe('checkOperandCount()', () => {
  it.each([
    [[1, 1], 0, 'requires 1 argument', 'Run'],
    [[1, 1], 2, 'requires 1 argument', 'Run'],
    [[0, 0], 1, 'accepts no arguments', 'Run'],
    [[0, 1], 2, 'requires at most 1 argument', 'Run'],
    [[1, Number.POSITIVE_INFINITY], 0, 'requires at least 1 argument', 'See'],
    [[2, 2], 0, 'requires 2 arguments', 'Run'],
  ] as const)('of %j, given %d: %s', (takes, count, problem, verb) => {
    expect(() => {
      checkOperandCount({ ...SPEC, takes }, 'mydocker x', count);
    }).toThrow(
      new CliError(
        `mydocker: 'mydocker x' ${problem}\n\nUsage:  mydocker x [OPTIONS] IMAGE\n\n${verb} 'mydocker x --help' for more information`,
      ),
    );
  });

  it('is content with the right number', () => {
    expect(() => {
      checkOperandCount(SPEC, 'mydocker x', 1);
    }).not.toThrow();
  });
});
