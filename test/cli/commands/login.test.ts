import { describe, expect, it } from 'vitest';
import { loginCommand } from '../../../src/cli/commands/login.ts';
import type { Context } from '../../../src/cli/context.ts';
import type { EngineApi, LoginRequest } from '../../../src/cli/engine-api.ts';
import { ToolError } from '../../../src/errors.ts';
import type { LoginResult } from '../../../src/registry/login.ts';
import { fakeContext } from '../support/fake-context.ts';

const UNENCRYPTED =
  "\nWARNING! Your credentials are stored unencrypted in '/home/u/.docker/config.json'.\n" +
  'Configure a credential helper to remove this warning. See\n' +
  'https://docs.docker.com/go/credential-store/\n\n';

interface Run {
  code: number;
  out: string;
  err: string;
  /** What the engine was asked to log in with. */
  logins: Array<{ server: string | undefined; request: LoginRequest }>;
  questions: string[];
}

interface Situation {
  engine?: Partial<EngineApi>;
  result?: Partial<LoginResult>;
  stdin?: string;
  /** What is typed at the terminal; without it there is none. */
  typed?: string[];
}

async function run(argv: string[], { engine, result, stdin, typed }: Situation = {}): Promise<Run> {
  const logins: Run['logins'] = [];
  const questions: string[] = [];
  const login: EngineApi['login'] = async (server, request) => {
    logins.push({ server, request });
    const storedIn = { kind: 'file', path: '/home/u/.docker/config.json' } as const;
    return { registry: 'a.example', storedIn, stored: 'password', isChecked: true, ...result };
  };
  const options: Partial<Context> = {
    stdinIsTerminal: () => typed !== undefined,
    ...(stdin !== undefined && { readStdin: async () => stdin }),
    ask: async (question, { isHidden }) => {
      questions.push(`${question}${isHidden ? '(hidden)' : ''}`);
      return typed?.shift() ?? '';
    },
  };
  const context = fakeContext({ login, storedLogin: async () => undefined, ...engine }, options);
  const code = await loginCommand.execute({ path: 'mydocker login', argv }, context);
  return { code, out: context.out(), err: context.err(), logins, questions };
}

