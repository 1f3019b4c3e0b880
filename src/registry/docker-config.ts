import { isToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { CredentialHelpers } from './credential-helper.ts';
import type { CredentialSource, Credentials } from './credentials.ts';
import type { DockerLogins } from './docker-logins.ts';
import { findLogin, helperFor, isForbiddenFile, readDockerLogins } from './docker-logins.ts';
import { loginKey } from './login-key.ts';

interface Question {
  path: string;
  registry: string;
  repository: string | undefined;
  helpers: CredentialHelpers | undefined;
  signal: AbortSignal;
}

/**
 * Logins from a `config.json` as docker writes it. The file is read at each question; a missing one has none.
 * The helper that the file names for a registry is asked first if `helpers` is given.
 * Throws ERR_AUTH for a file that is there and cannot be understood, and for a helper that fails.
 * https://github.com/docker/cli/blob/v29.0.0/cli/config/configfile/file.go
 */
export function credentialsFromDockerConfig(configPath: string, helpers?: CredentialHelpers): CredentialSource {
  return credentialsFromFiles([configPath], helpers);
}

/** The same from several files: the first that has a login for the registry counts. */
export function credentialsFromFiles(paths: readonly string[], helpers?: CredentialHelpers): CredentialSource {
  return async (registry, signal, repository) => {
    let without: Credentials | undefined;
    for (const path of paths) {
      const found = await askFile({ path, registry, repository, helpers, signal });
      if (found !== undefined && found.kind !== 'none') return found;
      without ??= found;
    }
    return without;
  };
}

async function askFile(question: Question): Promise<Credentials | undefined> {
  const { path, registry, repository } = question;
  try {
    const logins = await readDockerLogins(path);
    if (logins === undefined) return undefined;
    const helped = await askHelper(logins, question);
    if (helped !== undefined && helped.kind !== 'none') return helped;
    return findLogin(logins, registry, repository) ?? helped;
  } catch (error) {
    if (!isForbiddenFile(error)) throw error;
    return { kind: 'none', because: `The logins in "${printable(path)}" cannot be read: permission denied.` };
  }
}

/**
 * A helper for all registries that is not installed is a file that came from another machine, where public images must
 * work all the same; one that was set up for this very registry is missed.
 */
async function askHelper(logins: DockerLogins, question: Question): Promise<Credentials | undefined> {
  const { registry, helpers, path, signal } = question;
  const helper = helperFor(logins, registry);
  if (helper === undefined || helpers === undefined) return undefined;
  try {
    return await helpers.get({ ...helper, server: loginKey(registry), path, signal });
  } catch (error) {
    if (helper.setting === 'credHelpers' || !isToolError(error, 'ERR_HOST')) throw error;
    return { kind: 'none', because: `${error.message}.${error.hint === undefined ? '' : ` ${error.hint}`}` };
  }
}
