import { isToolError } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { parseLoginServer } from '../../registry/login-server.ts';
import type { LoginResult } from '../../registry/login.ts';
import { CliError } from '../cli-error.ts';
import type { CliCommand } from '../command-spec.ts';
import type { Context } from '../context.ts';
import { defineCommand } from '../define-command.ts';
import type { LoginsRequest } from '../engine-api.ts';
import { booleanFlag, stringFlag } from '../flags.ts';
import type { FlagValues } from '../flags.ts';
import { interruptible } from '../interruptible.ts';
import { insecureRegistryFlag } from '../network-flags.ts';

const flags = {
  'insecure-registry': insecureRegistryFlag,
  password: stringFlag({
    short: 'p',
    about: 'Password or Personal Access Token (PAT), or "-" to read from stdin',
  }),
  'password-stdin': booleanFlag({ about: 'Take the Password or Personal Access Token (PAT) from stdin' }),
  username: stringFlag({ short: 'u', about: 'Username' }),
};

export const loginCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS] [SERVER]',
    about: 'Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.',
    paths: ['login'],
    flags,
    takes: [0, 1],
  },
  async ({ flags: given, operands: [server] }, context) => {
    checkFlags(given);
    const registry = parseLoginServer(server);
    return interruptible(context, async ({ signal }) => {
      const request = { env: context.env, insecureRegistries: given['insecure-registry'], signal };
      const session: Session = { context, server, isDockerHub: registry === 'docker.io', request };
      const fromFlags = await readFlags(given, session);
      const hasFlags = fromFlags.username !== '' || fromFlags.password !== '';
      if (hasFlags || !(await loginAsBefore(session))) warn(await loginAnew(fromFlags, session), context);
      context.stdout.write('Login Succeeded\n');
      return 0;
    });
  },
);

interface Session {
  context: Context;
  server: string | undefined;
  isDockerHub: boolean;
  request: LoginsRequest & { insecureRegistries: readonly string[] };
}

/** Each '' where it has still to be found out. */
interface NameAndPassword {
  username: string;
  password: string;
}

type Given = FlagValues<typeof flags>;

function checkFlags({ username, password, 'password-stdin': fromStdin }: Given): void {
  if (fromStdin || password === '-') {
    if (password !== undefined && password !== '-') {
      throw new CliError('conflicting options: cannot specify both --password and --password-stdin');
    }
    if (username === undefined) throw new CliError('the --password-stdin option requires --username to be set');
  }
  if (username === '') throw new CliError('username is empty');
  if (password === '') throw new CliError('password is empty');
}

async function readFlags(given: Given, { context, request }: Session): Promise<NameAndPassword> {
  const { username = '', password = '' } = given;
  if (!given['password-stdin'] && password !== '-') {
    if (password !== '') {
      context.stderr.write('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n');
    }
    return { username, password };
  }
  // One line ending, which `echo` adds; all else belongs to the password.
  const secret = (await context.readStdin(request.signal)).replace(/(?:\r\n|\n|\r)$/, '');
  if (secret.trim() === '') throw new CliError('password is empty');
  return { username, password: secret };
}

/** With the login that is stored; false if there is none, or if it has become wrong. */
async function loginAsBefore({ context, server, request }: Session): Promise<boolean> {
  const { engine, stderr } = context;
  const stored = await engine.storedLogin(server, request);
  if (stored === undefined) return false;
  const { username, password } = stored;
  stderr.write(`Authenticating with existing credentials... [Username: ${printable(username)}]\n`);
  stderr.write("To login with a different account, run 'mydocker logout' followed by 'mydocker login'\n\n");
  try {
    await engine.login(server, { ...request, username, password });
    return true;
  } catch (error) {
    if (!isToolError(error, 'ERR_AUTH')) throw error;
    stderr.write('Stored credentials invalid or expired\n');
    return false;
  }
}

async function loginAnew(known: NameAndPassword, session: Session): Promise<LoginResult> {
  const { context, server, isDockerHub, request } = session;
  if ((known.username === '' || known.password === '') && !context.stdinIsTerminal()) {
    throw new CliError('error: cannot perform an interactive login from a non-TTY device');
  }
  if (known.username === '' && isDockerHub) {
    context.stdout.write('Log in with your Docker ID or email address to pull images from Docker Hub.\n');
  }
  const ask = async (question: string, isHidden: boolean): Promise<string> =>
    context.ask(question, { isHidden, signal: request.signal });
  const username = known.username || (await ask('Username: ', false)).trim();
  if (username === '') throw new CliError('error: username is required');
  const password = known.password || (await ask('Password: ', true));
  if (password === '') throw new CliError('error: password is required');
  return context.engine.login(server, { ...request, username, password });
}

function warn({ registry, storedIn, stored, isChecked }: LoginResult, { stderr }: Context): void {
  if (storedIn.kind === 'file' && stored === 'password') {
    stderr.write(
      `\nWARNING! Your credentials are stored unencrypted in '${printable(storedIn.path)}'.\n` +
        'Configure a credential helper to remove this warning. See\n' +
        'https://docs.docker.com/go/credential-store/\n\n',
    );
  }
  if (!isChecked) {
    stderr.write(`WARNING! ${registry} asked for no login, so nobody knows whether this one is right.\n`);
  }
}