describe('login', () => {
  it('takes the password from stdin, without its line ending', async () => {
    for (const stdin of ['pa ss', 'pa ss\n', 'pa ss\r\n', 'pa ss\r']) {
      const { code, out, err, logins } = await run(['-u', 'user', '--password-stdin', 'a.example'], { stdin });
      expect([code, out, err]).toEqual([0, 'Login Succeeded\n', UNENCRYPTED]);
      expect(logins).toMatchObject([{ server: 'a.example', request: { username: 'user', password: 'pa ss' } }]);
    }
    const { logins } = await run(['-u', 'user', '-p', '-'], { stdin: ' pa\nss \n\n' });
    expect(logins).toMatchObject([{ server: undefined, request: { password: ' pa\nss \n' } }]);
  });

  it('warns of a password on the command line', async () => {
    const { out, err, logins } = await run(['--username=user', '--password=pass', '--insecure-registry=a', 'a']);
    expect(err).toBe(`WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n${UNENCRYPTED}`);
    expect(out).toBe('Login Succeeded\n');
    expect(logins).toMatchObject([
      { server: 'a', request: { username: 'user', password: 'pass', insecureRegistries: ['a'] } },
    ]);
  });

  it.each<[string, Partial<LoginResult>]>([
    ['a helper has it', { storedIn: { kind: 'helper', name: 'pass' } }],
    ['it is a token', { stored: 'identity' }],
  ])('does not warn of an unencrypted password where %s', async (_, result) => {
    const { err } = await run(['-u', 'user', '--password-stdin'], { stdin: 'x', result });
    expect(err).toBe('');
  });

  it('says so where nobody has checked the password', async () => {
    const { code, err } = await run(['-u', 'user', '--password-stdin'], { stdin: 'x', result: { isChecked: false } });
    expect(code).toBe(0);
    expect(err).toMatch(/\nWARNING! a\.example asked for no login, so nobody knows whether this one is right\.\n$/);
  });

  it.each([
    [
      ['-u', 'u', '-p', 'x', '--password-stdin'],
      'conflicting options: cannot specify both --password and --password-stdin',
    ],
    [['--password-stdin'], 'the --password-stdin option requires --username to be set'],
    [['-p', '-'], 'the --password-stdin option requires --username to be set'],
    [['-u', '', '-p', 'x'], 'username is empty'],
    [['-u', 'u', '-p', ''], 'password is empty'],
    [['-u', 'u'], 'error: cannot perform an interactive login from a non-TTY device'],
    [['-p', 'x'], 'error: cannot perform an interactive login from a non-TTY device'],
    [[], 'error: cannot perform an interactive login from a non-TTY device'],
    [['a', 'b'], "mydocker: 'mydocker login' requires at most 1 argument"],
    [['user@a.example'], 'user@a.example'],
  ])('refuses %j', async (argv, message) => {
    await expect(run(argv)).rejects.toThrow(message);
  });

  it.each(['', '\n', '  \r\n'])('refuses %j as the password on stdin', async (stdin) => {
    await expect(run(['-u', 'u', '--password-stdin'], { stdin })).rejects.toThrow('password is empty');
  });

  it('asks at a terminal for what is missing, and hides the password', async () => {
    const both = await run(['a.example'], { typed: [' user ', ' pass '] });
    expect(both.questions).toEqual(['Username: ', 'Password: (hidden)']);
    expect(both.logins).toMatchObject([{ request: { username: 'user', password: ' pass ' } }]);
    const one = await run(['-u', 'user', 'a.example'], { typed: ['pass'] });
    expect(one.questions).toEqual(['Password: (hidden)']);
    expect(one.out).toBe('Login Succeeded\n');
  });

  it.each([
    [[], 'error: username is required'],
    [['user'], 'error: password is required'],
  ])('gives up where nothing is typed after %j', async (typed, message) => {
    await expect(run(['a.example'], { typed })).rejects.toThrow(message);
  });

  it('takes a stored login, if there is one and none was given', async () => {
    const storedLogin: EngineApi['storedLogin'] = async () => ({ kind: 'password', username: 'old', password: 'pass' });
    const { out, err, logins } = await run(['a.example'], { engine: { storedLogin } });
    expect(logins).toMatchObject([{ server: 'a.example', request: { username: 'old', password: 'pass' } }]);
    expect(out).toBe('Login Succeeded\n');
    expect(err).toBe(
      'Authenticating with existing credentials... [Username: old]\n' +
        "To login with a different account, run 'mydocker logout' followed by 'mydocker login'\n\n",
    );
    const given = await run(['-u', 'new', 'a.example'], { engine: { storedLogin }, typed: ['x'] });
    expect(given.logins).toMatchObject([{ request: { username: 'new' } }]);
  });

  it('asks where the stored login has become wrong', async () => {
    const storedLogin: EngineApi['storedLogin'] = async () => ({ kind: 'password', username: 'old', password: 'pass' });
    const tried: string[] = [];
    const login: EngineApi['login'] = async (_, { username }) => {
      tried.push(username);
      throw new ToolError('ERR_AUTH', 'unauthorized');
    };
    await expect(run(['a.example'], { engine: { storedLogin, login }, typed: ['new', 'x'] })).rejects.toThrow(
      'unauthorized',
    );
    expect(tried).toEqual(['old', 'new']);
  });

  it('stops at SIGINT, with exit code 130 and no error', async () => {
    const context = fakeContext(
      { storedLogin: async () => undefined },
      {
        stdinIsTerminal: () => true,
        ask: async (_question, { signal }) => {
          context.signals.emit('SIGINT', 'SIGINT', 2);
          signal.throwIfAborted();
          return '';
        },
      },
    );
    expect(await loginCommand.execute({ path: 'mydocker login', argv: ['a.example'] }, context)).toBe(130);
    expect(context.out() + context.err()).toBe('');
  });
});
