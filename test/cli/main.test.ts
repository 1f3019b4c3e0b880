import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { main } from '../../src/cli/main.ts';
import type { Context } from '../../src/cli/context.ts';
import type { EngineApi } from '../../src/cli/engine-api.ts';
import { ToolError } from '../../src/errors.ts';
import { fakeContext } from './support/fake-context.ts';

const VERSION = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

async function run(
  argv: string[],
  engine: Partial<EngineApi> = {},
  options: Partial<Context> = {},
): Promise<{ code: number; out: string; err: string }> {
  const context = fakeContext(engine, options);
  const code = await main(argv, context);
  return { code, out: context.out(), err: context.err() };
}

describe('main()', () => {
  it.each([['--version'], ['-v'], ['--home=/x', '--version'], ['-v', 'images']])(
    '%j prints the version',
    async (...argv) => {
      expect(await run(argv)).toEqual({ code: 0, out: `MyDocker version ${VERSION}\n`, err: '' });
    },
  );

  it.each([['--help'], ['-h'], ['help'], ['--help', 'images']])('%j prints the help to stdout', async (...argv) => {
    const { code, out, err } = await run(argv);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^Usage: {2}mydocker \[OPTIONS\] COMMAND\n\n/);
    expect(out).toContain('\n  run      Create and run a new container from an image\n');
    expect(out).toContain('\n      --home dir   Folder of the store');
  });

  it('prints the help to stderr where no command was given, as docker does', async () => {
    const { code, out, err } = await run([]);
    expect([code, out]).toEqual([0, '']);
    expect(err).toMatch(/^Usage: {2}mydocker \[OPTIONS\] COMMAND\n\n/);
    expect((await run(['image'])).err).toMatch(/^Usage: {2}mydocker image COMMAND\n\nManage images\n\n/);
  });

  it.each([
    [['help', 'image'], 'Usage:  mydocker image COMMAND\n'],
    [['image', '--help'], 'Usage:  mydocker image COMMAND\n'],
    [['container', '-h'], 'Usage:  mydocker container COMMAND\n'],
    [['help', 'pull'], 'Usage:  mydocker pull [OPTIONS] NAME[:TAG|@DIGEST]\n'],
    [['help', 'image', 'ls'], 'Usage:  mydocker image ls [OPTIONS] [REPOSITORY[:TAG]]\n'],
    [['pull', '--help'], 'Usage:  mydocker pull [OPTIONS] NAME[:TAG|@DIGEST]\n'],
    [['pull', '-h'], 'Usage:  mydocker pull [OPTIONS] NAME[:TAG|@DIGEST]\n'],
    [['run', '--rm', '--help'], 'Usage:  mydocker run [OPTIONS] IMAGE [COMMAND] [ARG...]\n'],
    [['container', 'ls', '--help'], 'Usage:  mydocker container ls [OPTIONS]\n'],
  ])('%j prints its help', async (argv, usage) => {
    const { code, out, err } = await run(argv);
    expect([code, err]).toEqual([0, '']);
    expect(out.startsWith(usage)).toBe(true);
  });

  it('shows all commands of a group once', async () => {
    const { out } = await run(['image', '--help']);
    const words = [...out.matchAll(/^ {2}(\w+) {2,}\w/gm)].map(([, word]) => word);
    expect(words.filter((word) => ['ls', 'list', 'rm', 'remove', 'rmi'].includes(word ?? ''))).toEqual(['ls', 'rm']);
  });

  it.each([
    [['foo'], "mydocker: unknown command: mydocker foo\n\nRun 'mydocker --help' for more information\n"],
    [['toString'], "mydocker: unknown command: mydocker toString\n\nRun 'mydocker --help' for more information\n"],
    [['\u001b[31m'], "mydocker: unknown command: mydocker \\x1b[31m\n\nRun 'mydocker --help' for more information\n"],
    [
      ['image', 'foo'],
      "mydocker: unknown command: mydocker image foo\n\nUsage:  mydocker image COMMAND\n\nRun 'mydocker image --help' for more information\n",
    ],
    [
      ['image', '--foo'],
      "unknown flag: --foo\n\nUsage:  mydocker image COMMAND\n\nRun 'mydocker image --help' for more information\n",
    ],
    [
      ['--foo'],
      "unknown flag: --foo\n\nUsage:  mydocker [OPTIONS] COMMAND [ARG...]\n\nRun 'mydocker --help' for more information\n",
    ],
    [['help', 'foo'], 'unknown help topic: foo\n'],
    [['help', 'image', 'foo'], 'unknown help topic: image foo\n'],
  ])('refuses %j in docker’s words', async (argv, err) => {
    expect(await run(argv)).toEqual({ code: 1, out: '', err });
  });

  it.each([
    [['images', '-q'], 'images'],
    [['image', 'ls', '-q'], 'images'],
    [['image', 'list', '-q'], 'images'],
    [['ps', '-q'], 'containers'],
    [['container', 'ls', '-q'], 'containers'],
    [['container', 'ps', '-q'], 'containers'],
    [['rmi', 'x'], 'removeImage'],
    [['image', 'rm', 'x'], 'removeImage'],
    [['stop', 'x'], 'stopContainer'],
    [['container', 'stop', 'x'], 'stopContainer'],
    [['kill', 'x'], 'killContainer'],
    [['container', 'kill', 'x'], 'killContainer'],
    [['rm', 'x'], 'removeContainer'],
    [['container', 'rm', 'x'], 'removeContainer'],
    [['container', 'remove', 'x'], 'removeContainer'],
  ] as const)('%j is %s', async (argv, operation) => {
    const called = vi.fn(async () => []);
    expect((await run([...argv], { [operation]: called })).code).toBe(0);
    expect(called).toHaveBeenCalledOnce();
  });

  it.each([
    [['images'], {}, undefined],
    [['images'], { MYDOCKER_HOME: '/environment' }, '/environment'],
    [['images'], { MYDOCKER_HOME: '' }, undefined],
    [['--home', '/global', 'images'], { MYDOCKER_HOME: '/environment' }, '/global'],
    [['--home', '/global', 'images', '--home=/flag'], {}, '/flag'],
  ])('%j with %j uses the store %s', async (argv, env, home) => {
    const images = vi.fn(async () => []);
    await run(argv, { images }, { env });
    expect(images).toHaveBeenCalledWith({ home });
  });

  it('tells an error of the engine with its hint', async () => {
    const images = async (): Promise<never> => {
      throw new ToolError('ERR_STORE', 'Cannot open "/x": it is not yours', { hint: 'Use another.' });
    };
    expect(await run(['images'], { images })).toEqual({
      code: 1,
      out: '',
      err: 'Error: Cannot open "/x": it is not yours\nUse another.\n',
    });
  });

  it('tells an error that nobody foresaw in one line, and with MYDOCKER_DEBUG where it came from', async () => {
    const images = async (): Promise<never> => {
      throw new TypeError('a bug\u001b[31m');
    };
    expect((await run(['images'], { images })).err).toBe('Error: a bug\\x1b[31m\n');
    const { err } = await run(['images'], { images }, { env: { MYDOCKER_DEBUG: '1' } });
    expect(err).toMatch(/^Error: a bug\\x1b\[31m\nTypeError: a bug\\x1b\[31m\n {4}at .*images \(/);
  });

  it('calls a bad template by docker’s name', async () => {
    const { code, err } = await run(['images', '--format', '{{foo}}'], { images: async () => [] });
    expect([code, err]).toEqual([1, 'template parsing error: template: :1: function "foo" not defined\n']);
  });
});
