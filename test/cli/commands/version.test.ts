import { describe, expect, it } from 'vitest';
import { versionCommand } from '../../../src/cli/commands/version.ts';
import { fakeContext } from '../support/fake-context.ts';

async function run(...argv: string[]): Promise<string> {
  const context = fakeContext();
  expect(await versionCommand.execute({ path: 'mydocker version', argv }, context)).toBe(0);
  return context.out();
}

describe('version', () => {
  it('prints the version of the program and of Node.js', async () => {
    expect(await run()).toMatch(
      /^Client:\n Version: {2}\d+\.\d+\.\d+\n Node\.js: {2}v\d+.*\n OS\/Arch: {2}linux\/\w+\n$/,
    );
  });

  it('answers scripts that ask for the server’s', async () => {
    expect(await run('--format', '{{.Server.Version}}')).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(JSON.parse(await run('--format', 'json'))).toMatchObject({ Client: { Os: 'linux' } });
  });
});
