import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlagError, booleanFlag, listFlag, stringFlag } from '../../src/cli/flags.ts';
import { normalizeFlags } from '../../src/cli/normalize-flags.ts';

const FLAGS = {
  env: listFlag({ short: 'e', about: '' }),
  interactive: booleanFlag({ short: 'i', about: '' }),
  network: stringFlag({ about: '', alias: 'net' }),
  'no-trunc': booleanFlag({ about: '' }),
  tty: booleanFlag({ short: 't', about: '' }),
};

function read(argv: string[], stopsAtOperand = false): unknown {
  const { flags, operands } = normalizeFlags(FLAGS, argv, stopsAtOperand);
  return [flags.map(([name, value]) => `${name}=${value}`), operands];
}

describe('normalizeFlags()', () => {
  it.each([
    [['-it', 'x'], ['interactive=true', 'tty=true'], ['x']],
    [['-ite', 'A=1'], ['interactive=true', 'tty=true', 'env=A=1'], []],
    [['-eA=1'], ['env=A=1'], []],
    [['-e=A=1'], ['env=A=1'], []],
    [['-e', 'A=1'], ['env=A=1'], []],
    [['-e='], ['env=='], []],
    [['--env', 'A=1'], ['env=A=1'], []],
    [['--env=A=1'], ['env=A=1'], []],
    [['--env='], ['env='], []],
    [['--env', '--tty'], ['env=--tty'], []],
    [['--env', '--'], ['env=--'], []],
    [['-i=false'], ['interactive=false'], []],
    [['--tty=0', '--tty'], ['tty=0', 'tty=true'], []],
    [['--no-trunc'], ['no-trunc=true'], []],
    [['--net', 'none'], ['network=none'], []],
    [['x', '-t', 'y'], ['tty=true'], ['x', 'y']],
    [['-t', '--', '-i', '--'], ['tty=true'], ['-i', '--']],
    [['-', ''], [], ['-', '']],
  ])('reads %j', (argv, flags, operands) => {
    expect(read(argv)).toEqual([flags, operands]);
  });

  it.each([
    [['-t', 'image', '-i', '--nope'], ['tty=true'], ['image', '-i', '--nope']],
    [['-t', '--', 'image', '-i'], ['tty=true'], ['image', '-i']],
    [['image', '--', '-i'], [], ['image', '--', '-i']],
  ])('leaves all from the first operand on alone where it should: %j', (argv, flags, operands) => {
    expect(read(argv, true)).toEqual([flags, operands]);
  });

  // Docker's words.
  it.each([
    [['--foo'], 'unknown flag: --foo'],
    [['--foo=1'], 'unknown flag: --foo'],
    [['--toString'], 'unknown flag: --toString'],
    [['--e'], 'unknown flag: --e'],
    [['-x'], "unknown shorthand flag: 'x' in -x"],
    [['-itx'], "unknown shorthand flag: 'x' in -x"],
    [['-i='], "unknown shorthand flag: '=' in -="],
    [['--env'], 'flag needs an argument: --env'],
    [['-e'], "flag needs an argument: 'e' in -e"],
    [['-ie'], "flag needs an argument: 'e' in -e"],
    [['--=x'], 'bad flag syntax: --=x'],
    [['---x'], 'bad flag syntax: ---x'],
  ])('refuses %j', (argv, message) => {
    expect(() => read(argv)).toThrow(new FlagError(message));
  });

  it('loses no word of any command line', () => {
    const word = fc.oneof(fc.constantFrom('-it', '-e', '--env', '--tty', '--', '-', '--net=x'), fc.string());
    fc.assert(
      fc.property(fc.array(word), (argv) => {
        try {
          const { flags, operands } = normalizeFlags(FLAGS, argv, true);
          expect(operands).toEqual(argv.slice(argv.length - operands.length));
          expect(flags.every(([name]) => Object.hasOwn(FLAGS, name))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(FlagError);
        }
      }),
    );
  });
});
