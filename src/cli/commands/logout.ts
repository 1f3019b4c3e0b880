import { loginKey } from '../../registry/login-key.ts';
import type { CliCommand } from '../command-spec.ts';
import { defineCommand } from '../define-command.ts';
import { interruptible } from '../interruptible.ts';

export const logoutCommand: CliCommand = defineCommand(
  {
    usage: '[SERVER]',
    about: 'Log out from a registry.\nDefaults to Docker Hub if no server is specified.',
    paths: ['logout'],
    flags: {},
    takes: [0, 1],
  },
  async ({ operands: [server] }, context) =>
    interruptible(context, async ({ signal }) => {
      const { registry, wasLoggedIn } = await context.engine.logout(server, { env: context.env, signal });
      context.stdout.write(
        `${wasLoggedIn ? 'Removing login credentials for' : 'Not logged in to'} ${loginKey(registry)}\n`,
      );
      return 0;
    }),
);
