import { isToolError, ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Credentials } from './credentials.ts';
import type { ConfiguredHelper } from './docker-logins.ts';
import type { HelperAnswer } from './run-helper.ts';

/** A question to a helper about the login for one server. */
export interface HelperCall extends ConfiguredHelper {
  /** As docker names it: see loginKey. */
  server: string;
  /** The file that names the helper, for messages. */
  path: string;
  signal?: AbortSignal | undefined;
}

/**
 * Runs `docker-credential-<name>`. Throws ERR_HOST if it is not installed, ERR_AUTH if it fails, is too slow, or answers
 * with nonsense, ERR_LIMIT, ERR_ABORTED.
 */
export interface CredentialHelpers {
  /** undefined: it has no login for the server. */
  get: (call: HelperCall) => Promise<Credentials | undefined>;
  store: (call: HelperCall, login: Credentials) => Promise<void>;
  /** Whether it had one. */
  erase: (call: HelperCall) => Promise<boolean>;
}

export interface HelperSettings {
  /** What the helper gets as its environment; it is looked for on the PATH in it. */
  env: Readonly<Record<string, string | undefined>>;
  timeoutMs?: number | undefined;
}

const TIME_LIMIT = 120_000; // ms; a keychain may ask for a passphrase first
const NOT_FOUND = 'credentials not found in native keychain';
const TOKEN_USER = '<token>'; // the user name with which an identity token is kept

/** https://github.com/docker/docker-credential-helpers/blob/v0.9.3/README.md#development */
export function credentialHelpers({ env, timeoutMs = TIME_LIMIT }: HelperSettings): CredentialHelpers {
  const ask = async (verb: string, call: HelperCall, input: string): Promise<HelperAnswer> => {
    const { name, server, signal } = call;
    const action = `${verb} the login for "${printable(server)}"`;
    const { runHelper } = await import('./run-helper.ts'); // for the few that have a helper
    return runHelper({ name, argument: verb, action, input, env, timeoutMs, signal }).catch((error: unknown) => {
      throw isToolError(error, 'ERR_HOST') ? withRemedy(error, call) : error;
    });
  };
  return {
    async get(call) {
      const answer = await ask('get', call, call.server);
      if (saysNotFound(answer)) return undefined;
      return parseAnswer(succeeded(answer), answer);
    },
    async store(call, login) {
      const input = JSON.stringify({ ServerURL: call.server, ...userAndSecret(login) });
      succeeded(await ask('store', call, input), userAndSecret(login).Secret);
    },
    async erase(call) {
      const answer = await ask('erase', call, call.server);
      if (saysNotFound(answer)) return false;
      succeeded(answer);
      return true;
    },
  };
}

function saysNotFound({ exitCode, stdout }: HelperAnswer): boolean {
  return exitCode !== 0 && stdout.trim() === NOT_FOUND;
}

function userAndSecret(login: Credentials): { Username: string; Secret: string } {
  if (login.kind === 'password') return { Username: login.username, Secret: login.password };
  return { Username: TOKEN_USER, Secret: login.kind === 'none' ? '' : login.token };
}

/** The output of a helper that did what it was told. `secret` is kept out of the error. */
function succeeded({ exitCode, stdout, stderr, told }: HelperAnswer, secret: string = ''): string {
  if (exitCode === 0) return stdout;
  // Helpers say on stdout what went wrong; what looks like their answer may hold a password.
  const said = stdout.trim() === '' || stdout.includes('{') ? stderr : stdout;
  const text = (secret === '' ? said : said.replaceAll(inJson(secret), '***').replaceAll(secret, '***')).trim();
  throw failed(told, `it ended with exit code ${exitCode}${text === '' ? '' : `: ${printable(text)}`}`);
}

/** As it was written to the helper. */
function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function parseAnswer(text: string, { told }: HelperAnswer): Credentials | undefined {
  const { Username: username, Secret: secret } = parseObject(text);
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw failed(told, 'it did not answer with a user name and a secret in JSON');
  }
  if (secret === '') return undefined;
  return username === TOKEN_USER
    ? { kind: 'identity', token: secret }
    : { kind: 'password', username, password: secret };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function failed(told: string, problem: string): ToolError {
  return new ToolError('ERR_AUTH', `Cannot ${told}: ${problem}`);
}

function withRemedy(error: ToolError, { setting, path }: HelperCall): ToolError {
  const hint = `Install it, or remove "${setting}" from "${printable(path)}", which names it.`;
  return new ToolError(error.code, error.message, { hint, cause: error });
}
