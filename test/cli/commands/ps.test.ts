import { describe, expect, it } from 'vitest';
import { psCommand } from '../../../src/cli/commands/ps.ts';
import type { ContainerSummary } from '../../../src/container/list-containers.ts';
import { container } from '../support/containers.ts';
import { fakeContext } from '../support/fake-context.ts';

const CONTAINERS = [
  container('new', { id: 'c', status: 'created', age: 0 }),
  container('web', { id: 'a', status: 'running', command: ['/bin/sh', '-c', 'echo "hi there"'], age: 180 }),
  container('old', { id: 'b', image: 'team/db:1', status: 'exited', exitCode: 137, age: 240 }),
  container('lost', { id: 'd', status: 'dead', age: 300 }),
];

async function run(
  argv: string[],
  list: ContainerSummary[] = CONTAINERS,
): Promise<{ code: number; out: string; err: string }> {
  const context = fakeContext({ containers: async () => list });
  const code = await psCommand.execute({ path: 'mydocker ps', argv }, context);
  return { code, out: context.out(), err: context.err() };
}

describe('ps', () => {
  it('prints docker’s table of what runs', async () => {
    expect(await run([])).toEqual({
      code: 0,
      err: '',
      out:
        'CONTAINER ID   IMAGE     COMMAND                   CREATED       STATUS       PORTS     NAMES\n' +
        'aaaaaaaaaaaa   alpine    "/bin/sh -c \'echo \\"h…"   3 hours ago   Up 3 hours             web\n',
    });
  });

  it('prints the header alone where there is nothing', async () => {
    expect((await run([], [])).out).toBe('CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n');
  });

  it.each([
    [
      ['-a', '--format', '{{.Names}}: {{.Status}}'],
      'new: Created\nweb: Up 3 hours\nold: Exited (137) 2 hours ago\nlost: Dead\n',
    ],
    [['-q'], 'aaaaaaaaaaaa\n'],
    [['-q', '--no-trunc'], `${'a'.repeat(64)}\n`],
    [['-aq'], 'cccccccccccc\naaaaaaaaaaaa\nbbbbbbbbbbbb\ndddddddddddd\n'],
    [['-l', '--format', '{{.Names}}'], 'new\n'],
    [['-n', '2', '--format', '{{.Names}}'], 'new\nweb\n'],
    [['-n', '-1', '--format', '{{.Names}}'], 'web\n'],
    [['--filter', 'status=exited', '--format', '{{.Names}}'], 'old\n'],
    [['-f', 'name=web', '--format', '{{.State}}'], 'running\n'],
    [['-f', 'name=old', '-q'], ''],
    [['--no-trunc', '--format', '{{.Command}}'], '"/bin/sh -c \'echo \\"hi there\\"\'"\n'],
    [['--format', '{{.RunningFor}}|{{.Ports}}|{{.Labels}}|{{.Label "x"}}|{{.Size}}'], '3 hours ago||||0B\n'],
  ])('%j', async (argv, out) => {
    expect(await run(argv)).toEqual({ code: 0, out, err: '' });
  });

  it('shows labels, in the order of their names and without control characters', async () => {
    const labelled = container('web', { labels: { b: '2', a: '1=\u001b[31m' } });
    const context = fakeContext({ containers: async () => [labelled] });
    const argv = ['--format', '{{.Labels}} {{.Label "b"}} {{.Label "constructor"}}.'];
    await psCommand.execute({ path: 'mydocker ps', argv }, context);
    expect(context.out()).toBe('a=1=\\x1b[31m,b=2 2 .\n');
  });

  it('prints docker’s JSON', async () => {
    const { out } = await run(['--format', 'json']);
    expect(JSON.parse(out)).toMatchObject({ ID: 'aaaaaaaaaaaa', Names: 'web', State: 'running', Platform: null });
    expect(out).toMatch(/^\{"Command":"\\"\/bin\/sh -c 'echo/);
  });

  it('warns that --quiet goes before a format', async () => {
    const { out, err } = await run(['-q', '--format', '{{.Names}}']);
    expect([out, err]).toEqual([
      'aaaaaaaaaaaa\n',
      'WARNING: Ignoring custom format, because both --format and --quiet are set.\n',
    ]);
  });

  it('lists a damaged container, by what is known of it', async () => {
    const damaged = { ...container('x', { id: 'f', status: 'exited', exitCode: 0 }), record: undefined };
    const { out } = await run(['-a', '--format', '{{.ID}} {{.Image}} {{.Names}} {{.RunningFor}}'], [damaged]);
    expect(out).toBe('ffffffffffff <no image>  10 minutes ago\n');
  });

  it('escapes what a terminal would obey', async () => {
    const hostile = container('web', { image: 'a\u001b[31m', command: ['\u001b]0;x\u0007'] });
    const { out } = await run(['--no-trunc', '--format', '{{.Image}} {{.Command}}'], [hostile]);
    expect(out).toBe('a\\x1b[31m "\\x1b]0;x\\a"\n');
  });
});
