import type { PasswordLogin } from '../../registry/credentials.ts';
import { credentialsFromFiles } from '../../registry/docker-config.ts';
import { parseLoginServer } from '../../registry/login-server.ts';
import type { LoginResult } from '../../registry/login.ts';
import { login as loginTo } from '../../registry/login.ts';
import type { LoginRequest, LoginsRequest } from '../engine-api.ts';
import { registryOptions } from './registry-options.ts';
import { userLogins } from './user-logins.ts';

export async function login(server: string | undefined, request: LoginRequest): Promise<LoginResult> {
  return loginTo(server, { ...request, ...userLogins(request), registry: registryOptions(request) });
}

/** The name and password that an earlier login left; undefined where there are none, or where a token stands for them. */
export async function stored(server: string | undefined, request: LoginsRequest): Promise<PasswordLogin | undefined> {
  const { files, helpers } = userLogins(request);
  const found = await credentialsFromFiles(files, helpers)(parseLoginServer(server), request.signal);
  return found?.kind === 'password' ? found : undefined;
}
