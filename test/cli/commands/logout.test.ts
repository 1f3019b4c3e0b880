import { describe, expect, it } from 'vitest';
import { logoutCommand } from '../../../src/cli/commands/logout.ts';
import { fakeContext } from '../support/fake-context.ts';

describe('logout', () => {
  it.each([
    [['ghcr.io'], 'ghcr.io', true, 'Removing login credentials for ghcr.io\n'],
    [['ghcr.io'], 'ghcr.io', false, 'Not logged in to ghcr.io\n'],
    [[], 'docker.io', true, 'Removing login credentials for https://index.docker.io/v1/\n'],
  ])('of %j says what docker says', async (argv, registry, wasLoggedIn, expected) => {
    const asked: unknown[] = [];
    const context = fakeContext({
      logout: async (server, { env }) => {
        asked.push([server, env]);
        return { registry, wasLoggedIn };
      },
    });
    expect(await logoutCommand.execute({ path: 'mydocker logout', argv }, context)).toBe(0);
    expect([context.out(), context.err()]).toEqual([expected, '']);
    expect(asked).toEqual([[argv[0], {}]]);
  });
});
