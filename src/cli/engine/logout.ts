import type { LogoutResult } from '../../registry/logout.ts';
import { logout as logoutOf } from '../../registry/logout.ts';
import type { LoginsRequest } from '../engine-api.ts';
import { userLogins } from './user-logins.ts';

export async function logout(server: string | undefined, request: LoginsRequest): Promise<LogoutResult> {
  return logoutOf(server, { ...userLogins(request), signal: request.signal });
}
