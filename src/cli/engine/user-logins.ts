import { homedir } from 'node:os';
import type { CredentialHelpers } from '../../registry/credential-helper.ts';
import { credentialHelpers } from '../../registry/credential-helper.ts';
import type { LoginFiles } from '../../registry/login-files.ts';
import { loginFilesFromEnvironment } from '../../registry/login-files.ts';
import type { NetworkRequest } from '../engine-api.ts';

/** Where the caller's logins are. */
export function userLogins({ env }: Pick<NetworkRequest, 'env'>): { files: LoginFiles; helpers: CredentialHelpers } {
  const files = loginFilesFromEnvironment(env, { home: homedir(), uid: process.getuid?.() ?? 0 });
  return { files, helpers: credentialHelpers({ env }) };
}
